"""The proxy that the environment names for a URL: a bastion may have no other way."""

from __future__ import annotations

from urllib.parse import urlsplit


def proxy_for(url: str) -> str | None:
    """The address of the proxy for `url`, if there is one that speaks HTTP.

    Not by the HTTP client's own `trust_env`, which sends what a .netrc holds along.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme, "")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    return proxy if proxy.startswith(("http://", "https://")) else None
