"""``ratectl providers``: what each rate source gives and asks for, and whether it answers from here, now; the words stand in ``templates/providers.toml``."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ratectl import paths, spec
from ratectl.commands._shared.environment import surroundings
from ratectl.commands._shared.options import JsonOption, default_spec
from ratectl.deploy import execute, host_facts
from ratectl.deploy.checks import other_accounts
from ratectl.errors import SpecError, TryLaterError, UsageError
from ratectl.fetch.providers import catalog
from ratectl.model.job import Pair, Provider
from ratectl.model.providers import PROVIDER_KINDS, TEMPLATE_KINDS, traits_of
from ratectl.model.quote import plain
from ratectl.spec.readers import did_you_mean
from ratectl.views.format import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ratectl.fetch.probe import ProviderProbe

"""The one kind that is no source by itself."""
COMMON = (Pair(base="EUR", quote="USD"),)
"""What every built-in source knows."""
WIDEST = 100
"""Columns, beyond which a line is hard to read on any terminal."""
ANSWERS, FAILED, NEEDS_KEY, NOT_ASKED = "answers", "failed", "needs-key", "not-asked"


class ProbeResult(NamedTuple):
    """What came of asking one source; *state* is one of the four above."""

    state: str
    text: str = ""
    """Why it gave no rate."""
    pair: str | None = None
    rate: str | None = None
    rate_date: str | None = None


class ProviderListing(NamedTuple):
    """One provider, and the jobs of the spec that name it."""

    provider: Provider
    jobs: tuple[str, ...]
    pairs: tuple[Pair, ...]
    """What it is asked for."""


def providers(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", show_default=False, help="By default all of them."),
    ] = None,
    *,
    spec_path: Annotated[
        Path | None,
        typer.Option(
            "--spec",
            metavar="SPEC",
            readable=False,
            help="By default the installation's, if it is there.",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no provider anything.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the rate sources, their terms, and which answer.

    That is every built-in source and every one that the spec defines. Each is asked
    once, all at the same time and for at most 10 seconds, as a firing would ask it:
    with the spec's proxy, ca_bundle, base_url and timeout, and without the shell's.

    Exit code 0 whatever they answer, but 75 when sources were asked and none gave a
    rate. One whose key is missing is not asked.

    \b
    Examples:
      ratectl providers
      ratectl providers frankfurter ecb --offline
    """
    if not offline:
        path = spec_path or default_spec()
        other_accounts.refuse_spec(execute.SystemReader(), path, "providers --spec")
    loaded = _loaded(spec_path)
    sources = _chosen(_known(loaded), names or ())
    answers = {} if offline else _ask(sources, loaded)
    if json:
        typer.echo(
            as_json(
                [
                    _as_json(provider_listing, answers.get(provider_listing.provider.name))
                    for provider_listing in sources
                ]
            )
        )
    else:
        width = min(max(shutil.get_terminal_size().columns, 60), WIDEST)
        blocks = [
            _text(provider_listing, answers.get(provider_listing.provider.name), width)
            for provider_listing in sources
        ]
        typer.echo("\n\n".join((*blocks, *_count(answers))))
    states = {answer.state for answer in answers.values()}
    if FAILED in states and ANSWERS not in states:
        raise typer.Exit(TryLaterError.exit_code)


def _loaded(named: Path | None) -> spec.Spec | None:
    """Return the spec. One that nobody named may be absent or wrong: who writes it reads here what to write."""
    path = named or default_spec()
    if named is None and not paths.exists(path):
        return None
    try:
        return spec.load(path, host_timezone=host_facts.zone().key)
    except SpecError:
        if named is not None:
            raise
        message = f"ratectl: {path} is left out: it has issues, which `ratectl check` shows"
        typer.echo(message, err=True)
        return None


def _known(loaded: spec.Spec | None) -> dict[str, ProviderListing]:
    """Return every source by name: the built-in ones as the spec has them, then the spec's own."""
    found = {kind: Provider(name=kind, kind=kind) for kind in PROVIDER_KINDS}
    found |= {provider.name: provider for provider in loaded.providers} if loaded else {}
    return {name: _source(provider, loaded) for name, provider in found.items()}


def _source(provider: Provider, loaded: spec.Spec | None) -> ProviderListing:
    jobs = loaded.jobs if loaded else ()
    users = [job for job in jobs if provider in job.providers]
    near = users or [job for job in jobs if provider.kind in TEMPLATE_KINDS]
    return ProviderListing(
        provider=provider,
        jobs=tuple(job.name for job in users),
        pairs=near[0].pairs if near else COMMON,
    )


def _chosen(known: Mapping[str, ProviderListing], names: Iterable[str]) -> list[ProviderListing]:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise UsageError(f'there is no provider "{name}"{hint}')
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def _ask(sources: Sequence[ProviderListing], loaded: spec.Spec | None) -> dict[str, ProbeResult]:
    """Return what the sources say, by name."""
    from ratectl.fetch import probe  # noqa: PLC0415 - 100 ms that --offline need not pay

    env = surroundings()
    proxy, ca_bundle = (loaded.proxy, loaded.ca_bundle) if loaded else ("", "")
    answers = {
        provider_listing.provider.name: _unasked(provider_listing.provider)
        for provider_listing in sources
    }
    wanted = {
        probe.Endpoint(provider_listing.provider, proxy, ca_bundle): provider_listing.pairs
        for provider_listing in sources
        if answers[provider_listing.provider.name] is None
    }
    said = {way.provider.name: reached for way, reached in probe.ask(wanted, env).items()}
    return {
        provider_listing.provider.name: answers[provider_listing.provider.name]
        or _answer(said[provider_listing.provider.name], provider_listing)
        for provider_listing in sources
    }


