"""One piece of advice about a text that is no schedule, and what several kinds of advice look for."""

from __future__ import annotations

from typing import NamedTuple


class Advice(NamedTuple):
    """Why a text is refused, where, and what says one or the other."""

    message: str
    offers: tuple[str, ...]
    span: tuple[int, int] = (0, 0)
    members: tuple[str, ...] = ()
    """What says it as a list of schedules, where one cannot."""

    @property
    def names_key(self) -> bool:
        """Tell whether the message names the key of the spec that says it."""
        return " = " in self.message or "closed_days" in self.message


DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[t ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"

ANY_TIME = r"[0-9]{1,2}(?::[0-9]{2})?(?: ?[ap]m)?"
