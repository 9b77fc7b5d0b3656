"""``ratectl review``: what failed a check and waits for a person, who records it after all or dismisses it."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl.commands._shared import as_account, date_range, terminal
from ratectl.commands._shared.environment import surroundings, utc_now
from ratectl.commands._shared.options import JsonOption
from ratectl.errors import ConfigError, RatectlError, UsageError
from ratectl.firing import review as reviewing
from ratectl.firing.by_hand import Voiding, recorded_slot
from ratectl.firing.runner import Runner
from ratectl.journal import quarantine, queries
from ratectl.journal.journal import Journal
from ratectl.journal.quarantine import QuarantinedAnswer
from ratectl.journal.rate_store import RateStore
from ratectl.journal.rows import EVERY_SLOT
from ratectl.model.quote import plain, to_dict
from ratectl.runtime import own_places
from ratectl.runtime.visible import visible
from ratectl.views.format import as_json, clock
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence


class Action(enum.StrEnum):
    """What to do with quarantined answers."""

    LIST = "list"
    SHOW = "show"
    ACCEPT = "accept"
    REJECT = "reject"
    VOID = "void"


def review(
    action: Annotated[
        Action,
        typer.Argument(
            help="What to do with what is held: list, show, accept or reject it; void is for what is recorded."
        ),
    ] = Action.LIST,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID...",
            show_default=False,
            help="Numbers of held answers, as review lists them; for void also slots, or days with one slot.",
        ),
    ] = None,
    *,
    job: Annotated[
        str, typer.Option(metavar="JOB", help="Only what is held, or recorded, for this job.")
    ] = "",
    pair: Annotated[
        str, typer.Option(metavar="PAIR", help="Void the rate of this pair, not all of the slot.")
    ] = "",
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why a rate is taken back, for the record.")
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            metavar="D",
            help="Accept or reject all that is held for slots of the job from this day on.",
        ),
    ] = "",
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="List what was decided before, too; void a number in every slot that has it.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Decide about answers that failed a check; take a rate back.

    An accepted rate is recorded for the slot that it was held for and appended to the job's
    outputs. A voided one stays in ratectl history --revisions and counts nowhere; no line is
    taken out of an output, ratectl history --format writes a clean one.

    \b
    Examples:
      ratectl review
      ratectl review show 3
      ratectl review void 2026-11-20 --job usd-inr --reason "upside down"
    """
    _check_usage(action, ids or [], job=job, since=since, voiding=bool(pair or reason))
    with Journal(own_places.state_dir()) as journal:
        if job and action in {Action.ACCEPT, Action.REJECT, Action.VOID}:
            as_account.hand_over(journal, job, sys.argv[1:])
        if action is Action.LIST:
            found = _listed(journal, job, decided=everything)
            if json:
                typer.echo(as_json([_as_json(one) for one in found]))
            else:
                terminal.show(_text(found, journal))
        elif since:
            _decide_many(journal, action, job, since)
        else:
            for word in ids or ():
                if action is Action.VOID:
                    _void(journal, word, job=job, pair=pair, reason=reason, everywhere=everything)
                else:
                    number = _number(word)
                    _decide(journal, action, _home(journal, number, job), number)


def _check_usage(action: Action, ids: list[str], *, job: str, since: str, voiding: bool) -> None:
    """Raise UsageError where the words do not go together."""
    if voiding and action is not Action.VOID:
        raise UsageError("review: --pair and --reason go with void")
    if since and (action not in {Action.ACCEPT, Action.REJECT} or ids or not job):
        raise UsageError("review: --since goes with accept or reject and --job, in place of IDs")
    if not since and (action is Action.LIST) == bool(ids):
        raise UsageError(f"review {action}: {'takes no' if ids else 'which'} ID?")


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:20]) < 1 << 63):
        raise UsageError(
            f"review: {word!r} is no number of a held answer; `ratectl review` lists them"
        )
    return int(word)


