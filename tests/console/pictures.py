"""Pictures of the console, to look at: needs `rsvg-convert` (librsvg)."""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path

from rich.cells import cell_len

from tui.app import HousekeysApp

CELL = 12.2  # units of the SVG that a cell is wide

_TEXT = re.compile(
    r'<text class="([^"]*)" x="([^"]*)" y="([^"]*)" textLength="[^"]*" clip-path="([^"]*)">([^<]*)</text>'
)


def placed(svg: str) -> str:
    """`svg` with every word at its own place: librsvg drops leading blanks and stretches what is left."""

    def words(match: re.Match[str]) -> str:
        kind, left, top, clip, escaped = match.groups()
        text = html.unescape(escaped)
        return "".join(
            f'<text class="{kind}" x="{float(left) + CELL * cell_len(text[: word.start()]):.1f}" y="{top}"'
            f' textLength="{CELL * cell_len(word.group()):.1f}" clip-path="{clip}">{html.escape(word.group())}</text>'
            for word in re.finditer(r"[^\s\u00a0]+", text)
        )

    return _TEXT.sub(words, svg)


def picture(app: HousekeysApp, path: Path, *, zoom: float = 1.2) -> Path:
    """Write the screen as it is now to `path`, a PNG."""
    svg = placed(app.export_screenshot())
    subprocess.run(["rsvg-convert", "-z", str(zoom), "-o", str(path)], input=svg.encode(), check=True)
    return path
