"""Records the session of the manual's tour, and README's excerpt: real commands, a real Debian cron, at a time that stands still.

Root on Linux, after scripts/test.py has fetched the engines. ``inside`` is the half that runs in the
sandbox, on a machine in Kolkata of one Asha, with the rate server in place of the providers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
TOUR = ROOT / "src/ratectl/manual/tour.md"
SANDBOX = ROOT / "tests" / "engines" / "sandbox.py"
FAKETIME = "/usr/lib/libfaketime.so.1"
DAY = "2026-11-23"
PORT = 8765
HOME = Path("/home/asha")
SPEC = HOME / ".config/ratectl/jobs.toml"
PROVIDERS = """
[providers.exchangerate-api-v4]
base_url = "http://127.0.0.1:{port}/v4"
"""
SCRIPT = (
    ("19:10:00", "ratectl init --yes"),
    ("19:11:00", "ratectl check"),
    ("19:12:00", "ratectl install"),
    ("19:13:00", "ratectl run usd-inr --force"),
    ("19:13:30", "cat ~/rates/output.txt"),
    ("19:15:00", "ratectl status"),
    ("19:16:00", "ratectl list"),
    ("19:17:00", "ratectl history usd-inr"),
    ("19:18:00", "ratectl remove usd-inr"),
)
"""When each command is given, on Asha's clocks, and the command."""
EXCERPT = {
    "ratectl install": "installed in",
    "ratectl run usd-inr --force": "",
    "cat ~/rates/output.txt": "",
    "ratectl status": "",
    "ratectl remove usd-inr": "",
}
"""What of the session the README shows: commands, and how the first line begins that is shown of each."""
LEFT_OUT = "nothing else has to run"
WORDS = """
(A real Debian cron; the rates are a local server's, the clock is held still.
`scripts/documents.py session` records it anew.)
"""


def main(words: list[str]) -> int:
    """Rewrite the session in the tour, or print it, or be the half inside."""
    if words == ["inside"]:
        print(inside())
    elif words == ["print"]:
        print(recorded())
    else:
        text = TOUR.read_text(encoding="utf-8")
        TOUR.write_text(replaced(text, recorded()), encoding="utf-8")
        print(f"wrote {TOUR}")
        readme = README.read_text(encoding="utf-8")
        README.write_text(with_excerpt(readme, TOUR.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote {README}")
    return 0


def recorded() -> str:
    """Return the session as it is now, in Markdown."""
    argv = (sys.executable, str(SANDBOX), "run", "clocks", sys.executable, __file__, "inside")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the session could not be recorded:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def replaced(text: str, session: str) -> str:
    """Return *text* with *session* between its marks. Raises ValueError where there are none."""
    marks = re.compile(r"(<!-- session -->\n).*?(\n<!-- /session -->)", flags=re.DOTALL)
    whole, found = marks.subn(lambda match: f"{match[1]}{session}{match[2]}", text)
    if not found:
        raise ValueError("there is no place for the session")
    return whole


def with_excerpt(readme: str, tour: str) -> str:
    """Return *readme* with what its excerpt shows of the session in *tour*."""
    [session] = re.findall(r"<!-- session -->\n```console\n(.*?)```", tour, flags=re.DOTALL)
    said = dict(part.split("\n", 1) for part in session.split("$ ") if part)
    shown = []
    for command, first in EXCERPT.items():
        lines = said[command].splitlines()
        begin = next(n for n, line in enumerate(lines) if line.startswith(first))
        kept = [line for line in lines[begin:] if not line.startswith(LEFT_OUT)]
        shown.append("\n".join((f"$ {command}", *kept)).strip())
    block = "```console\n{}\n```\n".format("\n\n".join(shown))
    return re.sub(
        r"(<!-- excerpt -->\n).*?(<!-- /excerpt -->)",
        lambda match: f"{match[1]}{block}{match[2]}",
        readme,
        flags=re.DOTALL,
    )


def inside() -> str:
    """Make Asha's machine, give the commands, and return them with what they said."""
    subprocess.run(("useradd", "--create-home", "--shell", "/bin/sh", "asha"), check=True)
    zone = Path("/etc/localtime")
    zone.unlink(missing_ok=True)
    zone.symlink_to("/usr/share/zoneinfo/Asia/Kolkata")
    Path("/usr/local/bin/ratectl").symlink_to(Path(sys.executable).with_name("ratectl"))
    server = (sys.executable, str(ROOT / "tests/support/rate_server.py"), "--data", "ecb")
    cron = ("/usr/sbin/cron", "-f", "-L", "15")
    running = [
        subprocess.Popen(argv, env=at("19:13:00"), stdout=out)
        for argv, out in (
            ((*server, "--port", str(PORT)), subprocess.PIPE),
            (cron, subprocess.DEVNULL),
        )
    ]
    try:
        if running[0].stdout is not None:
            running[0].stdout.readline()  # it listens
        said = [given(time, command) for time, command in SCRIPT]
    finally:
        for process in running:
            process.kill()
            process.wait()
    told = "\n".join(said)
    return f"```console\n{told}```\n{WORDS.rstrip()}"


def given(time: str, command: str) -> str:
    """Return the *command*, given by Asha at *time*, and what it said."""
    account = ("setpriv", "--reuid=asha", "--regid=asha", "--init-groups", "--reset-env")
    clock = ("env", *(f"{name}={value}" for name, value in at(time).items()))
    argv = (*account, *clock, "sh", "-c", command)
    done = subprocess.run(argv, cwd=HOME, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
    if SPEC.exists() and "providers" not in (spec := SPEC.read_text()):
        SPEC.write_text(spec + PROVIDERS.format(port=PORT))
    return f"$ {command}\n{done.stdout}{done.stderr}"


def at(time: str) -> dict[str, str]:
    """Return Asha's environment with the clock at *time*; it goes on from there, ten times as slow, for a machine that is busy."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(HOME),
        "USER": "asha",
        "LOGNAME": "asha",
        "LANG": "C.UTF-8",
        "COLUMNS": "78",
        "LD_PRELOAD": FAKETIME,
        "FAKETIME": f"@{DAY} {time} x0.1",
        "NO_FAKE_STAT": "1",
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
