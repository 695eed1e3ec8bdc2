"""Key files as operators name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import BadInputError, NotFoundError
from core.keys.pem_files import read_pem
from core.keys.rsa_keys import LONGEST_PEM


async def test_the_content_comes_back_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(b"\xff-----BEGIN")
    assert await read_pem(tmp_path / "key.pem") == b"\xff-----BEGIN"


async def test_the_home_directory_may_be_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.pem").write_bytes(b"key")
    assert await read_pem(Path("~/key.pem")) == b"key"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.pem", "There is no file"),
        (".", "is not a file"),
        ("~nobody-by-this-name/x", "path of a file"),
        ("a\0b", "There is no file"),
    ],
)
async def test_what_is_no_file_is_named(tmp_path: Path, name: str, message: str) -> None:
    path = Path(name) if name.startswith("~") else tmp_path / name
    with pytest.raises((BadInputError, NotFoundError), match=message):
        await read_pem(path)


async def test_what_is_too_large_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(bytes(LONGEST_PEM + 1))
    with pytest.raises(BadInputError, match="it is no key"):
        await read_pem(tmp_path / "disk.img")
