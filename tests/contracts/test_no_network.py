"""The guard of conftest.py refuses and reports what leaves this machine, and lets the loopback pass."""

import socket
from pathlib import Path

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("2001:db8::1", 443)])
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_guard_refuses_another_machine(address: tuple[str, int], method: str, network_attempts: list[str]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(ConnectionRefusedError, match="tests reach no network"):
        getattr(client, method)(address)
    assert network_attempts == [f"connecting to {address[0]}:{address[1]}"]
    network_attempts.clear()


def test_guard_refuses_to_look_up_a_name(network_attempts: list[str]) -> None:
    with pytest.raises(ConnectionRefusedError, match="looking up"):
        socket.create_connection(("hub.example.org", 443))
    assert len(network_attempts) == 1
    network_attempts.clear()


def test_guard_lets_the_loopback_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            with socket.create_connection((host, port), timeout=5) as client:
                assert client.getpeername()[1] == port


def test_guard_fails_a_test_that_hides_its_attempt(pytester: pytest.Pytester, root: Path) -> None:
    pytester.makeconftest((root / "tests" / "conftest.py").read_text("utf-8"))
    pytester.makepyfile(
        """
        import socket

        def test_hides():
            try:
                socket.create_connection(("192.0.2.1", 443), timeout=0.1)
            except OSError:
                pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the network was tried: *192.0.2.1*"])
