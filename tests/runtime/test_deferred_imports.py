"""What libraries prepare and a firing seldom uses: it is left until it is asked for, and then it is what it always is."""

from __future__ import annotations

import copy
import dataclasses
import hmac
import importlib.util
import inspect
import pickle
import re
import subprocess
import sys
import threading
import time
import typing
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

import ratectl
from ratectl.runtime import deferred_imports
from ratectl.runtime.deferred_imports import SELDOM_USED, deferred

SOURCE = Path(ratectl.__file__).parents[1]
IMPORTING = f"""
import site, sys
sys.path.append({str(SOURCE)!r})
site.main()
from ratectl.runtime.deferred_imports import deferred
def is_deferred(name):
    return type(sys.modules.get(name)).__name__ == "_Module"
with deferred():
    import requests, urllib3, dataclasses
"""
USES = {
    "base64": (
        "import requests.auth; print(requests.auth.HTTPBasicAuth('a', 'b')(requests.Request(headers={})).headers)",
        "{'Authorization': 'Basic YTpi'}",
    ),
    "calendar": (
        "import http.cookiejar; print(http.cookiejar.http2time('Sun, 06 Nov 1994 08:49:37 GMT'))",
        "784111777.0",
    ),
    "copy": ("import copy; print(copy.copy([1]))", "[1]"),
    "email._encoded_words": (
        "import email; print(email.message_from_string('Content-Transfer-Encoding: base64\\n\\nYQ==').get_payload(decode=True))",
        "b'a'",
    ),
    "email.charset": (
        "import email.message as m; a = m.Message(); a.set_payload('ä', 'utf-8'); print(a.get_payload().strip())",
        "w6Q=",
    ),
    "email.header": (
        "import email.header; print(email.header.Header('ä', 'utf-8').encode())",
        "=?utf-8?b?w6Q=?=",
    ),
    "hmac": (
        "import hmac; print(hmac.new(b'k', b'm', 'sha256').hexdigest())",
        hmac.new(b"k", b"m", "sha256").hexdigest(),
    ),
    "importlib.metadata": (
        "from importlib.metadata import version; print(version('requests') == requests.__version__)",
        "True",
    ),
    "inspect": ("import inspect; print(inspect.signature(lambda one, *, two: 0))", "(one, *, two)"),
    "ipaddress": (
        (
            "from urllib3.util.ssl_match_hostname import match_hostname as match\n"
            "print(match({'subjectAltName': (('IP Address', '127.0.0.1'),)}, '127.0.0.1'))"
        ),
        "None",
    ),
    "locale": ("from locale import *; print(normalize('de_DE').split('.')[0])", "de_DE"),
    "mimetypes": ("import mimetypes; print(mimetypes.guess_type('a.json')[0])", "application/json"),
    "ntpath": ("import ntpath; print(ntpath.basename('c:/a/b'))", "b"),
    "quopri": (
        "import email; print(email.message_from_string('Content-Transfer-Encoding: quoted-printable\\n\\n=61').get_payload(decode=True))",
        "b'a'",
    ),
    "random": ("import random; print(random.Random(0).randint(1, 1))", "1"),
    "selectors": (
        "import selectors; selectors.DefaultSelector().close(); print('closed')",
        "closed",
    ),
    "shutil": ("import tempfile; tempfile.TemporaryDirectory().cleanup(); print('gone')", "gone"),
    "stringprep": ("print('straße.example'.encode('idna').decode())", "strasse.example"),
    "tempfile": ("import tempfile; tempfile.TemporaryFile().close(); print('gone')", "gone"),
    "traceback": (
        "import logging; print(logging.Formatter().formatException((ValueError, ValueError('no'), None)))",
        "ValueError: no",
    ),
    "urllib.request": (
        (
            "import os; os.environ['http_proxy'] = 'http://proxy.example:1'\n"
            "print(requests.utils.get_environ_proxies('http://a.example'))"
        ),
        "{'http': 'http://proxy.example:1'}",
    ),
    "zipfile": ("import io, zipfile; print(zipfile.is_zipfile(io.BytesIO(b'no')))", "False"),
}
"""One use of each, by what imports it where that can be said in a line."""
PATTERNS = {
    "urllib3.util.url": (
        "urllib3.util.parse_url('http://[::1]:8080/a?b').url",
        "http://[::1]:8080/a?b",
    ),
    "http.cookies": ("__import__('http.cookies').cookies.SimpleCookie('a=b; c=d')['c'].value", "d"),
    "logging": ("__import__('logging').Formatter('%(message)s').usesTime()", "False"),
    "string": ("__import__('string').Template('$one').substitute(one=1)", "1"),
    "email": (
        "__import__('email.header').header.decode_header('=?utf-8?q?=c3=a4?=')[0][0].decode()",
        "ä",
    ),
}
"""What uses a pattern of a library that was loaded while they were deferred."""


