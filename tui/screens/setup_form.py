"""The DataLens user from the checklist: its password is made up or typed, and a made-up one is handed over once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.display import one_line
from core.secrets import Secret
from tui.screens.form import Form
from tui.screens.password_fields import typed_twice
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.changes import Change
    from core.session import Session

GENERATED, TYPED = "make one up", "type one"


@dataclass(frozen=True, slots=True)
class Setup:
    """The change, and the password that has to be shown once it has run."""

    change: Change
    to_show: Secret | None = None


def setup_form(session: Session, *, exists: bool) -> Form[Setup]:
    """Create the DataLens user, or give it another password when it `exists`."""
    user = session.profile.datalens.user

    def typed(values: Values) -> bool:
        return values.get("how") == TYPED

    def generated(values: Values) -> bool:
        return values.get("how") == GENERATED

    async def submit(values: Values) -> Setup:
        from core.datalens.passwords import generate_password
        from core.datalens.setup import plan_setup

        secret = typed_twice(values) if typed(values) else generate_password()
        named = values.get("file", "").strip()
        path = (await asyncio.to_thread(Path(named).expanduser)).absolute() if named else None
        change = await plan_setup(
            session.engine, user=user, password=secret, cluster=session.profile.cluster, password_file=path
        )
        return Setup(change, secret if generated(values) and path is None else None)

    shown_user = one_line(user, 60)
    title = f"Another password for {shown_user}" if exists else f"Create the DataLens user {shown_user}"
    return Form(
        title,
        (
            Field("how", "Password", GENERATED, kind="choice", choices=(GENERATED, TYPED)),
            Field("file", "Keep it in", shown_if=generated,
                  hint="A new file that only you can read. Empty: it is shown once, on the screen."),
            Field("password", "Type it", kind="secret", required=True, shown_if=typed, hint="12 characters or more."),
            Field("again", "Again", kind="secret", required=True, shown_if=typed),
        ),
        submit,
        intro="It reads every tenant and changes nothing (readonly = 2).\n"
        "Only a hash of the password is sent to ClickHouse.",
    )  # fmt: skip
