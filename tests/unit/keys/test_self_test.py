"""The self-test passes here, and says in plain words what a stricter platform forbids."""

from __future__ import annotations

from typing import Any, NoReturn, cast

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from core.errors import RefusedError
from core.keys.self_test import run_self_test, self_test
from tests.unit.keys.sample_keys import private_key


class Forbidding:
    """A key on a platform that forbids some of what a key can do."""

    def __init__(self, *forbidden: str) -> None:
        self._forbidden = forbidden

    def __getattr__(self, name: str) -> Any:
        if name in self._forbidden:
            return self._forbid
        return (lambda: self) if name == "public_key" else getattr(private_key(1), name, None) or self._public(name)

    def _public(self, name: str) -> Any:
        return getattr(private_key(1).public_key(), name)

    def _forbid(self, *words: object) -> NoReturn:
        raise UnsupportedAlgorithm("not supported by this backend")


def test_it_passes_here_and_runs_once() -> None:
    assert self_test().passed
    assert self_test() is self_test()
    self_test().require()


@pytest.mark.parametrize(
    ("forbidden", "problem", "advice"),
    [("sign", "SHA-1", "update-crypto-policies"), ("encrypt", "PKCS#1", "FIPS"), ("decrypt", "PKCS#1", "FIPS")],
)
def test_it_says_what_is_forbidden(forbidden: str, problem: str, advice: str) -> None:
    outcome = run_self_test(lambda: cast(rsa.RSAPrivateKey, Forbidding(forbidden)))
    assert problem in outcome.problem
    assert advice in outcome.advice
    with pytest.raises(RefusedError, match=problem):
        outcome.require()


def test_it_says_so_when_no_key_can_be_made() -> None:
    def make() -> NoReturn:
        raise UnsupportedAlgorithm("no")

    assert "RSA" in run_self_test(make).problem
