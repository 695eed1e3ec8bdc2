"""Tokens made here are accepted by the documented receiver and by openssl; names are exact or refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import BadInputError
from core.tokens.issuing import LONGEST_PLAINTEXT, SURELY_SHORT, Issuer, plaintext, usable_cores
from core.tokens.text_format import Token, parse
from tests.unit.keys.sample_keys import openssl, private_key, private_pem, public_pem
from tests.unit.tokens.receiver import Receiver

PARTNER, DATALENS, OTHER = 1, 2, 3
ISSUER = Issuer(private_key(PARTNER), 7, private_key(DATALENS).public_key(), 12)
RECEIVER = Receiver({"12": private_pem(DATALENS)}, {"7": public_pem(PARTNER)})
HOSTILE = [
    "'; DROP DATABASE x; --",
    'a\\b"c`d',
    "[bold red]acme[/]",
    "\x1b]52;c;aGk=\x07",
    "\0\n\r\t",
    "база_клиента",
    "\U0001f511" * 20,
    "‮reversed",
    '{"db_name": "other"}',
    " acme ",
]


@pytest.mark.parametrize("name", ["acme_prod", "client_1234383", *HOSTILE])
def test_the_documented_receiver_reads_the_exact_name(name: str) -> None:
    assert RECEIVER.accept(ISSUER.issue(name).text) == name


@given(st.text(min_size=1, max_size=60))
@example("x" * 230)
@example("x" * 231)
@example("x" * 232)
@example("ж" * 115)
@example("ж" * 116)
@example("\U0001f511" * 57)
@example("\U0001f511" * 58)
@example("\ud800")
def test_a_name_is_exact_or_refused(name: str) -> None:
    try:
        content = plaintext(name)
    except BadInputError:
        representable = json.dumps({"db_name": name}, ensure_ascii=False, separators=(",", ":"))
        assert len(representable.encode("utf-8", "surrogatepass")) > 245 or not name.isprintable()
        return
    assert len(content) <= LONGEST_PLAINTEXT == 245
    assert RECEIVER.accept(ISSUER.issue(name).text) == name


def test_the_plaintext_is_the_documented_one_wherever_it_fits() -> None:
    assert plaintext("acme") == b'{"db_name": "acme"}'
    assert plaintext("ж") == b'{"db_name": "\\u0436"}'
    assert plaintext("ж" * 100) == ('{"db_name":"' + "ж" * 100 + '"}').encode()
    assert len(plaintext("x" * 230)) == 245
    assert len(plaintext("x" * 231)) == 245
    with pytest.raises(BadInputError, match="1 byte too long"):
        plaintext("x" * 232)
    with pytest.raises(BadInputError, match="empty"):
        plaintext("")


def test_two_tokens_for_one_database_differ() -> None:
    first, second = ISSUER.issue("acme"), ISSUER.issue("acme")
    assert first.text != second.text
    assert first.fingerprint != second.fingerprint
    assert first.text.startswith("12:7:")


def test_openssl_verifies_the_signature_and_decrypts_the_data(tmp_path: Path) -> None:
    token = parse(ISSUER.issue("acme").text)
    data, signature = tmp_path / "data", tmp_path / "signature"
    partner, datalens = tmp_path / "partner.pem", tmp_path / "datalens.pem"
    data.write_bytes(token.ciphertext)
    signature.write_bytes(token.signature)
    partner.write_bytes(public_pem(PARTNER))
    datalens.write_bytes(private_pem(DATALENS))
    verified = openssl("dgst", "-sha1", "-verify", str(partner), "-signature", str(signature), str(data))
    assert verified.strip() == b"Verified OK"
    padding = ("-pkeyopt", "rsa_padding_mode:pkcs1")
    content = openssl("pkeyutl", "-decrypt", "-inkey", str(datalens), *padding, "-in", str(data))
    assert content == b'{"db_name": "acme"}'


def test_the_receiver_refuses_other_keys_and_versions() -> None:
    text = ISSUER.issue("acme").text
    with pytest.raises(AssertionError):
        Receiver({}, {"7": public_pem(PARTNER)}).accept(text)
    with pytest.raises(InvalidSignature):
        Receiver({"12": private_pem(DATALENS)}, {"7": public_pem(OTHER)}).accept(text)
    with pytest.raises((ValueError, AttributeError)):  # implicit rejection: bytes come out, no JSON object does
        Receiver({"12": private_pem(OTHER)}, {"7": public_pem(PARTNER)}).accept(text)


async def test_many_are_made_in_order_with_progress() -> None:
    names = [f"tenant_{number}" for number in range(100)]
    seen: list[tuple[int, int]] = []
    tokens = await ISSUER.issue_many(names, lambda done, total: seen.append((done, total)))
    assert [RECEIVER.accept(token.text) for token in tokens[::7]] == names[::7]
    assert len({token.text for token in tokens}) == len(names)
    assert [token.tenant for token in tokens] == names
    assert all(parse(token.text).fingerprint == token.fingerprint for token in tokens)
    assert {(token.datalens_version, token.partner_version) for token in tokens} == {(12, 7)}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(names), len(names))
    assert {total for _, total in seen} == {len(names)}
    assert await ISSUER.issue_many([]) == []
    assert usable_cores() >= 1


async def test_one_bad_name_stops_the_rest_before_any_is_made() -> None:
    seen: list[int] = []
    with pytest.raises(BadInputError, match="too long"):
        await ISSUER.issue_many(["a", "x" * 300], lambda done, total: seen.append(done))
    assert seen == []


async def test_cancelling_stops_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    issue = Issuer.issue

    def counting(issuer: Issuer, database: str) -> Token:
        made.append(database)
        return issue(issuer, database)

    monkeypatch.setattr(Issuer, "issue", counting)
    begun = asyncio.Event()
    task = asyncio.create_task(ISSUER.issue_many(["acme"] * 100_000, lambda done, total: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(made) < 50_000


@given(st.text(alphabet=st.characters(max_codepoint=127), min_size=1, max_size=SURELY_SHORT))
def test_a_short_ascii_name_always_fits(name: str) -> None:
    assert len(plaintext(name)) <= LONGEST_PLAINTEXT
    assert json.loads(plaintext(name)) == {"db_name": name}
