"""The PartnerConfig: read strictly with all problems at once, judged between its fields, and written again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.partner.checker.requesting import ABSENT, changed
from core.partner.messages.partner_config import (
    METHODS,
    AuthOption,
    Category,
    Endpoints,
    NewUserAction,
    PartnerConfig,
    ResourceType,
    TrialType,
)
from core.partner.messages.partner_config_reading import PartnerConfigError, read_partner_config
from core.partner.messages.partner_config_rules import partner_config_problems
from core.partner.messages.requests import CloudProvider
from core.partner.messages.writing import write_partner_config
from tests.unit.partner.bodies import CONFIG, encoded

OPTIONAL = [each.name for each in dataclasses.fields(PartnerConfig) if each.default is not dataclasses.MISSING]


def read(changes: dict[str, Any]) -> PartnerConfig:
    return read_partner_config(encoded(changed(CONFIG, changes)))


def problems(changes: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields that are wrong after the changes, and why."""
    with pytest.raises(PartnerConfigError) as caught:
        read(changes)
    assert all(str(problem) in caught.value.message for problem in caught.value.problems)
    return [(problem.field, f"{problem.problem}; {problem.advice}") for problem in caught.value.problems]


def test_a_config_is_read_whole_and_written_as_it_was() -> None:
    config = read({})
    assert (config.category, config.new_user_action) == (Category.BI_AND_VIZ, NewUserAction.AUTO_ADD)
    assert config.supported_clouds == (CloudProvider.AWS, CloudProvider.GCP)
    assert config.trial_type is TrialType.ACCOUNT
    assert config.provisions(ResourceType.SQL_ENDPOINT)
    assert not config.provisions(ResourceType.PAT)
    assert json.loads(write_partner_config(config)) == CONFIG
    assert write_partner_config(config).startswith(b'{\n  "api_version": "2.2.0",\n')


def test_what_is_optional_may_lack_or_be_null() -> None:
    needed = {"data_permissions": CONFIG["data_permissions"]}  # or object_permissions
    bare = read({**dict.fromkeys(OPTIONAL, ABSENT), **needed})
    assert read({**dict.fromkeys(OPTIONAL), **needed}) == bare
    assert bare.auth_options == (AuthOption.AUTH_PAT,)
    assert (bare.trial_type, bare.supports_demo, bare.is_published_app, bare.object_permissions) == (None,) * 4
    assert b"null" not in write_partner_config(bare)
    only_connect = {"endpoints": {"connect_path": "/"}, "api_version": "2.0.6"}
    assert read(only_connect).endpoints == Endpoints("/")
    # Old descriptions of the API demand it.
    assert read({"allow_editable_email": False}) == read({})


@pytest.mark.parametrize("name", [each for each in CONFIG if each not in OPTIONAL])
def test_what_is_required_must_be_there(name: str) -> None:
    for nothing in (ABSENT, None):
        ((field, problem),) = problems({name: nothing})
        assert field == name
        assert problem.startswith("is required")


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        ("api_version", "2.1", "api_version", "major.minor.patch"),
        ("name", "", "name", "must not be empty"),
        ("category", "ingest", "category", "INGEST, DATA_PREP"),
        ("base_url", "partner.example", "base_url", "begins with https://"),
        ("base_url", "https://partner.example/?a=1", "base_url", "must end before any ?"),
        ("endpoints", "/connect", "endpoints", "must be an object"),
        ("endpoints.connect_path", ABSENT, "endpoints.connect_path", "is required"),
        ("endpoints.connect_path", "connect", "endpoints.connect_path", "begins with one /"),
        ("endpoints.connect_path", "//other.example", "endpoints.connect_path", "begins with one /"),
        ("endpoints.connect_path", "/connect?x", "endpoints.connect_path", "begins with one /"),
        ("endpoints.test_connection_path", "/v1/connect", "endpoints.test_connection_path", "same as connect_path"),
        ("endpoints.delete_connection_path", "/v1/account", "endpoints.delete_connection_path", "same as delete_acc"),
        ("endpoints.delete_connection_path", ABSENT, "endpoints.delete_connection_path", "from api_version 2.1.0 on"),
        ("endpoints.conect_path", "/", "endpoints.conect_path", "did you mean connect_path?"),
        ("logo_file", "logo.jpeg", "logo_file", ".png or .svg"),
        ("resources_to_provision", ["PAT"], "resources_to_provision[0]", "must be an object"),
        ("resources_to_provision", [{}], "resources_to_provision[0].resource_type", "is required; it must be PAT"),
        (
            "resources_to_provision",
            [{"resource_type": "PAT", "x": 1}],
            "resources_to_provision[0].x",
            "not a known key",
        ),
        ("resources_to_provision", [{"resource_type": "PAT"}] * 2, "resources_to_provision", "holds PAT 2 times"),
        ("supported_clouds", "aws", "supported_clouds", "must be a list"),
        ("supported_clouds", [], "supported_clouds", "is empty; name aws"),
        ("supported_clouds", ["aws", "gpc"], "supported_clouds[1]", "aws, azure or gcp"),
        ("supported_clouds", ["aws", "aws"], "supported_clouds", "holds aws 2 times"),
        ("hostnames", [], "hostnames", "is empty; name every host"),
        ("hostnames", ["a.example", "https://b.example"], "hostnames[1]", "the name of a host"),
        ("hostnames", ["*.a.example"], "hostnames[0]", "the name of a host"),
        ("hostnames", ["a.example", "A.example"], "hostnames", "holds a.example 2 times"),
        ("hostname", ["a.example"], "hostname", "did you mean hostnames?"),
        ("new_user_action", "add", "new_user_action", "auto_add, invite, not_found or error"),
        ("data_permissions", [{"permission": "ALL_PRIVILEGES"}], "data_permissions[0].permission", "ALL PRIVILEGES"),
        ("object_permissions", [{"name": "Repo"}], "object_permissions[0].level", "is required"),
        ("require_manual_signup", "yes", "require_manual_signup", "true or false"),
        ("trial_type", "company", "trial_type", "user or account"),
        ("auth_options", ["AUTH_PAT", "AUTH_OAUTH_M2M"], "auth_options", "exclude each other"),
        ("auth_options", ["PAT"], "auth_options[0]", "AUTH_PAT, AUTH_OAUTH_M2M or AUTH_OAUTH_U2M"),
        ("is_published_app", True, "is_published_app", "lacks AUTH_OAUTH_U2M; add it, or remove"),
        ("test_workspace_detail.port", 0, "test_workspace_detail.port", "from 1 to 65535"),
        ("test_workspace_detail.cluster_id", ABSENT, "test_workspace_detail.cluster_id", "is required"),
        ("zzz\n", 1, "zzz\\n", "is not a known key; remove it"),
    ],
)
def test_a_wrong_key_is_named(path: str, value: Any, field: str, words: str) -> None:
    ((found, problem),) = problems({path: value})
    assert found == field
    assert words in problem


