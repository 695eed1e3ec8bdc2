"""What texts about API connections are known to say wrong outside of statements and documents.

The vendor's own page says each of these, and runbooks are copied from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from core.lakehouse.findings import Finding, Fix, Severity
from core.lakehouse.rules.vendor_principals import VENDOR_ACCOUNTS
from core.lakehouse.sql.places import Lines

MISSPELLED = {"NAMESPCE": "NAMESPACE", "CONNECITON": "CONNECTION"}
_MISSPELLED = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(MISSPELLED)})(?![A-Za-z0-9])", re.IGNORECASE)
_CREATED_POLICY = re.compile(r"\bcreate a (?:permission )?policy \((?P<name>\w+)\)", re.IGNORECASE)


class _Rule(NamedTuple):
    code: str
    severity: Severity
    pattern: re.Pattern[str]
    message: str
    advice: str


def _rule(code: str, severity: Severity, pattern: str, message: str, advice: str) -> _Rule:
    return _Rule(code, severity, re.compile(pattern, re.IGNORECASE), message, advice)


_RULES = (
    _rule(
        "system-policy-edited",
        Severity.WARNING,
        r"\b(?:edit|modify|change)\s+(?:the\s+)?AliyunFCFullAccess",
        "AliyunFCFullAccess is a system policy of Alibaba Cloud, which nobody can edit.",
        "Only attach it: it has ram:PassRole for fc.aliyuncs.com already.",
    ),
    _rule(
        "vendor-account-as-own",
        Severity.WARNING,
        rf"\bcurrent main account\b[^\n]{{0,120}}?\b(?:{'|'.join(sorted(map(re.escape, VENDOR_ACCOUNTS)))})\b",
        "The account id is the vendor's, and so not the current main account.",
        "Select Other main account, and enter the vendor's id there.",
    ),
    _rule(
        "other-cloud-named",
        Severity.INFORMATION,
        r"\bAlibaba Cloud\b[^\n]{0,80}\bLambda\b",
        "Lambda is a service of AWS, not of Alibaba Cloud.",
        "Read AWS for Alibaba Cloud here.",
    ),
    _rule(
        "other-connection-named",
        Severity.INFORMATION,
        r"\bto create the STORAGE CONNECTION\b",
        "The role ARN is for an API connection here, not for a storage connection.",
        "Read API CONNECTION for STORAGE CONNECTION.",
    ),
    _rule(
        "cloud-left-out",
        Severity.INFORMATION,
        r"\bsupported by API Connection include\b(?![^\n]*(?:AWS|Amazon))",
        "AWS is left out of the clouds that API connections work with.",
        "API connections work with Alibaba Cloud, Tencent Cloud and AWS.",
    ),
)


def prose_findings(text: str) -> Iterator[Finding]:
    """What a text says wrong, misspelled keywords with their fixes."""
    lines = Lines(text)
    for match in _MISSPELLED.finditer(text):
        right = MISSPELLED[match.group().upper()]
        right = right.lower() if match.group().islower() else right
        line, column = lines.place(match.start())
        message = f"{match.group()} is a misspelling of {right}."
        fix = Fix(match.start(), match.end(), right)
        yield Finding(Severity.WARNING, "misspelled", message, f"Write {right}.", line, column, fix=fix)
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            yield Finding(rule.severity, rule.code, rule.message, rule.advice, *lines.place(match.start()))
    yield from _policies_created_twice(text, lines)


def _policies_created_twice(text: str, lines: Lines) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for match in _CREATED_POLICY.finditer(text):
        line, column = lines.place(match.start())
        if first := seen.get(match["name"]):
            message = (
                f"The policy {match['name']} is created here and at line {first}: one of the two is another policy."
            )
            advice = "Give each policy its own name."
            yield Finding(Severity.WARNING, "policy-created-twice", message, advice, line, column)
        seen.setdefault(match["name"], line)
