"""What each cloud lets a bucket be called: the rule that a name breaks, in words.

Sources: the naming rules of OSS (https://help.aliyun.com/en/oss/user-guide/bucket-naming-conventions), of COS
(https://cloud.tencent.com/document/product/436/13312) and of S3
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
"""

from __future__ import annotations

import re

from core.display import one_line
from core.lakehouse.connections import Provider

USUAL_APP_ID_DIGITS = 10  # of COS; older accounts have fewer

_S3_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_S3_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_LONGEST_COS_NAME = 50


def bucket_problem(provider: Provider, bucket: str) -> str:
    """The rule that a bucket's name breaks, as half a sentence; empty when it breaks none."""
    if not bucket:
        return "it is empty"
    if "/" in bucket:
        return "it is an address or a path, and only the bucket's name belongs here"
    if provider is Provider.TENCENT:
        return _cos(bucket)
    return _oss(bucket) if provider is Provider.ALIYUN else _s3(bucket)


def split_cos_bucket(bucket: str) -> tuple[str, str]:
    """A COS bucket as its name and the app id of its owner, which follows the last hyphen (names may have hyphens)."""
    name, _, app_id = bucket.rpartition("-")
    return name, app_id


def _oss(bucket: str) -> str:
    if not 3 <= len(bucket) <= 63:
        return f"it must have 3 to 63 characters, and has {len(bucket)}"
    if problem := _character_problem(bucket, "-", "lower-case letters, digits and hyphens"):
        return problem
    return _ends_problem(bucket)


def _cos(bucket: str) -> str:
    name, app_id = split_cos_bucket(bucket)
    if not re.fullmatch(r"[0-9]+", app_id):
        return "the app id of its account is missing at the end, as in name-1250000000"
    if not name:
        return "the name before the app id is missing"
    if len(name) > _LONGEST_COS_NAME:
        return f"before the app id it must have at most {_LONGEST_COS_NAME} characters, and has {len(name)}"
    if problem := _character_problem(name, "-", "lower-case letters, digits and hyphens"):
        return problem
    return "the name before the app id must neither begin nor end with a hyphen" if name != name.strip("-") else ""


def _s3(bucket: str) -> str:
    if not 3 <= len(bucket) <= 63:
        return f"it must have 3 to 63 characters, and has {len(bucket)}"
    if problem := _character_problem(bucket, ".-", "lower-case letters, digits, hyphens and dots"):
        return problem
    if problem := _ends_problem(bucket):
        return problem
    if ".." in bucket:
        return "it must not have two dots in a row"
    if _ADDRESS.fullmatch(bucket):
        return "it must not have the form of an IP address"
    if prefix := next((each for each in _S3_PREFIXES if bucket.startswith(each)), ""):
        return f"it must not begin with {prefix}, which AWS keeps for itself"
    if suffix := next((each for each in _S3_SUFFIXES if bucket.endswith(each)), ""):
        return f"it must not end with {suffix}, which AWS keeps for itself"
    return ""


def _character_problem(name: str, marks: str, allowed: str) -> str:
    wrong = next(
        (each for each in name if not (each.isascii() and (each.islower() or each.isdigit() or each in marks))), ""
    )
    return f"it may only have {allowed}, and has {one_line(wrong)!r}" if wrong else ""


def _ends_problem(name: str) -> str:
    return "" if name[0].isalnum() and name[-1].isalnum() else "it must begin and end with a letter or digit"
