"""From a profile to a connected engine. Each home is imported only when a profile asks for it."""

from __future__ import annotations

from core.clickhouse.engine import Engine
from core.paths import Paths
from core.profiles.model import Profile
from core.secrets import Prompt, Secret


async def connect(profile: Profile, paths: Paths, *, read_only: bool, prompt: Prompt | None) -> Engine:
    """Connect to what `profile` names. `prompt` asks the operator for a password whose reference says so.

    Raises UnreachableError, BadInputError (a file or a secret of the profile cannot be used), RefusedError (nobody
    gave the password).
    """
    if profile.engine == "embedded":
        from core.clickhouse.embedded import EmbeddedEngine

        return await EmbeddedEngine.open(
            profile.data_folder(paths), read_only=read_only, settings=profile.settings, query_log=profile.query_log
        )
    from core.clickhouse.server import ServerEngine
    from core.clickhouse.server_options import ServerOptions

    return await ServerEngine.open(
        ServerOptions(
            host=profile.host,
            port=profile.port,
            secure=profile.secure,
            ca_file=profile.ca_file,
            client_certificate=profile.client_certificate,
            client_key=profile.client_key,
            verify=profile.verify,
            user=profile.user,
            password=await _password(profile, prompt),
            connect_timeout=profile.connect_timeout,
            query_timeout=profile.query_timeout,
            settings=profile.settings,
            read_only=read_only,
        )
    )


async def _password(profile: Profile, prompt: Prompt | None) -> Secret | None:
    if profile.password is None:
        return None
    return await profile.password.resolve(prompt, label=f"Password of {profile.user} at {profile.address}")
