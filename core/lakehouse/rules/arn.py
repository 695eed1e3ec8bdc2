"""Role ARNs of the three clouds: the name that a connection gives of the role that the Lakehouse assumes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.connections import Provider

ALIYUN_ACCOUNT_DIGITS = 16
AWS_PARTITIONS = ("aws", "aws-cn")

_FORMS = {
    Provider.ALIYUN: "acs:ram::<account id>:role/<role>",
    Provider.TENCENT: "qcs::cam::uin/<account id>:roleName/<role>",
    Provider.AWS: "arn:aws:iam::<account id>:role/<role>, with aws-cn for aws in China",
}
_BEGINNINGS = {"acs:": Provider.ALIYUN, "qcs:": Provider.TENCENT, "arn:": Provider.AWS}
# What a role may be called, by the clouds' own rules.
_ALIYUN_ROLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TENCENT_ROLE = re.compile(r"[A-Za-z0-9_.@:+=,-]{1,128}")
_AWS_ROLE = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_AWS_PATH = re.compile(r"/(?:[!-.0-~]+/)*")
_LONGEST_AWS_PATH = 512
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class RoleArn:
    """A role ARN, taken apart. `str()` puts it together again."""

    provider: Provider
    partition: str  # `acs`, `qcs`, `aws`, `aws-cn`
    account: str
    path: str  # AWS only: `/` or `/team/`; `/` elsewhere
    role: str

    def __str__(self) -> str:
        if self.provider is Provider.ALIYUN:
            return f"acs:ram::{self.account}:role/{self.role}"
        if self.provider is Provider.TENCENT:
            return f"qcs::cam::uin/{self.account}:roleName/{self.role}"
        return f"arn:{self.partition}:iam::{self.account}:role{self.path}{self.role}"


def role_arn_form(provider: Provider) -> str:
    """How a role ARN of the cloud is written, for a hint or an error."""
    return _FORMS[provider]


def provider_of_arn(text: str) -> Provider | None:
    """The cloud that a role ARN belongs to, by its beginning; None when it begins like none of them."""
    return _BEGINNINGS.get(text[:4].lower())


def parse_role_arn(text: str) -> RoleArn:
    """Take a role ARN apart. Raises BadInputError that says which part is wrong, and what it should be."""
    provider = provider_of_arn(text)
    if provider is None:
        raise BadInputError(
            f"{_shown(text)} is not a role ARN: it must begin with acs: (Alibaba Cloud), qcs: (Tencent Cloud) or "
            "arn: (AWS).",
            advice="Copy the ARN from the page of the role in the cloud's console.",
        )
    if provider is Provider.ALIYUN:
        return _aliyun(text)
    return _tencent(text) if provider is Provider.TENCENT else _aws(text)


def _aliyun(text: str) -> RoleArn:
    parts = text.split(":", 4)
    if len(parts) != 5 or parts[:3] != ["acs", "ram", ""]:
        raise _wrong(Provider.ALIYUN, text, "it must begin with acs:ram::")
    _check_account(Provider.ALIYUN, text, parts[3], "digits")
    kind, _, role = parts[4].partition("/")
    if kind != "role":
        raise _wrong(Provider.ALIYUN, text, "role/ must follow the account id")
    _check_role(Provider.ALIYUN, text, role, _ALIYUN_ROLE, "1 to 64 letters, digits and . _ -")
    return RoleArn(Provider.ALIYUN, "acs", parts[3], "/", role)


def _tencent(text: str) -> RoleArn:
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[:4] != ["qcs", "", "cam", ""]:
        raise _wrong(Provider.TENCENT, text, "it must begin with qcs::cam::")
    kind, _, account = parts[4].partition("/")
    if kind != "uin":
        raise _wrong(Provider.TENCENT, text, "uin/ must stand before the account id")
    _check_account(Provider.TENCENT, text, account, "6 to 15 digits", range(6, 16))
    kind, _, role = parts[5].partition("/")
    if kind == "role":
        raise _wrong(Provider.TENCENT, text, "it names the role by its id; the Lakehouse wants roleName/ and the name")
    if kind != "roleName":
        raise _wrong(Provider.TENCENT, text, "roleName/ must follow the account id")
    _check_role(Provider.TENCENT, text, role, _TENCENT_ROLE, "1 to 128 letters, digits and _ . @ : + = , -")
    return RoleArn(Provider.TENCENT, "qcs", account, "/", role)


def _aws(text: str) -> RoleArn:
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise _wrong(Provider.AWS, text, "it must have six parts with colons between them")
    if parts[1] not in AWS_PARTITIONS:
        raise _wrong(Provider.AWS, text, f"the partition {_shown(parts[1])} must be aws, or aws-cn in China")
    if parts[2:4] != ["iam", ""]:
        raise _wrong(Provider.AWS, text, "iam:: must follow the partition")
    _check_account(Provider.AWS, text, parts[4], "12 digits", range(12, 13))
    kind, slash, rest = parts[5].partition("/")
    if kind != "role" or not slash:
        raise _wrong(Provider.AWS, text, "role/ must follow the account id")
    directory, _, role = rest.rpartition("/")
    path = f"/{directory}/" if directory or rest.startswith("/") else "/"
    if len(path) > _LONGEST_AWS_PATH or not _AWS_PATH.fullmatch(path):
        raise _wrong(Provider.AWS, text, f"the path {_shown(path)} is not one or more names between slashes")
    _check_role(Provider.AWS, text, role, _AWS_ROLE, "1 to 64 letters, digits and _ + = , . @ -")
    return RoleArn(Provider.AWS, parts[1], parts[4], path, role)


def _check_account(provider: Provider, text: str, account: str, rule: str, lengths: range | None = None) -> None:
    if not _DIGITS.fullmatch(account) or (lengths is not None and len(account) not in lengths):
        raise _wrong(provider, text, f"the account id {_shown(account)} must be {rule}")


def _check_role(provider: Provider, text: str, role: str, rule: re.Pattern[str], words: str) -> None:
    if not rule.fullmatch(role):
        raise _wrong(provider, text, f"the role's name {_shown(role)} must be {words}")


def _wrong(provider: Provider, text: str, reason: str) -> BadInputError:
    return BadInputError(
        f"{_shown(text)} is not a role ARN of {provider.cloud}: {reason}.", advice=f"Its form: {_FORMS[provider]}."
    )


def _shown(text: str) -> str:
    return one_line(text, 90) or "(empty)"