def _void(
    journal: Journal, word: str, *, job: str, pair: str, reason: str, everywhere: bool
) -> None:
    """Take back what was recorded for the slot *word*, or what was accepted under that number."""
    answer = None
    if word.isascii() and word.isdigit():
        number = _number(word)
        answer = reviewing.accepted(_home(journal, number, job), number)
        job, pair = answer.job, str(answer.quote.pair) if answer.quote else pair
    if answer is None and not _is_moment(word):
        raise UsageError(f"review void: {_no_slot(journal, word, job)}")
    known = journal.remembered(job or _only_job(journal, word))
    job = known.job.name
    runner = Runner(journal, known, surroundings())
    slot = answer.slot if answer else _slot(word, runner)
    one = date_range.pair(pair, known.job)
    voiding = Voiding(
        runner=runner, slot=slot, pair=one, reason=reason or "by hand", everywhere=everywhere
    )
    voiding.run()
    for entry in voiding.voided:
        said = f"{entry.quote.pair} {plain(entry.quote.rate)} of {entry.quote.rate_date}"
        terminal.show(f"{job}: voided {said} for {runner.timetable.told(entry.slot)}")
    if not voiding.voided:
        terminal.show(f"{job}: voided before: {runner.timetable.told(slot)}")
    if voiding.elsewhere:
        _tell_of_others(voiding)


def _is_moment(word: str) -> bool:
    """Tell whether *word* is meant as a day or a time."""
    form = r"\d{4}-?(\d{2}|W\d{2})-?\d"
    return word in date_range.NAMED_DAYS or re.match(form, word) is not None


def _no_slot(journal: Journal, word: str, job: str) -> str:
    """Return what *word* should have been, with an example out of the record where there is one."""
    told = f"{word!r} is no number of an accepted answer, no day and no slot"
    for name in [job] if job else journal.known():
        known = journal.remembered(name)
        store = journal.store(known.job)
        slot = queries.newest_slot(store, name, EVERY_SLOT, None, skip=0)
        if slot is not None:
            typed = slot.astimezone(known.job.zone).isoformat()
            return f"{told}, such as in `ratectl review void {typed} --job {name}`"
    return f"{told}, such as 2026-11-23 or 2026-11-23T10:30"


def _tell_of_others(voiding: Voiding) -> None:
    """Say on stderr that other slots have the number, too, and which command takes it back there."""
    runner, slots = voiding.runner, [entry.slot for entry in voiding.elsewhere]
    job, only = runner.job.name, f" --pair {voiding.pair}" if voiding.pair else ""
    have = "slots have" if len(slots) > 1 else "slot has"
    terminal.complain(
        f"ratectl: {job}: {len(slots)} more {have} the same number, the first {runner.timetable.told(slots[0])};"
        f" `ratectl review void {runner.timetable.typed(voiding.slot)} --job {job}{only} --all` takes it back"
        " there, too"
    )


def _only_job(journal: Journal, word: str) -> str:
    """Return the one job that there is. Raises UsageError where a slot could be of several."""
    names = journal.known()
    if len(names) != 1:
        raise UsageError(f"review void: {word} is a slot of which job? --job says")
    return next(iter(names))


def _slot(word: str, runner: Runner) -> dt.datetime:
    zone = runner.timetable.zone
    moment = date_range.moment(word, zone, option="review void:")
    if date_range.is_time(word):
        return moment
    day = moment.astimezone(zone).date()
    return recorded_slot(runner.store, runner.job.name, day, runner.timetable)


def _listed(journal: Journal, job: str, *, decided: bool) -> list[QuarantinedAnswer]:
    """Return what is held in all stores, with *decided* also what was decided before."""
    return [
        answer
        for store in journal.stores()
        for answer in quarantine.quarantine(store, job=job, decided=decided)
    ]


def _decide_many(journal: Journal, action: Action, job: str, since: str) -> None:
    """Decide about all that is held for slots of *job* since a day; what cannot be decided so is told, and the rest is done."""
    known = journal.remembered(job).job
    start = date_range.moment(since, known.zone, option="--since")
    store = journal.store(known)
    held = [one for one in quarantine.quarantine(store, job=job) if one.slots[-1] >= start]
    if action is Action.ACCEPT:
        held = [one for one in held if one.quote is not None]
    if not held:
        terminal.show(f"{job}: nothing is held since {since}")
    errors = []
    for answer in held:
        try:
            _decide(journal, action, store, answer.id, since=start)
        except RatectlError as error:
            errors.append(error)
            terminal.complain(f"ratectl: {answer.id}: {error}")
    if errors:
        raise type(errors[0])(f"{len(errors)} of {len(held)} answers could not be {action}ed")


