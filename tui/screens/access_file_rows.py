"""What the screen of access files shows: a file with its reading, an entity of it as a row, and the tabs about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from core.access.access_model import AccessModel, EntityKey, Holder, Origin
from core.access.difference import keys_of
from core.access.difference_fields import entity, fields
from core.access.lint.findings import Finding
from core.access.lint.linting import lint
from core.access.model import EntityKind, Role, User
from core.access.model_changes import name_text
from core.access.planning.plan import title
from core.access.xml.losses import Loss
from core.access.xml.names import file_name
from core.access.xml.problems import Problem, Severity
from core.access.xml.writing import FOLDER
from core.access_changes.present import PresentAccess
from core.access_reports.comparing import Place, differing, entity_sql
from core.access_reports.converting import Converted, converted
from core.access_reports.files import Format, problem_text
from core.access_reports.lint_report import lint_context
from core.access_reports.masking import masked
from core.access_reports.sources import Opened, open_access_file
from core.clickhouse.access_survey import AccessSurvey
from core.display import count, one_line
from core.errors import BadInputError
from tui.screens import access_tabs, role_rows, user_rows
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.profile_rows import short
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact, text_lines

HOLDERS = (EntityKind.USER, EntityKind.ROLE)
_XML_KINDS = {
    EntityKind.USER: "user",
    EntityKind.ROLE: "role",
    EntityKind.QUOTA: "quota",
    EntityKind.SETTINGS_PROFILE: "profile",
}
_PROBLEM_STYLES = {Severity.ERROR: "error", Severity.WARNING: "warning"}
_NOTED = 2  # problems of the file that stand above the list


@dataclass(frozen=True)
class OpenFile:
    """A file as it was read, and what its access comes to."""

    opened: Opened
    access: Access
    findings: tuple[Finding, ...]

    @property
    def path(self) -> Path:
        return self.opened.path

    @property
    def format(self) -> Format:
        return self.opened.file.format

    @cached_property
    def desired(self) -> AccessModel:
        """The model that a server is to hold by it."""
        return self.opened.file.desired

    @cached_property
    def roles(self) -> Mapping[str, role_rows.RoleRow]:
        """The roles with all that is known of them."""
        return {row.name: row for row in role_rows.rows_of(self.access)}

    @cached_property
    def as_xml(self) -> Converted:
        """All of it as `users.xml`, a file for each entity. Takes a while for many: not on the message loop."""
        return converted(self.access.model, Format.XML, one_file=False)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.opened.file.problems


@dataclass(frozen=True, slots=True)
class FileRow:
    """One entity of a file."""

    key: EntityKey
    name: str
    brief: str
    origin: Origin | None
    findings: tuple[Finding, ...]
    losses: tuple[Loss, ...]  # on the way to SQL

    @property
    def kind(self) -> str:
        return self.key.kind.lower()

    @property
    def order(self) -> tuple[str, int]:
        """To sort by the place."""
        return (self.origin.file, self.origin.line) if self.origin is not None else ("", 0)

    @property
    def place(self) -> str:
        """The name of the file and the line."""
        return f"{Path(self.origin.file).name}:{self.origin.line}" if self.origin is not None else "-"


def read_file(path: Path, now: datetime) -> OpenFile:
    """Read it, for a thread. Raises BadInputError when nothing of it can be used, with file and line."""
    opened = open_access_file(path)
    file = opened.file
    if file.errors and not any(keys_of(file.model)):
        more = [problem_text(problem) for problem in file.errors[1:]]
        raise BadInputError(problem_text(file.errors[0]), advice="Correct the file, or open another.",
                            detail="\n".join(more))  # fmt: skip
    found = lint(file.model, lint_context(now))
    by_entity: dict[EntityKey, tuple[Finding, ...]] = {}
    for finding in found:
        by_entity[finding.entity] = (*by_entity.get(finding.entity, ()), finding)
    present = PresentAccess(AccessSurvey(file.model), False, None, "", None)
    return OpenFile(opened, Access(None, 0, present, by_entity), found)


def rows_of(file: OpenFile) -> list[FileRow]:
    """A row for each entity."""
    losses: dict[EntityKey, tuple[Loss, ...]] = {}
    for loss in file.opened.file.losses:
        losses[loss.entity] = (*losses.get(loss.entity, ()), loss)
    model = file.access.model
    return [
        FileRow(key, name_text(key.name), _brief(file.access, key), model.origins.get(key), file.access.found(key),
                losses.get(key, ()))
        for key in keys_of(model)
    ]  # fmt: skip


def _brief(access: Access, key: EntityKey) -> str:
    found = entity(access.model, key)
    if isinstance(found, User | Role):
        holder = Holder(key.kind, str(key.name))
        roles = ", ".join(sorted(access.model.granted_roles.get(holder, {})))
        grants = sum(len(statement.rights) for statement in access.model.rights.get(holder, ()))
        parts = [words.kinds_text(found), f"from {words.hosts_brief(found.hosts)}"] if isinstance(found, User) else []
        parts += [f"{count(grants)} {'grant' if grants == 1 else 'grants'}"] if grants else []
        return "; ".join([*parts, *([f"roles {roles}"] if roles else [])]) or "no grants"
    texts = {} if found is None else {word: field.text for word, field in fields(found).items()}
    return "; ".join(f"{word} {text}" for word, text in texts.items() if text and text != "NONE") or "-"


COLUMNS: tuple[Column[FileRow], ...] = (
    Column("kind", "KIND", lambda r: r.kind, sort=lambda r: (list(EntityKind).index(r.key.kind), r.name), letter="K",
           style=lambda r: "muted"),
    Column("name", "NAME", lambda r: r.name, flexible=True, least=16, letter="N"),
    Column("brief", "WHAT", lambda r: r.brief, flexible=True, least=18, minor=2),
    Column("origin", "ORIGIN", lambda r: r.place, sort=lambda r: r.order, flexible=True, least=14,
           minor=3, letter="I"),
    Column("findings", "LINT", lambda r: words.findings_text(r.findings), sort=lambda r: len(r.findings), numeric=True,
           minor=1, letter="F", style=lambda r: words.findings_style(r.findings)),
)  # fmt: skip


def notice_lines(file: OpenFile | None) -> list[Line]:
    """What is wrong with the file as a whole."""
    if file is None or not file.problems:
        return []
    shown = file.opened.file.errors or file.problems
    style = "error" if file.opened.file.errors else "warning"
    lines = [Line(f"! {problem_text(problem)}", style=style) for problem in shown[:_NOTED]]
    more = len(file.problems) - min(len(shown), _NOTED)
    return [*lines, *([Line(f"! and {count(more)} more problems: l lists them", style=style)] if more else [])]


# -- the tabs


def summary_lines(row: FileRow, file: OpenFile, now: datetime) -> list[Line]:
    """What an entity is, where it stands, and what lint finds."""
    access, found = file.access, entity(file.access.model, row.key)
    if isinstance(found, User):
        lines = user_rows.definition_lines(found, access, now)
    elif isinstance(found, Role):
        lines = role_rows.definition_lines(file.roles[found.name], access)
    else:
        texts: Mapping[str, str] = {} if found is None else {w: field.text for w, field in fields(found).items()}
        lines = [fact(word.lower(), text or "-") for word, text in texts.items()]
    return [*lines, Line(), origin_line(row), *words.finding_lines(row.findings)]


def origin_line(row: FileRow) -> Line:
    """Where it begins."""
    return fact("origin", f"{short(row.origin.file)}:{row.origin.line}" if row.origin is not None else "not told")


def effective_lines(row: FileRow, file: OpenFile, now: datetime) -> list[Line]:
    """The rights of a user or role, by the file alone."""
    if row.key.kind not in HOLDERS:
        return [Line("Only users and roles have rights.", style="muted")]
    return access_tabs.effective_lines(file.access, Holder(row.key.kind, str(row.key.name)), now)


def sql_lines(row: FileRow, file: OpenFile) -> list[Line]:
    """The statements that make it what it is, and what SQL cannot say of it."""
    lines = [line for text in entity_sql(file.desired, row.key) for line in text_lines(one_line(text), "accent")]
    return lines + loss_lines(row.losses)


def xml_lines(row: FileRow, file: OpenFile) -> list[Line]:
    """The same as `users.xml`, and what XML cannot hold of it."""
    section = _XML_KINDS.get(row.key.kind)
    if section is None:
        lines = [Line("In XML this is a filter in each of its users: see those.", style="muted")]
    else:
        name = f"{FOLDER}/{file_name(section, str(row.key.name))}"
        text = masked(file.as_xml.files.get(name, ""), Format.XML)
        body = [line for line in text.splitlines() if not line.startswith(("<?", "<!--"))]
        lines = [Line(line, style="accent") for line in body] or [Line("It cannot be written as XML.", style="warning")]
    return lines + loss_lines([loss for loss in file.as_xml.losses if loss.entity == row.key])


def loss_lines(losses: Sequence[Loss]) -> list[Line]:
    """What is lost on the way."""
    found = [Line(f"- {loss.what}: {loss.why} ({loss.effect})", style="warning") for loss in losses]
    return [Line(), Line("Lost", style="heading"), *found] if found else []


def problem_lines(row: FileRow, file: OpenFile) -> list[Line]:
    """Where it comes from, with all files that are read together, and all that is wrong."""
    lines = [origin_line(row), *words.finding_lines(row.findings), *loss_lines(row.losses)]
    if row.origin is not None:
        near = [each for each in file.problems if each.file == row.origin.file]
        lines += [Line(), Line("Problems of this file", style="heading")] if near else []
        lines += [Line(problem_text(each), style=_PROBLEM_STYLES[each.severity]) for each in near]
    sources = [fact("files" if number == 0 else words.BELOW, short(str(source.path)))
               for number, source in enumerate(file.opened.sources)]  # fmt: skip
    return [*lines, Line(), *sources]


def not_in_file(server: AccessModel, model: AccessModel) -> list[tuple[EntityKey, str, str]]:
    """The entities of a server that the file has not, or has otherwise: key, name, and which of the two."""
    words = {Place.SECOND: "not in the file", Place.BOTH: "differs"}
    return [
        (each.key, title(each.key), ", ".join([words[each.place], *each.words]))
        for each in differing(model, server)
        if each.place in words
    ]
