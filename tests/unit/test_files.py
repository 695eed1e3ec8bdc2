"""Private files: all or nothing, for the owner alone, and one process at a time."""

from __future__ import annotations

import os
import random
import selectors
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BadInputError, UnreachableError
from core.files import FileLock, exposure, private_folder, remove_file, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def test_files_and_new_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(0o755)
    path = shared / "a" / "b" / "file"
    write_private(path, b"content")
    assert path.read_bytes() == b"content"
    assert mode(path) == 0o600
    assert (mode(path.parent), mode(path.parent.parent), mode(shared)) == (0o700, 0o700, 0o755)


def test_a_wide_file_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_private(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)


@pytest.mark.parametrize(("asked", "given"), [(0o400, 0o400), (0o600, 0o600), (0o777, 0o600)])
def test_a_mode_can_only_be_stricter(tmp_path: Path, asked: int, given: int) -> None:
    write_private(tmp_path / "file", b"", mode=asked)
    assert mode(tmp_path / "file") == given


def test_an_existing_file_is_kept_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, b"first", replace=False)
    with pytest.raises(BadInputError, match="exists already"):
        write_private(path, b"second", replace=False)
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "folder", b"content")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize("name", ["x" * 255, "ж" * 127, "😀" * 63, "-rf", "a b\n"])
def test_any_name_that_a_file_can_have(tmp_path: Path, name: str) -> None:
    write_private(tmp_path / name, b"content")
    assert (tmp_path / name).read_bytes() == b"content"
    assert os.listdir(tmp_path) == [name]


def test_removing_is_idempotent(tmp_path: Path) -> None:
    write_private(tmp_path / "file", b"")
    remove_file(tmp_path / "file")
    remove_file(tmp_path / "file")
    remove_file(tmp_path / "never" / "there")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0o600, ""),
        (0o400, ""),
        (0o700, ""),
        (0o640, "open to its group (mode 0640)"),
        (0o602, "open to everybody (mode 0602)"),
        (0o644, "open to its group and everybody (mode 0644)"),
    ],
)
def test_exposure_in_words(tmp_path: Path, bits: int, words: str) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(bits)
    assert exposure(path) == words
    with path.open("rb") as file:
        assert exposure(file.fileno()) == words


def test_existing_folders_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "wide").mkdir(0o755)
    assert private_folder(tmp_path / "wide") == tmp_path / "wide"
    assert mode(tmp_path / "wide") == 0o755


WRITER = """
import sys
from pathlib import Path
from core.files import write_private
path = Path(sys.argv[1])
number = 0
while True:
    number = (number + 1) % 10
    write_private(path, str(number).encode() * 300_000)
    if number == 3:
        print("ready", flush=True)
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, b"0" * 300_000)
    chance = random.Random(2)
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            # Until it has written some more, or a moment of any length has passed: then kill it wherever it is.
            # Not `select`: earlier tests may have left chDB with more than a thousand open files.
            with selectors.DefaultSelector() as told:
                told.register(writer.stdout, selectors.EVENT_READ)
                told.select(chance.uniform(0, 0.02))
            writer.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1
        assert mode(path) == 0o600
    # A temporary file may remain, private and beside the whole one; it is never taken for it.
    assert all(name == "file" or name.startswith(".file.") for name in os.listdir(tmp_path))
    assert all(mode(tmp_path / name) == 0o600 for name in os.listdir(tmp_path))


HOLDER = """
import sys
from pathlib import Path
from core.files import FileLock
with FileLock(Path(sys.argv[1]), purpose="It"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[bytes]:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


def test_a_lock_held_by_another_process_names_it_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    with hold(path) as holder:
        with pytest.raises(UnreachableError, match=rf"The data is in use by another process \(pid {holder.pid}\)\."):
            FileLock(path, purpose="The data").acquire()
        holder.kill()
    with FileLock(path, purpose="The data") as lock:
        assert path.read_text() == str(os.getpid())
        assert mode(path) == 0o600
        with pytest.raises(UnreachableError):
            FileLock(path, purpose="The data").acquire()  # not even this process twice
        lock.release()
        lock.release()
    with FileLock(path, purpose="The data"):
        pass


def test_a_lock_is_not_inherited_by_a_child(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path, purpose="It"):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    with child, hold(path) as holder:
        holder.communicate()
        child.communicate()