def _home(journal: Journal, number: int, job: str) -> RateStore:
    """Return the store that holds the answer *number*."""
    having = [
        store
        for store in journal.stores()
        if (answer := quarantine.find(store, number)) is not None and job in {"", answer.job}
    ]
    if len(having) > 1:
        raise UsageError(f"review: there are {len(having)} answers {number}; name the --job")
    return having[0] if having else journal.store()


def _decide(
    journal: Journal,
    action: Action,
    store: RateStore,
    number: int,
    *,
    since: dt.datetime | None = None,
) -> None:
    if action is Action.SHOW:
        _show(store, number)
        return
    held = quarantine.find(store, number)
    if held is not None and journal.account_of(held.job):
        words = ("review", action.value, str(number), "--job", held.job)
        as_account.hand_over(journal, held.job, words)
    if action is Action.REJECT:
        answer = reviewing.reject(store, number, utc_now())
        terminal.show(f"{answer.job}: rejected {_what(answer)}")
        return
    answer = reviewing.undecided(store, number)
    installed = journal.installed_job(answer.job)
    if journal.store(installed.job) is not store:
        raise ConfigError(
            f"{answer.job} has another journal by now than when this was held; reject it"
        )
    runner = Runner(journal, installed, surroundings())
    acceptance = reviewing.Acceptance(runner=runner, number=number, since=since)
    error = acceptance.run()
    if error is not None:
        raise error
    if acceptance.slots:
        slots = _slots_told(acceptance.slots, runner)
        terminal.show(f"{answer.job}: recorded {_what(answer)} for {slots}")
    else:
        terminal.show(f"{answer.job}: was recorded before: {_what(answer)}")


def _slots_told(slots: Sequence[dt.datetime], runner: Runner) -> str:
    first, last = (runner.timetable.told(slot) for slot in (slots[0], slots[-1]))
    return first if len(slots) == 1 else f"{len(slots)} slots, {first} to {last}"


def _show(store: RateStore, number: int) -> None:
    if quarantine.find(store, number) is None:
        raise ConfigError(f"there is no held answer {number}; `ratectl review` lists them")
    body = quarantine.body(store, number).decode("utf-8", "backslashreplace")
    typer.echo(visible(body), nl=sys.stdout.isatty() and not body.endswith("\n"))


def _what(answer: QuarantinedAnswer) -> str:
    if answer.quote is None:
        return f"an answer of {answer.provider} without a rate"
    quote = answer.quote
    return f"{quote.pair} {plain(quote.rate)} of {quote.rate_date} ({answer.provider})"


def _text(answers: list[QuarantinedAnswer], journal: Journal) -> str:
    if not answers:
        return "nothing is held"
    lines, zones = [], _zones(journal, {answer.job for answer in answers})
    ways: dict[str, None] = {}  # how numbers are taken back that hold others
    for quarantined in answers:
        state = "" if quarantined.state == "held" else f", {quarantined.state}"
        times = "" if quarantined.seen == 1 else f", {quarantined.seen} times"
        slot = clock(quarantined.slot.astimezone(zones[quarantined.job]))
        more = len(quarantined.slots) - 1
        slot += f" and {count(more, 'more slot')}" if more else ""
        lines.append(
            f"{quarantined.id}  {quarantined.job}  {slot}  {_what(quarantined)}{state}{times}"
        )
        lines.append(f"   {quarantined.reason}")
        if quarantined.way_out and quarantined.state == "held":
            ways[quarantined.way_out] = None
    lines += ways
    lines.append("`ratectl review show|accept|reject ID` goes on from here")
    return "\n".join(lines)


def _zones(journal: Journal, names: set[str]) -> dict[str, dt.tzinfo]:
    """Return the zone of each of the jobs *names*; UTC for one that this machine knows nothing of."""
    zones: dict[str, dt.tzinfo] = dict.fromkeys(names, dt.UTC)
    for name in names:
        with contextlib.suppress(ConfigError):
            zones[name] = journal.remembered(name).job.zone
    return zones


def _as_json(answer: QuarantinedAnswer) -> dict[str, object]:
    return {
        "id": answer.id,
        "job": answer.job,
        "slot": answer.slot.isoformat(),
        "slots": [slot.isoformat() for slot in answer.slots],
        "provider": answer.provider,
        "reason": answer.reason,
        "way_out": answer.way_out,
        "quote": None if answer.quote is None else to_dict(answer.quote),
        "at": answer.at.isoformat(),
        "state": answer.state,
        "seen": answer.seen,
    }