def test_what_must_hold_between_keys() -> None:
    ingest = {"category": "INGEST", "endpoints.get_connectors_path": ABSENT}
    oldest = {"api_version": "2.1.0", "endpoints.delete_connection_path": ABSENT}
    assert "from api_version 2.1.0 on" in dict(problems(oldest))["endpoints.delete_connection_path"]
    assert "is required in the category INGEST" in dict(problems(ingest))["endpoints.get_connectors_path"]
    lacking = dict(problems({"data_permissions": None, "object_permissions": []}))
    assert "both lack; ask for at least one" in lacking["data_permissions"]
    no_token = {"auth_options": ["AUTH_OAUTH_M2M"], "resources_to_provision": [{"resource_type": "PAT"}]}
    assert "lacks AUTH_PAT" in dict(problems(no_token))["resources_to_provision"]
    both = read({"auth_options": ["AUTH_OAUTH_M2M", "AUTH_OAUTH_U2M"], "is_published_app": True})
    assert both.is_published_app
    assert partner_config_problems(both) == ()
    broken = dataclasses.replace(both, auth_options=(AuthOption.AUTH_OAUTH_M2M,))
    assert [problem.field for problem in partner_config_problems(broken)] == ["is_published_app"]


def test_all_that_is_wrong_is_told_at_once_and_nothing_that_only_follows() -> None:
    wrong = {"category": "x", "endpoints.get_connectors_path": ABSENT, "hostnames": ABSENT, "auth_options": [1]}
    found = [field for field, _ in problems({**wrong, "is_published_app": True, "api_version": "x"})]
    assert found == ["api_version", "category", "hostnames", "auth_options[0]"]
    same = {"endpoints.connect_path": "x", "endpoints.test_connection_path": "x"}
    assert {words for _, words in problems(same)} == {"must be a path that begins with one /, as /connect; "}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"[]", "the file is not a JSON object"),
        (b"{,}", "the file is not JSON, at line 1, column 2"),
        (b'{"name": "\xe9"}', "the file is not UTF-8"),
        (encoded({"partner": {"name": "x"}}), "belongs to the Self-Testing Partner CLI"),
        (encoded(CONFIG)[:-1] + b', "name": "x"}', "name is there more than once"),
    ],
)
def test_a_file_that_is_no_config_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(PartnerConfigError, match=words) as caught:
        read_partner_config(content)
    assert len(caught.value.problems) == 1


def test_every_endpoint_has_its_methods() -> None:
    assert set(METHODS) == {each.name for each in dataclasses.fields(Endpoints)}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["aws", "AUTH_PAT", "/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(CONFIG)) | st.text(max_size=4), ANY_JSON, max_size=6), st.booleans())
def test_nothing_in_json_raises_anything_but_problems(value: dict[str, Any], merged: bool) -> None:
    try:
        read_partner_config(encoded({**CONFIG, **value} if merged else value))
    except PartnerConfigError as error:
        assert error.problems
        assert "\n" not in error.message


@given(st.data())
def test_what_is_written_is_read_again_as_it_was(data: st.DataObject) -> None:
    text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
    config = read(
        {
            "name": data.draw(text),
            "description_blurb": data.draw(text),
            "category": data.draw(st.sampled_from(Category)),
            "new_user_action": data.draw(st.sampled_from(NewUserAction)),
            "supported_clouds": data.draw(st.lists(st.sampled_from(CloudProvider), min_size=1, unique=True)),
            "require_manual_signup": data.draw(st.none() | st.booleans()),
            "trial_type": data.draw(st.none() | st.sampled_from(TrialType)),
            "auth_options": data.draw(st.sampled_from([None, [], ["AUTH_OAUTH_U2M"], ["AUTH_OAUTH_M2M"]])),
            "object_permissions": data.draw(st.sampled_from([None, [], CONFIG["object_permissions"]])),
            "test_workspace_detail": data.draw(st.sampled_from([None, CONFIG["test_workspace_detail"]])),
        }
    )
    assert read_partner_config(write_partner_config(config)) == config
