"""`housekeys`: parses arguments and hands over; imports nothing heavy before it must."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the console or a one-shot command; returns the exit code."""
    if sys.argv[1:] == ["--version"]:
        from core.version import VERSION

        print(f"housekeys {VERSION}")
        return 0
    return 2


if __name__ == "__main__":
    sys.exit(main())
