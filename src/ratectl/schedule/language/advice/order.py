"""All kinds of advice, in the order in which they speak: the first one that fits is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.schedule.language.advice import (
    days,
    keys,
    left_out,
    parts_of_day,
    rhythms,
    small_words,
)
from ratectl.schedule.language.advice.clock import CLOCK_ADVICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ratectl.schedule.language.advice.advice import Advice

ADVICE: tuple[Callable[[str], Advice | None], ...] = (
    small_words.quoted,
    keys.never,
    rhythms.times_a_unit,
    rhythms.all_of,
    rhythms.steps,
    rhythms.some,
    rhythms.two_rhythms,
    rhythms.hours_and_minutes,
    rhythms.signs,
    parts_of_day.except_window,
    parts_of_day.two_windows,
    rhythms.two_gaps,
    days.before_the_end,
    days.several_days,
    days.placed_weekdays,
    days.days_of_quarters,
    left_out.except_days,
    small_words.other_words,
    days.words_for_days,
    days.day_of_week,
    days.numbered_day,
    days.timed_day,
    keys.two_zones,
    keys.two_schedules,
    keys.boot,
    keys.city,
    keys.zone,
    keys.bounds,
    keys.written_dates,
    keys.year,
    keys.one_day,
    parts_of_day.open_window,
    parts_of_day.several_parts,
    parts_of_day.parts_at,
    parts_of_day.part_as_window,
    parts_of_day.nights,
    parts_of_day.sun,
    days.counted_weekdays,
    days.business_day,
    days.holidays,
    days.ends_of,
    rhythms.fractions,
    rhythms.fortnights,
    rhythms.hours_alone,
    *CLOCK_ADVICE,
    rhythms.no_every,
    small_words.joined_by_and,
)
