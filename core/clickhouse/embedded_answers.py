"""The embedded engine's answers to SHOW about access, from the stored state.

The state is the truth where `users.xml` holds less than SQL (several methods, validity, default roles …) and where a
name stands in it under an alias. Rights are folded together by the engine, which has them from the projection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.access.cursor import Cursor
from core.access.model import CreateRole, EntityKind, Grant, Revoke, Role, User
from core.access.parser import parse_statement
from core.access.renaming import renamed
from core.access.render import render
from core.access.render_grants import identifier
from core.access.state import FIXED_USER, AccessState, unknown
from core.access.tokenizer import AccessSyntaxError, Kind, first_words
from core.access.user_changes import definition
from core.access.users_xml import GENERATED, element_name
from core.clickhouse.embedded_limit_answers import Ask, LimitQuestion, answer_limits, definitions, limit_question
from core.clickhouse.engine import QueryResult
from core.clickhouse.errors import explain
from core.errors import HousekeysError


@dataclass(frozen=True, slots=True)
class ShowQuestion:
    """A SHOW statement about access: what it shows, of whom (nobody named: of all), and the words behind."""

    what: str  # "USERS", "ROLES", "ACCESS", "GRANTS" (of nobody named: FOR ALL), "CREATE USER" or "CREATE ROLE"
    names: tuple[str, ...] = ()
    tail: str = ""


def show_question(sql: str) -> ShowQuestion | LimitQuestion | None:
    """The question that `sql` is, or None when it is none, or one that only chDB itself can answer."""
    if first_words(sql, 1) != ("SHOW",):
        return None
    try:
        cursor = Cursor(sql)
        cursor.take()
        question = limit_question(cursor) or _question(cursor)
        return question if cursor.token.kind is Kind.END else None
    except AccessSyntaxError:
        return None


def _question(cursor: Cursor) -> ShowQuestion | None:
    for what in ("USERS", "ROLES", "ACCESS"):
        if cursor.words(what):
            return ShowQuestion(what)
    for plural, singular in (("CREATE USERS", "CREATE USER"), ("CREATE ROLES", "CREATE ROLE")):
        if cursor.words(plural) or cursor.words(singular):
            if cursor.token.kind is Kind.END or cursor.at_words("CURRENT_USER"):
                # Without a name, SHOW CREATE USER is about the connected user; chDB answers that.
                return ShowQuestion(singular) if cursor.tokens[cursor.index - 1].text.upper().endswith("S") else None
            return ShowQuestion(singular, cursor.listed(cursor.user_name))
    if cursor.words("GRANTS FOR") and not cursor.at_words("CURRENT_USER"):
        names = () if cursor.words("ALL") else cursor.listed(cursor.user_name)
        implicit = " WITH IMPLICIT" * cursor.words("WITH IMPLICIT")
        return ShowQuestion("GRANTS", names, implicit + " FINAL" * cursor.words("FINAL"))
    return None


def answer(question: ShowQuestion | LimitQuestion, state: AccessState, ask: Ask) -> QueryResult:
    """What ClickHouse would answer if it kept the state itself. Raises NotFoundError for an unknown name."""
    if isinstance(question, LimitQuestion):
        return answer_limits(question, state, ask)
    match question.what:
        case "USERS":
            return _column("name", sorted([FIXED_USER, *state.users]))
        case "ROLES":
            return _column("name", sorted(state.roles))
        case "CREATE USER":
            return _show_create(question, {FIXED_USER: None, **state.users}, ask)
        case "CREATE ROLE":
            return _show_create(question, dict(state.roles), ask)
        case "GRANTS":
            return _grants(question, state, ask)
        case _:
            return _access(state, ask)


def _column(name: str, values: list[str]) -> QueryResult:
    return QueryResult((name,), [(value,) for value in values])


def _show_create(question: ShowQuestion, entities: dict[str, User | None] | dict[str, Role], ask: Ask) -> QueryResult:
    kind = EntityKind.USER if question.what == "CREATE USER" else EntityKind.ROLE
    lines = []
    for name in question.names or sorted(entities):
        if name not in entities:
            raise _unknown(kind, name)
        entity = entities[name]
        lines.append(str(ask(f"SHOW CREATE USER {name}").first_cell()) if entity is None else shown(entity))
    plural = "S" if len(question.names) != 1 else ""
    title = f"{question.what}{plural} {', '.join(map(identifier, question.names))}".rstrip()
    return _column(title, lines)


def _unknown(kind: EntityKind, name: str) -> HousekeysError:
    refusal = unknown(kind, name)
    return explain(refusal.code, str(refusal))


def shown(entity: User | Role) -> str:
    """A user or role as SHOW CREATE shows it: without its secrets."""
    if isinstance(entity, Role):
        return render(CreateRole((entity.name,), settings=entity.settings))
    methods = tuple(replace(method, password=None, hash=None, salt="") for method in entity.methods)
    return render(definition(replace(entity, methods=methods)))


def _grants(question: ShowQuestion, state: AccessState, ask: Ask) -> QueryResult:
    for name in question.names:
        if name not in (FIXED_USER, *state.users, *state.roles):
            raise _unknown(EntityKind.ROLE, name)
    names = ", ".join(identifier(element_name(name)) for name in question.names) or "ALL"
    result = ask(f"SHOW GRANTS FOR {names}{question.tail}")
    back = _real_names(state)
    title = f"GRANTS FOR {', '.join(map(identifier, question.names)) or 'ALL'}{question.tail}"
    return _column(title, [_with_real_names(row[0], back) for row in result.rows])


def _access(state: AccessState, ask: Ask) -> QueryResult:
    result = ask("SHOW ACCESS")
    back = _real_names(state)
    lines = [str(row[0]) for row in result.rows]
    fixed = [line for line in lines if line.startswith(f"CREATE USER {FIXED_USER} ")]
    users = {FIXED_USER: fixed[0] if fixed else "", **{name: shown(user) for name, user in state.users.items()}}
    roles = {name: shown(role) for name, role in state.roles.items()}
    grants = [_with_real_names(line, back) for line in lines if not line.startswith("CREATE")]
    kinds = (EntityKind.SETTINGS_PROFILE, EntityKind.ROW_POLICY, EntityKind.QUOTA)
    limits = [line for kind in kinds for line in definitions(kind, state, ask)]
    return _column("ACCESS", [users[n] for n in sorted(users)] + [roles[n] for n in sorted(roles)] + limits + grants)


def _real_names(state: AccessState) -> dict[str, str]:
    """The real names of the aliases in the projection."""
    return {alias: name for name in (*state.users, *state.roles) if (alias := element_name(name)) != name}


def _with_real_names(line: str, back: dict[str, str]) -> str:
    if not back or f"{GENERATED}alias-" not in line:
        return line
    statement = parse_statement(line)
    if not isinstance(statement, Grant | Revoke):
        return line
    return render(renamed(statement, lambda name: back.get(name, name)))
