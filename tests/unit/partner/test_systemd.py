"""What a service manager is told, at a socket of its kind."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest

from core.partner.systemd import VARIABLE, ServiceManager


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_and_stopping_are_told(tmp_path: Path, abstract: bool) -> None:
    name = f"@housekeys{tmp_path}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if abstract else name)
        manager.settimeout(5)
        told = ServiceManager({VARIABLE: name})
        told.ready("listens on 127.0.0.1:8085\nREADY=0")
        assert manager.recv(1000) == b"READY=1\nSTATUS=listens on 127.0.0.1:8085\\nREADY=0"
        told.stopping()
        assert manager.recv(1000).startswith(b"STOPPING=1\n")


def test_nobody_to_tell_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ServiceManager({}).ready("x")
        assert not caplog.records
        ServiceManager({VARIABLE: str(tmp_path / "gone")}).ready("x")
    assert "cannot be told" in caplog.text
