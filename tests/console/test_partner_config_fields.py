"""A PartnerConfig as texts of a form: what is right comes back as it was, and what is wrong is told at its field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import BadInputError
from core.partner.messages.partner_config import TestWorkspaceDetail as WorkspaceDetail
from core.partner.messages.partner_config_reading import read_partner_config
from core.partner.messages.writing import write_partner_config
from core.partner.partner_configs import partner_config
from core.profiles.partner import Integration, PartnerPolicy
from tests.unit.partner.account_examples import POLICY
from tui.screens.partner_config_fields import NAMES, Judgement, content_of, field_of, form_fields, problems_of, texts_of


def config(**changed: Any) -> dict[str, Any]:
    """A PartnerConfig without problems, as JSON, but for what is `changed`; None takes a key away."""
    values = {**json.loads(write_partner_config(partner_config(POLICY))), **changed}
    return {name: value for name, value in values.items() if value is not None}


def texts(**changed: Any) -> dict[str, str]:
    return dict(texts_of(json.dumps(config(**changed)).encode()).texts)


def remarks(values: dict[str, str]) -> dict[str, str]:
    """What is said below the fields."""
    judged = {field.name: field.judge(values) for field in form_fields(values, Judgement({})) if field.judge}
    return {name: remark.text for name, remark in judged.items() if remark is not None}


@pytest.mark.parametrize("integration", ["read", "write", "read-write", "notebook", "desktop"])
def test_what_is_right_comes_back_as_it_was(integration: Integration) -> None:
    policy = PartnerPolicy("https://connect.acme.example", integration, ("AUTH_OAUTH_U2M",), True, test_hooks=True,
                           hostnames=("acme.example", "acme.test"))  # fmt: skip
    whole = partner_config(policy)
    detail = WorkspaceDetail("dbc.example", 443, "jdbc:spark://dbc.example", "/sql/1", "1", "jdbc:databricks://x")
    for one in (whole, read_partner_config(write_partner_config(whole))):
        assert read_partner_config(content_of(texts_of(write_partner_config(one)).texts)) == one
    with_workspace = {**json.loads(write_partner_config(whole)), "test_workspace_detail": {
        name: getattr(detail, name) for name in WorkspaceDetail.__dataclass_fields__}}  # fmt: skip
    read = texts_of(json.dumps(with_workspace).encode())
    assert read.unknown == ()
    assert read_partner_config(content_of(read.texts)).test_workspace_detail == detail


def test_a_problem_is_told_below_its_field() -> None:
    found = remarks(texts(base_url="acme.example", hostnames=["acme.example", "not a host"], category="GAMES",
                          auth_options=["AUTH_PAT", "AUTH_OAUTH_M2M"], supports_demo="perhaps"))  # fmt: skip
    assert set(found) == {"base_url", "hostnames", "category", "auth_options", "supports_demo"}
    assert found["base_url"].startswith("It must be a URL")
    endpoints = {**config()["endpoints"], "connect_path": "connect"}
    assert set(remarks(texts(endpoints=endpoints))) == {"endpoints.connect_path"}
    assert remarks(texts()) == {}


def test_what_is_wrong_is_shown_as_it_is_in_the_file() -> None:
    wrong = texts(category="GAMES", hostnames="acme.example", name=7, test_workspace_detail={"port": "many"})
    assert wrong["category"] == "GAMES" and wrong["hostnames"] == "acme.example" and wrong["name"] == "7"
    assert wrong["test_workspace_detail.port"] == "many"
    choice = next(field for field in form_fields(wrong, Judgement(wrong)) if field.name == "category")
    assert choice.value == "GAMES" and "GAMES" in choice.choices


def test_keys_that_nobody_knows_are_told_and_are_not_written() -> None:
    endpoints = {**config()["endpoints"], "conect_path": "/x"}
    read = texts_of(json.dumps(config(colour="red", endpoints=endpoints, allow_editable_email=True)).encode())
    assert read.unknown == ("colour", "endpoints.conect_path")
    assert problems_of(read.texts) == ()
    assert b"colour" not in content_of(read.texts)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_cannot_be_opened(content: bytes) -> None:
    with pytest.raises(BadInputError, match="This is no PartnerConfig"):
        texts_of(content)


def test_every_problem_of_an_empty_form_has_a_field() -> None:
    problems = problems_of({})
    assert problems and {field_of(problem) for problem in problems} <= set(NAMES)
