"""Which databases grants open."""

from __future__ import annotations

import pytest

from core.access.model import Grant, Revoke
from core.access.parser import parse_statement
from core.access.readable import readable_databases


@pytest.mark.parametrize(
    ("statements", "open_", "closed"),
    [
        ([], [], ["a"]),
        (["GRANT SELECT ON a.* TO u"], ["a"], ["ab", "b"]),
        (["GRANT SELECT ON a*.* TO u"], ["a", "ab"], ["b"]),
        (["GRANT ALL ON *.* TO u"], ["a", "b"], []),
        (["GRANT SELECT ON *.* TO u", "REVOKE SELECT ON a.* FROM u"], ["b"], ["a"]),
        (["GRANT SELECT ON *.* TO u", "REVOKE SELECT ON a*.* FROM u", "GRANT SELECT ON ab.* TO u"], ["b", "ab"], ["a"]),
        (["GRANT SELECT ON a.* TO u", "REVOKE SELECT ON a.* FROM u"], [], ["a"]),
        (["GRANT SELECT ON a*.* TO u", "REVOKE SELECT ON *.* FROM u"], [], ["a"]),
        (["GRANT SELECT ON a.* TO u", "REVOKE GRANT OPTION FOR SELECT ON a.* FROM u"], ["a"], []),
        (["GRANT SELECT ON a.t TO u", "GRANT SELECT(x) ON b.t TO u", "GRANT INSERT ON c.* TO u"], [], ["a", "b", "c"]),
        (["GRANT r TO u"], [], ["a", "r"]),
    ],
)
def test_readable(statements: list[str], open_: list[str], closed: list[str]) -> None:
    parsed = [parse_statement(sql) for sql in statements]
    readable = readable_databases([each for each in parsed if isinstance(each, Grant | Revoke)])
    assert [name for name in open_ + closed if readable.covers(name)] == open_
