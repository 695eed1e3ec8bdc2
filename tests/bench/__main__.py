"""`make bench`: every figure as a ratio against a baseline measured in the same run.

Each module measures in a process of its own, so that one does not warm or crowd the other. Name modules to run only
those: `python -m tests.bench starting`.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict

from tests.bench.figures import Figure
from tui.__main__ import collect_seldom

MODULES = (
    "starting",
    "cursor",
    "tokens",
    "bulk",
    "listing",
    "users",
    "access",
    "effective",
    "reading",
    "connections",
    "partner",
)


def measure_here(module: str) -> list[Figure]:
    measured: list[Figure] = importlib.import_module(f"tests.bench.{module}").measure()
    return measured


def measure_apart(module: str) -> Iterator[Figure]:
    command = [sys.executable, "-m", "tests.bench", "--json", module]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    for record in json.loads(answer.stdout.splitlines()[-1]):
        yield Figure(**record)


def line_of(figure: Figure) -> str:
    verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
    goal = "" if figure.goal is None else f"goal {'<=' if figure.better == 'lower' else '>='} {figure.goal:g}"
    return (
        f"{figure.name:<52} {figure.measured:>12,.4g} / {figure.baseline:>10,.4g} {figure.unit:<9}"
        f" = {figure.ratio:>6.2f}  {goal:<12} {verdict:<7} {figure.note}"
    ).rstrip()


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == ["--json"]:
        collect_seldom()  # as the program does
        print(json.dumps([asdict(figure) for figure in measure_here(words[1])]))
        return 0
    print(f"{'figure':<52} {'measured':>12} / {'baseline':>10} {'unit':<9} = {'ratio':>6}")
    for module in words or MODULES:
        for figure in measure_apart(module):
            print(line_of(figure), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
