"""`explain` and `redact`: what each code becomes, what is cut, and that no literal that can be a secret is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clickhouse.errors import (
    AlreadyExistsError,
    AuthenticationError,
    BadStatementError,
    NoRightError,
    QueryCancelledError,
    QueryTimeoutError,
    QuotaError,
    ReadOnlyServerError,
    ServerBusyError,
    ServerError,
    SettingRefusedError,
    UnknownNameError,
    explain,
    redact,
)
from core.clickhouse.quoting import quote_string
from core.errors import ExitCode


@pytest.mark.parametrize(
    ("code", "name", "kind", "exit_code"),
    [
        (516, "AUTHENTICATION_FAILED", AuthenticationError, ExitCode.UNREACHABLE),
        (193, "WRONG_PASSWORD", AuthenticationError, ExitCode.UNREACHABLE),
        (164, "READONLY", ReadOnlyServerError, ExitCode.REFUSED),
        (495, "ACCESS_STORAGE_READONLY", ReadOnlyServerError, ExitCode.REFUSED),
        (201, "QUOTA_EXCEEDED", QuotaError, ExitCode.REFUSED),
        (159, "TIMEOUT_EXCEEDED", QueryTimeoutError, ExitCode.FAILED),
        (394, "QUERY_WAS_CANCELLED", QueryCancelledError, ExitCode.FAILED),
        (81, "UNKNOWN_DATABASE", UnknownNameError, ExitCode.NOT_FOUND),
        (192, "UNKNOWN_USER", UnknownNameError, ExitCode.NOT_FOUND),
        (57, "TABLE_ALREADY_EXISTS", AlreadyExistsError, ExitCode.FAILED),
        (62, "SYNTAX_ERROR", BadStatementError, ExitCode.BAD_INPUT),
        (452, "SETTING_CONSTRAINT_VIOLATION", SettingRefusedError, ExitCode.REFUSED),
        (202, "TOO_MANY_SIMULTANEOUS_QUERIES", ServerBusyError, ExitCode.UNREACHABLE),
        (49, "LOGICAL_ERROR", ServerError, ExitCode.FAILED),
    ],
)
def test_codes(code: int, name: str, kind: type[ServerError], exit_code: ExitCode) -> None:
    text = f"Code: {code}. DB::Exception: Something about `x` {{y}}. ({name}) (version 26.9.2.1 (official build))"
    for given_code in (code, None):
        error = explain(given_code, text)
        assert type(error) is kind
        assert isinstance(error, ServerError)
        assert (error.code, error.name, error.exit_code) == (code, name, exit_code)
        assert "\n" not in error.message
        assert "version" not in error.detail
        assert error.detail.startswith(f"Code: {code}.")


RIGHTS = [
    ("SELECT ON a.*", "GRANT SELECT ON a.* TO `bob`"),
    ("SELECT(a, `b.c`) ON d.t", "GRANT SELECT(a, `b.c`) ON d.t TO `bob`"),
    ("SELECT ON a.* WITH GRANT OPTION", "GRANT SELECT ON a.* TO `bob` WITH GRANT OPTION"),
    ("CREATE USER ON `x'`", "GRANT CREATE USER ON `x'` TO `bob`"),
]


@pytest.mark.parametrize(("missing", "statement"), RIGHTS)
@pytest.mark.parametrize("tail", ["", ". (Missing permissions: SELECT(a) ON d.t)"])
def test_missing_right_is_named_and_can_be_asked_for(missing: str, statement: str, tail: str) -> None:
    text = (
        "Code: 497. DB::Exception: bob: Not enough privileges. To execute this query, "
        f"it's necessary to have the grant {missing}{tail}. (ACCESS_DENIED)"
    )
    error = explain(497, text)
    assert isinstance(error, NoRightError)
    assert error.missing == missing
    assert error.message == f"The user lacks the right {missing}."
    assert error.advice.endswith(statement)
    assert ("CURRENT GRANTS" in error.advice) is ("WITH GRANT OPTION" in missing)  # what ClickHouse Cloud needs for ALL
    assert error.exit_code is ExitCode.REFUSED


def test_right_that_is_not_named_is_still_a_missing_right() -> None:
    error = explain(497, "Code: 497. DB::Exception: bob: Not allowed. (ACCESS_DENIED)")
    assert isinstance(error, NoRightError)
    assert error.missing == ""
    assert "Not allowed" in error.message


def test_stack_and_trailer_are_cut() -> None:
    text = "Code: 999. DB::Exception: No. (KEEPER_EXCEPTION), Stack trace (when copying this message):\n0. f @ 0x1\n"
    assert explain(None, text).detail == "Code: 999. DB::Exception: No. (KEEPER_EXCEPTION)"


def test_hostile_text_stays_on_one_line() -> None:
    error = explain(81, "Code: 81. DB::Exception: Database \x1b[31m[bold]\nx does not exist. (UNKNOWN_DATABASE)")
    assert "\x1b" not in error.message
    assert "\n" not in error.message


@pytest.mark.parametrize(
    "text",
    [
        r"Syntax error: failed at position 47 ('sec\'hunter2'): 'sec\'hunter2' host any. Expected one of: BY",
        "Single quoted string is not closed: Syntax error: failed at position 29 ('hunter2): 'hunter2. .",
        "Syntax error: failed at position 31 (foo): foo BY 'hunter2' SALT 'hunter2'. Expected one of: X",
        "Syntax error: failed at position 9 ('hunter2hun): 'hunter2hunter2. Expected one of: X, end of query.",
        "Cannot parse CREATE USER x IDENTIFIED WITH plaintext_password BY 'hunter2' HOST ANY",
        "s3(access_key_id = 'a', secret_access_key = 'hunter2')",
        "password: 'hunter2'",
        "cannot reach https://bob:hunter2@host/x",
    ],
)
def test_secrets_of_every_shape_are_redacted(text: str) -> None:
    error = explain(62, f"Code: 62. DB::Exception: {text} (SYNTAX_ERROR)")
    for shown in (error.message, error.advice, error.detail, repr(error)):
        assert "hunter2" not in shown


PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")


@given(secret=st.text(PRINTABLE, min_size=12), cut=st.integers(0, 8))
def test_no_quoted_literal_survives(secret: str, cut: int) -> None:
    secret = f"~{secret}~"
    literal = quote_string(secret)
    shown = redact(f"Syntax error: failed at position 5 (x): IDENTIFIED BY {literal[: len(literal) - cut]}")
    assert literal[1 : len(literal) - max(cut, 1)] not in shown
    assert secret not in redact(f"IDENTIFIED WITH sha256_password BY {literal} HOST ANY")


@given(code=st.one_of(st.none(), st.integers(0, 2000)), text=st.text())
def test_total(code: int | None, text: str) -> None:
    error = explain(code, text)
    assert isinstance(error, ServerError)
    assert error.message
    assert error.message.isprintable()
