"""Passwords that a configuration keeps in clear: hashed on the way to SQL, left alone where SQL cannot change them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey
from core.access.model import Authentication, AuthKind, EntityKind, User
from core.access.passwords import none_in_clear, with_hashes
from core.access_changes.applying import plan_for
from core.access_changes.present import PresentAccess
from core.clickhouse.access_survey import AccessSurvey

SECRET = "Correct-horse1"
IN_CLEAR = Authentication(AuthKind.PLAINTEXT, password=SECRET)
EMPTY = Authentication(AuthKind.PLAINTEXT, password="")
TYPES = {"users_xml": "users_xml", "local_directory": "local_directory"}


def holding(*methods: Authentication, storage: str = "") -> AccessModel:
    storages = {EntityKey(EntityKind.USER, "etl"): storage} if storage else {}
    return AccessModel(users={"etl": User("etl", methods=methods)}, storages=storages)


def server(*methods: Authentication, storage: str) -> PresentAccess:
    return PresentAccess(AccessSurvey(holding(*methods, storage=storage)), False, None, "", TYPES)


def hash_of(salt: str) -> Authentication:
    digest = hashlib.sha256((SECRET + salt).encode()).hexdigest().upper()
    return Authentication(AuthKind.SHA256, hash=digest, salt=salt)


def test_what_is_in_clear_becomes_a_salted_hash_and_nothing_else_changes() -> None:
    ready = Authentication(AuthKind.DOUBLE_SHA1, hash="AB" * 20)
    [first, second, third] = with_hashes(none_in_clear(holding(IN_CLEAR, EMPTY, ready))).users["etl"].methods
    assert first.salt and first == hash_of(first.salt)
    assert (second, third) == (EMPTY, ready)


def test_it_is_the_same_password_as_a_hash_that_is_shown_whatever_its_salt() -> None:
    desired = none_in_clear(holding(IN_CLEAR))
    for there in (hash_of("AA"), hash_of("BB"), Authentication(AuthKind.SHA256)):  # the last one is not shown
        assert not plan_for(server(there, storage="local_directory"), desired, exact=True).steps
    other = replace(hash_of("AA"), hash="00" * 32)
    for there in (other, Authentication(AuthKind.PLAINTEXT)):
        [step] = plan_for(server(there, storage="local_directory"), desired, exact=True).steps
        assert step.key == (EntityKind.USER, "etl")


def test_a_server_is_not_other_than_its_own_configuration() -> None:
    present = server(Authentication(AuthKind.PLAINTEXT), storage="users_xml")
    made = plan_for(present, none_in_clear(holding(IN_CLEAR)), exact=True)
    assert (made.steps, made.refusals, made.differences.nothing) == ((), (), True)
