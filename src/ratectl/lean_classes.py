"""``dataclass``, ``replace`` and ``NamedTuple`` of the standard library for the values of a firing, at a fraction of their price.

``dataclasses`` loads ``inspect`` and compiles six functions a class, ``typing.NamedTuple`` compiles each annotation: a quarter
of a firing. Here a class costs one function. ``dataclasses.replace``, ``fields`` and ``is_dataclass`` take ours as their own.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, replace
    from typing import NamedTuple

    __all__ = ["NamedTuple", "dataclass", "replace"]
else:
    from collections import namedtuple

    def dataclass(*, frozen: bool, slots: bool, kw_only: bool) -> Callable[[type], type]:
        """Return the decorator that makes a class of values: frozen, with slots, made by keywords alone."""
        if not (frozen and slots and kw_only):
            raise TypeError("values are frozen, have slots and are made by keywords")
        return _value_class

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
    defaults = {name: plain.__dict__[name] for name in fields if name in plain.__dict__}
    values_of = attrgetter(*fields)
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
        "__dataclass_fields__": _Asked(defaults),
        "__dataclass_params__": _Asked(defaults),
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

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.defaults = defaults

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __get__(self, _instance: object, owner: type) -> Any:
        import dataclasses  # noqa: PLC0415 - this is what a firing goes without

        fields = [
            (name, kind, dataclasses.field(default=self.defaults.get(name, dataclasses.MISSING)))
            for name, kind in owner.__annotations__.items()
        ]
        twin = dataclasses.make_dataclass(owner.__name__, fields, frozen=True, kw_only=True)
        return getattr(twin, self.name)
