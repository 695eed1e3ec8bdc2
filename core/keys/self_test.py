"""Can this platform make DataLens tokens at all? Tried once at the start, explained in plain words.

The protocol of DataLens demands SHA-1 signatures and PKCS#1 v1.5 encryption. A FIPS mode forbids both, and the OpenSSL
of RHEL 9 and its kin forbids the first; the wheels of `cryptography` bring an OpenSSL of their own that allows both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.errors import RefusedError
from core.keys.rsa_keys import generate

_WHEEL = "Install `cryptography` from its wheel, which brings its own OpenSSL"
_SHA1_ADVICE = (
    f"{_WHEEL}; or, where your security policy allows it, run `update-crypto-policies --set DEFAULT:SHA1` "
    "or set OPENSSL_ENABLE_SHA1_SIGNATURES=1 (Red Hat's OpenSSL)."
)
_FIPS_ADVICE = (
    f"{_WHEEL}, on a host outside of FIPS mode: the token protocol of DataLens cannot be spoken inside of it."
)


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The outcome. `problem` and `advice` are empty when everything works."""

    problem: str = ""
    advice: str = ""
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether tokens can be made here."""
        return not self.problem

    def require(self) -> None:
        """Raise RefusedError when tokens cannot be made here."""
        if not self.passed:
            raise RefusedError(self.problem, advice=self.advice, detail=self.detail)


@cache
def self_test() -> SelfTest:
    """Make a throwaway key and use it as a token does. Takes about 0.1 s, once per process: call it in a thread."""
    return run_self_test(generate)


def run_self_test(make_key: Callable[[], rsa.RSAPrivateKey]) -> SelfTest:
    """The test itself, with any source of a key."""
    message = b"housekeys self-test"
    try:
        key = make_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        return SelfTest("This platform cannot make RSA keys.", _FIPS_ADVICE, str(error))
    try:
        signature = key.sign(message, PKCS1v15(), SHA1())  # noqa: S303 - the protocol of DataLens demands SHA-1
        key.public_key().verify(signature, message, PKCS1v15(), SHA1())  # noqa: S303 - likewise
    except (UnsupportedAlgorithm, ValueError, InvalidSignature) as error:
        problem = "This platform forbids SHA-1 signatures, which every DataLens token needs."
        return SelfTest(problem, _SHA1_ADVICE, str(error))
    try:
        if key.decrypt(key.public_key().encrypt(message, PKCS1v15()), PKCS1v15()) != message:
            return SelfTest("RSA encryption gives wrong results on this platform.", _WHEEL + ".")
    except (UnsupportedAlgorithm, ValueError) as error:
        problem = "This platform forbids PKCS#1 v1.5 encryption, which every DataLens token needs."
        return SelfTest(problem, _FIPS_ADVICE, str(error))
    try:
        Scrypt(salt=bytes(16), length=32, n=2**10, r=8, p=1).derive(message)
    except (UnsupportedAlgorithm, ValueError) as error:
        return SelfTest("This platform forbids scrypt, which protects the key files.", _FIPS_ADVICE, str(error))
    return SelfTest()
