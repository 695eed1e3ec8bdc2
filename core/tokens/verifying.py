"""Verifying a token: everything that can be known without DataLens's private key, and with one (for testing) the rest.

A partner cannot read the database name in a token: it is encrypted to DataLens. What a token opens is known from the
ledger, by the fingerprint of its text.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1

from core.display import exact_time, one_line
from core.errors import HousekeysError
from core.keys.versions import KeyState, KeyVersion, Side
from core.tokens.ledger import IssuedToken, TokenState
from core.tokens.text_format import Token, TokenFormatError, fingerprint_of, parse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `passed` None: it says something worth knowing, and decides nothing."""

    check: str
    passed: bool | None
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """All that was found, in the order in which the receiver would come to it."""

    findings: tuple[Finding, ...]
    fingerprint: str
    token: Token | None = None
    issued: IssuedToken | None = None
    database: str | None = None  # read with DataLens's private key, where one was given

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(finding.passed is not False for finding in self.findings)


async def verify(
    pasted: str,
    versions: Sequence[KeyVersion],
    find_issued: Callable[[str], Awaitable[IssuedToken | None]],
    datalens_key: rsa.RSAPrivateKey | None = None,
) -> Verification:
    """Check a pasted token against the known `versions` and the ledger (`find_issued`, by fingerprint).

    `datalens_key` is a private key of the DataLens side that the operator holds for testing.
    """
    text = pasted.strip()
    findings: list[Finding] = []
    try:
        token = parse(text)
    except TokenFormatError as error:
        return Verification((Finding("structure", False, str(error)),), fingerprint_of(text))
    findings.append(_structure(pasted, text))
    partner = _known(versions, Side.PARTNER, token.partner_version)
    findings += [_version(versions, side, number) for side, number in _numbers(token)]
    findings.append(_signature(token, partner))
    mark = fingerprint_of(text)
    issued = await find_issued(mark)
    findings += _ledger(token, issued)
    database = None
    if datalens_key is not None:
        finding, database = _decrypted(token, datalens_key, issued)
        findings.append(finding)
    return Verification(tuple(findings), mark, token, issued, database)


def _structure(pasted: str, text: str) -> Finding:
    blanks = ""
    if pasted != text and pasted.rstrip() != text:
        blanks = " Blanks before it were left out here; DataLens would stumble over them."
    return Finding("structure", True, f"Four parts, 256 bytes each of data and signature.{blanks}")


def _numbers(token: Token) -> tuple[tuple[Side, int], tuple[Side, int]]:
    return (Side.DATALENS, token.datalens_version), (Side.PARTNER, token.partner_version)


def _known(versions: Sequence[KeyVersion], side: Side, number: int) -> KeyVersion | None:
    return next((v for v in versions if v.side is side and v.version == number), None)


def _version(versions: Sequence[KeyVersion], side: Side, number: int) -> Finding:
    check = f"{side.owner} key version"
    version = _known(versions, side, number)
    if version is None:
        return Finding(check, False, f"{number} is not known here.")
    if version.state is KeyState.RETIRED:
        return Finding(check, None, f"{number} is retired: once DataLens has dropped it, the token is refused.")
    if side is Side.PARTNER and version.state in (KeyState.GENERATED, KeyState.SUBMITTED):
        return Finding(check, None, f"{number} is only {version.state}: DataLens may not know it yet.")
    return Finding(check, True, f"{number} is {version.state}.")


def _signature(token: Token, partner: KeyVersion | None) -> Finding:
    if partner is None:
        return Finding("signature", False, "It cannot be checked: the partner key is not known here.")
    try:
        partner.public_key.verify(token.signature, token.ciphertext, PKCS1v15(), SHA1())  # noqa: S303 - the protocol
    except InvalidSignature:
        return Finding("signature", False, f"It is not by partner key {partner.version}, or the token was altered.")
    except (UnsupportedAlgorithm, HousekeysError) as error:
        return Finding("signature", False, f"It cannot be checked here: {error}")
    return Finding("signature", True, f"Good, by partner key {partner.version} ({partner.fingerprint[:16]}…).")


def _ledger(token: Token, issued: IssuedToken | None) -> list[Finding]:
    if issued is None:
        return [Finding("ledger", None, "It is not in the ledger: it was not issued through this journal.")]
    who = f"Issued for {one_line(issued.tenant)} by {one_line(issued.operator)}, {exact_time(issued.issued)}."
    findings = [Finding("ledger", True, who)]
    if (issued.datalens_version, issued.partner_version) != (token.datalens_version, token.partner_version):
        findings = [Finding("ledger", False, f"{who} The ledger names other key versions.")]
    if issued.state is TokenState.VOID:
        since = exact_time(issued.state_since)
        message = f"Marked void, {since}. DataLens does not know that: it still takes the token while it has its keys."
        findings.append(Finding("state", None, message))
    else:
        findings.append(Finding("state", True, f"Marked {issued.state}, {exact_time(issued.state_since)}."))
    return findings


def _decrypted(token: Token, key: rsa.RSAPrivateKey, issued: IssuedToken | None) -> tuple[Finding, str | None]:
    """The receiver's last steps. A wrong key gives bytes as well (implicit rejection): JSON is the judge."""
    check = "content"
    try:
        content = json.loads(key.decrypt(token.ciphertext, PKCS1v15()).decode("utf-8"))
    except (ValueError, RecursionError):
        return Finding(check, False, "The given DataLens key does not open it: what comes out is not JSON."), None
    database = content.get("db_name") if isinstance(content, dict) else None
    if not isinstance(database, str) or not database:
        return Finding(check, False, "It opens, and holds no db_name."), None
    shown = one_line(database)
    if issued is not None and issued.tenant != database:
        return Finding(check, False, f"It opens {shown}, but the ledger says {one_line(issued.tenant)}."), database
    return Finding(check, True, f"It opens {shown}."), database
