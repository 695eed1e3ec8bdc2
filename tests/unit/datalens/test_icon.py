"""The icon only draws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datalens.icon import LARGEST, check_icon, icon_problem
from core.errors import BadInputError

GOOD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        '<path d="M0 0h8v8z"/>',
        '<g><circle cx="4" cy="4" r="3" fill="url(#a)"/></g><defs><linearGradient id="a"/></defs>',
        '<style>.a { fill: red; clip-path: url("#c") }</style><rect class="a"/>',
        '<use href="#a"/><!-- a comment --><title>&lt;script&gt; &amp; co</title>',
    ],
)
def test_drawings_are_taken(inside: str) -> None:
    assert check_icon(GOOD.format(inside).encode(), "icon.svg") == GOOD.format(inside)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not well-formed"),
        ("<svg", "not well-formed"),
        ("plain text", "not well-formed"),
        (GOOD.format(""), "draws nothing"),
        ('<svg viewBox="0 0 1 1"><path/></svg>', "namespace"),
        ('<html xmlns="http://www.w3.org/1999/xhtml"/>', "namespace"),
        ('<svg xmlns="http://www.w3.org/2000/svg"><path/></svg>', "viewBox"),
        (GOOD.format("<script>alert(1)</script>"), "script"),
        (GOOD.format('<x:script xmlns:x="http://www.w3.org/1999/xhtml"/>'), "script"),
        (GOOD.format('<h:p xmlns:h="http://www.w3.org/1999/xhtml"/>'), "element p"),
        (GOOD.format("<foreignObject/>"), "foreignObject"),
        (GOOD.format('<animateTransform attributeName="href"/>'), "animateTransform"),
        (GOOD.format('<path onload="x()"/>'), "onload"),
        (GOOD.format('<a href="javascript:alert(1)"><path/></a>'), "href"),
        (GOOD.format('<use xmlns:l="http://www.w3.org/1999/xlink" l:href="http://e.example/x.svg#a"/>'), "href"),
        (GOOD.format('<path style="fill:url(http://e.example/a)"/>'), "loads"),
        (GOOD.format("<path fill=\"url( '//e.example/a')\"/>"), "loads"),
        (GOOD.format('<path style="fill:\\75rl(http://e.example/a)"/>'), "loads"),
        (GOOD.format("<style>@import 'http://e.example/a.css';</style>"), "loads"),
        (GOOD.format("<style><![CDATA[@im]]>port 'x';</style>"), "loads"),
        ("<?xml-stylesheet href='a.css'?>" + GOOD.format("<path/>"), "xml-stylesheet"),
        ('<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + GOOD.format("<path/>&a;"), "DOCTYPE"),
        ('<!DOCTYPE svg SYSTEM "http://e.example/x.dtd">' + GOOD.format("<path/>"), "DOCTYPE"),
        (GOOD.format("<g>" * 300 + "</g>" * 300), "deeply"),
        (GOOD.format("&unknown;"), "not well-formed"),
        (GOOD.format("<path/>\ud800"), "UTF-8"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, said: str) -> None:
    assert said in icon_problem(text)


def test_a_billion_laughs_are_refused_before_the_first() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    assert "DOCTYPE" in icon_problem(f'<!DOCTYPE svg [<!ENTITY l0 "ha">{entities}]>' + GOOD.format("&l19;"))


def test_a_declared_encoding_changes_nothing() -> None:
    hidden = '<?xml version="1.0" encoding="utf-7"?>' + GOOD.format("<path/>+ADw-script/+AD4-")
    assert icon_problem(hidden) == ""
    with pytest.raises(BadInputError):
        check_icon(GOOD.format("<path/>").encode("utf-16"), "icon.svg")


def test_size_and_name() -> None:
    with pytest.raises(BadInputError) as caught:
        check_icon(b" " * (LARGEST + 1), "an\nicon.svg")
    assert caught.value.message.isprintable()
    assert check_icon(b"\xef\xbb\xbf" + GOOD.format("<path/>").encode(), "i").startswith("<svg")


@given(st.text(alphabet="<>/?!-&;#=\"' asvgscriptDOCTYPE[]\n\\", max_size=60))
def test_any_text_is_judged(inside: str) -> None:
    assert isinstance(icon_problem(GOOD.format("{}").replace("{}", inside)), str)
