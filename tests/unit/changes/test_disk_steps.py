"""Steps on files: what was read is what is replaced, or nothing is; a folder is moved, or stays."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.changes import FileStep, MoveStep, RecordStep, Step
from core.errors import BadInputError, HousekeysError, RefusedError
from core.running import files
from core.running.files import FileChangedError, carry_out, in_place, refuse_changed


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def writing(path: Path, content: bytes | None, expects: str | None) -> FileStep:
    return FileStep("write", path, content, replace_existing=True, expects=expects)


def test_what_was_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "f"
    carry_out(writing(path, b"1", ""))
    carry_out(writing(path, b"2", digest(b"1")))
    assert path.read_bytes() == b"2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["f"]
    carry_out(writing(path, None, digest(b"2")))
    assert not path.exists()


@pytest.mark.parametrize("there", [b"theirs", None])
@pytest.mark.parametrize("content", [b"mine", None])
@pytest.mark.parametrize("expects", ["", digest(b"read")])
def test_what_is_not_what_was_read_stays(
    tmp_path: Path, there: bytes | None, content: bytes | None, expects: str
) -> None:
    path = tmp_path / "f"
    if there is not None:
        path.write_bytes(there)
    step = writing(path, content, expects)
    if there is None and (content is None or expects == ""):  # it is gone as it should, or was never there
        carry_out(step)
        assert path.exists() is (content is not None)
        return
    with pytest.raises(FileChangedError, match="changed by someone else") as caught:
        refuse_changed([step])
    assert caught.value.path == path
    with pytest.raises(FileChangedError):
        carry_out(step)
    assert (path.read_bytes() if path.exists() else None) == there


def test_a_file_that_is_as_wanted_already_is_no_conflict(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"wanted")
    before = path.stat()
    step = writing(path, b"wanted", digest(b"read"))
    refuse_changed([step])
    carry_out(step)
    assert path.stat() == before


@pytest.mark.parametrize("kept", [b"another", None])
def test_a_copy_is_put_back_as_long_as_it_is_what_was_kept(tmp_path: Path, kept: bytes | None) -> None:
    path, copy = tmp_path / "f", tmp_path / "f.bak"
    path.write_bytes(b"new")
    copy.write_bytes(b"old")
    step = replace(writing(path, None, digest(b"new")), copy_of=copy, sha256=digest(b"old"))
    assert step.preview() == f"write file {path} as it is in {copy}"
    refuse_changed([step])
    carry_out(step)
    assert (path.read_bytes(), copy.read_bytes(), in_place(step)) == (b"old", b"old", True)
    path.write_bytes(b"new")
    if kept is None:
        copy.unlink()
    else:
        copy.write_bytes(kept)
    for act in (carry_out, lambda step: refuse_changed([step])):
        with pytest.raises(RefusedError, match="is not there any more" if kept is None else "not what was kept"):
            act(step)
    assert path.read_bytes() == b"new"


def test_only_the_first_step_on_a_file_is_judged_before_the_run(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"1")
    steps: list[Step] = [RecordStep("note", ()), writing(path, b"2", digest(b"1")), writing(path, b"3", digest(b"2"))]
    refuse_changed(steps)
    with pytest.raises(FileChangedError):
        refuse_changed(steps[2:])


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o400, 0o400), (0o660, 0o600)])
def test_a_stricter_mode_is_kept(tmp_path: Path, before: int, after: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"1")
    path.chmod(before)
    carry_out(writing(path, b"2", digest(b"1")))
    assert stat.S_IMODE(path.stat().st_mode) == after


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600])
def test_a_file_that_a_server_reads_stays_readable_to_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"1")
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, 12_345, 12_346)  # the server's
    before = path.stat()
    carry_out(replace(writing(path, b"2", digest(b"1")), keep_mode=True))
    after = path.stat()
    assert path.read_bytes() == b"2"
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_a_link_to_a_file_that_was_read_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "real", tmp_path / "link"
    real.write_bytes(b"1")
    link.symlink_to(real)
    carry_out(writing(link, b"2", digest(b"1")))
    assert link.is_symlink() and real.read_bytes() == b"2"
    carry_out(writing(link, None, digest(b"2")))
    assert link.is_symlink() and not real.exists()


def test_a_link_in_the_place_of_an_unread_file_is_not_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"theirs")
    link.symlink_to(real)
    carry_out(writing(link, b"mine", None))
    assert not link.is_symlink() and real.read_bytes() == b"theirs"


def test_nobody_comes_between_the_last_look_and_the_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that have read the same: one writes, the other is told."""
    path = tmp_path / "f"
    path.write_bytes(b"read")
    looked = threading.Barrier(2, timeout=10)
    write = files._write

    def slow(step: FileStep, where: Path, mode: int, like: Path | None) -> None:
        with pytest.raises(threading.BrokenBarrierError):
            looked.wait(0.05)  # the other one never gets here meanwhile
        write(step, where, mode, like)

    monkeypatch.setattr(files, "_write", slow)
    refused: list[bytes] = []

    def run(content: bytes) -> None:
        try:
            carry_out(writing(path, content, digest(b"read")))
        except FileChangedError:
            refused.append(content)

    threads = [threading.Thread(target=run, args=(content,)) for content in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(refused) == 1
    assert {path.read_bytes(), *refused} == {b"one", b"two"}


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(HousekeysError, match="cannot be used"):
        carry_out(writing(tmp_path / "f" / "below", b"1", ""))


def test_a_folder_is_moved_once(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "new" / "b"
    source.mkdir()
    (source / "f").touch()
    step = MoveStep("move", source, target)
    assert not in_place(step)
    carry_out(step)
    assert in_place(step) and (target / "f").exists() and not source.exists()
    carry_out(step)
    assert step.preview() == f"move {source} to {target}"


def test_a_folder_is_not_moved_over_another_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with pytest.raises(BadInputError, match="exists already"):
        carry_out(MoveStep("move", tmp_path / "a", tmp_path / "b"))
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    with pytest.raises(HousekeysError, match="No such file"):
        carry_out(MoveStep("move", tmp_path / "c", tmp_path / "d"))
