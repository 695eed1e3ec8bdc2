"""What is wrong with a permission policy of a connection's role, beside its version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.policies.aliyun_documents import FUNCTION_SERVICE as ALIYUN_FUNCTIONS
from core.lakehouse.policies.aliyun_documents import SYSTEM_FUNCTION_POLICY, custom_function_policy
from core.lakehouse.policies.aws_documents import FUNCTION_SERVICE as AWS_FUNCTIONS
from core.lakehouse.policies.policy_reading import (
    PolicyDocument,
    PolicyStatement,
    read_document,
    service_of,
    wildcard_covers,
)
from core.lakehouse.rules.arn import parse_role_arn
from core.lakehouse.rules.bucket_names import bucket_problem, split_cos_bucket
from core.lakehouse.rules.regions import partition_of

_STORAGE = {Provider.ALIYUN: "oss", Provider.TENCENT: "cos", Provider.AWS: "s3"}
_DOCUMENTED_WILDCARDS = {Provider.ALIYUN: {"fc"}, Provider.TENCENT: {"scf", "cos"}, Provider.AWS: {"lambda"}}
_CREATES = {
    Provider.ALIYUN: "fc:CreateFunction",
    Provider.TENCENT: "scf:CreateFunction",
    Provider.AWS: "lambda:CreateFunction",
}
_PASS_ROLE = {Provider.ALIYUN: "ram:PassRole", Provider.AWS: "iam:PassRole"}
_PASSED_TO = {Provider.ALIYUN: ("acs:Service", ALIYUN_FUNCTIONS), Provider.AWS: ("iam:PassedToService", AWS_FUNCTIONS)}

_BUCKET = {
    Provider.ALIYUN: re.compile(
        r"(?P<place>acs:oss:(?P<region>[^:]*):(?P<account>[^:]*):)(?P<bucket>[^/]+)(?P<path>/.*)?"
    ),
    Provider.TENCENT: re.compile(
        r"(?P<place>qcs:[^:]*:cos:(?P<region>[^:]*):(?:uid/)?(?P<account>[^:]*):)(?P<bucket>[^/]+)(?P<path>/.*)?"
    ),
    Provider.AWS: re.compile(
        r"(?P<place>arn:[^:]*:s3:(?P<region>[^:]*):(?P<account>[^:]*):)(?P<bucket>[^/]+)(?P<path>/.*)?"
    ),
}
_FUNCTION = {
    Provider.ALIYUN: re.compile(r"acs:fc:(?P<region>[^:]*):(?P<account>[^:]*):.*"),
    Provider.TENCENT: re.compile(
        r"qcs:[^:]*:scf:(?P<region>[^:]*):(?:uin/)?(?P<account>[^:]*):(?:namespace/(?P<namespace>[^/]*))?.*"
    ),
    Provider.AWS: re.compile(r"arn:[^:]*:lambda:(?P<region>[^:]*):(?P<account>[^:]*):.*"),
}
# Of the actions of OSS and S3, those that list have `Object` in their names and act on the bucket all the same.
_ON_BUCKET = re.compile(r"\w+:(?:\w*bucket\w*|listobjects?\w*|listmultipartuploads)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Grant:
    """What is allowed on one resource of the storage."""

    bucket: str
    place: str  # all of the resource's name before the bucket
    region: str
    account: str
    on_objects: bool
    actions: tuple[str, ...]


def permission_findings(
    provider: Provider, document: PolicyDocument, connection: ApiConnection | None
) -> Iterator[Finding]:
    """All that is wrong with a permission policy; with a connection, also what does not fit to that one."""
    if provider is Provider.ALIYUN and _is_system_policy(document):
        yield _finding(
            Severity.INFORMATION,
            "system-policy-text",
            f"This is what the system policy {SYSTEM_FUNCTION_POLICY} says since its version 2; a system policy cannot "
            "be edited, and need not be.",
            f"Attach {SYSTEM_FUNCTION_POLICY} to the role as it is.",
        )
        return
    allowing = [each for each in document.statements if each.allows]
    grants = [grant for each in allowing for grant in _grants(provider, each)]
    yield from _form_findings(provider, grants)
    yield from _wildcard_findings(provider, allowing)
    yield from _pass_role_findings(provider, allowing)
    if provider is Provider.TENCENT:
        yield from _cos_findings(allowing, grants)
    if connection is not None:
        yield from _connection_findings(provider, allowing, grants, connection)


def _is_system_policy(document: PolicyDocument) -> bool:
    system = custom_function_policy().document
    return system is not None and frozenset(read_document(system).statements) == frozenset(document.statements)


def _grants(provider: Provider, statement: PolicyStatement) -> Iterator[_Grant]:
    service = _STORAGE[provider]
    actions = tuple(each for each in statement.actions if service_of(each).lower() in (service, ""))
    for resource in statement.resources:
        if actions and (match := _BUCKET[provider].fullmatch(resource)):
            yield _Grant(
                match["bucket"], match["place"], match["region"], match["account"], bool(match["path"]), actions
            )


def _form_findings(provider: Provider, grants: list[_Grant]) -> Iterator[Finding]:
    """A bucket and what is in it are two resources: an action is allowed nothing on the other one."""
    for bucket in dict.fromkeys(grant.bucket for grant in grants):
        of_bucket = [grant for grant in grants if grant.bucket == bucket]
        place = one_line(of_bucket[0].place + bucket, 120)
        if "*" not in bucket and (problem := bucket_problem(provider, bucket)):
            yield _finding(
                Severity.WARNING,
                "bucket-name",
                f"{one_line(bucket, 70)} cannot be a bucket of {provider.cloud}: {problem}.",
                "Put the name of the code bucket in its place.",
            )
        on_objects = [each for grant in of_bucket if grant.on_objects for each in grant.actions]
        on_bucket = [each for grant in of_bucket if not grant.on_objects for each in grant.actions]
        if provider is Provider.TENCENT:
            if not on_objects:
                yield _finding(
                    Severity.ERROR,
                    "objects-not-allowed",
                    f"{place} has no /* at the end: it allows nothing on what is in the bucket, and CREATE FUNCTION "
                    "fails with status code 403.",
                    f"Write {place}/*.",
                )
            continue
        if lost := [each for each in on_bucket if not _acts_on_bucket_only(each) and not _has(on_objects, each)]:
            yield _finding(
                Severity.ERROR,
                "objects-not-allowed",
                f"{_list(lost)} {_acts(lost)} on objects, and only the bucket {place} is named.",
                f"Name {place}/* as well.",
            )
        if lost := [each for each in on_objects if _acts_on_bucket(each) and not _has(on_bucket, each)]:
            yield _finding(
                Severity.ERROR,
                "bucket-not-allowed",
                f"{_list(lost)} {_acts(lost)} on the bucket, and only what is in it is named, {place}/*.",
                f"Name {place} as well.",
            )


def _acts_on_bucket_only(action: str) -> bool:
    return "*" not in action and _ON_BUCKET.fullmatch(action) is not None


def _acts_on_bucket(action: str) -> bool:
    return action.endswith("*") or _ON_BUCKET.fullmatch(action) is not None


def _has(actions: list[str], action: str) -> bool:
    return any(wildcard_covers(each, action) for each in actions)


def _wildcard_findings(provider: Provider, allowing: list[PolicyStatement]) -> Iterator[Finding]:
    storage = _STORAGE[provider]
    for statement in allowing:
        if statement.excepted:
            message = "A statement allows all but what it lists, which is wider than documented."
            yield _finding(Severity.WARNING, "negated-statement", message, "List what is allowed instead.")
        for action in statement.actions:
            service = service_of(action).lower()
            if action in ("*", "*:*"):
                message = "A statement allows every action of every service, which is wider than documented."
                yield _finding(
                    Severity.WARNING, "wildcard-action", message, "List the actions of functions and bucket."
                )
            elif action.endswith(":*") and service not in _DOCUMENTED_WILDCARDS[provider]:
                message = f"{one_line(action, 60)} is wider than documented."
                yield _finding(Severity.WARNING, "wildcard-action", message, "List the actions that are needed.")
        if _is_storage(provider, statement) and any(_is_every_bucket(provider, each) for each in statement.resources):
            message = f"Every bucket of the account is allowed by {storage}: actions, which is wider than documented."
            yield _finding(Severity.WARNING, "wildcard-resource", message, "Name the code bucket only.")


def _is_storage(provider: Provider, statement: PolicyStatement) -> bool:
    return _STORAGE[provider] in {service_of(each).lower() for each in statement.actions}


def _is_every_bucket(provider: Provider, resource: str) -> bool:
    match = _BUCKET[provider].fullmatch(resource)
    return resource == "*" or (match is not None and match["bucket"] == "*")


def _pass_role_findings(provider: Provider, allowing: list[PolicyStatement]) -> Iterator[Finding]:
    if provider not in _PASS_ROLE:
        return
    action = _PASS_ROLE[provider]
    key, service = _PASSED_TO[provider]
    passing = [each for each in allowing if _has(list(each.actions), action)]
    if not passing and any(_has(list(each.actions), _CREATES[provider]) for each in allowing):
        yield _finding(
            Severity.INFORMATION if provider is Provider.AWS else Severity.WARNING,
            "pass-role-missing",
            f"It allows creating functions and not {action}, which handing a role to a function needs.",
            f"Allow {action} on the role with the condition {key} = {service}, if CREATE FUNCTION is refused for it.",
        )
    for statement in passing:
        if not any(each.key.lower() == key.lower() for each in statement.conditions):
            yield _finding(
                Severity.WARNING,
                "pass-role-unconditional",
                f"{action} is allowed to every service.",
                f"Add the condition {key} = {service}.",
            )


def _cos_findings(allowing: list[PolicyStatement], grants: list[_Grant]) -> Iterator[Finding]:
    services = {service_of(action).lower() for each in allowing for action in each.actions}
    if "scf" in services and "cos" not in services:
        yield _finding(
            Severity.WARNING,
            "storage-missing",
            "It allows functions and no bucket: CREATE FUNCTION fails with status code 403.",
            "Allow cos:* on qcs::cos:<region>:uid/<app id>:<bucket>/* in the same policy.",
        )
    for grant in grants:
        app_id = split_cos_bucket(grant.bucket)[1]
        if grant.account.isdigit() and app_id != grant.account:
            yield _finding(
                Severity.ERROR,
                "app-id-differs",
                f"The bucket {one_line(grant.bucket, 70)} does not end with the app id {grant.account} before it.",
                f"Write the bucket as {one_line(grant.bucket.removesuffix(f'-{app_id}'), 60)}-{grant.account}.",
            )


def _connection_findings(
    provider: Provider, allowing: list[PolicyStatement], grants: list[_Grant], connection: ApiConnection
) -> Iterator[Finding]:
    resources = [each for statement in allowing for each in statement.resources]
    everywhere = any(_is_storage(provider, each) and "*" in each.resources for each in allowing)
    if grants and not everywhere and not _has([grant.bucket for grant in grants], connection.code_bucket):
        yield _finding(
            Severity.ERROR,
            "code-bucket-not-allowed",
            f"It allows other buckets than the connection's {one_line(connection.code_bucket, 70)}.",
            "Add the code bucket of the connection.",
        )
    try:
        account = parse_role_arn(connection.role_arn).account
    except BadInputError:
        account = ""  # said where the connection itself is checked
    partition = partition_of(provider, connection.region)
    for resource in dict.fromkeys(resources):
        if provider is Provider.AWS and resource.startswith("arn:") and resource.split(":")[1] not in (partition, "*"):
            message = f"{one_line(resource, 120)} is not in the partition {partition} of the connection's region."
            yield _finding(Severity.ERROR, "partition-not-of-region", message, f"Begin it with arn:{partition}:.")
        if match := _FUNCTION[provider].fullmatch(resource):
            yield from _place_findings(resource, match, connection, account)
    for grant in grants:
        if provider is Provider.TENCENT and grant.region not in ("", "*", connection.region):
            message = (
                f"The bucket {one_line(grant.bucket, 70)} is named in {one_line(grant.region, 40)}, the connection "
            )
            yield _finding(
                Severity.ERROR,
                "region-differs",
                f"{message}is in {one_line(connection.region, 40)}.",
                "Name the region of the connection.",
            )


def _place_findings(resource: str, match: re.Match[str], connection: ApiConnection, account: str) -> Iterator[Finding]:
    parts = match.groupdict()
    wanted = {"region": connection.region, "account": account, "namespace": connection.namespace}
    for part, value in wanted.items():
        named = parts.get(part)
        if value and named and not wildcard_covers(named, value):
            yield _finding(
                Severity.ERROR,
                f"{part}-differs",
                f"{one_line(resource, 120)} names another {part} than the connection, {one_line(value, 60)}.",
                f"Name the {part} of the connection.",
            )


def _acts(actions: list[str]) -> str:
    return "act" if len(actions) > 1 else "acts"


def _list(actions: list[str]) -> str:
    names = [one_line(each, 50) for each in dict.fromkeys(actions)]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _finding(severity: Severity, code: str, message: str, advice: str) -> Finding:
    return Finding(severity, code, message, advice)
