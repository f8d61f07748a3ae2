"""Addresses that users give: which are taken, and where they may lead in each profile."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.addresses import allowed_ips, check_reachable, web_address
from core.errors import DeniedError, InputError, RemoteError, SettingsError
from core.hosts import host_rule, normalized_host, special_use
from core.settings import Settings
from tests.unit.alerts.servers import settings_set

Use = Callable[..., None]


@pytest.fixture
def use() -> Iterator[Use]:
    """``use(PROFILE="team")`` uses these settings."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(settings_set(**settings))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses by name; those of others do not exist."""
    known: dict[str, list[str]] = {}

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", (ip, port)) for ip in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://hooks.example.org", "https://hooks.example.org/"),
        (" HTTPS://Hooks.Example.ORG.:443/a/b?c=d#e ", "https://hooks.example.org/a/b?c=d"),
        ("http://hooks.example.org:80?x", "http://hooks.example.org/?x"),
        ("http://hooks.example.org:8080/ä?ö=ü", "http://hooks.example.org:8080/%C3%A4?%C3%B6=%C3%BC"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://xn--mnchen-3ya.example/%2e%2E", "http://xn--mnchen-3ya.example/%2e%2E"),
        ("http://my_host-1:/x", "http://my_host-1/x"),
    ],
)
def test_an_address_is_written_in_one_way(url: str, written: str) -> None:
    address = web_address(url)
    assert address.url == written
    assert web_address(written) == address
    assert written.startswith(address.origin)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "without a scheme"),
        ("hooks.example.org/x", "without a scheme"),
        ("//hooks.example.org/x", "without a scheme"),
        ("file:///etc/passwd", "begins with 'file:'"),
        ("FILE:/etc/passwd", "begins with 'FILE:'"),
        ("ftp://hooks.example.org", "begins with 'ftp:'"),
        ("gopher://hooks.example.org", "begins with 'gopher:'"),
        ("data:text/plain,x", "begins with 'data:'"),
        ("javascript:alert(1)", "begins with 'javascript:'"),
        ("unix:/var/run/docker.sock", "begins with 'unix:'"),
        ("https:", "names no host"),
        ("https:///path", "names no host"),
        ("https://:443/", "names no host"),
        ("https://ada:secret@hooks.example.org/", "holds a user or a password"),
        ("https://ada@hooks.example.org/", "holds a user or a password"),
        ("https://hooks.example.org\\@127.0.0.1/", "backslashes"),
        ("https://hooks.example.org\\.evil.example/", "backslashes"),
        ("https://hooks.exa\tmple.org/", "cannot be seen"),
        ("https://hooks.example.org/a b", "has blanks"),
        ("https://hooks.example.org/\r\nHost: x", "cannot be seen"),
        ("https://hooks.example.org:0/", "port 0"),
        ("https://hooks.example.org:99999/", "host or port"),
        ("https://hooks.example.org:x/", "host or port"),
        ("https://[::1/", "host or port"),
        ("https://[::1]x/", "not the name of a host"),
        ("https://[fe80::1%25eth0]/", "not an IPv6 address"),
        ("https://[1.2.3.4]/", "host or port|not an IPv6"),
        ("https://hooks..org/", "not the name of a host"),
        ("https://./", "not the name of a host"),
        ("https://-x.org/", "not the name of a host"),
        ("https://a,b.org/", "not the name of a host"),
        (f"https://{'a' * 64}.org/", "not the name of a host"),
        (f"https://{'a.' * 130}org/", "not the name of a host"),
        (f"https://hooks.example.org/{'x' * 2_000}", "characters"),
        # Other ways to write addresses, as browsers and libraries understand them.
        ("http://2130706433/", "four decimal numbers"),
        ("http://127.1/", "four decimal numbers"),
        ("http://0177.0.0.1/", "four decimal numbers"),
        ("http://0x7f.0.0.1/", "four decimal numbers"),
        ("http://0x7f000001/", "four decimal numbers"),
        ("http://127.0.0.0x1/", "four decimal numbers"),
        ("http://127.0.0.01/", "four decimal numbers"),
        ("http://127.0.0.1.1/", "four decimal numbers"),
        ("http://256.1.1.1/", "four decimal numbers"),
        ("http://0/", "four decimal numbers"),
        ("http://%31%32%37.0.0.1/", "four decimal numbers"),
        ("http://127.0.0.1%2f@x/", "holds a user"),
        ("http://localhost%00.example.org/", "not the name of a host"),
        ("http://１２７.０.０.１/", "names of hosts do not have|host or port"),
        ("http://127。0。0。1/", "names of hosts do not have|host or port"),
        ("http://ⓛocalhost/", "names of hosts do not have|host or port"),
        ("http://münchen.example/", "xn--"),
        ("http://faß.example/", "xn--"),
    ],
)
def test_what_is_not_an_address_of_http_is_refused(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        web_address(url)
    assert caught.value.hint
    assert "secret" not in str(caught.value)


_SPECIAL = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 127.255.0.1
169.254.0.1 169.254.169.254 168.63.129.16 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.9 192.0.0.192 192.0.2.1
192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808
64:ff9b:1::1 100::1 2001::1 2001:db8::1 2001:20::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254
fd20:ce::254 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 4000::1
"""
_PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.0.1 169.253.1.1 198.17.0.1
223.255.255.255 2606:4700::1111 2a00:1450:4001::1 2400:cb00::1
"""
SPECIAL, PUBLIC = _SPECIAL.split(), _PUBLIC.split()


@pytest.mark.parametrize("ip", SPECIAL)
def test_an_address_that_is_not_on_the_internet_is_known(ip: str) -> None:
    assert special_use(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", PUBLIC)
def test_an_address_on_the_internet_is_taken(ip: str) -> None:
    assert special_use(ipaddress.ip_address(ip)) == ""


@pytest.mark.parametrize("profile", ["team", "demo"])
def test_only_the_internet_is_reached_where_several_people_use_a_server(
    use: Use, names: dict[str, list[str]], profile: str
) -> None:
    use(PROFILE=profile)
    for ip in SPECIAL:
        names["hooks.example.org"] = [ip]
        with pytest.raises(DeniedError) as caught:
            check_reachable("https://hooks.example.org/x")
        assert ip not in str(caught.value).split(), "where a name of the own network leads is not said"
        host = f"[{ip}]" if ":" in ip else ip
        with pytest.raises(DeniedError, match="not reached from here"):
            check_reachable(f"https://{host}:8443/x")
    names["hooks.example.org"] = ["93.184.216.34", "10.0.0.1"]
    with pytest.raises(DeniedError, match="a private address"):
        check_reachable("https://hooks.example.org/x")
    names["hooks.example.org"] = PUBLIC
    assert [str(ip) for ip in allowed_ips(web_address("https://hooks.example.org/"))] == PUBLIC
    assert check_reachable("http://8.8.8.8/").url == "http://8.8.8.8/"


def test_one_person_on_their_machine_reaches_all_of_their_network(use: Use, names: dict[str, list[str]]) -> None:
    use()
    names["hooks.internal"] = ["10.0.0.1", "fe80::1%1"]
    assert check_reachable("http://hooks.internal/x").host == "hooks.internal"
    assert check_reachable("http://127.0.0.1:8080/x").port == 8080
    with pytest.raises(InputError, match="'file:'"):
        check_reachable("file:///etc/passwd")


@pytest.mark.parametrize(
    ("rules", "url", "ip", "allowed"),
    [
        ("hooks.internal", "http://hooks.internal:1234/", "10.0.0.1", True),
        ("Hooks.Internal.", "http://hooks.internal/", "10.0.0.1", True),
        ("hooks.internal", "http://other.internal/", "10.0.0.1", False),
        ("hooks.internal", "http://x.hooks.internal/", "10.0.0.1", False),
        ("hooks.internal:8080", "http://hooks.internal:8080/", "10.0.0.1", True),
        ("hooks.internal:8080", "http://hooks.internal/", "10.0.0.1", False),
        ("10.0.0.0/24, 10.9.0.0/16", "http://hooks.internal/", "10.9.1.1", True),
        ("10.0.0.0/24", "http://hooks.internal/", "10.0.1.1", False),
        ("10.0.0.0/24", "http://hooks.internal/", "::ffff:10.0.0.1", False),
        ("10.0.0.1", "http://10.0.0.1/", "", True),
        ("10.0.0.1:8080", "http://10.0.0.1/", "", False),
        ("10.0.0.1", "http://169.254.169.254/", "", False),
        ("fd00::/8", "http://[fd00::5]/", "", True),
        ("fd00::5", "http://[fd00::5]:99/", "", True),
        ("[fd00::5]:99", "http://[fd00::5]:99/", "", True),
        ("[fd00::5]:99", "http://[fd00::5]/", "", False),
        ("64:ff9b::/96", "http://hooks.internal/", "64:ff9b::808:808", True),
        ("localhost", "http://127.0.0.1/", "", False),
    ],
)
def test_admins_list_what_else_may_be_reached(
    use: Use, names: dict[str, list[str]], rules: str, url: str, ip: str, allowed: bool
) -> None:
    use(PROFILE="team", OUTBOUND_HOSTS=rules)
    names |= {name: [ip] for name in ("hooks.internal", "other.internal", "x.hooks.internal")}
    if allowed:
        check_reachable(url)
    else:
        with pytest.raises(DeniedError, match="PLUMBLINE_OUTBOUND_HOSTS"):
            check_reachable(url)


@pytest.mark.parametrize("rules", ["x internal:x", "10.0.0.1/8", "http://x", "a:b:c", "x:0", "x:99999", "127.1", "*"])
def test_a_list_that_cannot_be_used_is_said_at_the_start(rules: str) -> None:
    with pytest.raises(SettingsError, match=r"PLUMBLINE_OUTBOUND_HOSTS is .* has to be hosts, hosts with a port"):
        Settings(outbound_hosts=rules)


def test_a_name_is_looked_up_within_a_time(use: Use, names: dict[str, list[str]], monkeypatch: Any) -> None:
    use(PROFILE="team")
    with pytest.raises(RemoteError, match=r"hooks.example.org could not be looked up: Name or service not known"):
        allowed_ips(web_address("https://hooks.example.org/"))
    assert check_reachable("https://hooks.example.org/").host == "hooks.example.org", "it is checked when it is used"
    names["hooks.example.org"] = []
    with pytest.raises(RemoteError, match="it has no address"):
        allowed_ips(web_address("https://hooks.example.org/"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.5) or [])
    with pytest.raises(RemoteError, match=r"within 0.05 s"):
        allowed_ips(web_address("https://hooks.example.org/"), timeout_s=0.05)


def test_hosts_and_rules_are_read_in_one_way() -> None:
    assert normalized_host("LOCALHOST.") == "localhost"
    assert normalized_host("1e3.example") == "1e3.example"
    assert host_rule("::1").network == ipaddress.ip_network("::1/128")
    assert (host_rule("[::1]:80").port, host_rule("x:443").port, host_rule("x").port) == (80, 443, None)
