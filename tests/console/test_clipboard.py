"""OSC 52 as terminals, tmux and GNU screen take it."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError
from tui.clipboard import LONGEST, sequence

XTERM = {"TERM": "xterm-256color"}


def decoded(osc: str) -> str:
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", osc)
    assert match is not None
    return base64.b64decode(match[1]).decode("utf-8", "surrogatepass")


@given(st.text(max_size=500))
def test_a_terminal_gets_one_sequence_with_the_text(text: str) -> None:
    assert decoded(sequence(text, XTERM)) == text


def test_tmux_gets_it_for_itself_and_for_the_terminal_outside() -> None:
    written = sequence("acme_prod", {**XTERM, "TMUX": "/tmp/tmux-0/default,1,0"})
    own, wrapped = written[: written.index("\x1bP")], written[written.index("\x1bP") :]
    assert decoded(own) == "acme_prod"
    assert wrapped.startswith("\x1bPtmux;\x1b\x1b]52;")
    assert wrapped.endswith("\x1b\\")
    inside = wrapped.removeprefix("\x1bPtmux;").removesuffix("\x1b\\").replace("\x1b\x1b", "\x1b")
    assert decoded(inside) == "acme_prod"


@pytest.mark.parametrize("environ", [{"TERM": "screen.xterm-256color"}, {"TERM": "xterm", "STY": "1.pts-0"}])
def test_screen_gets_it_in_chunks_it_can_hold(environ: dict[str, str]) -> None:
    text = "x" * 5000
    chunks = re.findall(r"\x1bP(.*?)\x1b\\", sequence(text, environ), re.DOTALL)
    assert len(chunks) > 1
    assert all(len(chunk) <= 764 for chunk in chunks)
    assert decoded("".join(chunks)) == text


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    fits = "x" * (LONGEST // 4 * 3)
    assert decoded(sequence(fits, XTERM)) == fits
    with pytest.raises(BadInputError, match="too long"):
        sequence(fits + "xxx", XTERM)


def test_a_dumb_terminal_is_not_sent_anything() -> None:
    with pytest.raises(BadInputError, match="no clipboard"):
        sequence("x", {"TERM": "dumb"})