def said(program):
    """Return what *program* prints in an interpreter that starts as a firing does."""
    argv = (sys.executable, "-I", "-S", "-X", "utf8", "-c", program)
    done = subprocess.run(
        argv, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.rstrip("\r\n")


def test_each_has_a_use():
    """A module that is added to those that may wait is used in a test, too."""
    assert set(USES) == set(SELDOM_USED)


@pytest.mark.network
@pytest.mark.parametrize("name", USES)
def test_module_works_when_used(name):
    """Whatever asks for a name of a deferred module gets what the module always gives, and it is deferred no more."""
    use, expected = USES[name]

    assert said(f"{IMPORTING}{use}\nsys.exit(is_deferred({name!r}))") == expected


@pytest.mark.network
@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_works_when_used(name):
    """A pattern that a library compiled on import matches as ever."""
    use, expected = PATTERNS[name]

    assert said(f"{IMPORTING}print({use})") == expected


@pytest.mark.network
def test_waits_after_import():
    """Loading requests runs none of those that it does not use at once."""
    seen = said(f"{IMPORTING}print(*sorted(filter(is_deferred, {sorted(SELDOM_USED)!r})))").split()

    assert {"importlib.metadata", "mimetypes"} <= set(seen)


@pytest.mark.network
@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("print('idna' in sys.modules)", "False"),
        ("import idna; print(idna.encode('ä.example').decode())", "xn--4ca.example"),
        ("import idna.core; print(idna.core.IDNAError is idna.IDNAError)", "True"),
        (
            "print(requests.Request('GET', 'http://ä.example/').prepare().url)",
            "http://xn--4ca.example/",
        ),
        ("print(requests.packages.idna.decode('xn--4ca.example'))", "ä.example"),
        (
            "import idna; print(requests.packages.idna.IDNAError is idna.IDNAError)",
            "True",
        ),
        (
            "from requests.packages.idna import encode; print(encode('ä').decode())",
            "xn--4ca",
        ),
        ("import requests.packages.idna.core as core; print(core.encode('ä').decode())", "xn--4ca"),
        (
            "from requests.packages.idna.core import IDNAError; import idna; print(IDNAError is idna.IDNAError)",
            "True",
        ),
        ("requests.packages.idna.encode = print; import idna; idna.encode('ours')", "ours"),
        (
            "del requests.packages.idna.encode; import idna; print(hasattr(idna, 'encode'))",
            "False",
        ),
        ("print('encode' in dir(requests.packages.idna))", "True"),
        ("import importlib; print(importlib.reload(requests.packages).idna.__name__)", "idna"),
    ],
)
def test_host_names_outside_ascii(use, expected):
    """What requests needs for such hosts alone is loaded for them, by whatever name, and is the one that it always is."""
    assert said(f"{IMPORTING}{use}") == expected


@pytest.mark.network
def test_host_names_with_their_parts():
    """All that is loaded for host names has the names that requests gives it, as where it is loaded at once."""
    plain = IMPORTING.partition("with deferred")[0] + "import requests\n"
    names = (
        "print(*sorted(name for name in sys.modules if name.startswith('requests.packages.idna')))"
    )

    assert said(f"{IMPORTING}{names}") == said(f"{plain}{names}")


@pytest.mark.network
def test_host_names_by_an_old_loader():
    """A loader of the old kind, which somebody else put in front, loads requests as ever."""
    program = f"""
import importlib.machinery, warnings
warnings.simplefilter("ignore")
class Loader:
    def __init__(self, real):
        self.load_module = real.load_module
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "requests.packages":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = Loader(spec.loader)
        return spec
import sys
sys.meta_path.insert(0, Finder)
{IMPORTING}"""
    assert said(f"{program}print(requests.packages.idna.decode('xn--4ca'))") == "ä"


@pytest.mark.network
def test_host_names_were_known_before():
    """Where the module has been loaded already, requests has that one."""
    program = IMPORTING.replace("with deferred", "import idna\nwith deferred")

    assert said(f"{program}print(requests.packages.idna is idna)") == "True"


