"""The manual's tables of keys say what the readers do."""

import re
import tomllib

import pytest

from ratectl.spec import loads, reference
from ratectl.spec.document import RATECTL_READERS
from ratectl.spec.jobs import JOB_KEYS
from ratectl.spec.kubernetes import KUBERNETES_READERS
from ratectl.spec.providers import PROVIDER_READERS

BASE = {"pairs": ["USD/INR"], "schedule": "every day at 10:30", "output": "out.txt"}
TEMPLATE = {
    "kind": "http-json",
    "url": "https://rates.example/{base}.json",
    "rate": "{quote}",
    "date": "date",
    "api_key": "env:RATES_KEY",
}


def spelled(value):
    """Return *value* as TOML."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name!r} = {spelled(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(spelled, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def document(table, key, value):
    """Return the text of a spec in which *key* of *table* has *value*."""
    jobs, ratectl, own = dict(BASE), {}, dict(TEMPLATE)
    if table == "providers" and key == "base_url":
        own = {"kind": "frankfurter"}
    pods = {"image": "registry.example/ratectl:1.0.0"}
    {"jobs": jobs, "ratectl": ratectl, "providers": own, "kubernetes": pods}[table][key] = value
    tables = {"jobs.one": jobs, "ratectl": ratectl, "providers.office": own, "kubernetes": pods}
    return "\n".join(
        line
        for name, keys in tables.items()
        for line in (f"[{name}]", *(f"{key} = {spelled(value)}" for key, value in keys.items()))
    )


def read(tmp_path, table, key, value):
    (tmp_path / "roots.pem").touch()
    text = document(table, key, value)
    assert tomllib.loads(text)
    return loads(text.encode(), path=tmp_path / "jobs.toml", host_timezone="Asia/Kolkata")


KEYS = [(table, key) for table, keys in reference.TABLES.items() for key in keys]


def test_every_key():
    """The tables hold exactly the keys that a spec may have."""
    assert set(reference.JOB) == set(JOB_KEYS)
    assert set(reference.RATECTL) == {*RATECTL_READERS, "journal", "report"}
    assert set(reference.PROVIDER) == {*PROVIDER_READERS, "api_key"}
    assert set(reference.KUBERNETES) == set(KUBERNETES_READERS)


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_examples(tmp_path, table, key):
    """Every example is a value that the spec takes."""
    assert read(tmp_path, table, key, reference.TABLES[table][key].example).jobs


WORDS = [
    (table, key, word)
    for table, key in KEYS
    for word in re.findall(r'`"([a-z]+)"`', reference.TABLES[table][key].type)
]


@pytest.mark.parametrize(("table", "key", "word"), WORDS)
def test_words(tmp_path, table, key, word):
    """Every word that a key is said to take is taken."""
    chain = 'providers = ["ecb"]\n'  # one with history, for catch_up = "all"
    text = document(table, key, word).replace("[jobs.one]\n", f"[jobs.one]\n{chain}")

    assert loads(text.encode(), path=tmp_path / "jobs.toml", host_timezone="Asia/Kolkata").jobs


DEFAULTS = [
    (table, key, match[1])
    for table, key in KEYS
    if (match := re.fullmatch(r"`([^`]+)`", reference.default(table, key)))
]


@pytest.mark.parametrize(("table", "key", "told"), DEFAULTS)
def test_defaults(tmp_path, table, key, told):
    """Writing a default changes nothing."""
    plain = read(tmp_path, "jobs", "tags", [])

    assert read(tmp_path, table, key, tomllib.loads(f"x = {told}")["x"]).jobs == plain.jobs


def test_required():
    """What a job cannot do without is said to be required, and nothing else of it."""
    assert [key for key in reference.JOB if reference.default("jobs", key) == "required"] == [
        "pairs",
        "schedule",
        "output",
    ]
