"""``dataclass``, ``replace`` and ``NamedTuple`` of the standard library for the values of a firing, at a fraction of their price.

``dataclasses`` loads ``inspect`` and compiles six functions a class, ``typing.NamedTuple`` compiles each annotation: a quarter
of a firing. Here a class costs one function. ``dataclasses.replace``, ``fields`` and ``is_dataclass`` take ours as their own.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, replace
    from typing import NamedTuple

    __all__ = ["NamedTuple", "dataclass", "field", "replace"]
else:
    from collections import namedtuple

    def dataclass(*, frozen: bool, slots: bool, kw_only: bool) -> Callable[[type], type]:
        """Return the decorator that makes a class of values: frozen, with slots, made by keywords alone."""
        if not (frozen and slots and kw_only):
            raise TypeError("values are frozen, have slots and are made by keywords")
        return _value_class

    class field:  # noqa: N801 - it is called like the one of dataclasses
        """The *default* of a field that does not count when values are compared."""

        def __init__(self, *, default: Any, compare: bool) -> None:
            self.default = default
            if compare:
                raise TypeError("a field that is compared is given by its default alone")

    def replace(value: Any, /, **changes: Any) -> Any:
        """Return what *value* is with *changes*."""
        return type(value)(**_fields_of(value) | changes)

    class _TupleClass(type):
        """Makes a named tuple of a class body, as the one of ``typing`` does that looks at the annotations too."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body.pop("__annotations__")
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body.pop("__module__"))  # noqa: PYI024 - this is what makes ours
            made.__annotations__ = fields
            for member, value in body.items():
                setattr(made, member, value)
            return made

    class NamedTuple(metaclass=_TupleClass):
        """The base of a class whose annotated names are the fields of a tuple."""


def _value_class(plain: type) -> type:
    """Return the class *plain* anew: slots cannot be given to one that exists."""
    fields = tuple(plain.__annotations__)
    left_out = {*fields, "__dict__", "__weakref__"}
    members = {name: value for name, value in plain.__dict__.items() if name not in left_out}
    given = {name: plain.__dict__[name] for name in fields if name in plain.__dict__}
    uncompared = {name for name, value in given.items() if isinstance(value, field)}  # type: ignore[arg-type]  # above it is a class
    defaults = {
        name: value.default if name in uncompared else value for name, value in given.items()
    }
    values_of = attrgetter(*(name for name in fields if name not in uncompared))
    made = {
        "__slots__": fields,
        "__match_args__": (),
        "__init__": _compiled_init(fields, defaults),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__eq__": lambda one, other: (
            values_of(one) == values_of(other)
            if other.__class__ is one.__class__
            else NotImplemented
        ),
        "__hash__": lambda one: hash(values_of(one)),
        "__repr__": _shown,
        "__getstate__": _fields_of,
        "__setstate__": _restore,
        "__dataclass_fields__": _Asked(defaults, uncompared),
        "__dataclass_params__": _Asked(defaults, uncompared),
    }
    again = type(plain)(plain.__name__, plain.__bases__, made | members)
    again.__qualname__ = plain.__qualname__
    return again


def _compiled_init(fields: tuple[str, ...], defaults: dict[str, Any]) -> Callable[..., None]:
    """Return the ``__init__`` of a class with *fields*: compiled, for instances are made much more often than classes."""
    parameters = [f"{name}=_defaults[{name!r}]" if name in defaults else name for name in fields]
    sets = "".join(f"\n    _set(self, {name!r}, {name})" for name in fields)
    made: dict[str, Any] = {"_defaults": defaults, "_set": object.__setattr__}
    exec(f"def __init__(self, *, {', '.join(parameters)}):{sets}", made)  # noqa: S102 - names of our own fields
    init: Callable[..., None] = made["__init__"]
    return init


def _shown(self: Any) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
    return f"{type(self).__qualname__}({values})"


def _fields_of(self: Any) -> dict[str, Any]:
    return {name: getattr(self, name) for name in self.__slots__}


def _restore(self: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        object.__setattr__(self, name, value)


def _refuse_to_set(_self: Any, name: str, _value: Any) -> None:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - for a bug only

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> None:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - the same

    raise FrozenInstanceError(f"cannot delete field {name!r}")


class _Asked:
    """What ``dataclasses`` knows about a class of its own, made when somebody asks it about one of ours."""

    def __init__(self, defaults: dict[str, Any], uncompared: set[str]) -> None:
        self.defaults = defaults
        self.uncompared = uncompared

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __get__(self, _instance: object, owner: type) -> Any:
        import dataclasses  # noqa: PLC0415 - this is what a firing goes without

        fields = [
            (
                name,
                kind,
                dataclasses.field(
                    default=self.defaults.get(name, dataclasses.MISSING),
                    compare=name not in self.uncompared,
                ),
            )
            for name, kind in owner.__annotations__.items()
        ]
        twin = dataclasses.make_dataclass(owner.__name__, fields, frozen=True, kw_only=True)
        return getattr(twin, self.name)
