"""Copying over SSH: OSC 52, wrapped for tmux and GNU screen.

The terminal never says whether it took the text, so nothing here claims that it was copied. Sources: xterm's "Operating
System Commands"; tmux(1), `allow-passthrough`; screen(1), "String Escapes": a DCS string of at most 768 bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from core.errors import BadInputError

LONGEST: Final = 74_994  # bytes of base64 that every terminal we know of takes; some cut or drop more
SCREEN_CHUNK: Final = 760  # bytes in one DCS string of GNU screen, with room for its ends


def sequence(text: str, environ: Mapping[str, str]) -> str:
    """The bytes, as text, that ask the terminal to put `text` on the clipboard.

    Raises BadInputError when it is too long or the terminal is known to take none.
    """
    if environ.get("TERM", "") in ("dumb", "linux"):
        raise BadInputError("This terminal has no clipboard.", advice="Write it to a file instead.")
    encoded = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
    if len(encoded) > LONGEST:
        raise BadInputError(
            f"{len(text):,} characters are too long for the clipboard of a terminal.",
            advice="Write it to a file instead.",
        )
    osc = f"\x1b]52;c;{encoded}\x07"
    if environ.get("TMUX"):
        doubled = osc.replace("\x1b", "\x1b\x1b")
        # tmux takes the sequence itself when set-clipboard is on; the wrapped one is for allow-passthrough.
        return f"{osc}\x1bPtmux;{doubled}\x1b\\"
    if environ.get("TERM", "").startswith("screen") or environ.get("STY"):
        pieces = (osc[start : start + SCREEN_CHUNK] for start in range(0, len(osc), SCREEN_CHUNK))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return osc
