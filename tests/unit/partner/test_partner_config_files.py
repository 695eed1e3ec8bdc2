"""Writing PartnerConfig files: over nothing that somebody else has written, and never into a folder made by a slip."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.changes import FileStep
from core.errors import BadInputError, HousekeysError, NotFoundError
from core.partner.messages.json_fields import LONGEST
from core.partner.partner_config_files import plan_config_file, read_config_file


def step_of(path: Path, content: bytes, former: bytes | None) -> FileStep:
    (step,) = plan_config_file(path, content, former).steps
    assert isinstance(step, FileStep)
    return step


def test_a_new_file_is_shown_as_a_whole_and_its_undo_removes_only_that(tmp_path: Path) -> None:
    step = step_of(tmp_path / "partner.json", b'{\n  "name": "Acme"\n}\n', None)
    assert step.expects == "" and not step.replace_existing
    assert '"name": "Acme"' in step.preview()
    assert isinstance(step.undo, FileStep) and step.undo.removes
    assert step.undo.expects == hashlib.sha256(b'{\n  "name": "Acme"\n}\n').hexdigest()


def test_a_file_that_was_read_is_replaced_only_as_it_was_read(tmp_path: Path) -> None:
    step = step_of(tmp_path / "partner.json", b"one\nthree\n", b"one\ntwo\n")
    assert step.expects == hashlib.sha256(b"one\ntwo\n").hexdigest() and step.keep_mode
    assert "-two\n+three" in step.preview()
    assert isinstance(step.undo, FileStep) and step.undo.content == b"one\ntwo\n"


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    assert plan_config_file(tmp_path / "partner.json", b"{}", b"{}").steps == ()


def test_a_folder_is_not_made_by_a_slip(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="There is no folder"):
        plan_config_file(tmp_path / "nowhere" / "partner.json", b"{}", None)


def test_what_cannot_be_a_config_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(b" " * (LONGEST + 1))
    with pytest.raises(BadInputError, match="longer than"):
        read_config_file(tmp_path / "large.json")
    with pytest.raises(BadInputError, match="is a folder"):
        read_config_file(tmp_path)
    with pytest.raises(NotFoundError, match="There is no file"):
        read_config_file(tmp_path / "none.json")
    with pytest.raises(HousekeysError, match="cannot be read"):
        read_config_file(tmp_path / "large.json" / "inner.json")
