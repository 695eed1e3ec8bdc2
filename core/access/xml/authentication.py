"""How a user of `users.xml` proves who it is: exactly one element of those that ClickHouse knows.

Source: ClickHouse's `UsersConfigParser.cpp` and `AuthenticationData.cpp`. A secret that is not known here (from
another machine's environment, from ZooKeeper, encrypted) is left out of the method, which then opens nothing.
"""

from __future__ import annotations

import re

from core.access.model import Authentication, AuthKind, SshKey
from core.access.xml.configuration import Configuration
from core.access.xml.nodes import Node
from core.access.xml.problems import shown

_HASHES = {
    "password_sha256_hex": (AuthKind.SHA256, 64),
    "password_scram_sha256_hex": (AuthKind.SCRAM_SHA256, 0),
    "password_double_sha1_hex": (AuthKind.DOUBLE_SHA1, 40),
}
AUTHENTICATION_ELEMENTS = frozenset(
    {
        "no_password",
        "password",
        *_HASHES,
        "ldap",
        "kerberos",
        "ssl_certificates",
        "ssh_keys",
        "http_authentication",
    }
)
_ONE_OF = "Keep exactly one of no_password, password, password_sha256_hex … for each user."


def read_authentication(configuration: Configuration, name: str, user: Node) -> Authentication:
    """The method of a user; a bad one is reported, and what is returned for it opens nothing."""
    found = {child.name: child for child in reversed(user.elements()) if child.name in AUTHENTICATION_ELEMENTS}
    if len(found) != 1:
        message = f"The user {shown(name)} has {'no' if not found else 'more than one'} way to be identified."
        configuration.problems.error(user.origin, message, _ONE_OF)
        return Authentication(AuthKind.SHA256)
    element, node = found.popitem()
    match element:
        case "no_password":
            return Authentication()
        case "password":
            return _plaintext(configuration, name, node)
        case "ldap":
            return Authentication(AuthKind.LDAP, server=_required(configuration, name, node, "server"))
        case "kerberos":
            return Authentication(AuthKind.KERBEROS, realm=configuration.text_in(node, "realm") or "")
        case "ssl_certificates":
            return _certificates(configuration, node)
        case "ssh_keys":
            return _ssh_keys(configuration, node)
        case "http_authentication":
            return _http(configuration, name, node)
    return _hash(configuration, name, node, *_HASHES[element])


def _plaintext(configuration: Configuration, name: str, node: Node) -> Authentication:
    if node.unresolved:
        return Authentication(AuthKind.PLAINTEXT)
    password = configuration.text(node)
    if not password:
        message = f"The user {shown(name)} has an empty password: nobody needs one to be this user."
        configuration.problems.warning(node.origin, message, "Give a password_sha256_hex, or say <no_password/>.")
    elif password.strip() != password:
        message = f"The password of {shown(name)} begins or ends with a blank, which belongs to it."
        configuration.problems.warning(node.origin, message, "Write the text without blanks or line ends around it.")
    return Authentication(AuthKind.PLAINTEXT, password=password)


def _hash(configuration: Configuration, name: str, node: Node, kind: AuthKind, digits: int) -> Authentication:
    if node.unresolved:
        return Authentication(kind)
    text = configuration.text(node)
    if not re.fullmatch("(?:[0-9A-Fa-f]{2})*", text) or (digits and len(text) != digits):
        wanted = f"{digits} hexadecimal digits" if digits else "pairs of hexadecimal digits"
        message = f"The <{node.name}> of {shown(name)} is not {wanted}."
        configuration.problems.error(node.origin, message, "Write the hash alone, without blanks around it.")
        return Authentication(kind)
    return Authentication(kind, hash=text.upper())


def _required(configuration: Configuration, name: str, node: Node, part: str) -> str:
    found = node.first(part)
    text = configuration.text(found) if found is not None else ""
    if not text and not (found is not None and found.unresolved):
        message = f"The <{node.name}> of {shown(name)} has no {part}."
        configuration.problems.error(node.origin, message, f"Add <{part}> with a value.")
    return text


def _certificates(configuration: Configuration, node: Node) -> Authentication:
    names: dict[str, set[str]] = {"common_name": set(), "subject_alt_name": set()}
    for key, child in node.keyed():
        kind = next((kind for kind in names if key.startswith(kind)), None)
        text = configuration.text(child)
        if kind is None:
            message = f"<{child.name}> is no kind of certificate subject."
            configuration.problems.error(child.origin, message, "Use <common_name> or <subject_alt_name>.")
        elif kind == "subject_alt_name" and not text and not child.unresolved:
            message = "An alternative name of a certificate is empty."
            configuration.problems.error(child.origin, message, "Write DNS:host or URI:address.")
        elif not child.unresolved:
            names[kind].add(text)
    alternative = names["subject_alt_name"]
    if alternative and names["common_name"]:
        message = "There are common names beside alternative names."
        advice = "ClickHouse shows and copies the alternative names only: give the others to another user."
        configuration.problems.warning(node.origin, message, advice)
    # ClickHouse keeps them as a set, in the order of their bytes.
    found = tuple(sorted(alternative or names["common_name"], key=str.encode))
    return Authentication(AuthKind.SSL_CERTIFICATE, names=found, alternative=bool(alternative))


def _ssh_keys(configuration: Configuration, node: Node) -> Authentication:
    keys = []
    for key, child in node.keyed():
        if not key.startswith("ssh_key"):
            configuration.problems.error(child.origin, f"<{child.name}> is no SSH key.", "Use <ssh_key>.")
            continue
        kind, base64 = (configuration.text_in(child, part) for part in ("type", "base64_key"))
        if kind is None or base64 is None:
            message = "An SSH key has no type or no base64_key."
            configuration.problems.error(child.origin, message, "Add <type> and <base64_key>.")
        else:
            keys.append(SshKey(base64, kind))
    return Authentication(AuthKind.SSH_KEY, keys=tuple(keys))


def _http(configuration: Configuration, name: str, node: Node) -> Authentication:
    server = _required(configuration, name, node, "server")
    scheme = _required(configuration, name, node, "scheme")
    if scheme and scheme.upper() != "BASIC":
        found = node.first("scheme") or node
        configuration.problems.error(found.origin, f"The scheme {shown(scheme)} is not known.", "Use basic.")
    return Authentication(AuthKind.HTTP, server=server, scheme=scheme.upper())
