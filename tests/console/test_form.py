"""Forms: checked while typing, kept open with the error, left without effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import BadInputError
from tests.console.sessions import FixedSession
from tests.console.starting import connected, opening, start_in, text_of, until
from tui.app import HousekeysApp
from tui.screens.form import Form, FormScreen
from tui.widgets.fields import YES, Field, FieldRow, FlagInput, Values


def lower_only(name: str) -> str:
    return "" if name.islower() else "Lower case only."


FIELDS = (
    Field("name", "Name", check=lower_only, required=True, hint="as acme_prod"),
    Field("kind", "Kind", kind="choice", choices=("Atomic", "Replicated")),
    Field("loud", "Loud", kind="flag"),
    Field("why", "Why loud", required=True, shown_if=lambda values: values["loud"] == YES),
    Field("note", "Note", kind="lines"),
)


class Sent:
    """What a form gave: the values sent, the results handed on."""

    def __init__(self, refuse: str = "") -> None:
        self.refuse = refuse
        self.values: list[Values] = []
        self.previewed: list[Values] = []
        self.results: list[str] = []

    async def submit(self, values: Values) -> str:
        self.values.append(values)
        if self.refuse:
            raise BadInputError(self.refuse, detail="line 1")
        return values["name"]

    async def preview(self, values: Values) -> str:
        self.previewed.append(values)
        return f"CREATE DATABASE `{values['name']}`"

    def form(self) -> Form[str]:
        return Form("New thing", FIELDS, self.submit, self.preview)


def form_app(folder: Path, sent: Sent) -> HousekeysApp:
    app = HousekeysApp(connected(start_in(folder), opening(FixedSession())))
    app.call_later(lambda: app.ask(sent.form(), sent.results.append))
    return app


def page(app: HousekeysApp) -> FormScreen[Any]:
    assert isinstance(app.screen, FormScreen)
    return app.screen


async def test_a_field_says_what_is_wrong_while_it_is_typed(tmp_path: Path) -> None:
    sent = Sent()
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "as acme_prod" in text_of(app))
        await pilot.press(*"aB")
        await until(pilot, lambda: "Lower case only." in text_of(app))
        await pilot.press("backspace")
        await until(pilot, lambda: "Lower case only." not in text_of(app))
        await until(pilot, lambda: "CREATE DATABASE `a`" in text_of(app))
        seen = len(sent.previewed)
        loud = next(row.input for row in page(app).query(FieldRow) if row.field.name == "loud")
        assert isinstance(loud, FlagInput)
        loud.value = YES  # chosen, and the field that is then asked has not appeared yet
        page(app)._preview()
        await pilot.pause()
        assert len(sent.previewed) == seen, "a preview gets the values of every field that is asked"


async def test_sending_goes_to_the_first_wrong_field(tmp_path: Path) -> None:
    sent = Sent()
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "as acme_prod" in text_of(app))
        await pilot.press("tab", "tab", "space")
        await until(pilot, lambda: "Why loud" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Name is needed." in text_of(app))
        await pilot.press(*"acme", "enter")
        await until(pilot, lambda: "Why loud is needed." in text_of(app))
        await pilot.press(*"so", "enter")
        await until(pilot, lambda: sent.results == ["acme"])
    assert sent.values == [{"name": "acme", "kind": "Atomic", "loud": YES, "why": "so", "note": ""}]


async def test_fields_are_reached_and_set_by_keyboard_alone(tmp_path: Path) -> None:
    sent = Sent()
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "as acme_prod" in text_of(app))
        await pilot.press(*"acme", "tab", "right", "tab", "tab", *"one", "enter", *"two", "tab", "enter")
        await until(pilot, lambda: sent.results)
    assert sent.values == [{"name": "acme", "kind": "Replicated", "loud": "", "note": "one\ntwo"}]


async def test_a_refused_form_stays_with_what_was_typed(tmp_path: Path) -> None:
    sent = Sent("There is a tenant [bold]acme[/] already.")
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "as acme_prod" in text_of(app))
        await pilot.press(*"acme", "enter")
        await until(pilot, lambda: "There is a tenant [bold]acme[/] already." in text_of(app))
        assert page(app).values["name"] == "acme"
        sent.refuse = ""
        await pilot.press("enter")
        await until(pilot, lambda: sent.results == ["acme"])


async def test_escape_leaves_without_effect_and_nothing_else_does(tmp_path: Path) -> None:
    sent = Sent()
    app = form_app(tmp_path, sent)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "as acme_prod" in text_of(app))
        await pilot.press("tab", "6")
        await pilot.pause()
        assert page(app), "a number key does not throw away what was typed"
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, FormScreen))
    assert not sent.values
    assert not sent.results
