"""`housekeys partner` with files: the PartnerConfig (`config new`, `config check`) and the OpenAPI document."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import BadInputError, ExitCode
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.partner.messages.partner_config import PartnerConfig
    from core.partner.partner_configs import Presentation
    from core.profiles.partner import PartnerPolicy
    from tui.cli.context import Context

LARGEST = 1024 * 1024  # bytes of a PartnerConfig file
_CATEGORIES = (
    "INGEST",
    "DATA_PREP_AND_TRANSFORM",
    "SECURITY_AND_GOVERNANCE",
    "BI_AND_VIZ",
    "ML",
    "DATA_QUALITY",
    "REVERSE_ETL",
    "SEMANTIC_LAYER",
    "DATA_GOVERNANCE",
)  # of `Category`, which is not imported for a help


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    frame.group(verbs, "config", "the PartnerConfig: make it of the profile, check any", _add_config_verbs)
    document = frame.verb(
        verbs,
        "openapi",
        print_openapi,
        "print the OpenAPI 3.1 document of the Connect API",
        description="Print the OpenAPI 3.1 document of the Connect API: as the profile serves it,\n"
        "or with the paths and resources of a PartnerConfig.",
        examples=("housekeys partner openapi", "housekeys partner openapi --partner-config partner.json"),
    )
    document.add_argument(
        "--partner-config", metavar="FILE", help="a PartnerConfig, - for standard input (default: that of the profile)"
    )


def _add_config_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    new = frame.verb(
        verbs,
        "new",
        new_config,
        "print the PartnerConfig that the profile comes to",
        description="Print the PartnerConfig that the profile comes to: what Databricks asks for, and\n"
        "what the checker goes by. What no profile knows is given here; without it the\n"
        "name of the partner, base_url itself and usual file names stand in.",
        examples=(
            'housekeys partner config new --name "Acme" --category BI_AND_VIZ',
            "housekeys partner config new --cloud aws | tee partner.json",
        ),
    )
    new.add_argument("--name", default="", help="of the partner, as on the tile (default: that of the profile)")
    new.add_argument("--description", default="", metavar="TEXT", help="one sentence for the tile")
    new.add_argument(
        "--category",
        choices=_CATEGORIES,
        metavar="SHELF",
        help=f"one of {', '.join(_CATEGORIES)} (default: by the kind of integration)",
    )
    new.add_argument("--privacy-policy", default="", metavar="URL")
    new.add_argument("--terms-of-service", default="", metavar="URL")
    new.add_argument("--logo", default="logo.svg", metavar="FILE", help=".png or .svg, 4.4 times as wide as high")
    new.add_argument("--icon", default="icon.svg", metavar="FILE", help=".png or .svg, square, 128 pixels or more")
    new.add_argument(
        "--cloud", action="append", choices=("aws", "azure", "gcp"), help="where it is offered; can be repeated"
    )
    check = frame.verb(
        verbs,
        "check",
        check_config,
        "check a PartnerConfig, and where it contradicts the profile",
        description="Check a PartnerConfig: every problem is told at once (exit code 2). When the\n"
        "profile has a table partner, tell where the two contradict each other too\n"
        "(exit code 1).",
        examples=("housekeys partner config check partner.json", "housekeys partner config check - --json"),
    )
    check.add_argument("file", metavar="FILE", help="a PartnerConfig in JSON, - for standard input")


async def new_config(context: Context) -> None:
    """Handle `partner config new`."""
    from core.partner.messages.partner_config_reading import read_partner_config
    from core.partner.messages.writing import write_partner_config
    from core.partner.partner_configs import partner_config

    config = partner_config(policy_of(context), _presentation(context.arguments))
    content = write_partner_config(config)
    read_partner_config(content)  # what was given here is judged as any other PartnerConfig
    context.output.text(content.decode("utf-8").rstrip("\n"))


def _presentation(arguments: argparse.Namespace) -> Presentation:
    from core.partner.messages.partner_config import Category
    from core.partner.messages.requests import CloudProvider
    from core.partner.partner_configs import Presentation

    usual = Presentation()
    return Presentation(
        arguments.name,
        arguments.description,
        Category(arguments.category) if arguments.category else None,
        arguments.privacy_policy,
        arguments.terms_of_service,
        arguments.logo,
        arguments.icon,
        tuple(dict.fromkeys(map(CloudProvider, arguments.cloud))) if arguments.cloud else usual.supported_clouds,
    )


async def check_config(context: Context) -> None:
    """Handle `partner config check`."""
    from dataclasses import asdict

    from core.partner.messages.partner_config_reading import PartnerConfigError
    from core.partner.partner_configs import differences
    from tui.cli.given_files import name_of

    name = name_of(context.arguments.file)
    try:
        config = await _read(context, context.arguments.file)
    except PartnerConfigError as error:
        context.exit_code = ExitCode.BAD_INPUT
        if context.output.json:
            context.output.data({"file": name, "problems": list(map(asdict, error.problems)), "differences": []})
        else:
            context.output.message(f"{_one_line(name)} cannot be used:")
            for problem in error.problems:
                context.output.text(f"  {_one_line(str(problem))}")
        return
    policy = context.profile_file.profile(context.profile_name).partner
    found = differences(config, policy) if policy else ()
    context.exit_code = ExitCode.FAILED if found else ExitCode.DONE
    if context.output.json:
        context.output.data({"file": name, "problems": [], "differences": list(map(asdict, found))})
    for one in found if not context.output.json else ():
        context.output.text(f"  {one.field} is {_one_line(one.said)}; the profile says {one.wanted}")
    if found:
        context.output.message(f"{_one_line(name)} can be used, but the service would answer otherwise than it says.")
        return
    beside = f", and agrees with profile {context.profile_name}" if policy else ""
    context.output.message(f"{_one_line(name)} can be used{beside}.")


async def print_openapi(context: Context) -> None:
    """Handle `partner openapi`."""
    from core.partner.messages.openapi import openapi_document
    from core.partner.partner_configs import partner_config

    name = context.arguments.partner_config
    policy = context.profile_file.profile(context.profile_name).partner
    config = await _read(context, name) if name else partner_config(policy) if policy else None
    context.output.data(openapi_document(config))


def policy_of(context: Context) -> PartnerPolicy:
    """What the profile says of Partner Connect. Raises BadInputError when that is nothing."""
    profile = context.profile_file.profile(context.profile_name)
    if profile.partner is None:
        raise BadInputError(
            f"Profile {_one_line(profile.name)} says nothing of Partner Connect.",
            advice='Add to it: [profiles.NAME.partner] with base_url = "https://HOST", where users reach the service.',
        )
    return profile.partner


async def _read(context: Context, name: str) -> PartnerConfig:
    from core.partner.messages.partner_config_reading import read_partner_config
    from tui.cli.given_files import given_content

    return read_partner_config(await given_content(context, name, LARGEST))


def _one_line(text: str) -> str:
    from core.display import one_line

    return one_line(text)
