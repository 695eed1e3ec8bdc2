"""`housekeys`: parses arguments and hands over; imports nothing heavy before it must."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(words: Sequence[str] | None = None) -> int:
    """Run the console or a one-shot command with the words after the program's name; returns the exit code."""
    typed = list(sys.argv[1:] if words is None else words)
    if typed == ["--version"]:
        return _print_version()
    collect_seldom()
    from tui.cli.running import run

    return run(typed)


def collect_seldom() -> None:
    """Make the garbage collector start seldom: by its usual thresholds it walks over a large model again and again.

    Memory is given back without it, but for what refers to itself.
    """
    gc.set_threshold(100_000, 20, 50)


def _print_version() -> int:
    from core.version import VERSION

    try:
        print(f"housekeys {VERSION}", flush=True)
    except OSError:  # nobody reads it, or the disk is full
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
