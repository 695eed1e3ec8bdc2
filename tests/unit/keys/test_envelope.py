"""The envelope: what goes in comes out, a flipped byte is noticed, and a wrong passphrase is told from damage."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError
from core.keys import envelope as envelopes
from core.keys.envelope import DamagedKeyFileError, Envelope, NotProtectedError, ScryptCost, leave_open, seal
from core.keys.rsa_keys import WrongPassphraseError, private_der
from core.secrets import Secret
from tests.unit.keys.sample_keys import CHEAP, fingerprint, private_key

PASSPHRASE = Secret("пароль из трёх слов \U0001f511")
SEALED = seal(private_key(1), "partner", 7, PASSPHRASE, CHEAP).to_bytes()
OPEN = leave_open(private_key(1), "partner", 7, insist=True).to_bytes()


def resealed(header: object, rest: bytes = b"AAAA") -> bytes:
    """A file with a header of somebody's own making and a checksum that fits."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    body = text + b"\n" + rest + b"\n"
    return body + hashlib.sha256(body).hexdigest().encode() + b"\n"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50), st.integers(0, 2**31 - 1))
def test_round_trip(passphrase: str, version: int) -> None:
    sealed = seal(private_key(1), "partner", version, Secret(passphrase), CHEAP)
    read = Envelope.from_bytes(sealed.to_bytes())
    assert read == sealed
    assert (read.side, read.version, read.fingerprint, read.encrypted) == ("partner", version, fingerprint(1), True)
    assert private_der(read.open(Secret(passphrase))) == private_der(private_key(1))


def test_the_usual_cost_is_strong_and_acceptable() -> None:
    sealed = seal(private_key(1), "partner", 1, PASSPHRASE)
    assert sealed.protection is not None
    assert sealed.protection.cost == ScryptCost(2**17, 8, 1)
    assert private_der(sealed.open(PASSPHRASE)) == private_der(private_key(1))


def test_the_key_is_not_in_the_file() -> None:
    der = private_der(private_key(1))
    middle = der[200:240]
    assert middle not in SEALED
    assert middle.hex().encode() not in SEALED
    assert repr(private_key(1).private_numbers().p)[:30].encode() not in SEALED


def test_two_envelopes_of_one_key_differ() -> None:
    assert seal(private_key(1), "partner", 7, PASSPHRASE, CHEAP).to_bytes() != SEALED


def test_a_wrong_passphrase_is_called_that() -> None:
    with pytest.raises(WrongPassphraseError):
        Envelope.from_bytes(SEALED).open(Secret("wrong"))
    with pytest.raises(WrongPassphraseError):
        Envelope.from_bytes(SEALED).open(None)


@pytest.mark.parametrize("content", [SEALED, OPEN], ids=["sealed", "open"])
def test_every_flipped_byte_is_noticed_without_the_passphrase(content: bytes) -> None:
    for place in range(len(content)):
        for flip in (0x01, 0x20, 0x80):
            damaged = bytearray(content)
            damaged[place] ^= flip
            with pytest.raises(DamagedKeyFileError):
                Envelope.from_bytes(bytes(damaged))


@given(st.integers(0, len(SEALED) - 1), st.binary(max_size=8), st.integers(0, 8))
def test_a_cut_or_spliced_file_is_damaged(place: int, extra: bytes, cut: int) -> None:
    content = SEALED[:place] + extra + SEALED[place + cut :]
    if content == SEALED:
        return
    with pytest.raises(DamagedKeyFileError):
        Envelope.from_bytes(content)


@pytest.mark.parametrize("field", ["side", "version", "fingerprint"])
def test_the_header_cannot_be_exchanged_by_somebody_who_fits_the_checksum(field: str) -> None:
    header_line, payload, _, _ = SEALED.split(b"\n")
    header = json.loads(header_line)
    header[field] = {"side": "datalens", "version": 8, "fingerprint": "0" * 64}[field]
    with pytest.raises(DamagedKeyFileError, match="altered"):
        Envelope.from_bytes(resealed(header, payload)).open(PASSPHRASE)


def test_an_altered_payload_with_a_fitting_checksum_is_not_a_wrong_passphrase() -> None:
    header, payload, _, _ = SEALED.split(b"\n")
    altered = payload.replace(payload[:4], b"AAAA", 1)
    with pytest.raises(DamagedKeyFileError, match="altered"):
        Envelope.from_bytes(resealed(header, altered)).open(PASSPHRASE)


def test_an_open_envelope_of_another_key_is_noticed() -> None:
    header = OPEN.split(b"\n")[0]
    payload = leave_open(private_key(2), "partner", 7, insist=True).to_bytes().split(b"\n")[1]
    with pytest.raises(DamagedKeyFileError, match="another key"):
        Envelope.from_bytes(resealed(header, payload)).open(None)


@pytest.mark.parametrize(
    "cost",
    [{"n": 2**30}, {"n": 2**17 + 1}, {"n": 1}, {"n": -1}, {"r": 2**20}, {"p": 10**9}, {"p": 0}, {"n": "131072"}],
    ids=str,
)
def test_a_file_cannot_ask_for_any_cost(cost: dict[str, object]) -> None:
    header_line, payload, _, _ = SEALED.split(b"\n")
    header = json.loads(header_line)
    header["protection"] |= cost
    with pytest.raises(DamagedKeyFileError):
        Envelope.from_bytes(resealed(header, payload))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["format", "side", "version", "fingerprint", "protection", "name"]), inner
            )
        ),
        max_leaves=8,
    )
)
def test_any_header_is_damaged_calmly(header: object) -> None:
    with pytest.raises(DamagedKeyFileError):
        Envelope.from_bytes(resealed(header))


def test_a_deeply_nested_header_is_damaged_calmly() -> None:
    with pytest.raises(DamagedKeyFileError):
        Envelope.from_bytes(resealed(b"[" * 5000))
    with pytest.raises(DamagedKeyFileError):
        Envelope.from_bytes(b"x" * (envelopes.LONGEST_ENVELOPE + 1))


def test_no_passphrase_takes_insisting() -> None:
    with pytest.raises(NotProtectedError):
        leave_open(private_key(1), "partner", 1, insist=False)
    with pytest.raises(NotProtectedError):
        seal(private_key(1), "partner", 1, Secret(""), CHEAP)
    assert private_der(Envelope.from_bytes(OPEN).open(None)) == private_der(private_key(1))


def test_a_passphrase_of_raw_bytes_and_one_that_is_no_text() -> None:
    raw = Secret(b"\xff\xfe".decode("utf-8", "surrogateescape"))  # as the environment gives it
    assert seal(private_key(1), "partner", 1, raw, CHEAP).open(raw)
    with pytest.raises(BadInputError):
        seal(private_key(1), "partner", 1, Secret("\ud800"), CHEAP)


def test_repr_shows_no_payload() -> None:
    assert "payload" not in repr(Envelope.from_bytes(OPEN))
