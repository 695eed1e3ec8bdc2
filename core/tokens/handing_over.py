"""Changes that write files about tokens: one token on its way to a client, and the list of those issued."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.changes import Change, FileStep
from core.display import one_line
from core.keys.planning import unused_path
from core.tokens.delivery import Language, NewToken, delivery_note
from core.tokens.ledger import IssuedToken

LIST_COLUMNS = (
    "tenant",
    "fingerprint",
    "state",
    "state_since",
    "issued",
    "operator",
    "datalens_key_version",
    "partner_key_version",
    "note",
)


def plan_write_token(token: NewToken, path: Path, note: Language | None) -> Change:
    """Write one token to a new file of its own, inside of the delivery note if a language is given.

    Raises BadInputError when the file exists. May wait for the disk: call it in a thread.
    """
    path = unused_path(path.expanduser())
    text = f"{token.text}\n" if note is None else delivery_note(token, note)
    shown = one_line(str(path))
    step = FileStep(
        f"Write token {token.fingerprint[:8]} for {one_line(token.tenant)} to {shown}",
        path,
        text.encode("utf-8"),
        secret=True,
        undo=FileStep(f"Remove {shown}", path, None),
    )
    return Change(step.title, (step,), consequences=("Whoever reads this file can use the token.",))


def plan_export_list(tokens: Sequence[IssuedToken], path: Path) -> Change:
    """Write the ledger, which holds no token, as CSV to a new file. As `plan_write_token` otherwise."""
    path = unused_path(path.expanduser())
    many = "1 token" if len(tokens) == 1 else f"{len(tokens):,} tokens"
    undo = FileStep(f"Remove {one_line(str(path))}", path, None)
    step = FileStep(f"Write the list of {many} to {one_line(str(path))}", path, list_csv(tokens), undo=undo)
    return Change(step.title, (step,))


def list_csv(tokens: Iterable[IssuedToken]) -> bytes:
    """What is known of `tokens` as CSV (RFC 4180, UTF-8) under `LIST_COLUMNS`; times are UTC in ISO 8601."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(LIST_COLUMNS)
    writer.writerows(
        (
            token.tenant,
            token.fingerprint,
            token.state.value,
            token.state_since.isoformat(timespec="seconds"),
            token.issued.isoformat(timespec="seconds"),
            token.operator,
            token.datalens_version,
            token.partner_version,
            token.note,
        )
        for token in tokens
    )
    return text.getvalue().encode("utf-8")
