"""What a crontab's reader must know of the machine that it lies on: its accounts and its time zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _any_account(name: str) -> bool:  # noqa: ARG001 - on a machine that nobody knows each account may exist
    return True


def _as_named(name: str) -> str:
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Questions to a machine; one that nobody knows has every account and every zone."""

    has_account: Callable[[str], bool] = _any_account
    zone_meant: Callable[[str], str] = _as_named
    """The zone of a name: itself where there is such a zone, else the nearest one, else nothing."""


ANY_MACHINE = Machine()
