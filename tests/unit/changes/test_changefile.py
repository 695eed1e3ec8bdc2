"""The write-ahead file on disk: private, whole or absent, held by one, honest about a disk that fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.changes import Change, Event, FileStep, RecordStep
from core.errors import NotFoundError, UnreachableError
from core.journal.ids import new_ids
from core.running.changefile import (
    ChangeFile,
    DamagedError,
    Peek,
    WriteAheadError,
    done_files,
    find,
    open_files,
    remove_done_before,
    remove_unborn,
)
from core.running.ledger import Ledger, before, encode, end
from core.running.report import Operator

NOTE = RecordStep("note", (Event("tenant", "acme", "describe"),))


def new_file(folder: Path, change: Change | None = None) -> ChangeFile:
    change = change or Change("x", (NOTE, NOTE, NOTE))
    return ChangeFile.create(folder, Ledger(new_ids.next(), change, Operator("op", "h"), "prod"))


def test_it_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "changes"
    with new_file(folder) as file:
        assert file.path.stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700
        assert [path.name for path in folder.iterdir()] == [f"{file.ledger.id}.jsonl"]


def test_the_run_itself_keeps_the_secret_content(tmp_path: Path) -> None:
    step = FileStep("key", tmp_path / "k", b"secret content", secret=True)
    with new_file(tmp_path / "c", Change("x", (step,))) as file:
        assert file.ledger.change.steps == (step,)
        assert b"c2VjcmV0IGNvbnRlbnQ" not in file.path.read_bytes()
        assert b"secret content" not in file.path.read_bytes()


def test_what_was_written_is_found_again(tmp_path: Path) -> None:
    with new_file(tmp_path) as file:
        file.write(before([0, 1]), sync=True)
        file.mark_done(0)
    with ChangeFile.open(find(tmp_path, file.ledger.id)) as again:
        assert again.ledger.states == {0: "done"}
        assert again.ledger.open == {1}
        assert again.ledger.unsent_rows() == file.ledger.unsent_rows()


def test_only_one_holds_it(tmp_path: Path) -> None:
    with new_file(tmp_path) as file:
        with pytest.raises(UnreachableError, match="being run already"):
            ChangeFile.open(file.path)
        assert Peek(file.path).held
    assert not Peek(file.path).held
    ChangeFile.open(file.path).close()


def test_a_torn_end_is_cut_off_before_more_is_written(tmp_path: Path) -> None:
    with new_file(tmp_path) as file:
        file.write(before([0]))
    whole = file.path.read_bytes()
    file.path.write_bytes(whole + encode(end("done", new_ids.next()))[:-9])
    with ChangeFile.open(file.path) as again:
        assert again.ledger.ended == ""
        again.mark_done(0)
    assert file.path.read_bytes().startswith(whole)
    assert Peek(file.path).ledger.states == {0: "done"}


def test_a_damaged_file_is_not_built_upon(tmp_path: Path) -> None:
    with new_file(tmp_path) as file:
        file.write(before([0]))
        file.write(before([1]))
    lines = file.path.read_bytes().splitlines(keepends=True)
    file.path.write_bytes(lines[0] + lines[1].replace(b"before", b"bEfore") + lines[2])
    with pytest.raises(DamagedError, match="line 2 is broken"):
        ChangeFile.open(file.path)
    assert Peek(file.path).damaged
    file.path.write_bytes(b"nonsense")
    with pytest.raises(DamagedError):
        Peek(file.path)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        find(tmp_path, new_ids.next())
    with pytest.raises(NotFoundError):
        ChangeFile.open(tmp_path / f"{new_ids.next()}.jsonl")
    assert open_files(tmp_path / "nowhere") == []


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(WriteAheadError, match=r"cannot be used: Not a directory\. Nothing was changed") as caught:
        new_file(tmp_path / "state" / "changes")
    assert str(tmp_path / "state") in caught.value.advice


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(WriteAheadError, match=r"No space left on device\. Nothing was changed"):
        new_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_failed_half_way_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.pwrite

    def short(descriptor: int, data: memoryview, offset: int) -> int:
        if len(data) > 10:
            return write(descriptor, data[:10], offset)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with new_file(tmp_path) as file:
        with monkeypatch.context() as broken:
            broken.setattr(os, "pwrite", short)
            with pytest.raises(WriteAheadError):
                file.write(before([0, 1, 2]))
        assert file.ledger.open == set()
        file.write(before([1]))
    assert Peek(file.path).ledger.open == {1}


def test_only_the_last_done_change_is_kept(tmp_path: Path) -> None:
    ends = [new_ids.next() for _ in range(3)]
    for identifier in ends:
        with new_file(tmp_path) as file:
            file.write(end("done", identifier))
            file.keep_as_done()
    with new_file(tmp_path) as running:
        remove_done_before(tmp_path, ends[2])
        assert len(done_files(tmp_path)) == 1
        assert open_files(tmp_path) == [running.path]
        assert find(tmp_path, file.ledger.id) == done_files(tmp_path)[0]


def test_what_a_process_left_that_died_before_its_intent_was_whole(tmp_path: Path) -> None:
    old, young, foreign = (tmp_path / name for name in (f"{new_ids.next()}.new", f"{new_ids.next()}.new", "mine.new"))
    for path in (old, young, foreign):
        path.write_bytes(b"torn")
    os.utime(old, (0, 0))
    remove_unborn(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([young, foreign])
    assert open_files(tmp_path) == []