@pytest.mark.network
@pytest.mark.parametrize("asked", ["idna.IDNAError", "__import__('idna').IDNAError"])
def test_host_names_are_asked_for_at_once(tmp_path, asked):
    """A requests that uses the module while it is loaded gets it."""
    package = tmp_path / "requests"
    package.mkdir()
    (package / "__init__.py").write_text("from . import packages")
    (package / "packages.py").write_text(f"import idna\nerror = {asked}")
    program = IMPORTING.replace("import requests, urllib3, dataclasses", "import requests")
    program = program.replace(
        "with deferred", f"sys.path.insert(0, {str(tmp_path)!r})\nwith deferred"
    )

    found = said(
        f"{program}print(requests.packages.error, requests.packages.error is __import__('idna').IDNAError)"
    )

    assert found == "<class 'idna.core.IDNAError'> True"


@pytest.fixture(autouse=True)
def _libraries_of_this_process(monkeypatch):
    """Take nothing from requests in the process of the tests, which other tests use as well."""
    monkeypatch.setattr(deferred_imports, "NEVER_USED", ())


def test_nothing_is_left_behind():
    """Afterwards the interpreter compiles and imports as before, also where an import within fails."""
    finders = list(sys.meta_path)

    with pytest.raises(ModuleNotFoundError), deferred():
        importlib.import_module("no_such_library")

    assert sys.meta_path == finders
    assert type(re.compile("a")) is re.Pattern
    assert "compile" not in vars(typing)
    assert str(inspect.signature(dataclasses.make_dataclass("Made", ["a"]))).startswith("(a")


VALUES = """
import dataclasses, datetime as dt, inspect, pickle
from ratectl.fetch.http import Request
from ratectl.model.job import Job, Output, Pair, Provider
from ratectl.schedule.values import Calendar, Gaps, Interval, Once, Stride, Union, Unit, Window
moment = dt.datetime(2027, 1, 2)
pair = Pair(base="USD", quote="INR")
provider = Provider(name="ecb", kind="ecb")
calendar = Calendar(hours=frozenset({9}))
values = [
    Request(url="u", key="secret"), pair, provider, Output(kind="text", target="/a"), calendar,
    Job(name="a", pairs=(pair,), schedule_texts=("every day",), timezone="UTC", providers=(provider,), outputs=()),
    Stride(unit=Unit.DAY, every=2), Interval(seconds=5), Once(at=moment), Union(members=(calendar,)),
    Gaps(shortest=1, longest=2, seed="s"), Window(inner=calendar, start=moment, end=None),
]
for value in values:
    [field, *_] = dataclasses.fields(value)
    same, other = dataclasses.replace(value), dataclasses.replace(value, **{field.name: "other"})
    print(value)
    print(value == same, hash(value) == hash(same), value == other, value == 1, len({value, same, other}))
    print(pickle.loads(pickle.dumps(value)) == value, inspect.signature(type(value)))
    for name in ("__init__", "__eq__", "__hash__", "__repr__", "__setattr__"):
        method = getattr(type(value), name)
        print(method.__qualname__, method.__module__, method.__doc__, method.__kwdefaults__, inspect.signature(method))
    for change in (lambda: setattr(value, field.name, 1), lambda: delattr(value, field.name), type(value)):
        try:
            print("did it", change())
        except (AttributeError, TypeError) as error:
            print(type(error).__name__, error)
"""
"""What values of ours say of themselves, and do when they are compared, copied or changed."""


@pytest.mark.network
def test_values_of_ours_are_as_ever():
    """A value whose methods are made at their first call equals, hashes, shows, copies and refuses as any other."""
    within = "".join(
        f"    {line}\n" for line in VALUES.splitlines() if line.startswith(("import", "from"))
    )
    plain = IMPORTING.partition("with deferred")[0]

    assert said(f"{IMPORTING}{within}{VALUES}") == said(f"{plain}{VALUES}")


@pytest.mark.network
def test_values_of_others_are_left_alone():
    """A dataclass of a library is made at once, and can be asked for its signature."""
    program = f"""{IMPORTING}    @dataclasses.dataclass
    class Theirs:
        one: int
        two: str = ""
import inspect
print(inspect.signature(Theirs), Theirs.__doc__)
"""
    assert said(program) == "(one: int, two: str = '') -> None Theirs(one: int, two: str = '')"


def test_text_of_an_annotation():
    """An annotation that is a text is evaluated by whoever asks for it, and says then what is wrong with it."""
    make = typing.NamedTuple
    with deferred():
        right = make("right", [("one", "int"), ("more", "list[str] | None")])
        wrong = make("wrong", [("one", "int" + "[")])

    assert typing.get_type_hints(right) == {"one": int, "more": list[str] | None}
    assert right(one=1, more=None).one == 1
    with pytest.raises(SyntaxError):
        typing.get_type_hints(wrong)


