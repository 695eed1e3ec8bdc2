"""What is wrong with the definition of a connection: each field by the rules of its cloud, and the fields together.

One function per field, for a form that checks while typing; `problems` for all of them. Each gives the worst of what
it finds, None when nothing is wrong. A region that is not known is never an error: clouds open new ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.quoting import PLAIN_NAME
from core.lakehouse.rules.arn import ALIYUN_ACCOUNT_DIGITS, RoleArn, parse_role_arn, provider_of_arn, role_arn_form
from core.lakehouse.rules.bucket_names import USUAL_APP_ID_DIGITS, bucket_problem, split_cos_bucket
from core.lakehouse.rules.regions import clouds_with, nearest_region, partition_of, regions
from core.lakehouse.rules.vendor_principals import VENDOR_ACCOUNTS

TENCENT_ROLE = "LakehouseRole"  # the only name under which the Lakehouse finds a role in Tencent Cloud
DEFAULT_NAMESPACE = "default"

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFORMATION)
_FORBIDDEN = frozenset("'\"`\\")
_NAMESPACE = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,58}[A-Za-z0-9])?")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]*")
_EXTERNAL_ID_LENGTHS = range(2, 1225)  # AWS's rule, the widest of the three
_PROVIDER_NAMES = {  # what people write for a cloud
    "aliyun": Provider.ALIYUN,
    "alibaba": Provider.ALIYUN,
    "alibabacloud": Provider.ALIYUN,
    "alicloud": Provider.ALIYUN,
    "tencent": Provider.TENCENT,
    "tencentcloud": Provider.TENCENT,
    "qcloud": Provider.TENCENT,
    "aws": Provider.AWS,
    "amazon": Provider.AWS,
}


def problems(connection: ApiConnection) -> tuple[Finding, ...]:
    """All that is wrong with a connection, errors first, then in the order of its fields."""
    provider = connection.provider
    found = [
        *_name_findings(connection.name),
        *_region_findings(provider, connection.region),
        *_role_arn_findings(provider, connection.role_arn, connection.region),
        *_code_bucket_findings(provider, connection.code_bucket),
        *_namespace_findings(provider, connection.namespace),
        *_comment_findings(connection.comment),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def connection_name_finding(name: str) -> Finding | None:
    """What is wrong with the name of a connection; it may be qualified with its workspace."""
    return _worst(_name_findings(name))


def provider_finding(text: str) -> Finding | None:
    """What is wrong with a provider as it was typed."""
    try:
        parse_provider(text)
    except BadInputError as error:
        return Finding(Severity.ERROR, "unknown-provider", error.message, error.advice, field="provider")
    return None


def region_finding(provider: Provider, region: str) -> Finding | None:
    """What is wrong with a region."""
    return _worst(_region_findings(provider, region))


def role_arn_finding(provider: Provider, role_arn: str, region: str = "") -> Finding | None:
    """What is wrong with a role ARN; with a region, also whether it is in that region's partition."""
    return _worst(_role_arn_findings(provider, role_arn, region))


def code_bucket_finding(provider: Provider, code_bucket: str) -> Finding | None:
    """What is wrong with the name of a bucket."""
    return _worst(_code_bucket_findings(provider, code_bucket))


def namespace_finding(provider: Provider, namespace: str) -> Finding | None:
    """What is wrong with a namespace, or with its absence."""
    return _worst(_namespace_findings(provider, namespace))


def comment_finding(comment: str) -> Finding | None:
    """What is wrong with a comment."""
    return _worst(_comment_findings(comment))


def parse_provider(text: str) -> Provider:
    """The cloud that is meant, in any case of letters. Raises BadInputError with the nearest one."""
    import difflib  # only a mistake needs it

    word = text.strip().lower()
    if word in set(Provider):
        return Provider(word)
    near = difflib.get_close_matches(word.replace(" ", "").replace("_", "").replace("-", ""), _PROVIDER_NAMES, n=1)
    advice = f"Did you mean {_PROVIDER_NAMES[near[0]].value}? " if near else ""
    shown = one_line(text, 60)
    raise BadInputError(
        f"{shown} is not a provider." if shown else "The provider is missing.",
        advice=f"{advice}It must be one of {', '.join(Provider)}.",
    )


