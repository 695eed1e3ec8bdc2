"""Changes of the profiles: saved as they were shown or not at all, recorded, taken back, and resumed after a crash."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.changes import Change, Danger, FileStep, StatementStep
from core.configuring import Configuration, plan_edit, plan_rename
from core.errors import HousekeysError, RefusedError
from core.paths import Paths
from core.profiles import Preferences, Profile, ProfileFile, load
from core.profiles.renaming import renamed
from core.read_only import resolve_configuration_read_only, resolve_read_only
from core.running import files
from core.running.files import FileChangedError
from core.running.runner import Operator, Report
from core.secrets import SecretReference

TEXT = """\
default_profile = "prod"
# production, careful
[profiles.prod]
url = "https://ch-1.example:8443" # address
password = 'env:HOME'
settings = {max_threads = 3}

[profiles.stage]
host = "s"   # by host
"""


class Place:
    """A configuration below a folder."""

    def __init__(self, folder: Path, text: str = TEXT) -> None:
        self.paths = Paths.locate({"HOUSEKEYS_HOME": str(folder)})
        self.path = self.paths.config_file
        self.path.write_text(text)

    @property
    def file(self) -> ProfileFile:
        return load(self.path)

    def open(self, read_only: bool | None = None) -> Configuration:
        return Configuration.open(
            self.paths, self.file.preferences, read_only=read_only, operator=Operator("op", "bastion")
        )

    async def run(self, change: Change) -> Report:
        report = await self.open(read_only=False).runner.run(change)  # a file that cannot be read counts as read-only
        assert report.succeeded, report
        assert not report.unsent
        return report

    async def undo(self) -> Report:
        return await self.run(await self.open().runner.last_undoable())

    async def told(self) -> list[tuple[str, str, str]]:
        """What the journal says, oldest first."""
        rows = (await self.open().journal.history())[::-1]
        return [(row.subject, row.action, row.outcome) for row in rows if row.subject_kind != "change"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


LAB = Profile("lab", host="lab.example", user="op", password=SecretReference.parse("command:pass show x"))
EDITS: dict[str, tuple[Callable[[ProfileFile], ProfileFile], str, Danger, list[tuple[str, str]]]] = {
    "add": (lambda file: file.with_profile(LAB), "Add profile lab", Danger.ROUTINE, [("lab", "create")]),
    "edit": (
        lambda file: file.with_profile(dataclasses.replace(file.profile("prod"), production=True, host="h")),
        "Edit profile prod",
        Danger.ROUTINE,
        [("prod", "edit")],
    ),
    "remove": (
        lambda file: file.without("prod"),
        "Remove profile prod",
        Danger.DISRUPTIVE,
        [("prod", "remove"), ("default_profile", "edit")],
    ),
    "prefer": (
        lambda file: file.with_preferences(Preferences(default_profile="stage", mouse=False)),
        "Change preferences: default_profile, mouse",
        Danger.ROUTINE,
        [("default_profile", "edit"), ("mouse", "edit")],
    ),
    "several": (
        lambda file: file.with_profile(LAB).without("stage"),
        "Change profiles: add lab, remove stage",
        Danger.DISRUPTIVE,
        [("lab", "create"), ("stage", "remove")],
    ),
}
INVERSE = {"create": "remove", "remove": "create", "edit": "edit", "rename": "rename"}


@pytest.mark.parametrize("kind", EDITS)
async def test_an_edit_is_saved_recorded_and_taken_back(place: Place, kind: str) -> None:
    edit, title, danger, events = EDITS[kind]
    after = edit(place.file)
    change = plan_edit(place.file, after)
    assert (change.title, change.danger, change.reversible) == (title, danger, True)
    assert bool(change.consequences) is (danger is Danger.DISRUPTIVE)
    await place.run(change)
    assert place.path.read_text() == after.text
    assert place.file == dataclasses.replace(after, origin=place.file.origin)
    assert await place.told() == [(*event, "done") for event in events]

    await place.undo()
    assert place.path.read_text() == TEXT
    taken_back = {(subject, INVERSE[action], "done") for subject, action in events}
    assert set((await place.told())[len(events) :]) == taken_back
    with pytest.raises(RefusedError, match="itself an undo"):
        await place.open().runner.last_undoable()


async def test_the_first_profile_makes_the_file_and_its_undo_removes_it(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.path.unlink()
    await place.run(plan_edit(place.file, place.file.with_profile(LAB)))
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert place.file.profile("lab") == LAB
    await place.undo()
    assert not place.path.exists()


def test_the_preview_shows_the_difference_and_where(place: Place) -> None:
    lines = plan_edit(place.file, place.file.without("stage")).preview().splitlines()
    assert lines[0].startswith(f"write file {place.path} (0600, ")
    assert "-[profiles.stage]" in lines
    assert " settings = {max_threads = 3}" in lines  # what stands around it
    assert len(lines) == 6


async def test_what_is_recorded_holds_no_secret_and_says_what_was_changed(place: Place) -> None:
    await place.run(plan_edit(place.file, place.file.with_profile(LAB)))
    lab = dataclasses.replace(LAB, settings={"custom_token": "hunter2"}, user="x")
    await place.run(plan_edit(place.file, place.file.with_profile(lab)))
    created, edited = (await place.open().journal.history("profile", "lab"))[::-1]
    assert created.details == {
        "file": str(place.path),
        "engine": "server",
        "url": "https://lab.example:8443",
        "user": "op",
        "password": "command:pass …",
    }
    assert edited.details == {"file": str(place.path), "changed": "user, settings"}
    assert (edited.operator, edited.host, edited.profile) == ("op", "bastion", "")
    assert b"hunter2" not in place.paths.configuration_journal.read_bytes()


async def test_nothing_edited_is_nothing_to_do(place: Place) -> None:
    change = plan_edit(place.file, place.file.with_profile(place.file.profile("prod")))
    assert change.steps == ()
    await place.run(change)
    assert not place.paths.state.exists()


# A file that others edit too


async def test_a_change_by_someone_else_is_kept_until_the_operator_has_seen_it(place: Place) -> None:
    before = place.file
    mine = before.without("stage")
    theirs = TEXT + "[profiles.theirs]\nengine = 'embedded'\n"
    place.path.write_text(theirs)
    with pytest.raises(FileChangedError, match="changed by someone else"):
        await place.open().runner.run(plan_edit(before, mine))
    assert place.path.read_text() == theirs
    assert not place.paths.state.exists()  # nothing was begun

    over = plan_edit(place.file, mine)  # what the operator has seen
    assert over.title == "Change profiles: remove stage, remove theirs"
    assert "-[profiles.theirs]" in over.preview().splitlines()
    await place.run(over)
    assert place.path.read_text() == mine.text
    await place.undo()
    assert place.path.read_text() == theirs


@pytest.mark.parametrize("theirs", [b"[profiles.x\n", b"\xff\xfe\n", b""])
async def test_what_cannot_be_read_can_be_saved_over_and_comes_back_to_the_byte(place: Place, theirs: bytes) -> None:
    mine = place.file.without("stage")
    place.path.write_bytes(theirs)
    change = plan_edit(place.file, mine)
    json.dumps(change.preview(), ensure_ascii=False).encode("utf-8")
    await place.run(change)
    assert place.path.read_text() == mine.text
    await place.undo()
    assert place.path.read_bytes() == theirs


async def test_an_undo_does_not_overwrite_what_came_later(place: Place) -> None:
    await place.run(plan_edit(place.file, place.file.with_profile(LAB)))
    edited = place.path.read_text() + "# theirs\n"
    place.path.write_text(edited)
    undo = await place.open().runner.last_undoable()
    with pytest.raises(FileChangedError):
        await place.open().runner.run(undo)
    assert place.path.read_text() == edited


async def test_a_file_that_someone_saved_alike_is_no_conflict(place: Place) -> None:
    before = place.file
    mine = before.without("stage")
    place.path.write_text(mine.text)
    await place.run(plan_edit(before, mine))


async def test_a_password_in_the_file_is_neither_shown_nor_kept(place: Place) -> None:
    place.path.write_text(TEXT + "[profiles.bad]\nhost = 'h'\npassword = 'hunter2'\n")
    change = plan_edit(place.file, place.file.without("bad"))
    assert "hunter2" not in change.preview()
    assert "a password" in change.steps[0].no_undo
    await place.run(change)
    place.path.write_text(TEXT + "[profiles.bad]\nhost = 'h'\npassword = 'hunter2'\n")
    await place.run(plan_edit(place.file, place.file.with_profile(LAB)))  # it stays in the file
    assert "hunter2" in place.path.read_text()
    kept = b"".join(path.read_bytes() for path in place.paths.state.rglob("*") if path.is_file())
    assert b"hunter2" not in kept and b"aHVudGVyMg" not in kept


# Renaming


def embedded(place: Place) -> tuple[ProfileFile, ProfileFile]:
    """A file with an embedded profile `old` that has data, keys and changes; and the same with it called `new`."""
    place.path.write_text("default_profile = 'old'\n[profiles.old]\nengine = 'embedded'\n")
    for folder in (place.paths.embedded_data("old"), place.paths.key_folder("old"), place.paths.changes("old")):
        folder.mkdir(parents=True)
    (place.paths.changes("old") / "a.jsonl").touch()
    return place.file, renamed(place.file, "old", "new", place.paths)


async def test_a_renamed_profile_keeps_its_data_its_keys_and_its_changes(place: Place) -> None:
    before, after = embedded(place)
    change = plan_rename(before, after, "old", "new", place.paths)
    assert (change.title, change.danger) == ("Rename profile old to new", Danger.ROUTINE)
    await place.run(change)
    profile = place.file.profile("new")
    assert place.file.names == ("new", "embedded")
    assert place.file.preferences.default_profile == "new"
    assert profile.data_folder(place.paths) == place.paths.embedded_data("old")
    assert profile.key_folder(place.paths) == place.paths.key_folder("old")
    assert (place.paths.changes("new") / "a.jsonl").exists()
    assert (await place.told())[:2] == [("old", "rename", "done"), ("new", "rename", "done")]

    await place.undo()
    assert place.file.content == before.content
    assert (place.paths.changes("old") / "a.jsonl").exists()
    assert not place.paths.changes("new").exists()


async def test_a_renamed_profile_without_folders_is_only_renamed(place: Place) -> None:
    change = plan_rename(place.file, renamed(place.file, "stage", "t", place.paths), "stage", "t", place.paths)
    assert [step.kind for step in change.steps] == ["file"]
    await place.run(change)
    assert place.file.profile("t") == Profile("t", host="s")


async def test_changes_of_the_new_name_are_not_mixed_with_those_of_the_old(place: Place) -> None:
    before, after = embedded(place)
    place.paths.changes("new").mkdir()
    change = plan_rename(before, after, "old", "new", place.paths)
    assert [step.kind for step in change.steps] == ["file"]
    assert "is there already" in change.consequences[0]


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("undone", [False, True])
@pytest.mark.parametrize("act", ["_write", "_move"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_step_of_a_renaming_is_resumed_or_taken_back(
    place: Place, monkeypatch: pytest.MonkeyPatch, act: str, when: str, undone: bool
) -> None:
    before, after = embedded(place)
    change = plan_rename(before, after, "old", "new", place.paths)
    acts = getattr(files, act)

    def crash(*arguments: Any) -> None:
        if when == "after":
            acts(*arguments)
        raise Crash

    monkeypatch.setattr(files, act, crash)
    with pytest.raises(Crash):
        await place.open().runner.run(change)
    monkeypatch.setattr(files, act, acts)

    runner = place.open().runner
    (unfinished,) = runner.unfinished()
    assert unfinished.undecided == ()
    if undone and (act, when) == ("_write", "before"):
        with pytest.raises(RefusedError, match="nothing to undo"):
            await runner.undo_unfinished(unfinished.id)
        return
    if undone:
        await place.run(await runner.undo_unfinished(unfinished.id))
    else:
        report = await runner.resume(unfinished.id)
        assert report.succeeded
        assert [row[1:] for row in (await place.told())[:2]] == [("rename", "done")] * 2
    assert place.path.read_bytes() == (before if undone else after).content
    name, other = ("old", "new") if undone else ("new", "old")
    assert (place.paths.changes(name) / "a.jsonl").exists()
    assert not place.paths.changes(other).exists()
    assert place.open().runner.unfinished() == []


# Who may, and with what


@pytest.mark.parametrize(
    ("flag", "preference", "profile", "for_profiles", "behind"),
    [
        (None, False, None, False, False),
        (None, True, None, True, True),
        (None, True, False, True, False),
        (None, False, True, False, True),
        (True, False, False, True, True),
        (False, True, True, False, False),
    ],
)
async def test_read_only_is_of_the_run_or_the_preferences_not_of_a_profile(
    place: Place, flag: bool | None, preference: bool, profile: bool | None, for_profiles: bool, behind: bool
) -> None:
    preferences = Preferences(read_only=preference)
    assert resolve_configuration_read_only(flag, preferences).active is for_profiles
    assert resolve_read_only(flag, Profile("p", read_only=profile), preferences).active is behind
    configuration = Configuration.open(place.paths, preferences, read_only=flag)
    change = plan_edit(place.file, place.file.without("stage"))
    if for_profiles:
        reason = "--read-only" if flag else "preferences"
        with pytest.raises(RefusedError, match=rf"Read-only \(.*{reason}.*Use --write"):
            await configuration.runner.run(change)
        assert (place.path.read_text(), place.paths.state.exists()) == (TEXT, False)
    else:
        assert (await configuration.runner.run(change)).succeeded


async def test_a_statement_is_refused_plainly(place: Place) -> None:
    change = Change("x", (StatementStep("s", "SELECT 1"), StatementStep("t", "SELECT 1", done_when="SELECT 1")))
    report = await place.open().runner.run(change)
    assert [outcome.state for outcome in report.outcomes] == ["failed", "not run"]
    assert "No ClickHouse takes part" in str(report.outcomes[0].error)


async def test_what_could_not_be_recorded_is_recorded_later(place: Place) -> None:
    place.paths.configuration_journal.parent.mkdir()
    place.paths.configuration_journal.mkdir()
    report = await place.open().runner.run(plan_edit(place.file, place.file.without("stage")))
    assert report.succeeded and report.unsent and report.journal_error
    await place.open().send_unsent()  # still not: that is logged only
    place.paths.configuration_journal.rmdir()
    await place.open().send_unsent()
    await place.open().send_unsent()
    assert await place.told() == [("stage", "remove", "done")]


async def test_the_file_is_found_again_from_another_folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.path.parent)
    before = load(Path("config.toml"))
    change = plan_edit(before, before.without("stage"))
    step = change.steps[0]
    assert isinstance(step, FileStep) and step.path == place.path


async def test_a_file_that_cannot_be_written_says_so(place: Place) -> None:
    place.path.write_text("")
    blocked = dataclasses.replace(place.file, path=place.path / "config.toml", origin="")
    with pytest.raises(HousekeysError, match="cannot be used"):
        await place.open().runner.run(plan_edit(blocked, blocked.with_profile(LAB)))
    assert os.listdir(place.path.parent) == ["config.toml"]