@pytest.fixture
def pattern():
    """Return a pattern that a library would have compiled while patterns are deferred."""
    with deferred():
        return re.compile("(?P<first>[a-c])x", re.IGNORECASE)


def test_pattern_passes_for_a_compiled_one(pattern):
    """It is one to isinstance, to the functions of re and to re.compile, and has all of its parts."""
    assert isinstance(pattern, re.Pattern)
    assert re.sub(pattern, "-", "AX bx dx") == "- - dx"
    assert re.compile(pattern).findall("ax") == ["a"]
    assert (pattern.pattern, pattern.groups, dict(pattern.groupindex)) == (
        "(?P<first>[a-c])x",
        1,
        {"first": 1},
    )
    assert pattern.flags & re.IGNORECASE


def test_pattern_is_a_value(pattern):
    """It equals one of the same text, compiled or not, and can be copied, pickled and shown."""
    with deferred():
        same, other = re.compile(pattern.pattern, re.IGNORECASE), re.compile("other")
    compiled = re.compile(pattern.pattern, re.IGNORECASE)

    assert pattern == same == compiled
    assert compiled == pattern
    assert len({pattern, same, compiled}) == 1
    assert pattern not in (other, "text")
    assert copy.copy(pattern) == copy.deepcopy(pattern) == pickle.loads(pickle.dumps(pattern))  # noqa: S301 - our own
    assert repr(pattern) == repr(compiled)


def test_wrong_pattern_says_so_when_used():
    """What cannot be compiled is told by the error that re has for it."""
    with deferred():
        wrong = re.compile("(")

    with pytest.raises(re.error):
        wrong.search("a")


@pytest.mark.network
@pytest.mark.parametrize(
    "part", ["idna.core", "idna.codec", "importlib.metadata._text", "zipfile._path"]
)
def test_part_of_a_package(part):
    """Whoever imports a part of a package by itself gets it, and the package is whole afterwards."""
    known = importlib.util.find_spec(part.rpartition(".")[0]).submodule_search_locations is not None
    if not known or importlib.util.find_spec(part) is None:
        pytest.skip(f"this Python has no {part}")
    whole = (
        f"from {part} import *\nimport idna, importlib.metadata, zipfile\n"
        "print(idna.encode('a.example'), importlib.metadata.version('idna') != '', zipfile.Path.__name__)"
    )

    assert said(f"{IMPORTING}{whole}") == "b'a.example' True Path"


HOOK = """
import importlib.util, sys
class Hook:
    def __init__(self): self.busy = set()
    def find_spec(self, name, path=None, target=None):
        if name in self.busy or not name.startswith(("mimetypes", "zipfile", "traceback")): return None
        self.busy.add(name)
        try: spec = importlib.util.find_spec(name)
        finally: self.busy.remove(name)
        if spec is not None: spec.loader = Loader(spec.loader)
        return spec
class Loader:
    def __init__(self, real): self.real = real
    def create_module(self, spec): return None
    def exec_module(self, module): self.real.exec_module(module)
"""
"""A finder of somebody else, which asks all finders anew and wraps what they find, as libraries do that watch imports."""


@pytest.mark.network
@pytest.mark.parametrize(
    "first", ["sys.meta_path.insert(0, Hook())", "sys.meta_path.append(Hook())"]
)
@pytest.mark.parametrize("within", [False, True])
def test_finder_of_somebody_else(first, within):
    """Where another finder wraps what is found, a module runs all the same."""
    enter = f"{HOOK}{first}\n"
    program = IMPORTING.replace("with deferred():\n", "with deferred():\n    ENTER\n")
    lines = enter if within else ""
    program = program.replace("    ENTER\n", f"    exec({lines!r})\n")
    program = ("" if within else enter) + program

    use = "import mimetypes, traceback, zipfile; print(mimetypes.guess_type('a.json')[0], zipfile.ZipFile.__name__)"
    assert said(f"{program}{use}") == "application/json ZipFile"