def external_id_problem(text: str) -> str:
    """Why `text` cannot be the external id of a connection, as half a sentence; empty when it can."""
    if not text:
        return "it is empty"
    if text == PLACEHOLDER_EXTERNAL_ID:
        return "it is the placeholder, not the id that DESC CONNECTION tells"
    if text != text.strip():
        return "it has spaces around it"
    if not _EXTERNAL_ID.fullmatch(text):
        wrong = next(each for each in text if not _EXTERNAL_ID.fullmatch(each))
        return f"it may only have letters, digits and _ + = , . @ : / -, and has {one_line(wrong)!r}"
    if len(text) not in _EXTERNAL_ID_LENGTHS:
        return f"it must have 2 to 1,224 characters, and has {len(text):,}"
    return ""


def _worst(found: Iterator[Finding]) -> Finding | None:
    return min(found, key=lambda finding: _ORDER.index(finding.severity), default=None)


def _error(code: str, field: str, message: str, advice: str = "") -> Finding:
    return Finding(Severity.ERROR, code, message, advice, field=field)


def _warning(code: str, field: str, message: str, advice: str = "") -> Finding:
    return Finding(Severity.WARNING, code, message, advice, field=field)


def _character_findings(field: str, what: str, text: str) -> Iterator[Finding]:
    """Nothing that a statement or a document would need to escape: so nothing can break out of a value."""
    wrong = next((each for each in text if each in _FORBIDDEN or each.isspace() or not each.isprintable()), None)
    if wrong is None:
        return
    kind = "white space" if wrong.isspace() else "the character"
    shown = "" if wrong == " " else f" {one_line(wrong)}"
    yield _error("forbidden-character", field, f"{what} has {kind}{shown}, which no value may have.", "Remove it.")


def _name_findings(name: str) -> Iterator[Finding]:
    if not name:
        yield _error("name-missing", "name", "The name of the connection is missing.", "Write a name like udf_conn.")
        return
    if forbidden := list(_character_findings("name", "The name", name)):
        yield from forbidden
        return
    parts = name.split(".")
    if not all(parts):
        yield _error(
            "name-part-empty",
            "name",
            f"The name {one_line(name, 60)} has an empty part beside a dot.",
            "Write a name, or workspace.name.",
        )
    elif not all(map(PLAIN_NAME.fullmatch, parts)):
        yield _warning(
            "name-not-plain",
            "name",
            f"The name {one_line(name, 60)} must stand in backticks wherever it is used.",
            "Begin with a letter or _, and use only letters, digits and _.",
        )


def _region_findings(provider: Provider, region: str) -> Iterator[Finding]:
    if not region:
        yield _error(
            "region-missing",
            "region",
            "The region is missing.",
            "Write that of the functions, like " + _example(provider),
        )
        return
    if forbidden := list(_character_findings("region", "The region", region)):
        yield from forbidden
        return
    known = regions(provider)
    shown = one_line(region, 60)
    if region in known.closed:
        yield _warning(
            "region-closed",
            "region",
            f"{provider.cloud} no longer runs functions in {shown}.",
            "Use another region, the one that the Lakehouse is in if there is one.",
        )
    elif region not in known.partitions:
        others = [each.cloud for each in clouds_with(region)]
        near = nearest_region(provider, region)
        advice = f"Did you mean {near}?" if near else f"The source of the known ones: {known.source}."
        where = f"; it is one of {' and '.join(others)}" if others else ""
        message = f"{shown} is not a known region of {provider.cloud}'s {known.service}{where}."
        yield _warning("region-unknown", "region", message, advice)


def _example(provider: Provider) -> str:
    return {Provider.ALIYUN: "cn-hangzhou.", Provider.TENCENT: "ap-shanghai.", Provider.AWS: "cn-north-1."}[provider]


def _role_arn_findings(provider: Provider, role_arn: str, region: str) -> Iterator[Finding]:
    if not role_arn:
        form = f"Its form: {role_arn_form(provider)}."
        yield _error("role-arn-missing", "role_arn", "The role ARN is missing.", form)
        return
    if forbidden := list(_character_findings("role_arn", "The role ARN", role_arn)):
        yield from forbidden
        return
    of_cloud = provider_of_arn(role_arn)
    if of_cloud not in (None, provider):
        yield _error(
            "role-arn-of-other-cloud",
            "role_arn",
            f"The role ARN is one of {of_cloud.cloud if of_cloud else ''}, the provider is {provider.value}.",
            f"Its form: {role_arn_form(provider)}.",
        )
        return
    try:
        arn = parse_role_arn(role_arn)
    except BadInputError as error:
        yield _error("role-arn-form", "role_arn", error.message, error.advice)
        return
    yield from _parsed_arn_findings(arn, region)


