"""What `housekeys profile` takes and tells about a Lakehouse and the clouds of its API connections."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError

if TYPE_CHECKING:
    from core.lakehouse.sides import TriedSide
    from core.profiles import CloudSettings, LakehouseSettings

_SERVICE = "Say where it is reached: --lakehouse SERVICE."
_NEEDED = ("instance", "workspace", "user", "password_ref")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them, as a group of their own."""
    group = parser.add_argument_group("API connections of a Singdata Lakehouse")
    group.add_argument(
        "--lakehouse", metavar="SERVICE", help="where it is reached, as cn-shanghai-alicloud.api.clickzetta.com"
    )
    group.add_argument("--lakehouse-instance", metavar="NAME", help="its instance")
    group.add_argument("--lakehouse-workspace", metavar="NAME", help="the workspace the connections are in")
    group.add_argument("--lakehouse-user", metavar="NAME", help="who logs in")
    group.add_argument("--lakehouse-password-ref", metavar="REFERENCE", help="as --password-ref")
    group.add_argument("--lakehouse-vcluster", metavar="NAME", help="the virtual cluster (default: default)")
    group.add_argument("--lakehouse-schema", metavar="NAME", help="the schema of functions (default: public)")
    group.add_argument("--lakehouse-no-tls", action="store_true", help="plain HTTP")
    group.add_argument("--lakehouse-ca-file", type=absolute, metavar="FILE", help="the authorities to trust, PEM")
    group.add_argument("--lakehouse-no-verify", action="store_true", help="trust any certificate")
    group.add_argument(
        "--provision",
        action="append",
        default=[],
        choices=["aws", "aliyun", "tencent"],
        help="a cloud that Housekeys changes itself, by the credentials of its SDK's own chain; repeatable",
    )


def absolute(typed: str) -> Path:
    """A path typed on the command line: absolute, because the file of profiles is read from anywhere."""
    return Path(os.path.abspath(os.path.expanduser(typed)))


def lakehouse_from(typed: argparse.Namespace) -> LakehouseSettings | None:
    """The Lakehouse that the options describe, None without one. Raises BadInputError."""
    from dataclasses import replace

    from core.profiles.lakehouse_reading import USUAL
    from core.secrets import SecretReference

    options = {name.removeprefix("lakehouse_"): value for name, value in vars(typed).items() if "lakehouse" in name}
    service = options.pop("lakehouse")
    if service is None:
        if alone := next((name for name, value in options.items() if value), ""):
            raise BadInputError(f"--lakehouse-{alone.replace('_', '-')} belongs to a Lakehouse.", advice=_SERVICE)
        return None
    for name in _NEEDED:
        if options[name] is None:
            option = f"--lakehouse-{name.replace('_', '-')}"
            raise BadInputError(f"--lakehouse needs {option} too.", advice=f"Add {option}.")
    return replace(
        USUAL,
        service=service,
        instance=options["instance"],
        workspace=options["workspace"],
        username=options["user"],
        password=SecretReference.parse(options["password_ref"]),
        vcluster=USUAL.vcluster if options["vcluster"] is None else options["vcluster"],
        schema=USUAL.schema if options["schema"] is None else options["schema"],
        secure=not options["no_tls"],
        ca_file=options["ca_file"],
        verify=not options["no_verify"],
    )


def clouds_from(typed: argparse.Namespace) -> dict[str, CloudSettings]:
    """The clouds that Housekeys changes itself; what else there is to say of one is written in the file."""
    from core.profiles import CloudSettings

    return {name: CloudSettings(provision=True) for name in dict.fromkeys(typed.provision)}


def side_record(side: TriedSide) -> dict[str, Any]:
    """What came of trying the Lakehouse or a cloud, as JSON values."""
    if side.error is None:
        return {"ok": True, **side.facts}
    return {"ok": False, "error": side.error.message, "advice": side.advice, "detail": side.error.detail}


def side_fields(sides: Iterable[TriedSide]) -> dict[str, str]:
    """The same as labelled lines."""
    return {
        side.label: f"ok: {side.said}"
        if side.error is None
        else f"failed: {side.error.message}\n{side.advice}".rstrip()
        for side in sides
    }
