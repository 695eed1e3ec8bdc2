"""`housekeys key`: RSA key versions of both sides. The verbs and their arguments; `key_handlers` does the work."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.key_handlers import (
    activate_key,
    change_passphrase,
    export_key,
    generate_key,
    import_key,
    list_keys,
    repair_store,
    retire_key,
    submit_key,
)
from tui.cli.unlocking import add_passphrase_option, add_unprotected_options

if TYPE_CHECKING:
    from tui.cli.arguments import Frame

NOUN = "key"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """The verbs of `key`."""
    frame.verb(verbs, "list", list_keys, "list the key versions of both sides", examples=["housekeys key list --json"])
    generate = frame.verb(
        verbs,
        "generate",
        generate_key,
        "make the next version of your RSA-2048 key",
        examples=["housekeys key generate", "housekeys key generate --passphrase-file ~/.housekeys-passphrase"],
    )
    _number_option(generate, "the number of the version (otherwise the next free one); numbers only grow")
    add_passphrase_option(generate)
    add_unprotected_options(generate)
    _add_import(verbs, frame)
    _add_export(verbs, frame)
    submit = frame.verb(
        verbs,
        "submit",
        submit_key,
        "record that the public half was sent to DataLens",
        examples=["housekeys key submit 2"],
    )
    activate = frame.verb(
        verbs,
        "activate",
        activate_key,
        "issue tokens with this version from now on",
        description="Issue tokens with this version from now on. DataLens must have confirmed it. The version that "
        "was active until now becomes retiring: tokens made with it stay good.",
        examples=["housekeys key activate 2"],
    )
    retire = frame.verb(
        verbs,
        "retire",
        retire_key,
        "stop using a version for good",
        examples=["housekeys key retire 1", "housekeys key retire 1 --side datalens --yes"],
    )
    for parser in (submit, activate, retire):
        parser.add_argument("number", type=int, metavar="N", help="the version")
    _side_option(retire)
    _add_passphrase(verbs, frame)
    frame.verb(
        verbs,
        "repair",
        repair_store,
        "close key files and their folder to everybody else",
        examples=["housekeys key repair"],
    )


def _add_import(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    parser = frame.verb(
        verbs,
        "import",
        import_key,
        "take over a key made elsewhere",
        description="Take over a key in PEM form. --side datalens: the public key that DataLens sent, under the number "
        "that DataLens gave it. --side partner: a private key of yours, or one that the journal knows and that this "
        "machine does not have yet.",
        examples=[
            "housekeys key import datalens.pem --side datalens --version 1",
            "housekeys key import old.pem --side partner --version 3",
        ],
    )
    parser.add_argument("file", metavar="FILE", help="the PEM file, or - for standard input")
    _side_option(parser)
    _number_option(parser, "the number of the version", required=True)
    parser.add_argument(
        "--pem-passphrase-file", type=Path, metavar="FILE", help="the passphrase of an encrypted PEM (otherwise asked)"
    )
    add_passphrase_option(parser)
    add_unprotected_options(parser)


def _add_export(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    parser = frame.verb(
        verbs,
        "export",
        export_key,
        "print the public half, ready to send",
        description="Print the public half with its version and fingerprint, ready to send. With --private, write the "
        "private half to a file as encrypted PKCS#8, under a passphrase of its own.",
        examples=[
            "housekeys key export 2",
            "housekeys key export 2 --out partner-2.pem",
            "housekeys key export 2 --private --out backup.pem --confirm partner-2",
        ],
    )
    parser.add_argument("number", type=int, metavar="N", help="the version")
    _side_option(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to a new file instead")
    parser.add_argument("--private", action="store_true", help="export the private half, encrypted; needs --out")
    parser.add_argument(
        "--export-passphrase-file", type=Path, metavar="FILE", help="the passphrase of the export (otherwise asked)"
    )
    add_passphrase_option(parser)


def _add_passphrase(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    parser = frame.verb(
        verbs,
        "passphrase",
        change_passphrase,
        "change the passphrase of your private keys",
        description="Put every private key on this machine under another passphrase. The old one is asked for as "
        "always; the new one comes from --new-passphrase-file or the prompt.",
        examples=["housekeys key passphrase"],
    )
    add_passphrase_option(parser)
    parser.add_argument("--new-passphrase-file", type=Path, metavar="FILE", help="the new passphrase")
    add_unprotected_options(parser)


def _number_option(parser: argparse.ArgumentParser, help_line: str, *, required: bool = False) -> None:
    # Not stored as `version`: that is the flag of `housekeys --version`.
    parser.add_argument("--version", dest="number", type=int, metavar="N", required=required, help=help_line)


def _side_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--side", choices=("partner", "datalens"), default="partner", help="whose key it is (default: partner)"
    )
