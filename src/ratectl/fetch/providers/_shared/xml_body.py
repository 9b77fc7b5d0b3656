"""Reading an XML document of a provider by its events: one that is cut off is refused, and so is a document type, unread."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from ratectl.fetch.providers._shared import json_body as bodies

if TYPE_CHECKING:
    from collections.abc import Callable


def read(
    body: bytes,
    begin: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object] | None = None,
    characters: Callable[[str], object] | None = None,
) -> None:
    """Call *begin* for each element of *body* with its name and attributes, *end* and *characters* likewise. Raises FetchError."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = _document_type
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two for odd encodings
        raise bodies.bad("not XML, or cut off") from error


def _document_type(*_: object) -> None:
    raise bodies.bad("an XML document type, which no table of rates needs")
