"""Sentences that people check their schedules against."""

import pytest

from ratectl.schedule.explain import explain
from ratectl.schedule.parse import parse


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("every 5 seconds", "Every 5 seconds."),
        ("every 45 seconds", "Every 45 seconds."),
        ("every minute at :05", "Every minute at second 5."),
        ("* * * * *", "Every minute."),
        ("*/15 * * * *", "Every 15 minutes."),
        ("every 90 minutes", "Every 90 minutes."),
        ("0 * * * *", "Every hour."),
        ("17 * * * *", "Every hour at :17."),
        ("every 2 hours at :17 and :47", "Every 2 hours at :17 and :47."),
        ("0 9-17 * * *", "Every hour from 09:00 to 17:00."),
        ("30 10 * * *", "Every day at 10:30."),
        ("30 10 * * 1-5", "Every weekday (Monday to Friday) at 10:30."),
        ("every day at 09:00 and 17:00", "Every day at 09:00 and 17:00."),
        ("every weekend day", "Every Saturday and Sunday at 00:00."),
        ("every monday and friday at 8:15", "Every Monday and Friday at 08:15."),
        ("every 3 days", "Every 3 days at 00:00."),
        ("every 2 weeks on friday at 9:00", "Every 2 weeks on Friday at 09:00."),
        ("every month on the 1st and 15th", "On the 1st and 15th of the month at 00:00."),
        ("every month on the last day at 6:00", "On the last day of the month at 06:00."),
        (
            "every month on the first and last monday",
            "On the first and last Monday of the month at 00:00.",
        ),
        ("every month on the last weekday", "On the last weekday of the month at 00:00."),
        ("0 12 1-7 * *", "On the 1st to 7th of the month at 12:00."),
        ("@yearly", "On the 1st in January at 00:00."),
        ("every quarter", "On the 1st in January, April, July and October at 00:00."),
        ("0 12 4 * 5", "On the 4th of the month at 12:00; and every Friday at 12:00."),
        (
            "0 12 */2 * 1",
            "On every 2nd day from the 1st to 31st of the month if it is a Monday at 12:00.",
        ),
        ("*/7 * * * *", "Every hour at :00, :07, :14, :21, :28, :35, :42, :49 and :56."),
        ("every 7 minutes", "Every 7 minutes of elapsed time from 1970-01-05 00:00."),
        (
            "every 90 to 120 minutes",
            "Every 90 to 120 minutes of elapsed time from 1970-01-05 00:00, drawn anew each time.",
        ),
        ("once at 2026-12-01 10:30", "Once, at 2026-12-01 10:30."),
        (
            "every 15 minutes between 09:00 and 17:30 on weekdays",
            "Every 15 minutes from 09:00 to 17:30, every weekday (Monday to Friday).",
        ),
    ],
)
def test_sentence(text, sentence):
    """The sentence says all that the schedule means."""
    assert explain(parse([text])) == sentence


def test_window_is_said():
    """The ends of a window are part of the sentence."""
    value = parse(["every day at 10:30"], start="2026-12-01", end="2028-01-01T00:00:00")

    assert explain(value) == (
        "Every day at 10:30, from 2026-12-01 00:00, until just before 2028-01-01 00:00."
    )
