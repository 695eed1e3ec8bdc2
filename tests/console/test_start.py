"""Before the first picture nothing heavy is imported, and nothing is connected."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.console.sessions import FixedSession
from tests.console.starting import connected, never, opening, start_in, text_of, until
from tui.app import HousekeysApp

HEAVY = ("clickhouse_connect", "cryptography", "tomlkit", "aiohttp", "chdb", "numpy", "core.session", "core.running")

IMPORTS = """
import json
import sys
from pathlib import Path
from core.paths import Paths
from core.profiles import load
from tui.app import HousekeysApp
from tui.screens.registry import SCREENS
from tui.start import Start
paths = Paths.locate({"HOUSEKEYS_HOME": sys.argv[1]})
paths.config_file.parent.mkdir(parents=True, exist_ok=True)
paths.config_file.write_text('[profiles.prod]\\nurl = "https://ch-1.example:8443"\\n')
app = HousekeysApp(Start(paths, load(paths.config_file), "prod", connect_at_start=False))
app.call_later(app.exit)
app.run(headless=True)
print(json.dumps(sorted(name for name in sys.modules if name.startswith(tuple(sys.argv[2].split(","))))))
"""


def test_the_first_picture_imports_nothing_heavy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(tmp_path), ",".join(HEAVY)], capture_output=True, text=True, check=True
    )
    # The header names the operator, as the runner knows him.
    assert set(json.loads(done.stdout.splitlines()[-1])) <= {"core.running", "core.running.report"}


async def test_the_picture_is_there_while_the_server_does_not_answer(tmp_path: Path) -> None:
    app = HousekeysApp(connected(start_in(tmp_path), never))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.connection.status == "opening")
        assert "Connecting" in text_of(app)
        await pilot.press("6")
        await until(pilot, lambda: "NAME" in text_of(app))
        assert "connecting" in text_of(app)
        await pilot.press("q")
    assert app.return_code == 0


async def test_leaving_closes_the_session(tmp_path: Path) -> None:
    session = FixedSession()
    app = HousekeysApp(connected(start_in(tmp_path), opening(session)))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.connection.session)
        await pilot.press("q")
    assert session.closed
