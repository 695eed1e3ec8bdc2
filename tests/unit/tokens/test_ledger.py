"""The ledger folded from rows, and what has to be made anew after a rotation."""

from __future__ import annotations

import pytest

from core.changes import Event
from core.errors import BadInputError, NotFoundError, RefusedError
from core.journal.rows import Row
from core.keys.versions import KeyVersion, Side
from core.keys.versions import fold as fold_keys
from core.tokens.ledger import (
    IssuedToken,
    TokenState,
    by_prefix,
    by_version,
    fold,
    issue_event,
    pending_by_version,
    state_event,
    to_reissue,
)
from core.tokens.planning import plan_mark
from tests.unit.keys.sample_keys import events_of, fingerprint, public_pem, rows_of


def issued(number: int, tenant: str = "acme", datalens: int = 1, partner: int = 1) -> Row:
    mark = f"{number:064x}"[::-1]
    return rows_of(issue_event(mark, tenant, datalens_version=datalens, partner_version=partner, note="n"))[0]


def tokens_of(*rows: Row, marks: tuple[Row, ...] = ()) -> list[IssuedToken]:
    return fold(rows, {row.subject: row for row in marks})


def marked(token: IssuedToken, state: TokenState) -> IssuedToken:
    row = rows_of(state_event(token, state.action, state), after=5)[0]
    return tokens_of(issued_again(token), marks=(row,))[0]


def issued_again(token: IssuedToken) -> Row:
    event = issue_event(
        token.fingerprint, token.tenant, datalens_version=token.datalens_version, partner_version=token.partner_version
    )
    return rows_of(event)[0]


def keys(*known: tuple[Side, int, str]) -> list[KeyVersion]:
    events = []
    for index, (side, number, state) in enumerate(known):
        details = {"fingerprint": fingerprint(index % 4), "public_pem": public_pem(index % 4).decode(), "state": state}
        events.append(Event(side.subject_kind, str(number), "import", details))
    return fold_keys(rows_of(*events))


def test_a_token_from_issued_to_used() -> None:
    token = tokens_of(issued(1, "acme", 12, 3))[0]
    assert (token.tenant, token.datalens_version, token.partner_version) == ("acme", 12, 3)
    assert (token.state, token.note, token.operator) == (TokenState.ISSUED, "n", "anna")
    delivered = marked(token, TokenState.DELIVERED)
    assert delivered.state is TokenState.DELIVERED
    assert delivered.state_since > delivered.issued
    assert events_of(plan_mark([delivered], TokenState.USED))[0].action == "use"


def test_rows_of_another_make_are_passed_over() -> None:
    strange = rows_of(Event("token", "ab", "issue", {"tenant": "acme"}), Event("token", "cd", "issue", {}))
    assert tokens_of(*strange) == []


@pytest.mark.parametrize(
    ("now", "then"),
    [("used", "void"), ("used", "delivered"), ("void", "used"), ("delivered", "delivered"), ("void", "void")],
)
def test_a_state_that_cannot_follow_is_refused(now: str, then: str) -> None:
    token = marked(tokens_of(issued(1))[0], TokenState(now))
    with pytest.raises(RefusedError, match=now):
        plan_mark([token], TokenState(then))


def test_a_used_token_cannot_be_revoked_and_the_reason_is_honest() -> None:
    token = marked(tokens_of(issued(1))[0], TokenState.USED)
    with pytest.raises(RefusedError) as caught:
        plan_mark([token], TokenState.VOID)
    assert "cannot be revoked" in caught.value.advice
    assert "suspend the tenant" in caught.value.advice
    with pytest.raises(BadInputError):
        plan_mark([token], TokenState.ISSUED)


def test_a_mark_can_be_taken_back() -> None:
    token = tokens_of(issued(1))[0]
    change = plan_mark([token], TokenState.VOID, note="lost")
    assert change.reversible
    assert dict(events_of(change)[0].details) == {"state": "void", "tenant": "acme", "note": "lost"}
    undo = change.steps[0].undo
    assert undo is not None
    assert undo.events[0].details["state"] == "issued"
    assert "cannot be revoked" in change.consequences[0]


def test_a_prefix_stands_for_one_token() -> None:
    tokens = tokens_of(issued(0x1234), issued(0x1235), issued(0x9999))
    assert by_prefix(tokens, tokens[0].fingerprint) is tokens[0]
    assert by_prefix(tokens, tokens[2].fingerprint[:6].upper() + "…") is tokens[2]
    with pytest.raises(BadInputError, match="at least 4"):
        by_prefix(tokens, "432")
    with pytest.raises(NotFoundError):
        by_prefix(tokens, "ffff")
    with pytest.raises(BadInputError, match="2 tokens begin so"):
        by_prefix(tokens_of(issued(0), issued(1 << 200)), "0000")


def test_counts_by_version() -> None:
    first, second, third = tokens_of(issued(1, "a", 1, 1), issued(2, "b", 1, 2), issued(3, "c", 2, 2))
    tokens = [first, second, marked(third, TokenState.USED)]
    assert pending_by_version(tokens) == {(Side.PARTNER, 1): 1, (Side.PARTNER, 2): 1, (Side.DATALENS, 1): 2}
    assert by_version(tokens)[(Side.PARTNER, 2)] == 2


def test_what_must_be_reissued_when_either_side_rotates() -> None:
    versions = keys(
        (Side.PARTNER, 1, "retiring"),
        (Side.PARTNER, 2, "active"),
        (Side.DATALENS, 1, "retired"),
        (Side.DATALENS, 2, "active"),
    )
    good, old_partner, old_datalens, both = tokens_of(
        issued(1, "good", 2, 2), issued(2, "p", 2, 1), issued(3, "d", 1, 2), issued(4, "both", 1, 1)
    )
    used = marked(both, TokenState.USED)
    found = to_reissue([good, old_partner, old_datalens, used, marked(both, TokenState.DELIVERED)], versions)
    assert [(entry.token.tenant, len(entry.reasons)) for entry in found] == [("p", 1), ("d", 1), ("both", 2)]
    assert found[0].reasons == ("partner key 1 is retiring, 2 is current",)
    assert found[1].reasons == ("DataLens key 1 is retired, 2 is current",)
    assert to_reissue([old_partner], []) == []  # nothing to reissue with
