"""The proxy of the environment is used where it speaks HTTP and the environment does not except the host."""

from __future__ import annotations

import pytest

from core.proxies import proxy_for


@pytest.mark.parametrize(
    ("proxy", "exceptions", "expected"),
    [
        ("http://proxy.example:3128", "", "http://proxy.example:3128"),
        ("proxy.example:3128", "", "http://proxy.example:3128"),
        ("socks5://proxy.example:1080", "", None),
        ("http://proxy.example:3128", "host.example", None),
        ("", "", None),
    ],
)
def test_the_proxy_of_the_environment(
    proxy: str, exceptions: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("https_proxy", proxy), ("no_proxy", exceptions)):
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv(name, value)
    assert proxy_for("https://host.example/path") == expected
