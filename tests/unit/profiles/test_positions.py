"""Every key is found on its line, whatever the style."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given

from core.profiles.positions import positions
from tests.unit.profiles.toml_texts import Writer, toml_texts


@given(toml_texts())
def test_every_key_of_any_text_is_found_on_its_line(made: tuple[dict[str, Any], Writer]) -> None:
    data, writer = made
    assert tomllib.loads(writer.text) == data, "the text made for this test says something else"

    assert positions(writer.text).lines == writer.lines
    assert positions(writer.text.replace("\n", "\r\n")).lines == writer.lines


@given(toml_texts())
def test_statements_and_mentions_stand_where_they_say(made: tuple[dict[str, Any], Writer]) -> None:
    text = made[1].text
    found = positions(text)
    for path, begin, end in found.mentions:
        assert list(tomllib.loads(f"{text[begin:end]} = 1")) == [path[-1]]
    for statement in found.statements:
        assert tomllib.loads(text[statement.begin : statement.end]) or statement.header
    rest = text
    for statement in reversed(found.statements):
        rest = rest[: statement.begin] + rest[statement.end :]
    assert tomllib.loads(rest) == {}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("# only\n\n", {}),
        ("a.b = 1\na.c = 2", {("a",): 1, ("a", "b"): 1, ("a", "c"): 2}),
        # A table mentioned by its sub-table has the line of its own header.
        ("[a.b]\n\n[a]\nx = 1\n", {("a",): 3, ("a", "b"): 1, ("a", "x"): 4}),
        ("[[a]]\n[[a]]\n[a.b]\n", {("a",): 1, ("a", 0): 1, ("a", 1): 2, ("a", 1, "b"): 3}),
        ("a = ''\nb = 1", {("a",): 1, ("b",): 2}),
        ("a = '''\n\n''''\nb = 1", {("a",): 1, ("b",): 4}),
        ('a = """x\\""""\nb = 1', {("a",): 1, ("b",): 2}),
        ('a = """"""\nb = 1', {("a",): 1, ("b",): 2}),
        ('a = """two: ""\n"""\nb = 1', {("a",): 1, ("b",): 3}),
        ("a = 1979-05-27 07:32:00 # now\nb = 1", {("a",): 1, ("b",): 2}),
        ('"a.b" = {"#" = [1,\n2]}', {("a.b",): 1, ("a.b", "#"): 1, ("a.b", "#", 0): 1, ("a.b", "#", 1): 2}),
    ],
)
def test_the_corners_of_toml(text: str, lines: dict[tuple[str | int, ...], int]) -> None:
    tomllib.loads(text)
    assert positions(text).lines == lines
