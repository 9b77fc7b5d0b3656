"""Any URL that answers with XML, as central banks' do: as http-json, by paths of element and attribute names.

An element is the table of its attributes and child elements (names without namespace prefix), several of one name are
a list, and its text is its value: ``ValCurs.Valute[CharCode=USD].Value``. A document type is refused unread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers import http_json
from ratectl.fetch.providers._shared.xml_body import read

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.fetch.http import Request
    from ratectl.fetch.providers._shared.query import Answered, RateQuery
    from ratectl.model.job import Provider

groups = http_json.groups
refusal = http_json.refusal
not_before = http_json.not_before


class Element(dict[str, Any]):
    """Attributes and children by name, and the text between the tags."""

    text = ""


def request(provider: Provider, query: RateQuery, today: dt.date) -> Request:
    """Return the request; its key is added where secrets are resolved."""
    return http_json.request_as(provider, query, today, accept="application/xml, text/xml")


def parse(provider: Provider, query: RateQuery, body: bytes) -> tuple[Answered, ...]:
    """Return what *body* says of the asked pairs at their paths."""
    whole = document(body)
    return http_json.parsed(provider, query, whole, (whole, *whole.values()))


def document(body: bytes) -> Element:
    """Return the document *body*, a table with its one outermost element. Raises FetchError."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:400].lower()
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        raise FetchError(FailureKind.PORTAL, "a web page instead of data")
    outside = Element()
    opened = [outside]

    def begin(name: str, attributes: dict[str, str]) -> None:
        element = Element((_local(key), value) for key, value in attributes.items())
        _add(opened[-1], _local(name), element)
        opened.append(element)

    def end(_: str) -> None:
        element = opened.pop()
        element.text = element.text.strip()

    def characters(text: str) -> None:
        opened[-1].text += text

    read(body, begin, end, characters)
    return outside


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _add(parent: Element, name: str, element: Element) -> None:
    """Put *element* below *parent*; a second one of its name makes a list."""
    before = parent.get(name)
    if isinstance(before, list):
        before.append(element)
    else:
        parent[name] = element if before is None else [before, element]
