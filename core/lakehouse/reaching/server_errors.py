"""What to do about the errors that the Lakehouse, and the clouds behind it, are known to answer with.

The errors are those that the vendor has written down with its samples of external functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.lakehouse.connections import Provider
from core.lakehouse.rules.vendor_principals import vendor_principal


@dataclass(frozen=True, slots=True)
class _KnownError:
    pattern: re.Pattern[str]
    advice: str
    providers: frozenset[Provider] = frozenset(Provider)


def _known(pattern: str, advice: str, *providers: Provider) -> _KnownError:
    return _KnownError(re.compile(pattern, re.IGNORECASE | re.DOTALL), advice, frozenset(providers or Provider))


# The more particular ones first: the first that fits is taken.
_KNOWN = (
    _known(
        r"namespace\s+is\s+required",
        "Write NAMESPACE='default', or the namespace of your functions: Tencent Cloud needs one.",
    ),
    _known(
        r"role\s*arn\s+(?:is|does)\s+not\s+exist",
        "The role must be called LakehouseRole and its policy LakehouseAccess; the ARN is "
        "qcs::cam::uin/<account id>:roleName/LakehouseRole.",
        Provider.TENCENT,
    ),
    _known(
        r"role\s*arn\s+(?:is|does)\s+not\s+exist",
        "Compare the role ARN with the one on the page of the role in the cloud's console.",
    ),
    _known(
        r"HTTP_GENERAL_ERROR\s*\(?\s*640",
        f"Look whether the role's trust policy names the vendor's account {vendor_principal(Provider.ALIYUN).account} "
        "and asks for the external id of this connection; and whether bucket, functions and Lakehouse share a region.",
        Provider.ALIYUN,
    ),
    _known(
        r"HTTP_GENERAL_ERROR\s*\(?\s*640",
        "The function cannot be reached: look at the trust policy of the role, and whether bucket, functions and "
        "Lakehouse are in the same region.",
    ),
    _known(
        r"ram:PassRole",
        "Attach the system policy AliyunFCFullAccess to the role as it is: since its version 2 it allows ram:PassRole "
        "for fc.aliyuncs.com.",
        Provider.ALIYUN,
    ),
    _known(
        r"iam:PassRole",
        "Allow iam:PassRole on the role itself, with the condition iam:PassedToService = lambda.amazonaws.com.",
        Provider.AWS,
    ),
    _known(
        r"role\s+defined\s+for\s+the\s+function\s+cannot\s+be\s+assumed\s+by\s+lambda",
        "Let the service lambda.amazonaws.com assume the role in its trust policy: the functions run under it.",
        Provider.AWS,
    ),
    _known(
        r"sts:AssumeRole",
        "Look whether the role's trust policy names the vendor's account of its partition and asks for the external id "
        "of this connection, and whether the regional endpoint of STS is enabled in the account.",
        Provider.AWS,
    ),
    _known(
        r"sts:AssumeRole",
        "Look whether the trust policy of the role names the vendor's account and asks for the external id of this "
        "connection.",
    ),
    _known(
        r"s3:(?:Put|Get|Delete)Object",
        "Allow the actions on objects on arn:<partition>:s3:::<bucket>/* as well: the bucket's own ARN is not enough.",
        Provider.AWS,
    ),
    _known(
        r"s3:(?:ListBucket|GetBucketLocation)",
        "Allow the actions on the bucket on arn:<partition>:s3:::<bucket>, without anything after the bucket.",
        Provider.AWS,
    ),
    _known(
        r"AccessDenied.*403|403.*AccessDenied|Status\s*Code:?\s*403",
        "Allow cos:* on qcs::cos:<region>:uid/<app id>:<bucket>-<app id>/* in the policy LakehouseAccess; the /* at "
        "the end is needed.",
        Provider.TENCENT,
    ),
    _known(
        r"AccessDenied|NoPermission|Forbidden\.RAM",
        "Attach CzUdfOssAccess to the role, with both acs:oss:*:*:<bucket> and acs:oss:*:*:<bucket>/* in it.",
        Provider.ALIYUN,
    ),
    _known(
        r"AccessDenied|not\s+authorized|UnauthorizedOperation",
        "Compare the policies of the role with the documents of this connection: one of them allows too little.",
    ),
    _known(
        r"function\s+not\s+found",
        "Call the function with its schema: <schema>.<function>.",
    ),
    _known(
        r"timed?[\s_-]*out",
        "A first call takes some seconds, while the code is fetched from the bucket. If it goes on, look whether "
        "bucket, functions and Lakehouse are in the same region.",
    ),
    _known(
        r"already\s+exists?",
        "Choose another name, or look at what is there with DESC CONNECTION.",
    ),
)


def advice_for(text: str, provider: Provider) -> str:
    """What to do about an error, for a connection of this cloud; empty when the error is not known."""
    return next((each.advice for each in _KNOWN if provider in each.providers and each.pattern.search(text)), "")
