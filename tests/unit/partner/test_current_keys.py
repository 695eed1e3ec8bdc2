"""The sealing keys of a running service: read again when it is told to, and when one is named that is not here."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from core.errors import NotFoundError
from core.files import write_private
from core.partner.accounts.policy import PartnerPolicy
from core.partner.security.current_keys import LOOK_SECONDS, CurrentKeys
from core.partner.security.sealing import SealedPlace, SealedValueError, Sealer, SecretName
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.partner.security.sign_in_links import LinkPurpose, LinkSigner, SignInLinkRefusedError
from core.partner.serving_parts import sealing_keys_again
from core.paths import Paths
from core.profiles.model import Profile
from core.secrets import Secret, SecretReference

PLACE = SealedPlace("c-1", SecretName.PERSONAL_ACCESS_TOKEN)
OLD = SealingKeys([new_sealing_key()])
NEW = OLD.with_newest(new_sealing_key())


class Vault:
    """Where the keys are read, which is slow until it is let go."""

    def __init__(self, keys: SealingKeys = OLD) -> None:
        self.keys: SealingKeys | Exception = keys
        self.reads = 0
        self.now = 0.0
        self.asked, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def read(self, known: SealingKeys) -> SealingKeys:
        self.reads += 1
        self.asked.set()
        found = self.keys  # what is there when it is asked, however long the answer takes
        await self.open.wait()
        if isinstance(found, Exception):
            raise found
        return found

    def current(self) -> CurrentKeys:
        return CurrentKeys(OLD, self.read, lambda: self.now)


def forged() -> str:
    return LinkSigner(SealingKeys([new_sealing_key()])).issue("pa1", "pu1", LinkPurpose.SIGN_IN)[0]


async def opened(keys: CurrentKeys, sealed: str) -> str:
    return (await keys.sealer_for(sealed)).open(sealed, PLACE).reveal()


async def test_what_another_host_makes_with_a_new_key_is_understood() -> None:
    vault = Vault(NEW)
    token, _ = LinkSigner(NEW).issue("pa1", "pu1", LinkPurpose.SIGN_IN)
    sealed = Sealer(NEW).seal(Secret("dapi-1", passing=True), PLACE)
    for_links, for_secrets = vault.current(), vault.current()
    assert (await for_links.signer_for(token)).look(token, LinkPurpose.SIGN_IN).user_id == "pu1"
    assert await opened(for_secrets, sealed) == "dapi-1"
    assert vault.reads == 2
    for keys in (for_links, for_secrets):
        assert keys.newest == NEW.newest.id
        await asyncio.wait_for(keys.taken_up(), 5)
        await keys.signer_for(token)
        await keys.sealer_for(Sealer(OLD).seal(Secret("x"), PLACE))
    assert vault.reads == 2  # what is here is not looked for


async def test_forged_links_make_one_look_in_a_while() -> None:
    vault = Vault()
    keys = vault.current()
    vault.open.clear()
    waiting = [asyncio.create_task(keys.signer_for(forged())) for _ in range(50)]
    await vault.asked.wait()
    vault.open.set()
    for signer in await asyncio.gather(*waiting):
        with pytest.raises(SignInLinkRefusedError):
            signer.look(forged(), LinkPurpose.SIGN_IN)
    vault.now = LOOK_SECONDS - 0.1
    await keys.signer_for(forged())
    assert vault.reads == 1
    for nothing in ("", "link1.x", "sealed1.0123456789abcdef.x", "x" * 5000):
        await keys.signer_for(nothing)
        await keys.sealer_for(nothing)
    vault.now = LOOK_SECONDS
    await asyncio.gather(*(keys.signer_for(forged()) for _ in range(50)))
    assert vault.reads == 2
    assert not keys._taken_up.is_set()  # nothing new: nothing is sealed anew for them


async def test_keys_that_cannot_be_read_leave_those_before(caplog: pytest.LogCaptureFixture) -> None:
    vault = Vault()
    keys = vault.current()
    for error in (NotFoundError("There is no sealing key.", advice="Make one."), OSError("disk")):
        vault.keys = error
        await keys.renew()
        assert keys.newest == OLD.newest.id
        assert await opened(keys, Sealer(OLD).seal(Secret("x"), PLACE)) == "x"
    assert "stay in use: There is no sealing key. Make one." in caplog.text
    assert "OSError: disk" in caplog.text
    foreign = Sealer(NEW).seal(Secret("x"), PLACE)
    with pytest.raises(SealedValueError, match="is not here"):
        await opened(keys, foreign)
    with pytest.raises(SealedValueError, match="is not here"):  # without a way to read them
        await opened(CurrentKeys(OLD), foreign)


async def test_to_be_told_again_while_they_are_read_is_another_reading(caplog: pytest.LogCaptureFixture) -> None:
    vault = Vault()
    keys = vault.current()
    vault.open.clear()
    first = keys.renew()
    await vault.asked.wait()
    vault.keys = NEW
    second = keys.renew()
    vault.open.set()
    with caplog.at_level(logging.INFO):
        await asyncio.gather(first, second)
    assert (keys.newest, vault.reads) == (NEW.newest.id, 2)
    assert f"2 sealing keys are in use, the newest is {NEW.newest.id}" in caplog.text
    await asyncio.wait_for(keys.taken_up(), 5)
    await keys.close()
    vault.open.clear()
    unfinished = [keys.renew(), keys.renew()]
    await keys.close()
    assert all(one.cancelled() for one in unfinished)


async def test_keys_are_read_by_the_way_that_the_profile_names(tmp_path: Path) -> None:
    paths = Paths.locate({"HOUSEKEYS_HOME": str(tmp_path)})
    text = tmp_path / "keys"
    write_private(text, OLD.to_text().reveal().encode("ascii"))
    policy = PartnerPolicy("https://acme.example", sealing_keys=SecretReference.parse(f"file:{text}"))
    keys = CurrentKeys(OLD, sealing_keys_again(Profile("p", engine="embedded", partner=policy), paths))
    write_private(text, NEW.to_text().reveal().encode("ascii"))
    await keys.renew()
    assert keys.newest == NEW.newest.id


async def test_a_passphrase_that_was_typed_needs_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    policy = PartnerPolicy("https://acme.example", sealing_keys=SecretReference.parse("prompt"))
    profile = Profile("p", engine="embedded", partner=policy)
    keys = CurrentKeys(OLD, sealing_keys_again(profile, Paths.locate({"HOUSEKEYS_HOME": str(tmp_path)})))
    await keys.renew()
    assert keys.newest == OLD.newest.id
    assert "was typed, and nobody can be asked for it now. Restart the service" in caplog.text
