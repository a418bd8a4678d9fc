"""Which places of the web may be reached: http(s) on its own ports, at addresses that all the world can reach.

Every hop is looked at: the address as it is written, then each IP address that its host's name stands for. Who connects must
connect to what `resolve` gave, not to the name: a name may stand for another address a moment later (DNS rebinding).
Knows nothing of pictures, nor of what is sent to a place.
"""

import asyncio
import os
import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from irisline.collection.downloads.download import NOT_PUBLIC, UNREACHABLE, Refused, short

ALLOW = "IRISLINE_ALLOW_HOSTS"
PORTS = {"http": 80, "https": 443}
IPAddress = IPv4Address | IPv6Address

# Global by IANA's registries or by Python's copy of them, and yet no place for a picture.
_NEVER = tuple(
    map(
        IPv4Network,
        (
            "168.63.129.16/32",  # the metadata and health service inside Azure
            "192.0.0.0/24",  # IETF protocol assignments; the metadata service of Oracle's cloud among them
            "192.88.99.0/24",  # relays from IPv6 (RFC 7526)
            "224.0.0.0/3",  # multicast and reserved
        ),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291: leaves out mapped, compatible, local and multicast addresses
_NEVER_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocol assignments: Teredo carries any IPv4 address
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4 carries any IPv4 address
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: how networks without IPv4 reach all of it
_NUMERIC = re.compile(r"(?:^|\.)(?:\d+|0[xX][0-9a-fA-F]*)\.?$")  # a host that URL parsers read as an IPv4 address
_QUAD = re.compile(r"(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}")


@dataclass(frozen=True, slots=True)
class Target:
    """One place to ask for a picture."""

    url: str
    scheme: str
    host: str
    port: int
    path: bytes  # with the query


def allowed_hosts() -> frozenset[str]:
    """Return the host:port that a person allows though they are not public: IRISLINE_ALLOW_HOSTS, split at commas."""
    return frozenset(name.strip().lower() for name in os.environ.get(ALLOW, "").split(",") if name.strip())


def target(url: str, allowed: frozenset[str], base: str = "") -> Target:
    """Return the place an address names, relative to the base if it has one.

    Raise Refused for anything but http(s), a user name, odd ports, and hosts that are numbers in disguise.
    """
    try:
        parsed = httpx.URL(base).join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(NOT_PUBLIC, f"not an address: {short(error)}") from error
    host, scheme = parsed.raw_host.decode("ascii").lower(), parsed.scheme
    if scheme not in PORTS or not host:
        raise Refused(NOT_PUBLIC, f"{_shown(parsed)}: not http or https")
    if parsed.userinfo:
        raise Refused(NOT_PUBLIC, f"{host}: the address carries a user name")
    port = PORTS[scheme] if parsed.port is None else parsed.port
    if f"{host}:{port}" not in allowed:
        _check(host, port)
    return Target(str(parsed), scheme, host, port, parsed.raw_path)


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the public internet's, in no form that hides another one."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NEVER)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    inside = address in _GLOBAL_UNICAST and address.is_global and not address.scope_id
    return inside and not any(address in network for network in _NEVER_IPV6)


async def resolve(host: str, port: int, allowed: bool) -> list[tuple[socket.AddressFamily, str]]:
    """Return the IP addresses of a host, each of them checked, in the order to try them.

    Raise Refused when there are none, or when any is not public: an honest name has no private address beside a public one.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(UNREACHABLE, f"{host}: no such name: {short(error)}") from error
    addresses: list[tuple[socket.AddressFamily, str]] = list(
        dict.fromkeys((entry[0], str(entry[4][0])) for entry in found)
    )
    for _, address in addresses:
        if not allowed and not is_public(ip_address(address)):
            raise Refused(NOT_PUBLIC, f"{host} stands for {address}, which is not public")
    return addresses


def _check(host: str, port: int) -> None:
    if port not in PORTS.values():
        raise Refused(NOT_PUBLIC, f"{host}: port {port} is not one of the web's, {', '.join(map(str, PORTS.values()))}")
    if ":" in host or _QUAD.fullmatch(host):
        _check_address(host)
    elif _NUMERIC.search(host):
        raise Refused(NOT_PUBLIC, f"{host}: a number in disguise")


def _check_address(host: str) -> None:
    try:
        address = ip_address(host)
    except ValueError as error:
        raise Refused(NOT_PUBLIC, f"not an address: {short(error)}") from error
    if not is_public(address):
        raise Refused(NOT_PUBLIC, f"{host} is not public")


def _shown(parsed: httpx.URL) -> str:
    return f"{parsed.scheme or 'no scheme'}: {parsed.host}".rstrip(": ")
