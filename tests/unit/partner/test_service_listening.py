"""What a service listens on, and by which certificate: addresses, socket files, and what is wrong with them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import stat
from functools import partial
from pathlib import Path

import pytest

from core.errors import BadInputError, UnreachableError
from core.partner.service.listening import Listener
from core.partner.service.serving import Ending, serve
from core.partner.service.tls import ServerCertificate
from core.partner.service.wire import WireLimits
from tests.http_front.certificates import Certificates, make_certificates
from tests.partner_handler import MemoryParts
from tests.unit.partner.served import NEVER, POLICY, served


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = make_certificates(tmp_path_factory.mktemp("tls"), "client")
    for file in (made.server, made.client_key, made.other_key):
        file.chmod(0o600)
    return made


async def test_a_renewed_certificate_is_taken_on_sighup(certificates: Certificates, tmp_path: Path) -> None:
    """One that does not fit is not, and the one before goes on being shown; the rest is renewed in both cases."""
    renewed_too: list[None] = []
    file = tmp_path / "server.pem"
    file.touch(0o600)
    file.write_bytes(certificates.server.read_bytes())
    old_client, new_client = (ssl.create_default_context(cafile=certificates.ca) for _ in range(2))
    renewed = make_certificates(tmp_path, "client")
    file.chmod(0o600)
    new = file.read_bytes()
    file.write_bytes(certificates.server.read_bytes())
    new_client.load_verify_locations(renewed.ca)
    certificate = ServerCertificate(file)
    renew = partial(renewed_too.append, None)
    async with served(WireLimits(NEVER), certificate=certificate, renew=renew) as service:
        assert service.listener.url(secure=True).startswith("https://127.0.0.1:")
        assert (await service.ask("/health/live", old_client))[0] == 200
        assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2
        file.write_bytes(b"half of a")
        os.kill(os.getpid(), signal.SIGHUP)
        assert (await service.ask("/health/live", new_client))[0] == 200
        assert not certificate.renew()
        file.write_bytes(new)
        only_new = ssl.create_default_context(cafile=renewed.ca)
        with pytest.raises(ssl.SSLCertVerificationError):
            await service.ask("/health/live", only_new)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)  # the loop hears of it
        assert (await service.ask("/health/live", only_new))[0] == 200
    assert len(renewed_too) == 2


def test_what_is_wrong_with_a_certificate_is_told_at_the_start(certificates: Certificates, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"certificate .*gone\.pem cannot be used: the file is missing"):
        ServerCertificate(tmp_path / "gone.pem")
    with pytest.raises(BadInputError, match="cannot be used together") as refused:
        ServerCertificate(certificates.server, certificates.client_key)
    assert "without a passphrase" in refused.value.advice
    wide = tmp_path / "wide.pem"
    wide.write_bytes(certificates.server.read_bytes())
    wide.chmod(0o644)
    with pytest.raises(BadInputError, match=r"wide\.pem cannot be used: the file of the private key .*chmod 600"):
        ServerCertificate(wide)


async def test_a_socket_file_is_for_the_group_and_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = (tmp_path / "partner.sock").relative_to(tmp_path)  # an address has 107 bytes, a temporary folder may be long
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(str(path))
    listener = Listener.unix(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    async with served(WireLimits(NEVER), listener=listener) as service:
        assert service.listener.url(secure=False) == f"unix:{path}"
        assert (await service.ask("/health/ready"))[0] == 200
        with pytest.raises(UnreachableError, match="is in use by another program"):
            Listener.unix(path)
    assert not path.exists()
    path.write_text("something else")
    with pytest.raises(BadInputError, match="is no socket"):
        Listener.unix(path)
    assert path.read_text() == "something else"


@pytest.mark.parametrize("address", ["8085", ":8085", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:8085"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(BadInputError, match="is no address to listen on"):
        Listener.tcp(address)


async def test_an_address_that_is_taken_is_told() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UnreachableError, match="is in use by another program"),
    ):
        Listener.tcp(f"127.0.0.1:{taken.getsockname()[1]}")
    first = Listener.tcp("127.0.0.1:0")
    second = Listener.tcp(first.address)  # nobody listens yet: it is found out when the second one would
    async with served(WireLimits(NEVER), listener=first):
        with pytest.raises(UnreachableError, match="is in use by another program"):
            await serve(MemoryParts(POLICY), second, ending=Ending(0))
    with pytest.raises(BadInputError, match="is not possible to listen on"):
        Listener.tcp("192.0.2.1:8085")
