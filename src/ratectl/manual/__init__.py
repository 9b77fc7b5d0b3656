"""The manual: a page in Markdown for each topic, which `ratectl manual` shows; each begins with its title and a sentence."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

TOPICS = (
    "tour",
    "recipes",
    "spec",
    "schedules",
    "providers",
    "outputs",
    "commands",
    "exit-codes",
    "living-with-it",
    "monitoring",
    "several-hosts",
    "kubernetes",
    "fleets",
    "engines",
    "proof",
    "security",
    "compared",
    "faq",
)
"""Every topic, in the order in which a newcomer would read; each is a page ``TOPIC.md`` beside this file."""
ALIASES = {
    "schedulers": "engines",
    **dict.fromkeys(("slot", "slots", "journal", "cover", "guard"), "tour"),
    "guarded": "faq",
}
"""Other words for a topic, which somebody may type."""


def page(topic: str) -> str:
    """Return the page of *topic* as it is written, in Markdown."""
    return (FOLDER / f"{topic}.md").read_text(encoding="utf-8")


def sentence(topic: str) -> str:
    """Return the one sentence that says what the page of *topic* is about."""
    _title, told, _rest = page(topic).split("\n\n", 2)
    return " ".join(told.split())
