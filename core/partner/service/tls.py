"""The certificate of the service: checked when it starts, and taken anew when it was renewed."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Final

from core.display import one_line
from core.errors import BadInputError
from core.profiles.tables import file_problem, key_problem

log = logging.getLogger(__name__)

_NO_PASSWORD: Final = ""  # or OpenSSL would ask for one at the terminal


class ServerCertificate:
    """A certificate with its chain, and the private key; the key may be in the same file."""

    def __init__(self, certificate: Path, private_key: Path | None = None) -> None:
        """Load them. Raises BadInputError: what is wrong with which file."""
        self._certificate = certificate
        self._key = private_key or certificate
        self.context = self._loaded()

    def renew(self) -> bool:
        """Load the files anew for connections from now on; whether that went well. What is wrong is logged."""
        try:
            self._loaded()  # a pair that does not fit must not spoil the context that is in use
            self.context.load_cert_chain(self._certificate, self._key, _NO_PASSWORD)
        except (BadInputError, OSError) as error:
            log.error("the certificate that was loaded before stays in use: %s", error)
            return False
        log.info("the certificate %s was loaded anew", self._certificate)
        return True

    def _loaded(self) -> ssl.SSLContext:
        for what, file in (("certificate", self._certificate), ("private key", self._key)):
            if problem := file_problem(file) or (key_problem(file) if file == self._key else ""):
                raise BadInputError(f"The {what} {one_line(str(file))} cannot be used: {problem}.")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._certificate, self._key, _NO_PASSWORD)
        except (ssl.SSLError, OSError) as error:
            raise BadInputError(
                f"The certificate {one_line(str(self._certificate))} and the private key "
                f"{one_line(str(self._key))} cannot be used together.",
                advice="Both must be PEM, the key that of the certificate, and without a passphrase.",
                detail=str(error),
            ) from error
        return context
