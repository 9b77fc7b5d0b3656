"""Our lean classes of values behave as those of the standard library do, also for what asks ``dataclasses`` about them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import typing

import pytest

from ratectl import lean_classes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """A value."""

    base: str
    days: tuple[int, ...] = ()
    """Which days."""

    @property
    def first(self) -> int:
        return self.days[0]


@lean_classes.dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A value."""

    base: str
    days: tuple[int, ...] = ()
    """Which days."""

    @property
    def first(self) -> int:
        return self.days[0]


class TheirTuple(typing.NamedTuple):
    """A tuple."""

    base: str
    days: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        return self.days[0]


class OurTuple(lean_classes.NamedTuple):
    """A tuple."""

    base: str
    days: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        return self.days[0]


BOTH = pytest.mark.parametrize("kind", [Theirs, Ours])


@BOTH
def test_made_by_keywords(kind):
    """A value takes its fields by name, and refuses what is missing, unknown or has no name."""
    assert (kind(base="USD").days, kind(base="USD", days=(3,)).first) == ((), 3)
    for arguments, keywords in (((), {}), (("USD",), {}), ((), {"base": "USD", "colour": 1})):
        with pytest.raises(TypeError):
            kind(*arguments, **keywords)


@BOTH
def test_frozen(kind):
    """Nothing about a value changes, and it has no room for more."""
    value = kind(base="USD")

    with pytest.raises(dataclasses.FrozenInstanceError):
        value.base = "EUR"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.base
    assert not hasattr(value, "__dict__")


@BOTH
def test_equal_values_are_one(kind):
    """Values with the same fields are equal, hash alike and read alike; another class is never equal."""
    assert kind(base="USD", days=(1,)) == kind(base="USD", days=(1,)) != kind(base="USD")
    assert len({kind(base="USD"), kind(base="USD"), kind(base="EUR")}) == 2
    assert kind(base="USD") != {Theirs: Ours, Ours: Theirs}[kind](base="USD")
    assert repr(kind(base="USD")) == f"{kind.__name__}(base='USD', days=())"


@BOTH
@pytest.mark.parametrize("replace", [dataclasses.replace, lean_classes.replace])
def test_replaced(kind, replace):
    """Either ``replace`` takes either class, and refuses a field that there is not."""
    assert replace(kind(base="USD"), days=(2,)) == kind(base="USD", days=(2,))
    with pytest.raises(TypeError):
        replace(kind(base="USD"), colour="red")


@BOTH
def test_what_dataclasses_says_of_it(kind):
    """The standard library sees fields, defaults and the whole as a dictionary."""
    found = [(field.name, field.default) for field in dataclasses.fields(kind)]

    assert dataclasses.is_dataclass(kind)
    assert found == [("base", dataclasses.MISSING), ("days", ())]
    assert dataclasses.asdict(kind(base="USD", days=(1,))) == {"base": "USD", "days": (1,)}
    assert kind.__dataclass_params__.frozen
    assert (kind.__doc__, kind.__slots__, kind.__module__) == (
        "A value.",
        ("base", "days"),
        __name__,
    )


@BOTH
def test_copied(kind):
    """A value survives pickling and deep copies, as between processes."""
    value = kind(base="USD", days=(1,))

    assert pickle.loads(pickle.dumps(value)) == value == copy.deepcopy(value)  # noqa: S301 - our own bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TheirsWithANote:
    base: str
    note: str = dataclasses.field(default="", compare=False)


@lean_classes.dataclass(frozen=True, slots=True, kw_only=True)
class OursWithANote:
    base: str
    note: str = lean_classes.field(default="", compare=False)


@pytest.mark.parametrize("kind", [TheirsWithANote, OursWithANote])
def test_field_that_does_not_count(kind):
    """A field without comparison has its default, is kept and shown, and makes no two values differ."""
    noted = kind(base="USD", note="x")

    assert (kind(base="USD").note, noted.note) == ("", "x")
    assert noted == kind(base="USD")
    assert hash(noted) == hash(kind(base="USD"))
    assert "note='x'" in repr(noted)
    assert [field.compare for field in dataclasses.fields(kind)] == [True, False]


def test_other_kinds_are_refused():
    """What is not frozen, slotted and made by keywords is left to the standard library."""
    with pytest.raises(TypeError, match="by keywords"):
        lean_classes.dataclass(frozen=False, slots=True, kw_only=True)


@pytest.mark.parametrize("kind", [TheirTuple, OurTuple])
def test_named_tuple(kind):
    """A tuple has named fields, defaults, methods, a text and a copy with changes."""
    value = kind("USD")

    assert value == ("USD", ())
    assert value._replace(days=(4,)).first == 4
    assert repr(value) == f"{kind.__name__}(base='USD', days=())"
    assert (kind._fields, kind._field_defaults) == (("base", "days"), {"days": ()})
    assert (kind.__doc__, kind.__module__, kind.__qualname__) == (
        "A tuple.",
        __name__,
        kind.__name__,
    )
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - our own bytes
    assert list(kind.__annotations__) == ["base", "days"]
