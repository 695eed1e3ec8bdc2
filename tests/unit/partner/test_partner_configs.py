"""The PartnerConfig of a policy: each is one that Databricks takes, and what says otherwise is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.partner.messages.partner_config import Category, ResourceType
from core.partner.messages.partner_config_reading import read_partner_config
from core.partner.messages.writing import write_partner_config
from core.partner.partner_configs import Difference, Presentation, differences, partner_config
from core.profiles.partner import (
    AUTH_OPTIONS,
    INTEGRATIONS,
    AuthOption,
    EndpointPaths,
    Integration,
    OfferedConnector,
    PartnerPolicy,
    TrialPolicy,
)

POLICY = PartnerPolicy("https://connect.acme.example/db", hostnames=("acme.example",))


@pytest.mark.parametrize("option", AUTH_OPTIONS)
@pytest.mark.parametrize("integration", INTEGRATIONS)
def test_every_policy_has_a_config_that_can_be_read(integration: Integration, option: AuthOption) -> None:
    policy = replace(POLICY, integration=integration, auth_options=(option,), trial=TrialPolicy("user"))
    config = partner_config(policy)
    assert read_partner_config(write_partner_config(config)) == config
    assert differences(config, policy) == ()
    assert config.provisions(ResourceType.SQL_ENDPOINT) is (integration in ("read", "write", "read-write"))
    assert config.provisions(ResourceType.INTERACTIVE_CLUSTER) is (integration == "notebook")
    assert config.provisions(ResourceType.PAT) is (option == "AUTH_PAT")


def test_what_people_read_is_told_or_usual() -> None:
    config = partner_config(POLICY)
    assert (config.name, config.category, config.sign_up_page) == (
        "connect.acme.example",
        Category.BI_AND_VIZ,
        POLICY.base_url,
    )
    told = partner_config(
        POLICY, Presentation("Acme", category=Category.INGEST, privacy_policy="https://acme.example/p")
    )
    assert (told.name, told.privacy_policy) == ("Acme", "https://acme.example/p")
    assert told.endpoints.get_connectors_path == "/connectors"  # which INGEST demands
    named = replace(POLICY, name="Acme Data")
    assert partner_config(named).name == "Acme Data"
    assert partner_config(named, Presentation("Acme")).name == "Acme"


def test_only_what_is_of_use_is_named() -> None:
    endpoints = partner_config(POLICY).endpoints
    assert (endpoints.delete_account_path, endpoints.expire_account_path, endpoints.get_connectors_path) == (None,) * 3
    more = replace(POLICY, test_hooks=True, connectors=(OfferedConnector("s3", "S3"),))
    endpoints = partner_config(more).endpoints
    assert (endpoints.delete_account_path, endpoints.expire_account_path, endpoints.get_connectors_path) == (
        "/delete-account",
        "/expire-account",
        "/connectors",
    )


def test_differences_are_told() -> None:
    config = partner_config(replace(POLICY, test_hooks=True))
    served = replace(POLICY, supports_demo=False, integration="notebook", hostnames=("b.example", "acme.example"))
    served = replace(served, endpoints=EndpointPaths(connect_path="/v1/connect"))
    assert differences(config, served) == (
        Difference("endpoints.connect_path", "/connect", "/v1/connect"),
        Difference("endpoints.delete_account_path", "/delete-account", "none"),
        Difference("endpoints.expire_account_path", "/expire-account", "none"),
        Difference("hostnames", "acme.example", "acme.example, b.example"),
        Difference("supports_demo", "true", "false"),
        Difference("resources_to_provision", "SqlEndpoint", "InteractiveCluster"),
    )
