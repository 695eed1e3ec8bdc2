"""Verifying a pasted token: every check says what it found."""

from __future__ import annotations

from base64 import b64encode

import pytest

from core.changes import Event
from core.keys.versions import KeyVersion, Side, fold
from core.tokens.issuing import Issuer
from core.tokens.ledger import IssuedToken, TokenState, issue_event, state_event
from core.tokens.ledger import fold as fold_tokens
from core.tokens.text_format import fingerprint_of
from core.tokens.verifying import Verification, verify
from tests.unit.keys.sample_keys import fingerprint, private_key, public_pem, rows_of

PARTNER, DATALENS, OTHER = 1, 2, 3
ISSUER = Issuer(private_key(PARTNER), 7, private_key(DATALENS).public_key(), 12)


def known(side: Side, number: int, key: int, state: str) -> KeyVersion:
    details = {"state": state, "fingerprint": fingerprint(key), "public_pem": public_pem(key).decode()}
    return fold(rows_of(Event(side.subject_kind, str(number), "import", details)))[0]


VERSIONS = [known(Side.PARTNER, 7, PARTNER, "active"), known(Side.DATALENS, 12, DATALENS, "active")]


async def nothing(mark: str) -> IssuedToken | None:
    return None


def entry(text: str, tenant: str = "acme", state: TokenState = TokenState.ISSUED, partner: int = 7) -> IssuedToken:
    mark = fingerprint_of(text)
    row = rows_of(issue_event(mark, tenant, datalens_version=12, partner_version=partner))[0]
    token = fold_tokens([row], {})[0]
    return fold_tokens([row], {mark: rows_of(state_event(token, state.action, state), after=3)[0]})[0]


def outcome(verification: Verification) -> dict[str, bool | None]:
    return {finding.check: finding.passed for finding in verification.findings}


def message(verification: Verification, check: str) -> str:
    return next(finding.message for finding in verification.findings if finding.check == check)


async def test_a_good_token_with_everything_known() -> None:
    text = ISSUER.issue("acme").text

    async def ledger(mark: str) -> IssuedToken | None:
        return entry(text) if mark == fingerprint_of(text) else None

    found = await verify(f"  {text}\n", VERSIONS, ledger, private_key(DATALENS))
    assert found.passed
    assert set(outcome(found).values()) == {True}
    assert "Blanks before it" in message(found, "structure")
    assert "Issued for acme by anna, 2026-11-03" in message(found, "ledger")
    assert message(found, "content") == "It opens acme."
    assert (found.database, found.fingerprint) == ("acme", fingerprint_of(text))
    assert "Blanks" not in message(await verify(text + "\n", VERSIONS, ledger), "structure")


async def test_what_is_not_a_token() -> None:
    found = await verify("hello", VERSIONS, nothing)
    assert not found.passed
    assert outcome(found) == {"structure": False}


async def test_unknown_versions() -> None:
    found = await verify(ISSUER.issue("acme").text, [], nothing)
    assert outcome(found) == {
        "structure": True,
        "DataLens key version": False,
        "partner key version": False,
        "signature": False,
        "ledger": None,
    }


@pytest.mark.parametrize(
    ("partner", "datalens", "check", "word"),
    [
        ("retired", "active", "partner key version", "retired"),
        ("submitted", "active", "partner key version", "only submitted"),
        ("active", "retired", "DataLens key version", "retired"),
    ],
)
async def test_a_version_out_of_use_is_worth_a_word(partner: str, datalens: str, check: str, word: str) -> None:
    versions = [known(Side.PARTNER, 7, PARTNER, partner), known(Side.DATALENS, 12, DATALENS, datalens)]
    found = await verify(ISSUER.issue("acme").text, versions, nothing)
    assert found.passed
    assert outcome(found)[check] is None
    assert word in message(found, check)


async def test_a_signature_by_another_or_over_other_data() -> None:
    forged = Issuer(private_key(OTHER), 7, private_key(DATALENS).public_key(), 12).issue("acme").text
    assert outcome(await verify(forged, VERSIONS, nothing))["signature"] is False
    parts = ISSUER.issue("acme").text.split(":")
    parts[2] = ISSUER.issue("acme").text.split(":")[2]
    assert outcome(await verify(":".join(parts), VERSIONS, nothing))["signature"] is False
    broken = [known(Side.PARTNER, 7, PARTNER, "active"), VERSIONS[1]]
    broken[0] = KeyVersion(**{**vars(broken[0]), "public_pem": "nonsense"})
    found = await verify(ISSUER.issue("acme").text, broken, nothing)
    assert "cannot be checked here" in message(found, "signature")


async def test_the_ledger_disagrees() -> None:
    text = ISSUER.issue("acme").text

    async def other_tenant(mark: str) -> IssuedToken | None:
        return entry(text, "globex")

    async def other_version(mark: str) -> IssuedToken | None:
        return entry(text, partner=8)

    async def void(mark: str) -> IssuedToken | None:
        return entry(text, state=TokenState.VOID)

    found = await verify(text, VERSIONS, other_tenant, private_key(DATALENS))
    assert "opens acme, but the ledger says globex" in message(found, "content")
    assert not found.passed
    assert outcome(await verify(text, VERSIONS, other_version))["ledger"] is False
    found = await verify(text, VERSIONS, void)
    assert found.passed
    assert "DataLens does not know that" in message(found, "state")


async def test_json_is_the_judge_of_a_datalens_key() -> None:
    text = ISSUER.issue("acme").text
    found = await verify(text, VERSIONS, nothing, private_key(OTHER))
    assert outcome(found)["content"] is False
    assert found.database is None


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"db_name": ""}', b'{"db_name": null}', b"\xff\xfe"])
async def test_content_without_a_name(content: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA1

    data = private_key(DATALENS).public_key().encrypt(content, PKCS1v15())
    signature = private_key(PARTNER).sign(data, PKCS1v15(), SHA1())  # noqa: S303 - the protocol
    text = f"12:7:{b64encode(data).decode()}:{b64encode(signature).decode()}"
    found = await verify(text, VERSIONS, nothing, private_key(DATALENS))
    assert outcome(found)["signature"] is True
    assert outcome(found)["content"] is False
