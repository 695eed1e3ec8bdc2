"""The Change of a plan: what an operator sees, runs and takes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from core.access.access_model import EntityKey
from core.access.model import AlterUser, Grant, Revoke, Statement
from core.access.model_changes import name_text
from core.access.passwords import without_passwords
from core.access.planning.plan import Action, Details, Plan, Planned, title
from core.access.render import render
from core.access.secret_texts import has_secret, without_secrets
from core.access_changes.fingerprints import guard
from core.access_changes.settling import done_query
from core.changes import Change, Danger, Event, StatementStep
from core.display import one_line

LISTED = 20  # consequences of one kind that are told one by one
_TITLE = 120
_BACK = {
    Action.CREATE: Action.DROP,
    Action.DROP: Action.CREATE,
    Action.GRANT: Action.REVOKE,
    Action.REVOKE: Action.GRANT,
    Action.DISABLE: Action.ENABLE,
    Action.ENABLE: Action.DISABLE,
}


def change_for(plan: Plan, words: str = "", *, fingerprints: Mapping[tuple[str, str], int] | None = None) -> Change:
    """The change that carries out `plan`, one step for each of its statements. `words` are its title.

    With `fingerprints`, read before the model was, the first step refuses when somebody has altered what the plan is
    about since then. Passwords are hashed here; where a statement holds a hash, the preview hides it. Raises
    BadInputError and RefusedError for passwords that cannot be hashed.
    """
    steps = list(map(_step, plan.steps))
    if steps and fingerprints is not None:
        steps[0] = replace(steps[0], guard=guard(plan.touched, fingerprints))
    return Change(
        words or _title(plan),
        tuple(steps),
        danger=Danger.DISRUPTIVE if any(step.takes for step in plan.steps) else Danger.ROUTINE,
        consequences=tuple(_consequences(plan)),
    )


def subject_kind(key: EntityKey) -> str:
    """The kind of an entity in the journal: `user`, `settings_profile` …"""
    return key.kind.lower().replace(" ", "_")


def _step(planned: Planned) -> StatementStep:
    words = _words(planned)
    undo = [_statement_step(planned.key, statement, f"Take back: {words}") for statement in planned.inverse]
    if undo:
        action = _BACK.get(planned.action, planned.action)
        undo[0] = replace(undo[0], events=(_event(planned.key, action, {"taken_back": str(planned.action)}),))
    return replace(
        _statement_step(planned.key, planned.statement, words),
        undo=undo[0] if undo else None,
        undo_more=tuple(undo[1:]),
        no_undo=planned.no_inverse,
        events=(_event(planned.key, planned.action, planned.details),),
    )


def _statement_step(key: EntityKey, statement: Statement, words: str) -> StatementStep:
    statement = without_passwords(statement)
    done_when = done_query(key, statement)
    return StatementStep(
        one_line(words, _TITLE),
        render(statement),
        masked=render(without_secrets(statement)) if has_secret(statement) else None,
        done_when=done_when,
        repeatable=done_when is None and _repeatable(statement),
    )


def _repeatable(statement: Statement) -> bool:
    return not (isinstance(statement, AlterUser) and statement.add_methods)


def _event(key: EntityKey, action: Action, details: Details) -> Event:
    written = {name: list(value) if isinstance(value, tuple) else value for name, value in details.items()}
    return Event(subject_kind(key), name_text(key.name), str(action), written)


def _words(planned: Planned) -> str:
    who = title(planned.key)
    match planned.statement:
        case Grant():
            return f"Grant to {who}: {_what(planned.details)}"
        case Revoke():
            return f"Revoke from {who}: {_what(planned.details)}"
    changed = planned.details.get("changed", ())
    fields = f": {', '.join(changed)}" if isinstance(changed, tuple) and changed else ""
    return f"{str(planned.action).capitalize()} {who}{fields}"


def _what(details: Details) -> str:
    roles = details.get("roles")
    return f"role {', '.join(roles)}" if isinstance(roles, tuple) else str(details.get("rights", ""))


def _title(plan: Plan) -> str:
    touched = plan.touched
    if not touched:
        return "Nothing to change: access is as desired"
    actions = list(dict.fromkeys(str(step.action) for step in plan.steps))
    kinds = {key.kind for key in touched}
    if len(touched) > 1 and (len(actions) > 1 or len(kinds) > 1):
        return f"Change {len(touched):,} access entities"
    about = title(touched[0]) if len(touched) == 1 else many(touched)
    return one_line(f"{', '.join(actions).capitalize()}: {about}", _TITLE)


def many(keys: Sequence[EntityKey]) -> str:
    """Several entities of one kind: `3 users`, `2 row policies`."""
    kind = keys[0].kind.lower()
    return f"{len(keys):,} {kind.removesuffix('y') + 'ies' if kind.endswith('y') else kind + 's'}"


def _consequences(plan: Plan) -> Iterator[str]:
    yield from _limited([step.takes for step in plan.steps if step.takes])
    yield from _limited([refusal.why for refusal in plan.refusals])
    set_anew = {step.key for step in plan.steps if "methods" in step.details}
    unknown = [title(key) for key in plan.differences.not_compared if key not in set_anew]
    yield from _limited(
        [f"The password of {who} was not compared, because one side does not tell it; it stays." for who in unknown]
    )


def _limited(lines: Sequence[str]) -> Iterable[str]:
    told = list(dict.fromkeys(one_line(line) for line in lines))
    return told if len(told) <= LISTED else [*told[:LISTED], f"And {len(told) - LISTED:,} more like that."]
