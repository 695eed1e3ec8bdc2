"""Files that ask for many tenants: CSV with a header, or one name a line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError
from core.tenants.naming import field_problem, name_problem
from core.tenants.requests import COLUMNS, TenantRequest, read_requests


def test_one_name_a_line() -> None:
    requests = read_requests("acme\n\n  \nbe ta\r\ngam'ma`\n", "names.txt")
    assert [request.name for request in requests] == ["acme", "be ta", "gam'ma`"]


def test_columns_in_any_order_and_fewer_of_them() -> None:
    text = '\ufeffTicket,Name,note\r\nT-1,acme,"two\r\nlines, and ""quotes"""\r\n\r\n,beta,\r\n'
    assert read_requests(text.encode(), "clients.csv") == (
        TenantRequest("acme", ticket="T-1", note='two\nlines, and "quotes"'),
        TenantRequest("beta"),
    )


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_come_from_the_header(delimiter: str) -> None:
    text = f"name{delimiter}owner\na,b{delimiter}Ann\n"
    assert read_requests(text, "x.csv") == (TenantRequest("a,b", owner="Ann"),)


def test_a_header_alone_names_one_column() -> None:
    assert read_requests('name\n"a,b"\n', "x.csv") == (TenantRequest("a,b"),)


def test_every_problem_is_reported_with_file_and_line() -> None:
    text = "name,owner\nacme,Ann\n\nacme,Bob\nsystem,\nbe\x07ta,\nx,y,z\ngamma,\ud800\n"
    with pytest.raises(BadInputError) as caught:
        read_requests(text, "clients.csv")
    lines = caught.value.advice.split("\n")
    assert [line.split(": ")[0] for line in lines] == [f"clients.csv:{number}" for number in (4, 5, 6, 7, 8)]
    assert "line 2 already" in lines[0]
    assert "5 problems" in caught.value.message


def test_line_numbers_survive_quoted_line_breaks() -> None:
    with pytest.raises(BadInputError) as caught:
        read_requests('name,note\na,"1\n2\n3"\nsystem,\n', "f")
    assert caught.value.advice.startswith("f:5: system")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no name"),
        ("\n \n", "holds no name"),
        ("name,owner\n", "no name"),
        ("name,colour\na,b\n", "unknown column colour"),
        ("name,name\na,b\n", "given twice"),
        ("name,\na,b\n", "unknown column (no name)"),
        ("acme,Ann\n", "begins with a header"),
        ('name,owner\n"acme,Ann\n', "not CSV"),
        (" acme\n", "space"),
        ("acme\rbeta\n", "control character"),
    ],
)
def test_what_cannot_be_used(text: str, said: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_requests(text, "f")
    assert said in f"{caught.value.message} {caught.value.advice}"


def test_not_utf8_names_the_line() -> None:
    with pytest.raises(BadInputError) as caught:
        read_requests(b"acme\nbeta\n\xff\xfe\n", "f")
    assert caught.value.advice.startswith("f:3: ")


def test_only_the_first_problems_are_listed() -> None:
    with pytest.raises(BadInputError) as caught:
        read_requests("system\n" * 80, "f")
    assert "and 30 more" in caught.value.advice
    assert caught.value.detail.count("\n") == 79


def test_the_journals_database_is_refused() -> None:
    with pytest.raises(BadInputError):
        read_requests("audit\n", "f", journal_database="audit")


_texts = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
_requests = st.lists(
    st.builds(TenantRequest, _texts, _texts, _texts, _texts, _texts).filter(
        lambda request: (
            not name_problem(request.name)
            and not any(field_problem(field, text) for field, text in request.texts().items())
        )
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda request: request.name,
)


@given(_requests, st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_csv_writes_is_read_exactly(
    requests: list[TenantRequest], delimiter: str, line_end: str, marked: bool
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(COLUMNS)
    writer.writerows([request.name, *request.texts().values()] for request in requests)
    content = buffer.getvalue().encode("utf-8-sig" if marked else "utf-8")
    assert read_requests(content, "f") == tuple(requests)


@given(st.text() | st.binary())
def test_any_content_is_read_or_refused(content: str | bytes) -> None:
    try:
        requests = read_requests(content, "f")
    except BadInputError as error:
        assert error.message.isprintable()
    else:
        assert all(not name_problem(request.name) for request in requests)
