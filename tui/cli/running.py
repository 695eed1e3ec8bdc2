"""Runs one command line: parse, hand over to the console or to a handler, and turn every outcome into an exit code."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from core.errors import ExitCode, HousekeysError
from tui.cli.arguments import Handler, build_parser
from tui.cli.context import Context

INTERRUPTED = 130  # 128 + SIGINT, what shells expect

log = logging.getLogger(__name__)


def run(
    typed: Sequence[str],
    environ: Mapping[str, str] | None = None,
    *,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> int:
    """Run the words `typed` and return the exit code. The streams default to the process's own."""
    stdin, stdout, stderr = stdin or sys.stdin, stdout or sys.stdout, stderr or sys.stderr
    environ = os.environ if environ is None else environ
    try:
        arguments = build_parser(typed).parse_args(typed)
    except SystemExit as stop:  # argparse has printed its message
        return int(stop.code or 0)
    if arguments.version:
        from core.version import VERSION

        print(f"housekeys {VERSION}", file=stdout)
        return ExitCode.DONE
    if arguments.noun is None:
        return _console(arguments, environ, stdin, stderr)
    context = Context(arguments, environ, stdin=stdin, stdout=stdout, stderr=stderr)
    return _one_shot(context)


def _console(arguments: argparse.Namespace, environ: Mapping[str, str], stdin: TextIO, stderr: TextIO) -> int:
    if not stdin.isatty():
        print("housekeys: the console needs a terminal.", file=stderr)
        print("For scripts there are one-shot commands: housekeys --help", file=stderr)
        return ExitCode.BAD_INPUT
    from tui.app import run_console

    return run_console(arguments, environ)


def _one_shot(context: Context) -> int:
    import asyncio

    from core.logs import start_logging

    handler: Handler | None = context.arguments.handler
    if handler is None:  # a noun without its verb
        context.arguments.noun_parser.print_help(context.output.stderr)
        return ExitCode.BAD_INPUT
    try:
        start_logging(context.paths)
        return asyncio.run(_handle(context, handler))
    except HousekeysError as error:
        log.info("%s", error, exc_info=True)
        _print_error(context, error)
        return error.exit_code
    except KeyboardInterrupt:
        context.output.message("Interrupted. If a change was running, `housekeys journal unfinished` shows it.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): not our failure. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return context.exit_code  # what judges something has said its verdict before it printed
    except OSError as error:
        log.exception("a file or the network failed")
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}."
        _print_error(context, HousekeysError(message, advice=f"Details are in {context.paths.log_file}."))
        return ExitCode.FAILED
    except Exception as error:
        log.exception("unexpected error")
        kind = type(error).__name__
        advice = f"This is a mistake in Housekeys. Details are in {context.paths.log_file}."
        _print_error(context, HousekeysError(f"Unexpected error ({kind}).", advice=advice))
        return ExitCode.FAILED


async def _handle(context: Context, handler: Handler) -> int:
    from tui.cli.carrying_out import DryRunFinished

    try:
        code = await handler(context)
        return context.exit_code if code is None else code
    except DryRunFinished:
        return ExitCode.DONE
    finally:
        await context.close()


def _print_error(context: Context, error: HousekeysError) -> None:
    context.output.message(f"housekeys: {error.message}")
    if error.advice:
        context.output.message(error.advice)
