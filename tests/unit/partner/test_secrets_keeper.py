"""What is kept of a connect request, and what the steps of a change do with secrets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import BadInputError, HousekeysError
from core.partner.handling.secrets_keeper import SecretsKeeper, secrets_of
from core.partner.provisioning.keeping import KEEP, keep_step
from core.partner.provisioning.removal import CONNECTION_ID, ERASE
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.secrets import Secret
from tests.unit.partner.account_examples import TOKEN, asked
from tests.unit.partner.sealed_memory import SealedMemory

PAT = SecretName.PERSONAL_ACCESS_TOKEN
M2M = SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET
PLACE = SealedPlace("pc1", PAT)


class Tokens:
    """Remembers what it forgot, and what was kept then."""

    def __init__(self, store: SealedMemory) -> None:
        self._store = store
        self.forgot: list[tuple[str, int]] = []

    async def forget(self, connection_id: str) -> None:
        self.forgot.append((connection_id, len(self._store.values)))


def keeping() -> tuple[SecretsKeeper, SealedSecrets, Tokens]:
    store = SealedMemory()
    secrets, tokens = SealedSecrets(CurrentKeys(SealingKeys([SealingKey(bytes(range(32)))])), store), Tokens(store)
    return SecretsKeeper(secrets, [tokens]), secrets, tokens


def test_only_secrets_of_the_policy_are_kept() -> None:
    both = replace(asked(), service_principal_oauth_secret=Secret("dose-1"))
    assert secrets_of(both, ("AUTH_PAT",)).keys() == {PAT}
    assert secrets_of(both, ("AUTH_OAUTH_M2M",)).keys() == {M2M}
    assert secrets_of(both, ("AUTH_OAUTH_U2M",)) == {}
    assert secrets_of(asked(connection="pc1"), ("AUTH_PAT", "AUTH_OAUTH_M2M")) == {}


async def test_kept_once_erased_with_the_tokens_forgotten_first() -> None:
    keeper, secrets, tokens = keeping()
    keeper.await_step("pc1", {PAT: Secret(TOKEN)})
    step = keep_step("pc1", [PAT])
    assert TOKEN not in str(step) + step.preview()
    for _ in range(2):
        assert await keeper.call(step.operation, step.arguments) == {}
    kept = await secrets.get(PLACE)
    assert kept is not None and kept.reveal() == TOKEN and await keeper.has_secrets("pc1")
    for _ in range(2):
        await keeper.call(ERASE, {CONNECTION_ID: "pc1"})
    assert tokens.forgot == [("pc1", 1), ("pc1", 0)] and not await keeper.has_secrets("pc1")


async def test_secrets_that_went_with_their_process() -> None:
    keeper, _, _ = keeping()
    keeper.await_step("pc1", {PAT: Secret(TOKEN)})
    keeper.let_go("pc1")
    with pytest.raises(HousekeysError, match="not here any more"):
        await keeper.call(KEEP, {CONNECTION_ID: "pc1"})
    with pytest.raises(BadInputError):
        await keeper.call("reveal", {CONNECTION_ID: "pc1"})
