"""Sentences that people check their schedules against."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.parse import parse
from tests.schedule.languages import cron_lines, phrases


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("every 5 seconds", "Every 5 seconds."),
        ("every 45 seconds", "Every 45 seconds."),
        ("every minute at :05", "Every minute at :05."),
        ("* * * * *", "Every minute."),
        ("*/15 * * * *", "Every 15 minutes."),
        ("every 90 minutes", "Every 90 minutes."),
        ("0 * * * *", "Every hour."),
        ("17 * * * *", "Every hour at :17."),
        ("every 2 hours at :17 and :47", "Every 2 hours at :17 and :47."),
        (
            "0 9-17 * * *",
            "Every day at 09:00, 10:00, 11:00, 12:00, 13:00, 14:00, 15:00, 16:00 and 17:00.",
        ),
        ("30 10 * * *", "Every day at 10:30."),
        ("30 10 * * 1-5", "Every weekday at 10:30."),
        ("every day at 09:00 and 17:00", "Every day at 09:00 and 17:00."),
        ("every weekend day", "Every weekend day at 00:00."),
        ("every monday and friday at 8:15", "Every Monday and Friday at 08:15."),
        ("every 3 days", "Every 3 days at 00:00."),
        ("every 2 weeks on friday at 9:00", "Every 2 weeks on Friday at 09:00."),
        ("every month on the 1st and 15th", "Every month on the 1st and 15th at 00:00."),
        ("every month on the last day at 6:00", "Every month on the last day at 06:00."),
        (
            "every month on the first and last monday",
            "Every month on the first and last Monday at 00:00.",
        ),
        ("every month on the last weekday", "Every month on the last weekday at 00:00."),
        ("0 12 1-7 * *", "Every month on the 1st to 7th at 12:00."),
        ("@yearly", "Every month on the 1st in January at 00:00."),
        ("every quarter", "Every month on the 1st in January, April, July and October at 00:00."),
        ("0 12 4 * 5", "Every Friday at 12:00; and every month on the 4th at 12:00."),
        (
            "0 12 */2 * 1",
            "Every month on the 1st, 3rd, 5th, 7th, 9th, 11th, 13th, 15th, 17th, 19th, 21st, 23rd, 25th, 27th, 29th and 31st if it is a Monday at 12:00.",
        ),
        ("*/7 * * * *", "Every hour at :00, :07, :14, :21, :28, :35, :42, :49 and :56."),
        ("every 7 minutes", "Every 7 minutes of elapsed time, counted from 1970-01-05 00:00."),
        (
            "every 90 to 120 minutes",
            "Every 90 to 120 minutes of elapsed time, counted from 1970-01-05 00:00.",
        ),
        ("once at 2026-12-01 10:30", "Once at 2026-12-01 10:30."),
        (
            "every 15 minutes between 09:00 and 17:30 on weekdays",
            "Every 15 minutes between 09:00 and 17:30 on weekdays.",
        ),
        ("10-32/9 */7 * * *", "Every hour at minutes 10, 19 and 28 of hours 0, 7, 14 and 21."),
        ("5 0-23 * * *", "Every day at minute 5 of hours 0 to 23."),
        (
            "every minute at :05 and :20 between 09:00 and 10:30",
            "Every minute at seconds 5 and 20 of minutes 0 to 59 of hour 9; and every minute at seconds 5 and 20 of minutes 0 to 29 of hour 10.",
        ),
        (
            "every month on the 1st, 15th and last day",
            "Every month on the 1st, 15th and last day at 00:00.",
        ),
        ("every 5 months on the 31st", "Every 5 months on the 31st at 00:00."),
        (
            "every 2 months on the 15th",
            "Every month on the 15th in January, March, May, July, September and November at 00:00.",
        ),
        (
            "every 3 quarters on the last friday",
            "Every 9 months on the last Friday at 00:00, counted from 1970-03-01.",
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
        "Every day at 10:30; starting 2026-12-01 00:00; ending before 2028-01-01 00:00."
    )


@settings(max_examples=400, deadline=None)
@given(
    texts=st.lists(st.one_of(cron_lines, phrases), min_size=1, max_size=3),
    start=st.sampled_from(["", "2026-12-02", "2026-12-02T08:30:00"]),
    end=st.sampled_from(["", "2099-01-01T00:00:00"]),
)
def test_sentence_parses_to_the_same_value(texts, start, end):
    """Whatever a schedule is, its sentence says all of it: parsed, it is the same value."""
    value = parse(texts, start=start, end=end)

    assert parse([explain(value)]) == value
