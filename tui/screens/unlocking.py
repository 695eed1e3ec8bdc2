"""Unlocking private keys before something is done with them; once per session, as long as they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from core.secrets import Secret
from tui.screens.base import ConsoleScreen
from tui.screens.form import Form
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.keys.key_ring import KeyRing


def when_unlocked(
    screen: ConsoleScreen[Any], ring: KeyRing, versions: Sequence[int], then: Callable[[], object]
) -> None:
    """Call `then` once the partner keys `versions` are unlocked; asks for the passphrase if one is needed."""

    async def locked() -> list[int]:
        needed = [version for version in versions if await ring.needs_passphrase(version)]
        await ring.unlock([version for version in versions if version not in needed], None)
        return needed

    def ask(needed: list[int]) -> None:
        if needed:
            minutes = screen.session.preferences.idle_lock if screen.session is not None else 0
            screen.console.ask(unlock_form(ring, needed, minutes), lambda _unlocked: then())
        else:
            then()

    screen.work("unlock", locked, ask)


def unlock_form(ring: KeyRing, versions: Sequence[int], idle_minutes: int) -> Form[bool]:
    """Asks for the passphrase of `versions`; its result is True."""
    names = ", ".join(str(version) for version in versions)
    what = f"partner key {names}" if len(versions) == 1 else f"partner keys {names}"
    lock = f"after {idle_minutes} minutes without use, or at once with L" if idle_minutes else "with L"

    async def submit(values: Values) -> bool:
        await ring.unlock(versions, Secret(values["passphrase"]))
        return True

    return Form(
        f"Unlock {what}",
        (Field("passphrase", "Passphrase", kind="secret", required=True),),
        submit,
        intro=f"Unlocked keys stay in memory only. They are locked again {lock}.",
        button="Unlock",
    )
