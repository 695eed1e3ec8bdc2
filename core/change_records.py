"""A change as plain JSON values and back, so that it survives a crash in a write-ahead file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.changes import (
    CallStep,
    Change,
    Danger,
    Event,
    FileStep,
    Found,
    Guard,
    MoveStep,
    OnFailure,
    PermissionsStep,
    RecordStep,
    StatementStep,
    Step,
)


def step_to_record(step: Step) -> dict[str, Any]:
    """A step as plain JSON values. The content of a secret file is left out."""
    record: dict[str, Any] = {"kind": step.kind, "title": step.title}
    if step.undo is not None:
        record["undo"] = step_to_record(step.undo)
    if step.no_undo:
        record["no_undo"] = step.no_undo
    if step.needs is not None:
        record["needs"] = step.needs
    if step.events:
        record["events"] = [event.to_record() for event in step.events]
    if isinstance(step, StatementStep):
        record["sql"] = step.sql
        for name in ("masked", "done_when", "repeatable"):
            if getattr(step, name) not in (None, False):
                record[name] = getattr(step, name)
        if step.as_user:
            record["as_user"] = step.as_user
        if step.undo_more:
            record["undo_more"] = [step_to_record(more) for more in step.undo_more]
        if step.guard is not None:
            record["guard"] = step.guard.to_record()
    elif isinstance(step, FileStep):
        record |= {"path": str(step.path), "secret": step.secret, "sha256": step.sha256}
        record["replace_existing"] = step.replace_existing
        if step.expects is not None:
            record["expects"] = step.expects
        if step.keep_mode:
            record["keep_mode"] = True
        if step.copy_of is not None:
            record["copy_of"] = str(step.copy_of)
        if step.shown:
            record["shown"] = step.shown
        if step.content is not None and not step.secret:
            record["content"] = base64.b64encode(step.content).decode("ascii")
    elif isinstance(step, CallStep):
        record |= {"service": step.service, "operation": step.operation, "arguments": dict(step.arguments)}
        record |= {"shown": step.shown, "takes": {name: [found.step, found.name] for name, found in step.takes.items()}}
    elif isinstance(step, MoveStep):
        record |= {"path": str(step.path), "target": str(step.target)}
    elif isinstance(step, PermissionsStep):
        record |= {"path": str(step.path), "mode": step.mode}
    return record


def step_from_record(record: Mapping[str, Any]) -> Step:
    """The step that `step_to_record` wrote. A secret file comes back without its content, which then cannot run."""
    undo = step_from_record(record["undo"]) if "undo" in record else None
    events = tuple(Event.from_record(event) for event in record.get("events", ()))
    title, no_undo, needs = record["title"], record.get("no_undo", ""), record.get("needs")
    if record["kind"] == "statement":
        return StatementStep(
            title,
            record["sql"],
            masked=record.get("masked"),
            undo=undo,
            undo_more=tuple(map(_statement_from_record, record.get("undo_more", ()))),
            no_undo=no_undo,
            done_when=record.get("done_when"),
            repeatable=record.get("repeatable", False),
            as_user=record.get("as_user", ""),
            guard=Guard.from_record(record["guard"]) if "guard" in record else None,
            needs=needs,
            events=events,
        )
    if record["kind"] == "file":
        content = base64.b64decode(record["content"]) if "content" in record else None
        return FileStep(
            title,
            Path(record["path"]),
            content,
            secret=record["secret"],
            sha256=record["sha256"],
            replace_existing=record["replace_existing"],
            expects=record.get("expects"),
            copy_of=Path(record["copy_of"]) if "copy_of" in record else None,
            keep_mode=record.get("keep_mode", False),
            shown=record.get("shown", ""),
            undo=undo,
            no_undo=no_undo,
            needs=needs,
            events=events,
        )
    if record["kind"] == "call":
        return CallStep(
            title,
            record["service"],
            record["operation"],
            record["arguments"],
            record["shown"],
            takes={name: Found(step, key) for name, (step, key) in record["takes"].items()},
            undo=undo,
            no_undo=no_undo,
            needs=needs,
            events=events,
        )
    if record["kind"] == "move":
        path, target = Path(record["path"]), Path(record["target"])
        return MoveStep(title, path, target, undo=undo, no_undo=no_undo, needs=needs, events=events)
    if record["kind"] == "permissions":
        path, mode = Path(record["path"]), record["mode"]
        return PermissionsStep(title, path, mode, undo=undo, no_undo=no_undo, needs=needs, events=events)
    if record["kind"] == "record":
        return RecordStep(title, events, undo=undo, no_undo=no_undo, needs=needs)
    raise ValueError(f"unknown kind of step: {record['kind']!r}")


def _statement_from_record(record: Mapping[str, Any]) -> StatementStep:
    step = step_from_record(record)
    if not isinstance(step, StatementStep):
        raise ValueError(f"not a statement: {record['kind']!r}")
    return step


def change_to_record(change: Change) -> dict[str, Any]:
    """A change as plain JSON values."""
    return {
        "title": change.title,
        "danger": int(change.danger),
        "on_failure": change.on_failure.value,
        "consequences": list(change.consequences),
        "confirm_name": change.confirm_name,
        "undoes": change.undoes,
        "steps": [step_to_record(step) for step in change.steps],
    }


def change_from_record(record: Mapping[str, Any]) -> Change:
    """The change that `change_to_record` wrote."""
    return Change(
        record["title"],
        tuple(step_from_record(step) for step in record["steps"]),
        Danger(record["danger"]),
        OnFailure(record["on_failure"]),
        tuple(record["consequences"]),
        record["confirm_name"],
        record["undoes"],
    )
