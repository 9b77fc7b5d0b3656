"""Loads what a firing needs without what is prepared on import and seldom used; each part is made when it is first asked for.

Modules that libraries import, patterns that they compile, annotations that are texts, and the methods of our own values
are a third of a firing and a seventh of its memory. Python's own ``importlib.util.LazyLoader`` does not serve: a second
``import`` of a module is enough to run it, and so is ``from``.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import typing
import warnings
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import FunctionType

SELDOM_USED: dict[str, frozenset[str]] = {
    "base64": frozenset({"b64encode"}),  # email, ssl and requests, for credentials
    "calendar": frozenset({"timegm"}),  # email and http.cookiejar, for dates of headers
    "copy": frozenset(),  # dataclasses and http.cookiejar, for values that are changed
    "email._encoded_words": frozenset({"decode_b"}),  # email, for messages that are read
    "email.charset": frozenset({"Charset"}),  # email, for messages that are written
    "email.header": frozenset(),  # the same
    "hmac": frozenset(),  # urllib3, for digests
    "importlib.metadata": frozenset({"version"}),  # urllib3, for HTTP/2
    "inspect": frozenset(),  # dataclasses, for classes without a docstring
    "ipaddress": frozenset({"IPv4Address", "IPv6Address"}),  # urllib3, for hosts without a name
    "locale": frozenset(),  # calendar, for names of days
    "mimetypes": frozenset(),  # urllib3, for files that are sent
    "ntpath": frozenset(),  # pathlib, for paths of Windows
    "quopri": frozenset({"encodestring"}),  # email, for messages that are read or written
    "random": frozenset(),  # email and tempfile, for names; ourselves, for pauses
    "selectors": frozenset(),  # socket, for sending files
    "shutil": frozenset(),  # tempfile, for removing folders
    "stringprep": frozenset(),  # encodings.idna, for host names outside ASCII
    "tempfile": frozenset(),  # requests, for certificates within an archive
    "traceback": frozenset(),  # logging, for exceptions
    "urllib.request": frozenset(  # requests, for proxies of the environment
        {
            *("getproxies", "getproxies_environment", "parse_http_list"),
            *("proxy_bypass", "proxy_bypass_environment"),
        }
    ),
    "zipfile": frozenset(),  # requests, for certificates within an archive
}
"""Who imports them and what for; the functions and classes that ``from MODULE import`` may take without running the module."""
PACKAGES = frozenset({"importlib.metadata"})
"""Those that may be packages: any other could be asked for a part before it has run, which would find it half made."""
NEVER_USED = ("chardet", "charset_normalizer")
"""What guesses the encoding of a text, for which requests goes without: a firing reads bytes only."""
RENAMING = "requests.packages"
"""What imports a package only to give it and its parts the names that they had within requests once."""
RENAMED = ("idna", "idna.core", "idna.idnadata", "idna.intranges", "idna.package_data")
"""That package, with the parts that come with it: requests needs it for host names outside ASCII."""
OURS = __name__.partition(".")[0] + "."
"""How the names of our own modules begin."""
_compiled = re.compile


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let what is imported within go without ``NEVER_USED``, and get ``SELDOM_USED``, patterns, texts and methods when it uses them."""
    for name in NEVER_USED:
        sys.modules[name] = cast("ModuleType", None)  # to the import system: not there
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    with contextlib.ExitStack() as stack:
        sys.meta_path.insert(0, _Finder)
        stack.callback(sys.meta_path.remove, _Finder)
        re.compile = cast("Any", _Pattern)
        stack.callback(setattr, re, "compile", _compiled)
        # An annotation that is a text is evaluated by whoever asks for it, and eval takes a text as well.
        vars(typing)["compile"] = lambda text, *_: text
        stack.callback(vars(typing).pop, "compile", None)
        _defer_methods(stack)
        yield


def _defer_methods(stack: contextlib.ExitStack) -> None:
    """Let dataclasses of ours get methods that are made when they are first used, until *stack* ends; Python compiles each from a text.

    A Python that makes them in another way (3.13 makes all of a class at once) does so as ever.
    """
    import dataclasses  # noqa: PLC0415 - now, when what it imports may wait

    make = getattr(dataclasses, "_create_fn", None)
    if make is None:
        return

    def later(name: str, *parts: Any, **options: Any) -> Any:
        module = (options.get("globals") or {}).get("__name__", "")
        if not module.startswith(OURS):
            return make(name, *parts, **options)
        return _Method(name, module, lambda: make(name, *parts, **options))

    vars(dataclasses)["_create_fn"] = later
    stack.callback(setattr, dataclasses, "_create_fn", make)


class _Method:
    """A placeholder in a class: when it is first looked up, *make* makes the method, which then takes its place."""

    def __init__(self, name: str, module: str, make: Callable[[], FunctionType]) -> None:
        self.__name__, self.__module__, self.__doc__ = name, module, None
        self._make = make
        self._owner: type | None = None

    @property
    def __wrapped__(self) -> FunctionType:
        return self._make()

    def __call__(self, *values: Any) -> Any:  # by what dataclasses wraps around __repr__
        return self._make()(*values)

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    def __get__(self, value: object, owner: type | None = None) -> Any:
        made = self._make()
        if self._owner is not None:
            made.__qualname__ = f"{self._owner.__qualname__}.{self.__name__}"
            setattr(self._owner, self.__name__, made)
        return made if value is None else made.__get__(value, owner)


