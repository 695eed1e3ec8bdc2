"""Where a user may come from, as `users.xml` says it. Source: ClickHouse's `AllowedClientHosts.cpp`."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import replace

from core.access.model import ANY_HOST, Hosts
from core.access.xml.configuration import Configuration
from core.access.xml.nodes import Node
from core.access.xml.problems import shown

_BITS = {4: 32, 6: 128}
_MAPPED = 0xFFFF << 32  # ::ffff:0:0


def read_hosts(configuration: Configuration, user: Node) -> Hosts:
    """The hosts of a user: any without `<networks>`, else those listed, which can be none."""
    networks = user.first("networks")
    if networks is None:
        return ANY_HOST
    hosts = Hosts()
    for key, child in networks.keyed():
        text = configuration.text(child)
        if child.unresolved:
            continue
        if key.startswith("ip"):
            hosts = _with_address(configuration, hosts, child, text)
        elif key.startswith("host_regexp"):
            hosts = _with_name(hosts, text, regexp=True)
        elif key.startswith("host"):
            hosts = _with_name(hosts, text, regexp=False)
        else:
            message = f"<{child.name}> is no kind of address."
            configuration.problems.error(child.origin, message, "Use <ip>, <host> or <host_regexp> in <networks>.")
    return ANY_HOST if hosts.any else replace(hosts, addresses=_singles_first(hosts.addresses))


def subnet(text: str) -> str | None:
    """An address or subnet as ClickHouse writes it; "any" and "local" for those that mean it; None for neither."""
    head, slash, tail = text.partition("/")
    prefix = _address(head)
    if prefix is None:
        return None
    if not slash:
        mask = (prefix[0], _ones(prefix[0], _BITS[prefix[0]]))
    elif re.fullmatch("[0-9]{1,9}", tail):
        if int(tail) > _BITS[prefix[0]]:
            return None
        mask = (prefix[0], _ones(prefix[0], int(tail)))
    elif tail and (given := _address(tail)) is not None:
        mask = given
    else:
        return None
    return _written(prefix, mask)


def _written(prefix: tuple[int, int], mask: tuple[int, int]) -> str:
    (family, bits), (mask_family, mask_bits) = prefix, mask
    if family != mask_family:
        bits = bits | _MAPPED if family == 4 else bits
        mask_bits = _ones(6, 96) | mask_bits if mask_family == 4 else mask_bits
        family = 6
    bits &= mask_bits
    if mask_bits == 0:
        return "any"
    if _is_local(family, bits, mask_bits):
        return "local"
    length = mask_bits.bit_count()
    if length == _BITS[family]:
        return _shown(family, bits)
    contiguous = mask_bits == _ones(family, length)
    return f"{_shown(family, bits)}/{length if contiguous else _shown(family, mask_bits)}"


def _is_local(family: int, bits: int, mask: int) -> bool:
    """127.0.0.0/8 and what is in it, also in its form for IPv6, and ::1."""
    if family == 4:
        return bits >> 24 == 127
    return bits >> 24 == (_MAPPED >> 24 | 127) or (bits == 1 and mask == _ones(6, 128))


def _address(text: str) -> tuple[int, int] | None:
    """An address as its family and bits. Poco tells a zero from an error only by its spelling."""
    if not text or text.strip() == "0.0.0.0":  # noqa: S104  (compared, not bound to)
        return 4, 0
    try:
        bits = int.from_bytes(socket.inet_aton(text), "big") if text[0] not in " \t\n\r\v\f" else 0
    except (OSError, UnicodeEncodeError, ValueError):
        bits = 0
    if bits:
        return 4, bits
    if text.strip() == "::":
        return 6, 0
    try:
        bits = int(ipaddress.IPv6Address(text)) if "%" not in text else 0
    except ValueError:
        return None
    return (6, bits) if bits else None


def _ones(family: int, length: int) -> int:
    size = _BITS[family]
    return (1 << size) - (1 << size - length)


def _shown(family: int, bits: int) -> str:
    if family == 4:
        return str(ipaddress.IPv4Address(bits))
    if bits >> 32 == 0xFFFF:
        return f"::ffff:{ipaddress.IPv4Address(bits & 0xFFFFFFFF)}"
    if 0 < bits < 1 << 32:
        return f"::{ipaddress.IPv4Address(bits)}"
    return str(ipaddress.IPv6Address(bits))


def _with_address(configuration: Configuration, hosts: Hosts, node: Node, text: str) -> Hosts:
    found = subnet(text)
    if found is None:
        message = f"{shown(text)} is no IP address or subnet."
        configuration.problems.error(node.origin, message, "Write 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, no blanks.")
        return hosts
    if found == "any":
        return replace(hosts, any=True)
    if found == "local":
        return replace(hosts, local=True)
    return hosts if found in hosts.addresses else replace(hosts, addresses=(*hosts.addresses, found))


def _with_name(hosts: Hosts, text: str, *, regexp: bool) -> Hosts:
    if text.lower() == "localhost":
        return replace(hosts, local=True)
    if regexp:
        if text == ".*":
            return replace(hosts, any=True)
        return hosts if text in hosts.patterns else replace(hosts, patterns=(*hosts.patterns, text))
    return hosts if text in hosts.names else replace(hosts, names=(*hosts.names, text))


def _singles_first(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Single addresses before subnets, in which order ClickHouse shows them."""
    return tuple(sorted(addresses, key=lambda address: "/" in address))
