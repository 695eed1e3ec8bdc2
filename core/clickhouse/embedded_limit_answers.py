"""The embedded engine's answers to SHOW about quotas, settings profiles and row policies, from the stored state.

In `users.xml` a quota or profile may stand under an alias, and a row policy stands as the filter of a user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.access.cursor import Cursor
from core.access.model import EntityKind, Statement
from core.access.policies import PolicyName
from core.access.policy_parser import parse_policy_names
from core.access.redefining import profile_definition, quota_definition, row_policy_definition
from core.access.render import render
from core.access.render_grants import identifier
from core.access.render_policies import policy_names
from core.access.state import AccessState, unknown
from core.access.tokenizer import Kind
from core.clickhouse.engine import QueryResult
from core.clickhouse.errors import explain

Ask = Callable[[str], QueryResult]  # runs a statement in chDB, which has loaded the state
_BUILT_IN = "default"  # the settings profile and the quota that users.xml defines
_QUOTA = EntityKind.QUOTA
_PROFILE = EntityKind.SETTINGS_PROFILE
_ROW_POLICY = EntityKind.ROW_POLICY
_PLURALS = (
    (_QUOTA, ("QUOTAS",)),
    (_PROFILE, ("SETTINGS PROFILES", "PROFILES")),
    (_ROW_POLICY, ("ROW POLICIES", "POLICIES")),
)
_SINGULARS = (
    (_QUOTA, ("QUOTA",)),
    (_PROFILE, ("SETTINGS PROFILE", "PROFILE")),
    (_ROW_POLICY, ("ROW POLICY", "POLICY")),
)


@dataclass(frozen=True, slots=True)
class LimitQuestion:
    """A SHOW statement about one kind of what limits users.

    `create` asks for definitions. Nobody named means all; `names` of row policies are PolicyNames where they have a
    table, else their short names. `on` is a table whose row policies are meant, as a PolicyName without its own name.
    """

    kind: EntityKind
    create: bool
    names: tuple[str | PolicyName, ...] = ()
    on: PolicyName | None = None


def limit_question(cursor: Cursor) -> LimitQuestion | None:
    """The question behind SHOW, or None when it is none, or one that only chDB itself can answer."""
    for kind, words in _PLURALS:
        for create in (True, False):
            if cursor.one_of(*(f"CREATE {word}" if create else word for word in words)):
                return LimitQuestion(kind, create, on=_table(cursor) if kind is _ROW_POLICY else None)
    for kind, words in _SINGULARS:
        if not cursor.one_of(*(f"CREATE {word}" for word in words)):
            continue
        if cursor.token.kind is Kind.END:
            return None  # about the connected user
        if kind is _ROW_POLICY:
            return _policies(cursor)
        return LimitQuestion(kind, create=True, names=cursor.listed(lambda: cursor.name("a name")))
    return None


def _policies(cursor: Cursor) -> LimitQuestion:
    if (table := _table(cursor)) is not None:
        return LimitQuestion(_ROW_POLICY, create=True, on=table)
    start = cursor.index
    shorts = cursor.listed(lambda: cursor.name("the name of a policy"))
    if cursor.token.kind is Kind.END:
        return LimitQuestion(_ROW_POLICY, create=True, names=shorts)
    cursor.index = start
    return LimitQuestion(_ROW_POLICY, create=True, names=parse_policy_names(cursor)[0])


def _table(cursor: Cursor) -> PolicyName | None:
    if not cursor.words("ON"):
        return None
    if cursor.symbol("*"):
        return PolicyName("", "", None)
    first = cursor.identifier("a table")
    if not cursor.symbol("."):
        return PolicyName("", "", first)
    return PolicyName("", first, None if cursor.symbol("*") else cursor.identifier("a table"))


def answer_limits(question: LimitQuestion, state: AccessState, ask: Ask) -> QueryResult:
    """What ClickHouse would answer if it kept the state itself. Raises UnknownNameError for an unknown name."""
    question = _in_database(question, ask)
    if not question.create:
        return _listed(question, state)
    names = _asked(question, state)
    plural = not question.names or len(names) > 1 or question.on is not None
    words = {_QUOTA: "QUOTA", _PROFILE: "SETTINGS PROFILE", _ROW_POLICY: "ROW POLIC"}[question.kind]
    ending = ("IES" if plural else "Y") if question.kind is _ROW_POLICY else "S" * plural
    behind = "" if question.on is None else policy_names([replace(question.on, short="x")]).removeprefix("x ")
    title = f"CREATE {words}{ending} {behind or _title(question.names)}".rstrip()
    return _column(title, sorted(_definition(question.kind, name, state, ask) for name in names))


def definitions(kind: EntityKind, state: AccessState, ask: Ask) -> list[str]:
    """The definitions of all entities of a kind, in the order of SHOW ACCESS."""
    names = [*state.of_kind(kind)] + ([] if kind is _ROW_POLICY else [_BUILT_IN])
    order: Callable[[Any], Any] = policy_order if kind is _ROW_POLICY else str
    return [_definition(kind, name, state, ask) for name in sorted(names, key=order)]


def policy_order(name: PolicyName) -> str:
    """What row policies are put in order by: their full names."""
    return policy_names([name])


def _in_database(question: LimitQuestion, ask: Ask) -> LimitQuestion:
    """The question with the current database where none is named."""
    found = [name for name in (*question.names, question.on) if isinstance(name, PolicyName) and not name.database]
    if not found:
        return question
    database = str(ask("SELECT currentDatabase()").first_cell())

    def placed(name: PolicyName) -> PolicyName:
        return name if name.database else replace(name, database=database)

    return replace(
        question,
        names=tuple(placed(name) if isinstance(name, PolicyName) else name for name in question.names),
        on=None if question.on is None else placed(question.on),
    )


def _listed(question: LimitQuestion, state: AccessState) -> QueryResult:
    if question.kind is not _ROW_POLICY:
        return _column("name", sorted([_BUILT_IN, *state.of_kind(question.kind)]))
    names = _asked(question, state)
    if question.on is not None:
        return _column("short_name", sorted(name.short for name in names))
    return _column("name", sorted(map(policy_order, names)))


def _asked(question: LimitQuestion, state: AccessState) -> Sequence[Any]:
    """The names that a question is about, all of them known."""
    known = state.of_kind(question.kind)
    if question.on is not None:
        place = (question.on.database, question.on.table)
        return [name for name in known if (name.database, name.table) == place]
    if not question.names:
        return [*known] if question.kind is _ROW_POLICY else [*known, _BUILT_IN]
    found: list[Any] = []
    for name in question.names:
        if question.kind is _ROW_POLICY and isinstance(name, str):
            matching = [policy for policy in known if policy.short == name]
        else:
            matching = [name] if name in known or (question.kind is not _ROW_POLICY and name == _BUILT_IN) else []
        if not matching:
            refusal = unknown(question.kind, name)
            raise explain(refusal.code, str(refusal))
        found += matching
    return list(dict.fromkeys(found))


def _definition(kind: EntityKind, name: Any, state: AccessState, ask: Ask) -> str:
    statement: Statement
    if kind is _ROW_POLICY:
        statement = row_policy_definition(state.row_policies[name])
    elif name == _BUILT_IN:
        return str(ask(f"SHOW CREATE {kind} {name}").first_cell())
    elif kind is _QUOTA:
        statement = quota_definition(state.quotas[name])
    else:
        statement = profile_definition(state.settings_profiles[name])
    return render(statement)


def _title(names: Sequence[str | PolicyName]) -> str:
    policies = [name for name in names if isinstance(name, PolicyName)]
    return policy_names(policies) if policies else ", ".join(identifier(str(name)) for name in names)


def _column(name: str, values: Iterable[str]) -> QueryResult:
    return QueryResult((name,), [(value,) for value in values])
