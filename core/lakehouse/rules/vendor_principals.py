"""Whom a role must trust: Singdata's own accounts, one for each cloud and partition. Data, kept in this one place.

A role that trusts another account than these gives it away; a role ARN in one of these accounts is a copied sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.errors import NotFoundError
from core.lakehouse.connections import Provider

_DOCUMENTATION = "https://www.yunqi.tech/documents/create-api-connection"


@dataclass(frozen=True, slots=True)
class VendorPrincipal:
    """An account of the vendor, as a trust policy names it."""

    provider: Provider
    partition: str  # first part of its ARNs, the second one for AWS: `acs`, `qcs`, `aws`, `aws-cn`
    account: str
    principal: str
    source: str
    read: date


VENDOR_PRINCIPALS: tuple[VendorPrincipal, ...] = (
    VendorPrincipal(
        Provider.ALIYUN,
        "acs",
        "1384322691904283",
        "acs:ram::1384322691904283:root",
        _DOCUMENTATION,
        date(2026, 11, 26),
    ),
    VendorPrincipal(
        Provider.TENCENT,
        "qcs",
        "100029595716",
        "qcs::cam::uin/100029595716:root",
        _DOCUMENTATION,
        date(2026, 11, 26),
    ),
    VendorPrincipal(
        Provider.AWS,
        "aws-cn",
        "028022243208",
        "arn:aws-cn:iam::028022243208:root",
        _DOCUMENTATION,
        date(2026, 11, 26),
    ),
    VendorPrincipal(
        Provider.AWS,
        "aws",
        "014617434350",
        "arn:aws:iam::014617434350:root",
        _DOCUMENTATION,
        date(2026, 11, 26),
    ),
)

VENDOR_ACCOUNTS: frozenset[str] = frozenset(each.account for each in VENDOR_PRINCIPALS)


def vendor_principal(provider: Provider, partition: str = "") -> VendorPrincipal:
    """Whom a role of this cloud and partition must trust. Raises NotFoundError where the vendor has no account.

    The partition matters for AWS only; there it is `aws` when nothing is said.
    """
    wanted = (partition or "aws") if provider is Provider.AWS else ""
    for each in VENDOR_PRINCIPALS:
        if each.provider is provider and wanted in ("", each.partition):
            return each
    raise NotFoundError(f"Singdata has no account in the partition {wanted} of {provider.cloud}.")
