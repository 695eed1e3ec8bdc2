"""Help on every level: it shows examples, and every example can be typed."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator

import pytest

from tui.cli.arguments import NOUNS, build_parser


def choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = next((a for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
    return dict(found.choices) if found is not None else {}


def levels() -> Iterator[tuple[str, str]]:
    """Every level with its help text: nothing typed, each noun, each verb, and those within a verb."""
    yield "", build_parser([]).format_help()
    for noun in NOUNS:
        parser = choices(build_parser([noun]))[noun]
        yield noun, parser.format_help()
        for verb, below in choices(parser).items():
            yield f"{noun} {verb}", below.format_help()
            for inner, innermost in choices(below).items():
                yield f"{noun} {verb} {inner}", innermost.format_help()


@pytest.mark.parametrize(("level", "text"), [pytest.param(*found, id=found[0] or "housekeys") for found in levels()])
def test_examples_are_shown_and_can_be_typed(level: str, text: str) -> None:
    examples = text.partition("examples:\n")[2].split("\n\n")[0].splitlines()
    assert examples
    for line in examples:
        command = re.split(r"\s{3,}", line.strip())[0]  # what follows a gap explains it
        typed = [shlex.split(part) for part in re.split(r"&&|\|", command)]
        assert typed[0][0] == "housekeys"
        for program, *words in typed:
            if program == "housekeys":
                build_parser(words).parse_args(words)
