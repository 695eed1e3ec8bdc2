"""The options that define an API connection, and what comes of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.lakehouse.findings import Finding
    from core.lakehouse.provisioning.plan import Wanted
    from core.lakehouse.sql.statements import Syntax

NAME_HELP = "the name of the connection in the Lakehouse"
NEEDED = ("provider", "region", "role_arn", "bucket")
_OPTION_OF = {  # the field of a finding, as it is typed
    "provider": "--provider",
    "region": "--region",
    "role_arn": "--role-arn",
    "code_bucket": "--bucket",
    "more_buckets": "--more-bucket",
    "namespace": "--namespace",
    "comment": "--comment",
}
OTHERS = ("namespace", "comment", "scope", "more_bucket")


def add_definition_options(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add the options that `wanted` reads."""
    options = parser.add_argument_group("what the connection is")
    options.add_argument("--provider", required=required, metavar="CLOUD", help="aliyun, tencent or aws")
    options.add_argument("--region", required=required, metavar="REGION", help="where the functions run: cn-hangzhou")
    options.add_argument(
        "--role-arn", required=required, metavar="ARN", help="the role that the Lakehouse assumes, in your account"
    )
    options.add_argument("--bucket", required=required, metavar="NAME", help="the bucket with the functions' code")
    options.add_argument("--namespace", metavar="NAME", help="Tencent Cloud only; 'default' when it is left out")
    options.add_argument("--comment", metavar="TEXT", help="only the properties form of the statement can hold one")
    add_policy_options(parser)


def add_policy_options(parser: argparse.ArgumentParser) -> None:
    """Add the options about what the role may do."""
    policies = parser.add_argument_group("what its role may do")
    policies.add_argument(
        "--scope",
        choices=("documented", "least"),
        help="documented: what the vendor asks for (the default); least: what functions need, no more",
    )
    policies.add_argument(
        "--more-bucket", action="append", metavar="NAME", help="another bucket that it may use; can be repeated"
    )


def add_syntax_option(parser: argparse.ArgumentParser) -> None:
    """Add --syntax, which `chosen_syntax` reads."""
    parser.add_argument(
        "--syntax", choices=("clauses", "properties"), default="clauses", help="the form of CREATE API CONNECTION"
    )


def chosen_syntax(arguments: argparse.Namespace) -> Syntax:
    """The form of the statement that was asked for."""
    from core.lakehouse.sql.statements import Syntax

    return Syntax(getattr(arguments, "syntax", Syntax.CLAUSES))


def defines_all(arguments: argparse.Namespace) -> bool:
    """Whether the options alone say what the connection is."""
    return all(getattr(arguments, option) is not None for option in NEEDED)


def defines_some(arguments: argparse.Namespace) -> bool:
    """Whether any option says something of what the connection is."""
    return any(getattr(arguments, option, None) is not None for option in (*NEEDED, *OTHERS))


def wanted(arguments: argparse.Namespace, base: Wanted | None = None) -> Wanted:
    """What the options ask for; where they say nothing it is as in `base`. Raises BadInputError for the provider."""
    from core.lakehouse.connections import ApiConnection, Provider
    from core.lakehouse.documents import PolicyScope
    from core.lakehouse.provisioning.plan import Wanted
    from core.lakehouse.rules.validation import DEFAULT_NAMESPACE, parse_provider

    before = None if base is None else base.connection

    def said(option: str, known: str) -> str:
        given: str | None = getattr(arguments, option, None)
        return known if given is None else given

    provider = parse_provider(said("provider", "" if before is None else before.provider.value))
    same_cloud = before is not None and before.provider is provider
    usual = DEFAULT_NAMESPACE if provider is Provider.TENCENT else ""
    connection = ApiConnection(
        arguments.name,
        provider,
        said("region", before.region if before else ""),
        said("role_arn", before.role_arn if before else ""),
        said("bucket", before.code_bucket if before else ""),
        said("namespace", before.namespace if before is not None and same_cloud else usual),
        said("comment", before.comment if before else ""),
    )
    scope = arguments.scope or (base.scope if base else PolicyScope.DOCUMENTED)
    more = arguments.more_bucket if arguments.more_bucket is not None else (base.more_buckets if base else ())
    return Wanted(connection, PolicyScope(scope), tuple(more), base.policy_suffix if base else "")


def refuse_wrong(asked: Wanted) -> tuple[str, ...]:
    """Raise BadInputError for a definition that cannot work, a line for each field; returns what else is to be said."""
    from core.errors import BadInputError
    from core.lakehouse.findings import Severity
    from core.lakehouse.provisioning.plan import definition_findings

    findings = definition_findings(asked)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if len(errors) == 1:
        told = f"{_option(errors[0])}: {errors[0].message}"
        raise BadInputError(told, advice=f"{errors[0].advice} Nothing was created.".lstrip())
    if errors:
        lines = "\n  ".join(map(_told, errors))
        raise BadInputError(f"These cannot be used:\n  {lines}", advice="Nothing was created.")
    return tuple(map(_told, findings))


def _told(finding: Finding) -> str:
    return f"{_option(finding)}: {finding.message} {finding.advice}".rstrip()


def _option(finding: Finding) -> str:
    return _OPTION_OF.get(finding.field, "NAME")
