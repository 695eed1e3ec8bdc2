"""Key versions folded from events, and what may be issued with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.changes import Event
from core.errors import BadInputError, NotFoundError, RefusedError
from core.keys.versions import (
    HIGHEST_VERSION,
    KeyState,
    Side,
    active_partner,
    check_version,
    current_datalens,
    find,
    fold,
    issuing_keys,
    of_side,
    public_text,
)
from tests.unit.keys.sample_keys import fingerprint, openssl, public_pem, rows_of


def introduced(side: str, version: int, key: int, action: str = "generate", state: str = "generated") -> Event:
    details = {"state": state, "fingerprint": fingerprint(key), "public_pem": public_pem(key).decode()}
    return Event(f"{side}_key", str(version), action, details)


def stated(side: str, version: int, key: int, state: str) -> Event:
    return Event(f"{side}_key", str(version), state, {"state": state, "fingerprint": fingerprint(key)})


def test_a_rotation() -> None:
    rows = rows_of(
        introduced("partner", 1, 1),
        stated("partner", 1, 1, "submitted"),
        stated("partner", 1, 1, "active"),
        introduced("partner", 2, 2),
        stated("partner", 2, 2, "submitted"),
        stated("partner", 2, 2, "active"),
        introduced("datalens", 1, 3, "import", "active"),
        introduced("datalens", 4, 4, "import", "active"),
    )
    versions = fold(rows)
    assert [(v.side.value, v.version, v.state.value) for v in versions] == [
        ("partner", 1, "retiring"),
        ("partner", 2, "active"),
        ("datalens", 1, "active"),
        ("datalens", 4, "active"),
    ]
    first = find(versions, Side.PARTNER, 1)
    assert (first.created, first.state_since, first.imported) == (rows[0].at, rows[5].at, False)
    assert first.operator == "anna"
    assert find(versions, Side.DATALENS, 4).imported
    keys = issuing_keys(versions)
    assert (keys.partner.version, keys.datalens.version) == (2, 4)
    assert (keys.partner.label, keys.datalens.label) == ("partner key 2", "DataLens key 4")


def test_what_is_missing_is_said() -> None:
    with pytest.raises(RefusedError, match="key generate"):
        issuing_keys([])
    generated = rows_of(introduced("partner", 3, 1))
    with pytest.raises(RefusedError, match="key submit 3"):
        issuing_keys(fold(generated))
    submitted = [*generated, *rows_of(stated("partner", 3, 1, "submitted"))]
    with pytest.raises(RefusedError, match="key activate 3"):
        issuing_keys(fold(submitted))
    active = [*submitted, *rows_of(stated("partner", 3, 1, "active"))]
    with pytest.raises(RefusedError, match="--side datalens"):
        issuing_keys(fold(active))
    retired = rows_of(introduced("datalens", 1, 2, "import", "active"), stated("datalens", 1, 2, "retired"))
    assert current_datalens(fold([*active, *retired])) is None


def test_a_withdrawn_import_frees_its_number() -> None:
    rows = rows_of(introduced("datalens", 1, 1, "import", "active"), stated("datalens", 1, 1, "withdrawn"))
    assert fold(rows) == []
    again = fold([*rows, *rows_of(introduced("datalens", 1, 2, "import", "active"))])
    assert [v.fingerprint for v in again] == [fingerprint(2)]


def test_two_keys_under_one_number_are_a_conflict_and_nothing_is_issued() -> None:
    rows = rows_of(
        introduced("partner", 1, 1),
        introduced("partner", 1, 2),
        stated("partner", 1, 2, "submitted"),
        stated("partner", 1, 1, "submitted"),
        stated("partner", 1, 1, "active"),
        introduced("datalens", 1, 3, "import", "active"),
    )
    versions = fold(rows)
    assert find(versions, Side.PARTNER, 1).fingerprint == fingerprint(1)
    assert find(versions, Side.PARTNER, 1).conflicts == (fingerprint(2),)
    with pytest.raises(RefusedError, match="Two different keys"):
        issuing_keys(versions)


def test_rows_that_introduce_nothing_are_passed_over() -> None:
    strange = [
        Event("partner_key", "abc", "generate", {"state": "generated"}),
        Event("partner_key", "1", "submit", {"state": "submitted", "fingerprint": "00"}),
        Event("partner_key", "2", "generate", {"state": "dancing", "fingerprint": "00", "public_pem": "x"}),
        Event("partner_key", "٣", "generate", {"state": "generated", "fingerprint": "00", "public_pem": "x"}),
    ]
    assert fold(rows_of(*strange)) == []


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(list(KeyState))), max_size=20))
def test_at_most_one_partner_version_is_active(moves: list[tuple[int, KeyState]]) -> None:
    events = [introduced("partner", number, number) for number in range(1, 5)]
    events += [stated("partner", number, number, state.value) for number, state in moves]
    versions = fold(rows_of(*events))
    active = [v for v in of_side(versions, Side.PARTNER) if v.state is KeyState.ACTIVE]
    assert len(active) <= 1
    assert active_partner(versions) == (active[0] if active else None)
    if moves and moves[-1][1] is KeyState.ACTIVE:
        assert active[0].version == moves[-1][0]


def test_an_unknown_version_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="no partner key at all"):
        find([], Side.PARTNER, 1)
    with pytest.raises(NotFoundError, match="Known versions: 1"):
        find(fold(rows_of(introduced("partner", 1, 1))), Side.PARTNER, 2)


@pytest.mark.parametrize("number", [-1, HIGHEST_VERSION + 1])
def test_impossible_numbers(number: int) -> None:
    with pytest.raises(BadInputError):
        check_version(number)


def test_the_text_to_send_is_read_by_openssl() -> None:
    version = fold(rows_of(introduced("partner", 12, 1)))[0]
    text = public_text(version)
    assert "version: 12" in text
    assert fingerprint(1) in text
    assert openssl("pkey", "-pubin", "-pubout", stdin=text.encode()) == public_pem(1)
