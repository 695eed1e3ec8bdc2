"""Sign-in links: whatever is wrong with one, it is refused with the same words, and one use is all there is."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.partner.security.sign_in_links import (
    CLOCK_SKEW,
    LONGEST_LIFETIME,
    LinkPurpose,
    LinkSigner,
    SignInLink,
    SignInLinkRefusedError,
)

START = datetime(2026, 11, 3, 12, 0, 0, 999, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD, NEW = SealingKey(bytes(range(32))), SealingKey(bytes(range(1, 33)))
REFUSAL = str(SignInLinkRefusedError())


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


CLOCK = Clock()
SIGNER = LinkSigner(SealingKeys([OLD]), CLOCK)
TOKEN, _ = SIGNER.issue("account-1", "user-1", LinkPurpose.SET_PASSWORD)


@pytest.fixture(autouse=True)
def clock_set() -> None:
    CLOCK.now = START


def issue() -> tuple[str, SignInLink]:
    return SIGNER.issue("account-1", "user-1", LinkPurpose.SET_PASSWORD)


def refused(token: str, signer: LinkSigner = SIGNER, purpose: LinkPurpose = LinkPurpose.SET_PASSWORD) -> bool:
    try:
        signer.look(token, purpose, "account-1")
    except SignInLinkRefusedError as error:
        assert str(error) == REFUSAL
        return True
    return False


def test_a_link_can_be_looked_at_as_often_as_one_likes() -> None:
    token, link = issue()
    assert [SIGNER.look(token, LinkPurpose.SET_PASSWORD) for _ in range(3)] == [link] * 3
    assert (link.account_id, link.user_id, link.expires - link.issued) == ("account-1", "user-1", HOUR)
    assert link.nonce not in repr(link)
    payload = urlsafe_b64decode(token.split(".")[2] + "==").decode()
    assert payload == f'["account-1","user-1","set_password",1793707200,1793710800,"{link.nonce}"]'


async def test_a_link_is_consumed_once() -> None:
    noted: dict[str, datetime] = {}

    async def record(nonce: str, keep_until: datetime) -> bool:
        return noted.setdefault(nonce, keep_until) is keep_until

    token, link = issue()
    assert await SIGNER.consume(token, LinkPurpose.SET_PASSWORD, record, "account-1") == link
    with pytest.raises(SignInLinkRefusedError):
        await SIGNER.consume(token, LinkPurpose.SET_PASSWORD, record, "account-1")
    assert noted == {link.nonce: link.expires + CLOCK_SKEW}
    with pytest.raises(SignInLinkRefusedError):
        await SIGNER.consume(issue()[0], LinkPurpose.SIGN_IN, record)
    assert len(noted) == 1  # what is refused is not noted


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (timedelta(), False),
        (HOUR - timedelta(seconds=1), False),
        (HOUR + CLOCK_SKEW - timedelta(seconds=1), False),
        (HOUR + CLOCK_SKEW, True),
        (-CLOCK_SKEW, False),
        (-CLOCK_SKEW - timedelta(seconds=1), True),
    ],
)
def test_a_link_has_its_time_and_clocks_may_differ_a_little(moved: timedelta, expected: bool) -> None:
    token, _ = issue()
    CLOCK.now += moved
    assert refused(token) is expected


def test_a_link_of_another_account_purpose_or_key_is_refused_alike() -> None:
    token, _ = issue()
    assert refused(token, purpose=LinkPurpose.SIGN_IN)
    assert refused(SIGNER.issue("account-2", "user-1", LinkPurpose.SET_PASSWORD)[0])
    assert refused(token, LinkSigner(SealingKeys([NEW]), CLOCK))
    form, _, payload, mac = token.split(".")
    assert refused(".".join((form, NEW.id, payload, mac)), LinkSigner(SealingKeys([NEW, OLD]), CLOCK))
    assert refused("")
    assert refused("x" * 5000)
    assert refused(f"{token}\n")


def test_a_link_stays_valid_when_the_keys_are_rotated() -> None:
    token, _ = issue()
    rotated = LinkSigner(SealingKeys([NEW, OLD]), CLOCK)
    assert not refused(token, rotated)
    assert rotated.issue("account-1", "user-1", LinkPurpose.SIGN_IN)[0].startswith(f"link1.{NEW.id}.")


@given(st.data())
def test_no_altered_link_is_valid(data: st.DataObject) -> None:
    token = TOKEN
    position = data.draw(st.integers(0, len(token) - 1))
    changed = token[:position] + data.draw(st.sampled_from("abXY09-_.=")) + token[position + 1 :]
    assert refused(changed) is (changed != token)
    assert refused(token[:position])


@pytest.mark.parametrize("content", [b"[]", b'["a","b","set_password",1,2]', b"{}", b"no JSON at all ...."])
def test_a_payload_of_another_version_is_refused_alike(content: bytes) -> None:
    signed = f"link1.{OLD.id}.{urlsafe_b64encode(content.ljust(20)).decode().rstrip('=')}"
    mac = urlsafe_b64encode(SIGNER._mac(OLD.id, signed)).decode().rstrip("=")
    assert refused(f"{signed}.{mac}")


def test_what_no_link_can_say() -> None:
    for account, lifetime in (("", HOUR), ("a b", HOUR), ("a", LONGEST_LIFETIME * 2), ("a", timedelta())):
        with pytest.raises(ValueError, match=r"1 to 200|at most"):
            SIGNER.issue(account, "user-1", LinkPurpose.SIGN_IN, lifetime)