class _Finder:
    """Finds the modules of ``SELDOM_USED`` as Python itself does, and puts off running them."""

    asked: ClassVar[set[str]] = set()
    """What is being looked for: a finder of somebody else may ask all finders anew, and gets what may not wait."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that may wait, or that lets another one wait; None for every other one."""
        if (name not in SELDOM_USED and name != RENAMING) or name in cls.asked:
            return None
        cls.asked.add(name)
        try:
            others = (finder for finder in sys.meta_path if finder is not cls)
            able = (finder for finder in others if hasattr(finder, "find_spec"))
            found = (finder.find_spec(name, path, target) for finder in able)
            spec = next((spec for spec in found if spec is not None), None)
        finally:
            cls.asked.remove(name)
        if spec is None or spec.loader is None:
            return spec
        if name == RENAMING:
            if hasattr(spec.loader, "exec_module"):
                spec.loader = cast("Loader", _Renaming(spec.loader))
        elif spec.submodule_search_locations is None or name in PACKAGES:
            spec.loader = cast("Loader", _Later(spec.loader))
        return spec


class _Later:
    """A loader that gives a module at once, and runs it by the *loader* that Python found when it is used."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.turn = RLock()
        """A thread that comes second waits until the first has run the module."""
        self._has_run = False

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module that has no name of its own yet."""
        return _Module(spec.name, self)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing yet, unless somebody else made *module*, who could not tell when it is used."""
        if not isinstance(module, _Module):
            self.run(module)

    def run(self, module: ModuleType) -> None:
        """Run *module*, unless it has run, or runs and asks for a name of its own; what failed is run anew."""
        with self.turn:
            if self._has_run:
                return
            self._has_run = True
            try:
                self._loader.exec_module(module)
            except BaseException:
                self._has_run = False
                raise
            if _waits(module):  # else a loader of somebody else lets it wait longer
                module.__class__ = ModuleType

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._loader, name)


class _Renaming:
    """The *loader* of ``RENAMING``, for which something else stands for each of ``RENAMED``."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        """Run *module* without loading what it renames, unless that is there."""
        if RENAMED[0] not in sys.modules:
            sys.modules.update({name: _StandIn(name) for name in RENAMED})
        try:
            self._loader.exec_module(module)
        finally:
            _make_room()

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._loader, name)


class _StandIn(ModuleType):
    """Has what the module of its name has, which is loaded when it is first asked for any of it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._real(), name)

    def __dir__(self) -> list[str]:
        return dir(self._real())

    def _real(self) -> ModuleType:
        _make_room()
        return importlib.import_module(self.__name__)


def _make_room() -> None:
    """Let the next import of each of ``RENAMED`` find the module itself."""
    for name in RENAMED:
        if type(sys.modules.get(name)) is _StandIn:
            sys.modules.pop(name, None)


class _Module(ModuleType):
    """A module that runs when a name is asked for that it has not."""

    def __init__(self, name: str, later: _Later) -> None:
        super().__init__(name)
        self._later = later

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):  # as a test may do; an import sets the others
            self._later.run(self)
        ModuleType.__setattr__(self, name, value)  # whose class is another by now

    def __getattribute__(self, name: str) -> Any:
        found = ModuleType.__getattribute__(self, name)
        if name.startswith("_"):
            return found
        with self._later.turn:  # until then another thread may run the module, which is half made
            return _look_up(self, name)

    def __getattr__(self, name: str) -> Any:
        if name in {"__path__", "__file__", "__cached__"}:  # asked for by an import that sets them
            raise AttributeError(name)
        if name in SELDOM_USED[self.__name__]:
            return _Name(self._later, self, name)
        self._later.run(self)
        return _look_up(self, name)


def _waits(module: ModuleType) -> bool:
    """Tell whether *module* is one of those that have not run to their end."""
    return type(module) is _Module


def _look_up(module: ModuleType, name: str) -> Any:
    """Return what *module*, which has run, has under *name*; while it still runs, what it has so far."""
    get = ModuleType.__getattribute__ if _waits(module) else getattr
    return get(module, name)


class _Name:
    """Stands for a function or a class of a module that has not run, which runs when this is called or looked into."""

    def __init__(self, later: _Later, module: ModuleType, name: str) -> None:
        self._asked = later, module, name

    @property
    def _real(self) -> Any:
        later, module, name = self._asked
        later.run(module)
        return _look_up(module, name)

    def __call__(self, *values: Any, **options: Any) -> Any:
        return self._real(*values, **options)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self._real)

    def __subclasscheck__(self, other: type) -> bool:
        return issubclass(other, self._real)

    def __mro_entries__(self, _: tuple[object, ...]) -> tuple[Any, ...]:
        return (self._real,)

    def __or__(self, other: object) -> Any:
        return self._real | other

    def __ror__(self, other: object) -> Any:
        return other | self._real

    def __getattr__(self, name: str) -> Any:
        if name == "_asked":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._real, name)


class _Pattern:
    """What ``re.compile`` is to return: a pattern that is compiled when it is used, and passes for a compiled one."""

    def __init__(self, pattern: Any, flags: int = 0) -> None:
        self._asked = pattern, flags

    @property  # type: ignore[misc]  # what isinstance asks for, as re.sub(pattern, ...) does
    def __class__(self) -> type:
        return re.Pattern

    def __getattr__(self, name: str) -> Any:
        if name == "_asked":  # of a copy that is being made
            raise AttributeError(name)
        value = getattr(_compiled(*self._asked), name)
        setattr(self, name, value)
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return _compiled, self._asked

    def __eq__(self, other: object) -> bool:
        theirs = _compiled(*other._asked) if type(other) is _Pattern else other
        return bool(_compiled(*self._asked) == theirs)

    def __hash__(self) -> int:
        return hash(_compiled(*self._asked))

    def __repr__(self) -> str:
        return repr(_compiled(*self._asked))