def _parsed_arn_findings(arn: RoleArn, region: str) -> Iterator[Finding]:
    if arn.account in VENDOR_ACCOUNTS:
        yield _error(
            "vendor-account-as-own",
            "role_arn",
            f"The account {arn.account} is the vendor's own: the role must be in your account.",
            "Write the id of your account; the vendor's belongs into the role's trust policy.",
        )
    wanted = partition_of(arn.provider, region) if region else arn.partition
    if arn.partition != wanted:
        yield _error(
            "partition-not-of-region",
            "role_arn",
            f"The region {one_line(region, 60)} is in the partition {wanted}, the role ARN in {arn.partition}.",
            f"Write arn:{wanted}:…, or choose a region of {arn.partition}.",
        )
    if arn.provider is Provider.ALIYUN and len(arn.account) != ALIYUN_ACCOUNT_DIGITS:
        yield _warning(
            "account-id-length",
            "role_arn",
            f"The account id {one_line(arn.account, 40)} has {len(arn.account)} digits; Alibaba Cloud's have 16.",
            "Copy the ARN from the page of the role in the RAM console.",
        )
    if arn.provider is Provider.TENCENT and arn.role != TENCENT_ROLE:
        yield _warning(
            "tencent-role-name",
            "role_arn",
            f"The role is called {arn.role}: the Lakehouse answers that it does not exist under other names than "
            f"{TENCENT_ROLE}.",
            f"Call the role {TENCENT_ROLE} and its policy LakehouseAccess.",
        )


def _code_bucket_findings(provider: Provider, bucket: str) -> Iterator[Finding]:
    if not bucket:
        advice = "Write the name of the bucket that holds the code of the functions."
        yield _error("code-bucket-missing", "code_bucket", "The code bucket is missing.", advice)
        return
    if forbidden := list(_character_findings("code_bucket", "The code bucket", bucket)):
        yield from forbidden
        return
    if problem := bucket_problem(provider, bucket):
        message = f"The code bucket {one_line(bucket, 70)} cannot be one of {provider.cloud}: {problem}."
        yield _error("code-bucket-name", "code_bucket", message, "Copy the name from the bucket's page.")
    elif provider is Provider.TENCENT and len(app_id := split_cos_bucket(bucket)[1]) != USUAL_APP_ID_DIGITS:
        yield _warning(
            "app-id-length",
            "code_bucket",
            f"The app id {one_line(app_id, 40)}, after the last hyphen, has {len(app_id)} digits; usual are "
            f"{USUAL_APP_ID_DIGITS}.",
            "Compare it with the app id on the page of the account.",
        )


def _namespace_findings(provider: Provider, namespace: str) -> Iterator[Finding]:
    if forbidden := list(_character_findings("namespace", "The namespace", namespace)):
        yield from forbidden
        return
    if provider is not Provider.TENCENT:
        if namespace and namespace != DEFAULT_NAMESPACE:
            message = f"{provider.cloud}'s functions have no namespaces: it says nothing here."
            advice = f"Leave it out, or write {DEFAULT_NAMESPACE}."
            yield Finding(Severity.INFORMATION, "namespace-unused", message, advice, field="namespace")
    elif not namespace:
        message = "The namespace is missing: the Lakehouse refuses a connection to Tencent Cloud without one."
        yield _error(
            "namespace-missing", "namespace", message, f"Write that of the functions, usually {DEFAULT_NAMESPACE}."
        )
    elif not _NAMESPACE.fullmatch(namespace):
        yield _warning(
            "namespace-form",
            "namespace",
            f"{one_line(namespace, 70)} is probably no namespace of Tencent Cloud.",
            "It begins with a letter, has up to 60 letters, digits, _ and -, and ends with a letter or digit.",
        )


def _comment_findings(comment: str) -> Iterator[Finding]:
    wrong = next((each for each in comment if not each.isprintable()), None)
    if wrong is not None:
        message = f"The comment has the invisible character {one_line(wrong)}."
        yield _error("forbidden-character", "comment", message, "Remove it.")