def _module(monkeypatch, tmp_path, text):
    """Let a module of *text* be one of those that wait, import it and return it."""
    (tmp_path / "seldom_used_here.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(SELDOM_USED, "seldom_used_here", frozenset({"function"}))
    with deferred():
        importlib.import_module("seldom_used_here")
    return sys.modules.pop("seldom_used_here")


def test_second_thread_waits(monkeypatch, tmp_path):
    """Two threads that ask at once both get the name, and the module runs once."""
    text = "import sys, time\ntime.sleep(0.2)\nLIST = sys.__dict__.setdefault('seldom', [])\nLIST.append(1)\n"
    module = _module(monkeypatch, tmp_path, text)
    monkeypatch.setattr(sys, "seldom", [], raising=False)
    found = []
    threads = [threading.Thread(target=lambda: found.append(module.LIST)) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[1], [1]]


def test_second_thread_gets_nothing_half_made(monkeypatch, tmp_path):
    """What the first lines of a module made is given to another thread only when the module has run."""
    text = (
        "import time\ndef function():\n    return LATER\nbegun = True\ntime.sleep(0.3)\nLATER = 1\n"
    )
    module = _module(monkeypatch, tmp_path, text)
    thread = threading.Thread(target=lambda: module.LATER)
    thread.start()
    while "begun" not in vars(module):
        time.sleep(0.001)

    assert module.function() == 1
    thread.join()


def test_lazy_loader_of_somebody_else(monkeypatch, tmp_path):
    """Where another finder lets a module wait in its own way, it runs all the same, by name and by what was taken of it."""

    class Finder:
        """Finds modules as Python does, and lets them be loaded lazily."""

        @staticmethod
        def find_spec(name, path=None, target=None):
            """Return the spec with a lazy loader."""
            spec = PathFinder.find_spec(name, path, target)
            if spec is not None:
                spec.loader = importlib.util.LazyLoader(spec.loader)
            return spec

    (tmp_path / "seldom_used_here.py").write_text("def function():\n    return 1\nname = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(SELDOM_USED, "seldom_used_here", frozenset({"function"}))
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    taken = []
    for _ in range(2):
        with deferred():
            module = importlib.import_module("seldom_used_here")
        taken.append(sys.modules.pop("seldom_used_here").function)

    assert module.name == 2
    assert [function() for function in taken] == [1, 1]


def test_finder_of_an_old_kind(monkeypatch, tmp_path):
    """A finder that cannot find specs is passed over, as Python does."""
    monkeypatch.setattr(sys, "meta_path", [object(), *sys.meta_path])

    assert _module(monkeypatch, tmp_path, "fine = True\n").fine


def test_function_that_may_be_taken(monkeypatch, tmp_path):
    """``from MODULE import function`` runs nothing yet; calling it runs the module, and calls its own."""
    text = "ran = True\ndef function(one, *, two):\n    return one + two\n"
    module = _module(monkeypatch, tmp_path, text)

    taken = module.function
    assert "ran" not in vars(module)
    assert taken(1, two=2) == 3
    assert module.ran
    assert module.function is vars(module)["function"]


def test_class_that_may_be_taken(monkeypatch, tmp_path):
    """A class taken before its module has run stands for it: it makes, tells and is inherited as the class itself."""
    module = _module(monkeypatch, tmp_path, "class function:\n    limit = 7\n")
    taken = module.function
    assert "function" not in vars(module)

    class Child(taken):
        """Inherits from what was taken."""

    real = vars(module)["function"]
    assert (type(taken()), Child.__bases__, taken.limit) == (real, (real,), 7)
    assert isinstance(real(), taken)
    assert not isinstance(1, (taken, str))
    assert issubclass(Child, taken)
    assert (taken | None, None | taken) == (real | None, None | real)


def test_name_that_is_not_there(monkeypatch, tmp_path):
    """A name that the module has not is the AttributeError that it always is, also while the module runs."""
    text = "import sys\nasked = hasattr(sys.seldom, 'later')\nlater = 1\n"
    module = _module(monkeypatch, tmp_path, text)
    monkeypatch.setattr(sys, "seldom", module, raising=False)

    with pytest.raises(AttributeError, match="nothing"):
        _ = module.nothing

    assert (module.asked, module.later) == (False, 1)


def test_failure_is_not_for_good(monkeypatch, tmp_path):
    """What kept a module from running may pass: then it runs."""
    text = (
        "import sys\nif sys.seldom.pop():\n    raise OSError('too many open files')\nfine = True\n"
    )
    module = _module(monkeypatch, tmp_path, text)
    monkeypatch.setattr(sys, "seldom", [False, True], raising=False)

    with pytest.raises(OSError, match="too many"):
        _ = module.fine

    assert module.fine


def test_name_that_is_set(monkeypatch, tmp_path):
    """A name that somebody sets before the module has run stays what it was set to."""
    module = _module(monkeypatch, tmp_path, "def function():\n    return 1\n")

    module.function = lambda: 2

    assert module.function() == 2
