"""The program ``ratectl``, which is ``python -m ratectl``, too: the folder that one stands in, where Python looks first, has no part in it."""

import gc
import os
import signal
import sys

COLLECTED = 100_000
"""Python looks for garbage among so many new objects, and not among each 700 or 2,000, its own numbers.

A command that only looks makes fewer, with those of its libraries: what Python would look at over and over is no garbage.
"""


def _leave_out_current_folder() -> None:
    """Take the folder that one stands in from where Python looks; one that is gone holds nothing anyway."""
    try:
        here = os.getcwd()  # noqa: PTH109 - before pathlib is loaded
    except OSError:
        here = ""
    if not sys.flags.safe_path and sys.path[:1] == [here]:
        del sys.path[0]


_leave_out_current_folder()


def main() -> None:
    """Run the command line.

    Before and after the command Ctrl-C ends the process at once, as it does a program in C: nothing is begun
    then, or all is done, and a traceback out of an import tells nobody anything.
    """
    gc.set_threshold(COLLECTED)
    # an empty one is none: the account's own home counts wherever one is asked for
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]
    on_ctrl_c = signal.getsignal(signal.SIGINT)
    # another handler is none of ours: what a shell runs in the background ignores Ctrl-C
    interruptible = on_ctrl_c is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from ratectl import cli  # noqa: PLC0415 - loaded after that

    if interruptible:
        signal.signal(signal.SIGINT, on_ctrl_c)
    try:
        cli.main()
    finally:
        if interruptible:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        gc.disable()  # Python looks once more at its end, when all goes anyway


if __name__ == "__main__":
    main()
