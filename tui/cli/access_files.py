"""`housekeys access` with files: show, export, convert, plan, apply, import, diff."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError, ExitCode, HousekeysError
from tui.cli.access_entities import carry_out_plan, present_access
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.access.access_model import AccessModel
    from core.access.planning.plan import Plan
    from core.access.xml.losses import Loss
    from core.access_changes.present import PresentAccess
    from core.access_reports.converting import Converted
    from core.access_reports.files import AccessFile
    from core.session import Session
    from tui.cli.context import Context

FILE_HELP = "SQL, or users.xml (with its users.d beside it), or a folder with one"
SHOWN = 50  # problems of a file, or losses, that are told one by one


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    frame.verb(
        verbs,
        "show",
        show,
        "everything as SQL, without secrets",
        examples=("housekeys access show", "housekeys access show --json"),
    )
    export = frame.verb(
        verbs,
        "export",
        export_access,
        "write everything as SQL or users.xml",
        description="Write everything as SQL or users.xml, with the hashes of passwords as far as ClickHouse tells\n"
        "them. What the format cannot hold is told on stderr. Files are written 0600, and none is overwritten.",
        examples=(
            "housekeys access export --format sql --out access.sql",
            "housekeys access export --format xml --out users.xml",
            "housekeys access export --format xml --out configuration",
        ),
    )
    export.add_argument("--format", choices=("sql", "xml"), required=True, help="what to write")
    export.add_argument(
        "--out",
        type=Path,
        default=None,
        metavar="PATH",
        help="a file; with xml also a folder, for users.d with a file for each entity",
    )
    _add_conversion(verbs, frame)
    _add_applying(verbs, frame)
    diff = frame.verb(
        verbs,
        "diff",
        diff_access,
        "what differs between two profiles or files",
        description="What B has otherwise than A. Each is the name of a profile, or a file. Exit code 0: the same;\n"
        "1: they differ.",
        examples=("housekeys access diff staging prod", "housekeys access diff prod ./access.sql --json"),
    )
    diff.add_argument("first", metavar="A", help="a profile, or a file: " + FILE_HELP)
    diff.add_argument("second", metavar="B", help="the same")


def _add_conversion(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    convert = frame.verb(
        verbs,
        "convert",
        convert_file,
        "turn SQL into users.xml, or the other way; needs no engine",
        description="Turn SQL into users.xml, or the other way. What is lost on the way is told on stderr.",
        examples=(
            "housekeys access convert users.xml --to sql --out access.sql",
            "housekeys access convert access.sql --to xml --out configuration",
        ),
    )
    convert.add_argument("file", type=Path, metavar="FILE", help=FILE_HELP)
    convert.add_argument("--to", choices=("sql", "xml"), required=True, help="what to write")
    convert.add_argument("--out", type=Path, default=None, metavar="PATH", help="a file; with xml also a folder")


def _add_applying(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    about = "what apply would do; nothing is changed"
    plan = frame.verb(
        verbs,
        "plan",
        plan_file,
        about,
        examples=("housekeys access plan access.sql", "housekeys access plan users.xml --exact --json"),
    )
    apply = frame.verb(
        verbs,
        "apply",
        apply_file,
        "make the server hold what a file says",
        description="Make the server hold at least what a file says; with --exact, that and nothing else. What SQL\n"
        "cannot change (users.xml of the server) is left alone and told. Afterwards the server is read again.",
        examples=("housekeys access apply access.sql", "housekeys access apply access.sql --exact --yes"),
    )
    for parser in (plan, apply):
        parser.add_argument("file", type=Path, metavar="FILE", help=FILE_HELP)
        parser.add_argument("--exact", action="store_true", help="drop and revoke what the file does not have")
    several = frame.verb(
        verbs,
        "import",
        import_files,
        "apply several files in one change; nothing is dropped",
        examples=("housekeys access import roles.sql users.xml", "housekeys --dry-run access import roles.sql"),
    )
    several.add_argument("files", type=Path, nargs="+", metavar="FILE", help=FILE_HELP)
    for parser in (plan, apply, several):
        parser.add_argument(
            "--set-passwords",
            action="store_true",
            help="set the passwords of the file also where it cannot be told whether they are new",
        )


# -- writing


async def show(context: Context) -> None:
    """Handle `access show`."""
    from core.access.disassembling import statements_of
    from core.access_reports.listing import shown_statements

    _, present = await present_access(context)
    lines = shown_statements(statements_of(present.model))
    if context.output.json:
        context.output.data(lines)
        return
    for line in lines:
        context.output.text(f"{line};")


async def export_access(context: Context) -> None:
    """Handle `access export`."""
    from core.access_reports.converting import converted
    from core.access_reports.files import Format

    _, present = await present_access(context)
    form = Format(context.arguments.format)
    await _write(context, converted(present.beside_built_in(), form, one_file=_one_file(context)))


async def convert_file(context: Context) -> None:
    """Handle `access convert`."""
    import asyncio

    from core.access_reports.converting import converted_file
    from core.access_reports.files import Format

    file = await _read(context, context.arguments.file)
    to: str = context.arguments.to
    if file.format == to:
        raise BadInputError(f"{file.path} is {to} already.", advice="--to names the other format.")
    await _write(context, await asyncio.to_thread(converted_file, file, Format(to), one_file=_one_file(context)))


def _one_file(context: Context) -> bool:
    out: Path | None = context.arguments.out
    return out is None or out.suffix.lower() == ".xml"


async def _write(context: Context, made: Converted) -> None:
    import asyncio

    out: Path | None = context.arguments.out
    if made.untold:
        untold = ", ".join(made.untold[:SHOWN])
        context.output.message(f"Without password, because ClickHouse does not tell it: {untold}")
    _tell_losses(context, made.losses)
    files = dict(made.files)
    if not files:
        raise BadInputError("There is nothing to write.")
    if out is None:
        for content in files.values():
            context.output.stdout.write(content)
        return
    if context.arguments.dry_run:
        names = [str(out / name) if name else str(out) for name in files]
        for name in names:
            context.output.message(f"Would write {name}.")
        return
    await asyncio.to_thread(_write_files, out, files)
    number = len(files)
    context.output.message(f"{'1 file is' if number == 1 else f'{number:,} files are'} written to {out}.")


def _write_files(out: Path, files: dict[str, str]) -> None:
    from core.files import write_private

    paths = {out / name if name else out: content for name, content in files.items()}
    for path in paths:
        if path.exists():
            raise BadInputError(f"{path} exists already. Nothing was written.", advice="Name another, or remove it.")
    for path, content in paths.items():
        write_private(path, content.encode("utf-8", "surrogatepass"), replace=False)


def _tell_losses(context: Context, losses: Sequence[Loss]) -> None:
    from core.access_reports.converting import loss_text

    for loss in losses[:SHOWN]:
        context.output.message(f"Lost: {loss_text(loss)}")
    if len(losses) > SHOWN:
        context.output.message(f"And {len(losses) - SHOWN:,} losses more.")


# -- reading


async def _read(context: Context, path: Path) -> AccessFile:
    """Read a file. Warnings go to stderr; raises BadInputError when anything in it is wrong."""
    import asyncio

    from core.access.xml.problems import Severity
    from core.access_reports.files import problem_text, read_access_file

    file = await asyncio.to_thread(read_access_file, path)
    shown = file.errors or file.problems
    for problem in shown[:SHOWN]:
        word = "Error" if problem.severity is Severity.ERROR else "Warning"
        context.output.message(f"{word}: {problem_text(problem)}")
    if len(shown) > SHOWN:
        context.output.message(f"And {len(shown) - SHOWN:,} more.")
    if file.errors:
        raise BadInputError(f"{file.path} has errors; nothing was done with it.", advice="Correct what is named above.")
    return file


# -- applying


async def plan_file(context: Context) -> None:
    """Handle `access plan`: like apply, and always dry."""
    context.arguments.dry_run = True
    await apply_file(context)


async def apply_file(context: Context) -> ExitCode:
    """Handle `access apply`."""
    file = await _read(context, context.arguments.file)
    _tell_losses(context, file.losses)
    return await _apply(context, file.desired, exact=context.arguments.exact)


async def import_files(context: Context) -> ExitCode:
    """Handle `access import`."""
    from core.access.access_model import AccessModel
    from core.access.planning.merging import at_least

    desired = AccessModel()
    for path in context.arguments.files:
        file = await _read(context, path)
        _tell_losses(context, file.losses)
        desired = at_least(desired, file.desired)
    return await _apply(context, desired, exact=False)


async def _apply(context: Context, desired: AccessModel, *, exact: bool) -> ExitCode:
    from core.access_changes.applying import plan_for
    from core.access_changes.as_written import as_written

    session, present = await present_access(context)
    made = plan_for(
        present,
        await as_written(session.engine, desired),
        exact=exact,
        set_passwords=context.arguments.set_passwords,
        own_user=session.capabilities.user,
    )
    await carry_out_plan(context, present, made, "Applied")
    left = await _left(context, session, made) if made.steps else 0
    if left:
        return ExitCode.FAILED
    return ExitCode.REFUSED if made.refusals else ExitCode.DONE


async def _left(context: Context, session: Session, made: Plan) -> int:
    """Read the server again and tell what is not as it was aimed at; how much that is."""
    from core.access.difference import compare
    from core.access_changes.present import read_present_access
    from core.access_reports.differing import difference_lines

    after = await read_present_access(session.engine, session.capabilities, session.profile.cluster)
    lines = difference_lines(compare(made.target, after.model))
    for line in lines[:SHOWN]:
        context.output.message(f"Not as planned: {line}")
    return len(lines)


# -- comparing


async def diff_access(context: Context) -> None:
    """Handle `access diff`."""
    from core.access.difference import compare
    from core.access_reports.differing import difference_lines, difference_values

    first, second = await _sides(context, (context.arguments.first, context.arguments.second))
    differences = compare(first, second)
    context.exit_code = ExitCode.DONE if differences.nothing else ExitCode.FAILED
    if context.output.json:
        context.output.data(difference_values(differences))
    else:
        for line in difference_lines(differences):
            context.output.text(line)
        for key in differences.not_compared:
            context.output.message(f"The password of {key.name} was not compared, because one side does not tell it.")


async def _sides(context: Context, named: tuple[str, str]) -> list[AccessModel]:
    """The models of profiles and files. A word that is both is the profile; `./word` is the file."""
    profiles = context.profile_file.profiles
    found = {name: (await _read(context, Path(name))).desired for name in named if name not in profiles}
    presents: dict[str, PresentAccess] = {}
    for name in named:
        if name in profiles:
            presents[name], found = await _with_profile(context, name, found)
    sides = []
    for name, other in zip(named, reversed(named), strict=True):
        model = presents[name].compared_with(found[other]) if name in presents else found[name]
        sides.append(presents[other].clear_as_kept(model) if other in presents else model)
    return sides


async def _with_profile(
    context: Context, named: str, beside: dict[str, AccessModel]
) -> tuple[PresentAccess, dict[str, AccessModel]]:
    """What a profile holds, and all models with their conditions as its server writes them."""
    from core.access_changes.as_written import as_written
    from core.access_changes.present import read_present_access
    from core.session import Session

    prompt: Any = context.prompt_secret if context.interactive else None
    session = await Session.open(
        context.profile_file, named, context.paths, read_only=True, prompt=prompt, catch_up=False
    )
    try:
        present = await read_present_access(session.engine, session.capabilities, session.profile.cluster)
        written = {name: await as_written(session.engine, model) for name, model in beside.items()}
    finally:
        await session.close()
    if present.survey.hidden:
        raise HousekeysError(f"Not everything on {named} can be seen.", advice=present.survey.hidden[0])
    return present, {**written, named: present.model}
