"""Files about access edited: what changes, what stays word for word, and what is refused."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.access.access_model import AccessModel, EntityKey
from core.access.difference import compare
from core.access.model import EntityKind
from core.access.model_changes import with_renamed, without_entities
from core.access.script import model_of_script
from core.access_changes.file_edits import differing_text, plan_edit
from core.access_changes.sql_edits import edited_sql
from core.access_reports.files import Format
from core.access_reports.masking import masked
from core.access_reports.sources import Opened, open_access_file
from core.change_records import change_from_record, change_to_record
from core.changes import Change, FileStep, inverse
from core.errors import RefusedError
from core.running.files import FileChangedError, carry_out, refuse_changed
from tests.console.sample_access_files import ANALYST_XML, DIGEST, SCRIPT, USERS_XML, configuration, script

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
USER, ROLE, QUOTA = EntityKind.USER, EntityKind.ROLE, EntityKind.QUOTA


def edit(opened: Opened, desired: AccessModel) -> Change:
    return plan_edit(opened, desired, "Edit it", NOW)


def run(change: Change) -> None:
    for step in change.steps:
        assert isinstance(step, FileStep)
        carry_out(step)


def said(change: Change, path: Path) -> str:
    """What a file would say."""
    (content,) = [step.content for step in change.steps if isinstance(step, FileStep) and step.path == path]
    assert content is not None
    return content.decode()


# -- scripts


def test_of_a_script_only_the_statements_about_what_changes_are_exchanged() -> None:
    before, _ = model_of_script(SCRIPT)
    text, anew = edited_sql(SCRIPT, before, without_entities(before, [EntityKey(USER, "boris")]))
    assert not anew
    assert text == SCRIPT.replace("CREATE USER boris IDENTIFIED WITH no_password;\n", "").replace(
        "TO anna, boris;", "TO anna;"
    )
    text, anew = edited_sql(SCRIPT, before, with_renamed(before, EntityKey(ROLE, "reader"), "viewer"))
    assert not anew
    assert compare(model_of_script(text)[0], with_renamed(before, EntityKey(ROLE, "reader"), "viewer")).nothing
    assert {"-- Who reads the sales.", "-- People", "CREATE ROLE unused;"} <= set(text.splitlines())
    assert "reader" not in text


def test_a_script_that_cannot_be_taken_apart_is_written_anew_and_that_is_said(tmp_path: Path) -> None:
    path = script(tmp_path, "CREATE ROLE a\nCREATE ROLE b -- no semicolons\n")
    opened = open_access_file(path)
    assert not opened.file.problems
    change = edit(opened, without_entities(opened.file.model, [EntityKey(ROLE, "a")]))
    assert said(change, path) == "CREATE ROLE b;\n"
    assert any("comments and the order" in words for words in change.consequences)


def test_an_edit_keeps_what_was_shows_no_secret_and_is_refused_when_somebody_was_faster(tmp_path: Path) -> None:
    path = script(tmp_path)
    path.chmod(0o640)
    opened = open_access_file(path)
    change = edit(opened, without_entities(opened.file.model, [EntityKey(QUOTA, "hourly")]))
    assert DIGEST not in repr(change) + change.preview() + json.dumps(change_to_record(change))
    assert base64.b64encode(SCRIPT.encode()).decode() not in json.dumps(change_to_record(change))
    path.write_text(SCRIPT + "-- more\n")
    keep, write = change.steps
    assert isinstance(keep, FileStep)
    assert isinstance(write, FileStep)
    with pytest.raises(FileChangedError):
        carry_out(write)
    assert differing_text(opened.sources[0], Format.SQL).endswith("+-- more")
    path.write_text(SCRIPT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    run(change)
    assert stat.S_IMODE(keep.path.stat().st_mode) == 0o600
    assert keep.path.read_text() == SCRIPT
    assert "hourly" not in path.read_text()
    taken_back = inverse(change_from_record(change_to_record(change)), [0, 1])  # as a crash leaves it
    edited = path.read_text()
    path.write_text(edited + "-- more\n")
    with pytest.raises(FileChangedError) as changed:
        refuse_changed(taken_back.steps)
    assert changed.value.path == path
    path.write_text(edited)
    again = open_access_file(path)
    second = edit(again, without_entities(again.file.model, [EntityKey(ROLE, "unused")]))
    assert second.steps[0].path != keep.path  # type: ignore[union-attr]
    assert not edit(again, again.file.model).steps
    copy = keep.path.rename(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="is not there any more"):
        refuse_changed(taken_back.steps)
    copy.rename(keep.path)
    refuse_changed(taken_back.steps)
    run(taken_back)
    assert path.read_text() == SCRIPT
    assert (stat.S_IMODE(path.stat().st_mode), keep.path.exists()) == (0o640, False)


def test_an_edit_without_secrets_can_be_taken_back(tmp_path: Path) -> None:
    path = script(tmp_path, "CREATE ROLE a;\nCREATE ROLE b;\n")
    opened = open_access_file(path)
    change = edit(opened, without_entities(opened.file.model, [EntityKey(ROLE, "a")]))
    assert change.reversible
    run(change)
    assert path.read_text() == "CREATE ROLE b;\n"
    for step in reversed(change.steps):
        assert isinstance(step.undo, FileStep)
        carry_out(step.undo)
    assert path.read_text() == "CREATE ROLE a;\nCREATE ROLE b;\n"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


# -- users.xml


def test_of_a_configuration_only_the_elements_that_change_are_exchanged(tmp_path: Path) -> None:
    main = configuration(tmp_path)
    opened = open_access_file(main)
    model = opened.file.model
    change = edit(opened, without_entities(model, [EntityKey(USER, "etl")]))
    begin, end = USERS_XML.index("        <etl>"), USERS_XML.index("    </users>")
    assert said(change, main) == USERS_XML[:begin] + USERS_XML[end:]
    assert "hunter2" not in repr(change) + change.preview()

    analyst = tmp_path / "users.d" / "analyst.xml"
    change = edit(opened, without_entities(model, [EntityKey(USER, "analyst")]))
    assert "<analyst>" not in said(change, analyst)
    assert all(step.path != main for step in change.steps if isinstance(step, FileStep))

    change = edit(opened, with_renamed(model, EntityKey(ROLE, "reader"), "viewer"))
    run(change)  # both files name the role
    assert "<viewer>" in main.read_text()
    assert "<!-- The only one who may come from everywhere. -->" in main.read_text()
    assert "GRANT viewer" in analyst.read_text()
    assert compare(open_access_file(main).file.model, with_renamed(model, EntityKey(ROLE, "reader"), "viewer")).nothing


def test_new_elements_go_into_their_section_and_a_missing_section_is_made(tmp_path: Path) -> None:
    path = tmp_path / "people.xml"
    path.write_text("<clickhouse>\n    <users/>\n    <profiles><default/></profiles><!-- end --></clickhouse>")
    opened = open_access_file(path)
    added, _ = model_of_script(f"CREATE ROLE r; GRANT SELECT ON a.* TO r; "
                               f"CREATE USER u IDENTIFIED WITH sha256_hash BY '{DIGEST}' HOST LOCAL; GRANT r TO u;"
                               f"CREATE USER v IDENTIFIED WITH bcrypt_hash BY '$2a$12$rz5iy2LhuwBezsM88ZzWiemOVUeJ94xHTzwAlLMDhTzwUxOHaY64q';")  # fmt: skip  # noqa: E501
    desired = replace(added, settings_profiles=opened.file.model.settings_profiles)
    change = edit(opened, desired)
    assert any("Lost: user v" in words for words in change.consequences)  # XML has no bcrypt: nobody can be this user
    assert any("otherwise than asked" in words for words in change.consequences)
    run(change)
    model = open_access_file(path).file.model
    assert set(model.roles) == {"r"}
    assert {"u", "v"} == set(model.users)
    assert compare(
        without_entities(model, [EntityKey(USER, "v")]), without_entities(desired, [EntityKey(USER, "v")])
    ).nothing


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("<users><etl><profile>default</profile></etl></users>", "several places"),
        ("<users><other><password from_env='SECRET'/></other></users>", ""),
    ],
)
def test_what_is_put_together_from_several_places_is_not_edited(tmp_path: Path, more: str, why: str) -> None:
    main = configuration(tmp_path)
    (tmp_path / "users.d" / "more.xml").write_text(f"<clickhouse>{more}</clickhouse>")
    opened = open_access_file(main)
    if why:
        with pytest.raises(RefusedError, match=why):
            edit(opened, without_entities(opened.file.model, [EntityKey(USER, "etl")]))
    else:
        with pytest.raises(RefusedError, match="takes something from elsewhere"):
            edit(opened, with_renamed(opened.file.model, EntityKey(USER, "other"), "another"))
        assert edit(opened, without_entities(opened.file.model, [EntityKey(USER, "etl")])).steps


def test_a_file_with_errors_and_one_of_another_encoding_are_not_edited(tmp_path: Path) -> None:
    broken = open_access_file(script(tmp_path, "CREATE ROLE a;\nCREATE ROL b;\n"))
    with pytest.raises(RefusedError, match="has errors"):
        edit(broken, AccessModel())
    path = tmp_path / "users.xml"
    path.write_bytes(b'<?xml version="1.0" encoding="ISO-8859-1"?>' + USERS_XML.partition("?>")[2].encode())
    opened = open_access_file(path)
    with pytest.raises(RefusedError, match="not UTF-8"):
        edit(opened, without_entities(opened.file.model, [EntityKey(USER, "etl")]))


# -- secrets


def test_no_password_is_left_in_what_is_shown() -> None:
    shown = masked(USERS_XML + ANALYST_XML, Format.XML)
    assert "hunter2" not in shown
    assert DIGEST not in shown
    assert shown.count("[HIDDEN]") == 3
    for odd in ("<password\n>p w</password >", "<password><![CDATA[p w]]></password>", "<PASSWORD_x>p w"):
        assert "p w" not in masked(odd, Format.XML), odd
    text = SCRIPT + "-- was: CREATE USER x IDENTIFIED BY 'p w';\nCREATE USR y IDENTIFIED BY 'p w';\n"
    assert "p w" not in masked(text, Format.SQL)
    assert DIGEST not in masked(text, Format.SQL)
    assert "p w" not in masked("CREATE USER z IDENTIFIED BY 'p w", Format.SQL)
    assert "-- Who reads the sales." in masked(text, Format.SQL)
