"""The one door to Jinja2: fills the texts that a person would write.

They lie in ``ratectl/templates`` inside the wheel and in ``templates`` at the
root of a checkout. A name that a template uses and nobody gave is a bug.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.runtime.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template
    from markupsafe import Markup


def fill(name: str, **values: object) -> str:
    """Return the template *name* (such as ``systemd/job.timer.j2``) filled with *values*."""
    return _template(name).render(**values)


def fill_page(name: str, own: Mapping[str, str], **values: object) -> str:
    """Return the HTML template *name* filled with *values*, each escaped, and with our *own* texts, which are not."""
    whole = {key: verbatim(text) for key, text in own.items()}
    return _template(name, escape=True).render(**values, **whole)


def verbatim(text: str) -> Markup:
    """Return *text* of our own making as what a page takes as it is."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with Jinja2, and is for pages only

    return Markup(text)  # noqa: S704 - what the word says


def source(name: str) -> str:
    """Return the text of the template *name* as it is."""
    return (folder() / name).read_text(encoding="utf-8")


def folder() -> Path:
    """Return the folder that holds the templates."""
    here = Path(__file__).parents[1]
    inside = here / "templates"
    return inside if inside.is_dir() else here.parent.parent / "templates"


def _seen_on_page(value: object) -> object:
    """Return what a page shows of *value*: what we do not take verbatim has no mark that reorders or hides text."""
    return visible(value) if type(value) is str else value


@functools.cache
def _template(name: str, *, escape: bool = False) -> Template:
    from jinja2 import (  # noqa: PLC0415 - 15 ms that commands which render nothing need not pay
        Environment,
        FileSystemLoader,
        StrictUndefined,
    )

    environment = Environment(
        loader=FileSystemLoader(folder()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=escape,  # noqa: S701 - unit files and crontabs are not HTML; each engine quotes its own
        finalize=_seen_on_page if escape else None,
    )
    return environment.get_template(name)
