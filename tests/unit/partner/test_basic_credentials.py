"""Several Basic credentials at once: each well-formed header of a valid one is known, and nothing else."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError, NotFoundError, RefusedError
from core.partner.security import basic_credentials as module
from core.partner.security.basic_credentials import (
    BasicCredential,
    CredentialCheck,
    Presented,
    added,
    choose,
    generate,
    header_value,
    parse_authorization,
    removed,
)
from core.secrets import Secret

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
USERS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=":"), min_size=1, max_size=40)
PASSWORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.isprintable)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SCRYPT", {"n": 2, "r": 8, "p": 1})


def encoded(text: str | bytes) -> str:
    return b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@given(USERS, PASSWORDS, st.sampled_from(["Basic ", "basic ", "BASIC   "]))
def test_every_credential_that_is_sent_is_read(user: str, password: str, scheme: str) -> None:
    presented = parse_authorization([f"{scheme}{encoded(f'{user}:{password}')}"])
    assert presented is not None
    assert (presented.user, presented.password.reveal()) == (user, password)
    assert password not in repr(presented) or password in repr(Presented(user, Secret("")))


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["Basic"],
        ["Basic "],
        [encoded("u:p")],
        [f"Bearer {encoded('u:p')}"],
        [f"Basic\t{encoded('u:p')}"],
        [f" Basic {encoded('u:p')}"],
        [f"Basic {encoded('u:p')} "],
        [f"Basic {encoded('u:p')}\n"],
        [f"Basic {encoded('u:p')}, Basic {encoded('u:p')}"],
        [f"Basic {encoded('u:p')}", f"Basic {encoded('u:p')}"],
        ["Basic dTpw="],
        ["Basic dTpwMQ"],  # without padding
        ["Basic dTpwMR=="],  # spare bits set
        ["Basic dTp3_3c="],  # base64url
        ["Basic !!!!"],
        [f"Basic {encoded('no colon')}"],
        [f"Basic {encoded('nocolon')}"],
        [f"Basic {encoded(':p')}"],
        [f"Basic {encoded('u:')}"],
        [f"Basic {encoded('u:p' + chr(0))}"],
        [f"Basic {encoded('u:p' + chr(10))}"],
        [f"Basic {encoded('ü:p')}"],
        [f"Basic {encoded(b'u:' + bytes([0xFF]))}"],
        [f"Basic {encoded('u:' + 'p' * 1024)}"],
    ],
)
def test_every_malformed_header_is_refused(values: list[str]) -> None:
    assert parse_authorization(values) is None


@given(st.text(max_size=60))
def test_no_header_breaks_the_reader(text: str) -> None:
    for value in (text, f"Basic {text}", f"Basic {encoded(text.encode('utf-8', 'surrogatepass'))}"):
        read = parse_authorization([value])
        assert read is None or header_value(read).reveal().casefold() == value.casefold()


async def test_several_are_valid_until_they_are_removed() -> None:
    first, kept_first = generate("databricks", NOW)
    second, kept_second = generate("databricks", NOW)
    both = added((kept_first,), kept_second)
    check = CredentialCheck(both)
    assert await check.check([header_value(first).reveal()]) is kept_first
    assert await check.check([header_value(second).reveal()]) is kept_second
    wrong = Presented("databricks", Secret(f"{first.password.reveal()}x"))
    other_user = Presented("databrick", first.password)
    shifted = Presented("databricks", Secret(f":{first.password.reveal()}"))
    for presented in (wrong, other_user, shifted):
        assert await check.check([header_value(presented).reveal()]) is None
    assert await check.check([]) is None
    assert await CredentialCheck([]).check([header_value(first).reveal()]) is None
    left = removed(both, kept_first.id)
    assert await CredentialCheck(left).check([header_value(first).reveal()]) is None
    with pytest.raises(NotFoundError):
        removed(left, kept_first.id)
    with pytest.raises(RefusedError, match="the last credential"):
        removed(left, kept_second.id)


async def test_a_chosen_password_is_derived_once_and_never_for_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = choose("operator", Secret("correct horse battery: staple"), NOW)
    derived: list[bytes] = []
    derive = module._scrypt

    def counted(salt: bytes, text: bytes) -> bytes:
        derived.append(text)
        return derive(salt, text)

    monkeypatch.setattr(module, "_scrypt", counted)
    check = CredentialCheck([generate("operator", NOW)[1], kept])
    header = header_value(Presented("operator", Secret("correct horse battery: staple"))).reveal()
    for _ in range(3):
        assert await check.check([header]) is kept
    assert len(derived) == 1
    await asyncio.gather(*(check.check([f"Basic {encoded(f'stranger:{n}')}"]) for n in range(3)))
    assert len(derived) == 1
    assert await check.check([f"Basic {encoded('operator:wrong')}"]) is None
    assert len(derived) == 2
    assert await check.check([f"Basic {encoded('operator:wrong')}"], derive=False) is None
    assert await check.check([header], derive=False) is kept  # proved before
    assert len(derived) == 2
    assert await CredentialCheck([kept]).check([header], derive=False) is None


@pytest.mark.parametrize("password", ["too short", "long enough but \n broken", "x" * 1000])
def test_a_password_that_cannot_be_chosen(password: str) -> None:
    with pytest.raises(BadInputError):
        choose("operator", Secret(password), NOW)


@pytest.mark.parametrize("user", ["", "a:b", "a b", "ü", "x" * 129])
def test_a_user_that_cannot_be(user: str) -> None:
    with pytest.raises(BadInputError):
        generate(user, NOW)


def test_only_hashes_are_kept_and_read_back() -> None:
    presented, kept = generate("databricks", NOW)
    used = kept.use_to_record(NOW)
    assert used is not None
    for credential in (kept, used):
        record = credential.to_record()
        assert presented.password.reveal() not in json.dumps(record)
        assert BasicCredential.from_record(json.loads(json.dumps(record))) == credential
    for wrong in ({}, {**kept.to_record(), "hash": "md5:00:00"}, {**kept.to_record(), "hash": "sha256"}):
        with pytest.raises(BadInputError):
            BasicCredential.from_record(wrong)
    assert kept.digest.hex() not in repr(kept)


def test_a_use_is_recorded_now_and_then() -> None:
    _, kept = generate("databricks", NOW)
    used = kept.use_to_record(NOW)
    assert used is not None and used.last_used == NOW
    assert used.use_to_record(NOW + timedelta(minutes=59)) is None
    again = used.use_to_record(NOW + timedelta(hours=1))
    assert again is not None and again.last_used == NOW + timedelta(hours=1)
