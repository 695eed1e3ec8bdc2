"""Headless Chromium, driven by the keyboard through its DevTools protocol: no driver and no library in between.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = shutil.which("chromium")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors"),
    *("--remote-debugging-port=0", "--hide-scrollbars", "about:blank"),
)
_KEYS = {
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Space": {"key": " ", "code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
}


class Page:
    """One page. What its scripts did wrong and what it complained of is in `problems`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self.problems: list[str] = []
        self.asked: list[str] = []  # every URL that was asked for
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if (waiting := self._waiting.pop(told.get("id", 0), None)) is not None:
                waiting.set_result(told)
            match told.get("method"):
                case "Page.loadEventFired":
                    self._loaded.set()
                case "Runtime.exceptionThrown":
                    self.problems.append(str(told["params"]["exceptionDetails"]["text"]))
                case "Log.entryAdded":
                    self.problems.append(str(told["params"]["entry"]["text"]))
                case "Network.requestWillBeSent":
                    self.asked.append(str(told["params"]["request"]["url"]))

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command; its result."""
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        told = await asyncio.wait_for(self._waiting[number], 30)
        assert "error" not in told, f"{method}: {told['error']}"
        result: dict[str, Any] = told["result"]
        return result

    async def begin(self) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")

    async def go(self, url: str) -> None:
        """Open a page, and wait until it is loaded."""
        await self.loading(lambda: self.send("Page.navigate", url=url))

    async def loading(self, act: Callable[[], Any]) -> None:
        """Do what makes another page load, and wait until it has."""
        self._loaded.clear()
        await act()
        await asyncio.wait_for(self._loaded.wait(), 30)

    async def press(self, key: str) -> None:
        """Press one key: Tab, Enter or Space."""
        await self.send("Input.dispatchKeyEvent", type="keyDown", **_KEYS[key])
        await self.send("Input.dispatchKeyEvent", type="keyUp", **{**_KEYS[key], "text": ""})

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self.send("Input.insertText", text=text)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        told = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def text(self) -> str:
        """All that can be read on the page."""
        return str(await self.evaluate("document.body.innerText"))

    async def focused(self) -> str:
        """The name or id of what has the focus, or its text."""
        expression = "(e => e.name || e.id || e.innerText || e.tagName)(document.activeElement)"
        return str(await self.evaluate(expression))

    async def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """Have a screen of this size, in pixels of CSS, light or dark."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=width < 500
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self) -> bytes:
        """What is seen, as a PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot"))["data"])

    async def close(self) -> None:
        self._listening.cancel()
        await self._socket.close()


@asynccontextmanager
async def open_page(folder: Path) -> AsyncIterator[Page]:
    """A page of a Chromium of its own, whose profile is in `folder`."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *_OPTIONS,
        f"--user-data-dir={folder}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        port = await asyncio.wait_for(_port(process), 60)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                targets = await answer.json(content_type=None)
            address = next(target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                page = Page(socket)
                await page.begin()
                yield page
                await page.close()
    finally:
        process.terminate()
        await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    """The port on which it listens, as it tells on stderr."""
    assert process.stderr is not None
    async for line in process.stderr:
        if line.startswith(b"DevTools listening on ws://"):
            return int(line.split(b"/")[2].rpartition(b":")[2])
    raise AssertionError("Chromium ended before it listened")
