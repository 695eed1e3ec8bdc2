"""The arguments of `housekeys`: options that every command takes, and the nouns.

Only the module of the noun that was typed is imported, so that `--help` and every single command stay quick.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError

if TYPE_CHECKING:
    from tui.cli.context import Context

Handler = Callable[["Context"], Awaitable[int | None]]

NOUNS = {
    "profile": "saved ways to reach a ClickHouse",
    "tenant": "databases given to clients, readable by the DataLens user",
    "key": "RSA key versions: yours (partner) and DataLens's",
    "token": "access tokens: issue, verify, reissue, list",
    "user": "users of ClickHouse: create, alter, clone, drop, show",
    "role": "roles: create, alter, clone, drop, show",
    "grant": "give rights and roles to users and roles, and take them away",
    "quota": "quotas: how much may be used per span of time",
    "settings-profile": "settings profiles: settings and their limits under a name",
    "row-policy": "row policies: which rows users see",
    "access": "all of access control: effective rights, audit, lint, files of SQL and users.xml",
    "password": "make a password up, or hash one so that ClickHouse sees the hash only",
    "connection": "API connections of a Singdata Lakehouse: policies, role, external id",
    "partner": "Databricks Partner Connect: serve it, its partner connections, check any implementation",
    "datalens": "onboarding: checklist, the datalens user, the listing pack",
    "journal": "what happened, what is unfinished, undo",
    "info": "paths, versions, the profile in use and where it comes from",
}

DESCRIPTION = "A keyboard-driven console for the people who hand out access to ClickHouse."

EPILOG = """\
Without a noun the console opens. With one, a single command runs: data goes to stdout, messages to stderr.

examples:
  housekeys                                  open the console on the default profile
  housekeys -p prod --read-only              look around on prod; nothing can be changed
  housekeys tenant add acme_prod             a database, readable by the DataLens user
  housekeys key generate                     the next version of your RSA key
  housekeys token issue acme_prod            print an access token for that client
  housekeys user create ann --role reader    a user of ClickHouse; its password is asked for
  housekeys access effective ann             what ann may do, and by which role
  housekeys connection list                  API connections of a Lakehouse, and what is next
  housekeys --dry-run tenant remove acme     show what would run; run nothing
  housekeys tenant list --json               for scripts

exit codes:
  0 done   1 failed   2 usage or bad input   3 refused (read-only, not confirmed, no right)
  4 not found   5 engine unreachable or locked   (130 interrupted by Ctrl-C)

`housekeys NOUN --help` and `housekeys NOUN VERB --help` explain more.
"""


class Frame:
    """What noun modules build their verbs with, so that each verb takes the common options and shows examples.

    `examples` has the first one of each verb, for the help of the noun.
    """

    def __init__(self) -> None:
        self.examples: list[str] = []

    def verb(
        self,
        verbs: argparse._SubParsersAction[argparse.ArgumentParser],
        name: str,
        handler: Handler,
        help_line: str,
        *,
        description: str = "",
        examples: Sequence[str] = (),
    ) -> argparse.ArgumentParser:
        """Add a verb. `help_line` is the line in the list of verbs; `examples` are whole command lines."""
        parser = verbs.add_parser(
            name,
            help=help_line,
            description=description or help_line[:1].upper() + help_line[1:] + ".",
            epilog=_epilog(examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(handler=handler)
        add_common_options(parser, default=argparse.SUPPRESS)
        self.examples += examples[:1]
        return parser

    def group(
        self,
        verbs: argparse._SubParsersAction[argparse.ArgumentParser],
        name: str,
        help_line: str,
        add_verbs: Callable[[argparse._SubParsersAction[argparse.ArgumentParser], Frame], None],
    ) -> None:
        """Add a verb that has verbs of its own, as `credential` has `add`."""
        parser = verbs.add_parser(
            name,
            help=help_line,
            description=f"{help_line[:1].upper()}{help_line[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.examples += _fill_with(parser, "inner_verb", add_verbs)[:1]


def _epilog(examples: Sequence[str]) -> str | None:
    return "\n".join(["examples:", *(f"  {line}" for line in examples)]) if examples else None


def add_common_options(parser: argparse.ArgumentParser, default: Any = None) -> None:
    """Options that may stand before the noun or after the verb."""
    false = default if default is argparse.SUPPRESS else False
    options = parser.add_argument_group("options of every command")
    options.add_argument("-p", "--profile", default=default, metavar="PROFILE", help="the profile to work on")
    options.add_argument("--config", type=Path, default=default, metavar="FILE", help="the profile file to use")
    mode = options.add_mutually_exclusive_group()
    mode.add_argument(
        "--read-only", dest="read_only", action="store_const", const=True, default=default, help="refuse every change"
    )
    mode.add_argument(
        "--write", dest="read_only", action="store_const", const=False, default=default, help="override read_only"
    )
    options.add_argument("--dry-run", action="store_true", default=false, help="show what would run; run nothing")
    options.add_argument("--yes", action="store_true", default=false, help="say yes beforehand")
    options.add_argument("--confirm", default=default, metavar="NAME", help="the name a dangerous change asks for")
    options.add_argument("--json", action="store_true", default=false, help="print data as JSON")


def build_parser(typed: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for the words `typed`; only the noun among them is filled in."""
    parser = argparse.ArgumentParser(
        prog="housekeys",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common_options(parser)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal (for selecting text)")
    parser.set_defaults(handler=None, noun=None)
    nouns = parser.add_subparsers(dest="noun", metavar="NOUN", title="nouns")
    for noun, help_line in NOUNS.items():
        noun_parser = nouns.add_parser(
            noun,
            help=help_line,
            description=f"{help_line[:1].upper()}{help_line[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if noun in typed:
            _fill(noun, noun_parser)
    return parser


def _fill(noun: str, parser: argparse.ArgumentParser) -> None:
    module = importlib.import_module(f"tui.cli.{noun.replace('-', '_')}")
    if noun == "info":  # the one noun that needs no verb
        parser.set_defaults(handler=module.show)
        parser.epilog = _epilog(["housekeys info", "housekeys -p prod info --json"])
        add_common_options(parser, default=argparse.SUPPRESS)
        return
    _fill_with(parser, "verb", module.add_verbs)


def _fill_with(
    parser: argparse.ArgumentParser,
    dest: str,
    add_verbs: Callable[[argparse._SubParsersAction[argparse.ArgumentParser], Frame], None],
) -> list[str]:
    """Give a parser its verbs; the first example of each, which its help shows."""
    parser.set_defaults(noun_parser=parser)
    frame = Frame()
    add_verbs(parser.add_subparsers(dest=dest, metavar="VERB", title="verbs"), frame)
    parser.epilog = _epilog(frame.examples)
    return frame.examples


def moment(text: str) -> datetime:
    """An argument that is a moment: `30m`, `2h`, `7d` ago, or a date or time (UTC unless it says otherwise)."""
    from core.moments import read_moment

    try:
        return read_moment(text, datetime.now(UTC))
    except BadInputError as error:
        raise argparse.ArgumentTypeError(error.message) from None
