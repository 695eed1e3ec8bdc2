"""The receiving side of DataLens, written from its documented steps alone: no line of Housekeys is used here.

1. split at colons into exactly four parts; 2. look both versions up as text; 3. decode both parts from base64;
4. verify the partner's signature (PKCS#1 v1.5, SHA-1) over the raw ciphertext; 5. decrypt with DataLens's private key
(PKCS#1 v1.5); 6. read the result as JSON in UTF-8 and take its db_name.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key


class Receiver:
    """DataLens with its private keys and the partner's public keys, each a PEM by version."""

    def __init__(self, dl_private: Mapping[str, bytes], partner_public: Mapping[str, bytes]) -> None:
        self._dl_private = dl_private
        self._partner_public = partner_public

    def accept(self, token: str) -> str:
        """The database name of an accepted token. Raises ValueError, AssertionError or InvalidSignature."""
        datalens_version, partner_version, encrypted, signed = token.split(":")
        private_pem, public_pem = self._dl_private.get(datalens_version), self._partner_public.get(partner_version)
        assert private_pem is not None
        assert public_pem is not None
        ciphertext, signature = b64decode(encrypted), b64decode(signed)
        public = load_pem_public_key(public_pem)
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(signature, ciphertext, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - as documented
        private = load_pem_private_key(private_pem, password=None)
        assert isinstance(private, rsa.RSAPrivateKey)
        content = json.loads(private.decrypt(ciphertext, padding.PKCS1v15()).decode("utf-8"))
        name = content.get("db_name")
        assert isinstance(name, str)
        return name
