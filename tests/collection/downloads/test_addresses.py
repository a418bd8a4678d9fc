"""Which places may be reached: every spelling of a private address is refused, every public one is not."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irisline.collection.downloads import addresses
from irisline.collection.downloads.download import Refused

NONE: frozenset[str] = frozenset()
# The IANA registries of special-purpose addresses as of 2024, and multicast; typed off, not taken from the code.
NOT_PUBLIC_4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
)  # fmt: skip
NOT_PUBLIC_6 = (
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
    "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "1.1.1.1", "151.101.1.140", "223.255.255.254", "192.0.3.1", "2606:4700::6810:84e5", "2a00:1450::1",
          "2001:4860:4860::8888", "64:ff9b::808:808")  # fmt: skip

special_4 = st.sampled_from(NOT_PUBLIC_4).flatmap(lambda network: st.ip_addresses(network=network))
special_6 = st.sampled_from(NOT_PUBLIC_6).flatmap(lambda network: st.ip_addresses(network=network))
any_4 = st.one_of(st.ip_addresses(v=4), special_4)


def resolved(host: str, allowed: bool = False) -> list[str]:
    return [address for _, address in asyncio.run(addresses.resolve(host, 80, allowed))]


@given(st.one_of(special_4, special_6))
def test_no_special_address_is_public(address: IPv4Address | IPv6Address) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_public(address: str) -> None:
    assert addresses.is_public(ip_address(address))


@given(any_4, st.integers(0, 2**80 - 1))
def test_an_address_within_another_is_seen_through(inner: IPv4Address, rest: int) -> None:
    number = int(inner)
    mapped, compatible = IPv6Address(0xFFFF << 32 | number), IPv6Address(number)
    six_to_four = IPv6Address(0x2002 << 112 | number << 80 | rest)
    teredo = IPv6Address(0x20010000 << 96 | (rest & 2**64 - 1) << 32 | number ^ 0xFFFFFFFF)
    assert not any(map(addresses.is_public, (mapped, compatible, six_to_four, teredo)))
    assert addresses.is_public(IPv6Address((0x64FF9B << 96) | number)) == addresses.is_public(inner)


def test_an_address_of_one_interface_is_not_public() -> None:
    assert not addresses.is_public(ip_address("2606:4700::1%eth0"))


def spellings(address: IPv4Address) -> list[str]:
    number, parts = int(address), address.packed
    return [
        str(number), hex(number), f"0{number:o}", f"{parts[0]}.{number & 0xFFFFFF}", f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        ".".join(f"0x{part:x}" for part in parts), ".".join(f"0{part:o}" for part in parts), f"{address}.",
        f"{parts[0]:03d}.{parts[1]}.{parts[2]}.{parts[3]:03d}",
    ]  # fmt: skip


@given(any_4)
def test_a_number_in_disguise_is_refused(address: IPv4Address) -> None:
    for spelling in set(spellings(address)) - {str(address)}:
        with pytest.raises(Refused):
            addresses.target(f"http://{spelling}/", NONE)


@given(st.one_of(special_4, special_6))
def test_a_special_address_is_refused_as_it_is_written(address: IPv4Address | IPv6Address) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    with pytest.raises(Refused, match="is not public"):
        addresses.target(f"http://{host}/", NONE)


@settings(max_examples=30)
@given(st.one_of(special_4, special_6))
def test_a_special_address_is_refused_when_a_name_stands_for_it(address: IPv4Address | IPv6Address) -> None:
    with pytest.raises(Refused, match="is not public"):
        resolved(str(address))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "file: not http or https"),
        ("ftp://example.org/a.jpg", "ftp: example.org: not http or https"),
        ("data:image/png;base64,aaaa", "data: not http or https"),
        ("picture.jpg", "no scheme: not http or https"),
        ("http:///a.jpg", "http: not http or https"),
        ("", "no scheme: not http or https"),
        ("http://who:secret@example.org/a.jpg", "example.org: the address carries a user name"),
        ("http://who@example.org/a.jpg", "example.org: the address carries a user name"),
        ("http://example.org:22/a.jpg", "example.org: port 22 is not one of the web's, 80, 443"),
        ("http://example.org:8080/a.jpg", "example.org: port 8080 is not one of the web's, 80, 443"),
        ("http://2130706433/", "2130706433: a number in disguise"),
        ("http://0x7f.1/", "0x7f.1: a number in disguise"),
        ("http://example.org:0/a.jpg", "example.org: port 0 is not one of the web's, 80, 443"),
        (
            "http://exam\nple.org/",
            "not an address: Invalid non-printable ASCII character in URL, '\\n' at position 11.",
        ),
        ("http://[::1/", "not an address: Invalid port: ':1'"),
        ("http://" + "a" * 70_000, "not an address: URL too long"),
    ],
)
def test_what_is_no_place_of_the_web_is_refused(url: str, why: str) -> None:
    with pytest.raises(Refused) as raised:
        addresses.target(url, NONE)
    assert (raised.value.status, raised.value.detail) == ("not_public", why)


def test_a_place_is_read_as_browsers_do() -> None:
    found = addresses.target("HTTPS://Bücher.Example/a ü.jpg?x=1&y#part", NONE)
    assert (found.scheme, found.host, found.port) == ("https", "xn--bcher-kva.example", 443)
    assert found.path == b"/a%20%C3%BC.jpg?x=1&y"


def test_a_redirect_is_read_from_where_it_stands() -> None:
    assert addresses.target("../b.jpg", NONE, base="https://example.org/x/y/a.jpg").url == "https://example.org/x/b.jpg"
    assert addresses.target("//example.com/b", NONE, base="https://example.org/a").host == "example.com"


def test_the_allowed_are_allowed_with_their_port_only() -> None:
    allowed = frozenset({"127.0.0.1:8123"})
    found = addresses.target("http://127.0.0.1:8123/a.jpg", allowed)
    assert resolved(found.host, allowed=True) == ["127.0.0.1"]
    with pytest.raises(Refused, match="port 8124"):
        addresses.target("http://127.0.0.1:8124/a.jpg", allowed)


def test_the_allowed_are_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(addresses.ALLOW, raising=False)
    assert addresses.allowed_hosts() == frozenset()
    monkeypatch.setenv(addresses.ALLOW, "127.0.0.1:8123, Example.ORG:80,")
    assert addresses.allowed_hosts() == {"127.0.0.1:8123", "example.org:80"}


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **more: found)
    with pytest.raises(Refused, match=r"pictures\.example stands for 10\.0\.0\.1, which is not public"):
        resolved("pictures.example")


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example", "x..y"])
def test_a_name_that_is_none_cannot_be_reached(host: str) -> None:
    with pytest.raises(Refused, match="no such name") as raised:
        resolved(host)
    assert raised.value.status == "unreachable"
