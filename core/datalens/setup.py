"""The DataLens user in ClickHouse: made, brought into order, and given another password.

Its password is hashed here; neither it nor its hash is shown in a preview or kept in the journal. `readonly = 2` lets
DataLens send the settings it needs with each query, which 1 would refuse, and change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.access.model import Authentication, AuthKind, CreateUser, SettingElement, User
from core.access.render import render, setting_element
from core.changes import Change, Danger, Event, FileStep, StatementStep, Step
from core.clickhouse.access_reading import user_definition
from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_identifier
from core.datalens.passwords import check_password, hash_password
from core.display import one_line
from core.errors import BadInputError
from core.secrets import MASK, Secret

READONLY = SettingElement("readonly", "2")
WEAK_METHODS = frozenset({AuthKind.NO_PASSWORD, AuthKind.NO_AUTHENTICATION, AuthKind.PLAINTEXT})


async def plan_setup(
    engine: Engine,
    *,
    user: str,
    password: Secret | None = None,
    cluster: str | None = None,
    password_file: Path | None = None,
) -> Change:
    """Create the user, or set right what is wrong with it; a `password` given for an existing user replaces its own.

    With `password_file` the password is written there (0600) before anything else, so that it cannot be lost.
    Raises BadInputError when the user must be created and there is no password, or the password is too weak.
    """
    if password is not None:
        check_password(password, user=user)
    current = await user_definition(engine, user)
    steps: list[Step] = []
    if password is not None and password_file is not None:
        steps.append(_password_file(password, password_file, user))
    consequences: list[str] = []
    danger = Danger.ROUTINE
    if current is None:
        if password is None:
            raise BadInputError(
                f"The user {one_line(user)} does not exist, and no password is given to create it with.",
                advice="Let a password be generated, or say where one is kept.",
            )
        steps.append(_create_step(user, hash_password(password), cluster))
        consequences.append("DataLens's manager needs the password; send it another way than the rest.")
    else:
        if not is_readonly(current):
            steps.append(readonly_step(current, cluster))
        if password is not None:
            steps.append(_password_step(user, hash_password(password), cluster))
            danger = Danger.DISRUPTIVE
            consequences.append("Until DataLens has the new password, it can read nothing: every connection fails.")
    title = f"Set up the DataLens user {one_line(user)}" if steps else f"The user {one_line(user)} is set up already"
    return Change(title, tuple(steps), danger=danger, consequences=tuple(consequences))


def is_readonly(user: User) -> bool:
    """Whether the user itself has `readonly = 2`; what a settings profile gives it is not looked at."""
    values = [element.value for element in user.settings if element.name == "readonly"]
    return bool(values) and (values[-1] or "").strip("'") == "2"


def weak_methods(user: User) -> list[AuthKind]:
    """The ways in which the user can log in with no password, or one that ClickHouse keeps as it is."""
    return sorted({method.kind for method in user.methods} & WEAK_METHODS)


def readonly_step(user: User, cluster: str | None) -> StatementStep:
    """Give an existing user `readonly = 2` and leave its other settings as they are.

    The whole list is written: every version of ClickHouse understands that, and it replaces what was there.
    """
    others = [element for element in user.settings if element.name != "readonly"]
    return StatementStep(
        f"Set readonly = 2 for {user.name}",
        _settings_sql(user.name, [*others, READONLY], cluster),
        undo=StatementStep(
            f"Give {user.name} the settings it had", _settings_sql(user.name, user.settings, cluster), repeatable=True
        ),
        repeatable=True,
        events=(Event("user", user.name, "alter", {"readonly": 2}),),
    )


def _settings_sql(user: str, settings: Sequence[SettingElement], cluster: str | None) -> str:
    listed = ", ".join(map(setting_element, settings)) or "NONE"
    return f"ALTER USER {quote_identifier(user)}{_on_cluster(cluster)} SETTINGS {listed}"


def _create_step(user: str, method: Authentication, cluster: str | None) -> StatementStep:
    statement = CreateUser((user,), if_not_exists=True, cluster=cluster or "", methods=(method,), settings=(READONLY,))
    return StatementStep(
        f"Create user {user}",
        render(statement),
        masked=render(replace(statement, methods=(_masked(method),))),
        undo=StatementStep(
            f"Drop user {user}",
            f"DROP USER IF EXISTS {quote_identifier(user)}{_on_cluster(cluster)}",
            repeatable=True,
            events=(Event("user", user, "drop"),),
        ),
        repeatable=True,
        events=(Event("user", user, "create", {"readonly": 2, "method": "sha256_password"}),),
    )


def _password_step(user: str, method: Authentication, cluster: str | None) -> StatementStep:
    def sql(of: Authentication) -> str:
        login = f"sha256_hash BY '{of.hash}' SALT '{of.salt}'"  # hexadecimal digits, or the mask
        return f"ALTER USER {quote_identifier(user)}{_on_cluster(cluster)} IDENTIFIED WITH {login}"

    return StatementStep(
        f"Change the password of {user}",
        sql(method),
        masked=sql(_masked(method)),
        no_undo="The password before is not known.",
        repeatable=True,
        events=(Event("user", user, "change password", {"method": "sha256_password"}),),
    )


def _masked(method: Authentication) -> Authentication:
    return replace(method, hash=MASK, salt=MASK)


def _password_file(password: Secret, path: Path, user: str) -> FileStep:
    content = f"{password.reveal()}\n".encode()
    return FileStep(
        f"Write the password of {user}",
        path,
        content,
        secret=True,
        undo=FileStep(f"Remove the password of {user}", path, None),
    )


def _on_cluster(cluster: str | None) -> str:
    return f" ON CLUSTER {quote_identifier(cluster)}" if cluster else ""