def _unasked(provider: Provider) -> ProbeResult | None:
    """Return why *provider* cannot be asked at all; None where it can."""
    if not (provider.base_url or PROVIDER_KINDS[provider.kind].base_url):
        text = f'write [providers.NAME] with kind = "{provider.kind}", url and rate'
        return ProbeResult(state=NOT_ASKED, text=text)
    if PROVIDER_KINDS[provider.kind].needs_key and not provider.api_key:
        text = f"write [providers.{provider.name}] with api_key"
        return ProbeResult(
            state=NEEDS_KEY, text=f'{text} = "file:PATH", "env:NAME" or "credential:NAME"'
        )
    return None


def _answer(reached: ProviderProbe, source: ProviderListing) -> ProbeResult:
    if not reached.asked:
        elsewhere = f"only the systemd unit of a job can read {source.provider.api_key}"
        return ProbeResult(state=NEEDS_KEY, text=str(reached.failure or elsewhere))
    if reached.failure is not None and reached.failure.is_lack:
        return ProbeResult(state=ANSWERS, text=f"it {reached.failure}")
    if reached.failure is not None:
        return ProbeResult(state=FAILED, text=f"{reached.failure.kind.value}: {reached.failure}")
    if not reached.published:
        return ProbeResult(state=ANSWERS, text=f"it has no {source.pairs[0]}")
    first = reached.published[0]
    return ProbeResult(
        state=ANSWERS,
        text=first.notice,
        pair=str(first.pair),
        rate=plain(first.rate),
        rate_date=first.rate_date.isoformat() if first.rate_date else None,
    )


def _as_json(source: ProviderListing, answer: ProbeResult | None) -> dict[str, Any]:
    """Return everything about *source* as JSON-ready values; no answer where nothing was asked."""
    provider, known = source.provider, catalog.INFO[source.provider.kind]
    return {
        "provider": provider.name,
        "kind": provider.kind,
        "rates": known.rates,
        "digits": known.digits,
        "past_days": traits_of(provider).history.value or None,
        "first_day": known.first_day or None,
        "publishes": known.publishes,
        "limit": known.limit,
        "key": catalog.key(provider.kind),
        "terms": known.terms,
        "attribution": known.attribution or None,
        "home": known.home or None,
        "base_url": _base_url(provider) or None,
        "sources": list(known.sources),
        "jobs": list(source.jobs),
        "answer": answer._asdict() if answer else None,
    }


def _text(source: ProviderListing, answer: ProbeResult | None, width: int) -> str:
    provider, known = source.provider, catalog.INFO[source.provider.kind]
    rows = [
        ("answers", _said(answer) if answer else ""),
        ("kind", provider.kind if provider.kind != provider.name else ""),
        ("rates", known.rates),
        ("digits", known.digits),
        ("past days", catalog.past_days(provider.kind)),
        ("publishes", known.publishes),
        ("limit", known.limit),
        ("key", catalog.key(provider.kind)),
        ("terms", known.terms),
        ("credit", known.attribution),
        ("home", known.home),
        ("base URL", _base_url(provider)),
        ("jobs", ", ".join(source.jobs)),
    ]
    return "\n".join((provider.name, *(_row(label, text, width) for label, text in rows if text)))


def _said(answer: ProbeResult) -> str:
    if answer.state == ANSWERS and answer.rate:
        day = f" of {answer.rate_date}" if answer.rate_date else ""
        notice = f"; it {answer.text}" if answer.text else ""
        return f"yes: {answer.pair} {answer.rate}{day}{notice}"
    word = {ANSWERS: "yes", FAILED: "no", NEEDS_KEY: "needs a key", NOT_ASKED: "not asked"}
    return f"{word[answer.state]}: {answer.text}"


def _count(answers: Mapping[str, ProbeResult]) -> list[str]:
    """Return the last line, where anything was asked."""
    states = [answer.state for answer in answers.values()]
    asked = states.count(ANSWERS) + states.count(FAILED)
    waiting = states.count(NEEDS_KEY)
    needs = f"; {waiting} {'needs' if waiting == 1 else 'need'} a key" if waiting else ""
    good = states.count(ANSWERS)
    return [f"{good} of {asked} {'answers' if good == 1 else 'answer'}{needs}"] if answers else []


def _base_url(provider: Provider) -> str:
    return provider.base_url or PROVIDER_KINDS[provider.kind].base_url


def _row(label: str, text: str, width: int) -> str:
    """Return one row, broken at *width* and set in under its own text; addresses stay whole."""
    return textwrap.fill(
        text,
        width=width,
        initial_indent=f"  {label:<9}  ",
        subsequent_indent=" " * 13,
        break_on_hyphens=False,
        break_long_words=False,
    )
