"""What SHOW ACCESS prints about entities of every kind that users.xml can define: read, and written the same again."""

from __future__ import annotations

import pytest

from core.access.access_model import AccessModel, Holder
from core.access.assembling import assemble, model_from_statements
from core.access.disassembling import statements_of
from core.access.model import EntityKind, NameSet
from core.access.parser import parse_statement
from core.access.policies import PolicyName
from core.access.quotas import QuotaInterval, QuotaKey, QuotaLimit
from core.access.render import render
from core.access.script import model_of_script
from tests.engine.xml_engine import document, laid_out, show_access

USERS = """
<anna><password_sha256_hex>0000000000000000000000000000000000000000000000000000000000000000</password_sha256_hex>
  <networks><ip>10.0.0.0/8</ip><host_regexp>^db\\d'$</host_regexp></networks>
  <profile>careful</profile><quota>hourly</quota>
  <grants><query>GRANT SELECT ON shop.* WITH GRANT OPTION</query><query>GRANT reader</query></grants></anna>
<bob><no_password/><quota>every_key</quota><databases><shop>
  <orders><filter>city = 'TO anna' AND (id IN (1, 2) OR note LIKE '%it\\'s%')</filter></orders></shop></databases></bob>
"""
PROFILES = """
<small><max_threads>4</max_threads><log_comment>a; b 'c'</log_comment>
  <constraints><max_threads><min>1</min><max>8</max></max_threads><log_comment><readonly/></log_comment></constraints>
</small>
<careful><profile>small</profile><readonly>2</readonly></careful>
"""
QUOTAS = """
<hourly><keyed_by_ip/><ipv4_prefix_bits>24</ipv4_prefix_bits><ipv6_prefix_bits>64</ipv6_prefix_bits>
  <interval><duration>3600</duration><queries>10</queries><errors>1</errors><execution_time>1.5</execution_time></interval>
  <interval><duration>7889238</duration><randomize>1</randomize><read_bytes>18446744073709551615</read_bytes></interval>
  <interval><duration>90</duration></interval></hourly>
<every_key><keyed/></every_key>
<forwarded><keyed_by_forwarded_ip/></forwarded>
"""
ROLES = "<reader><grants><query>GRANT SELECT ON *.*</query><query>REVOKE SELECT ON secret.*</query></grants></reader>"


@pytest.fixture(scope="module")
def shown() -> list[str]:
    """The lines of SHOW ACCESS of a ClickHouse with all of these."""
    with laid_out({"users.xml": document(USERS, profiles=PROFILES, quotas=QUOTAS, roles=ROLES)}) as root:
        lines = show_access(root)
    assert lines is not None
    return lines


def test_every_line_is_written_as_it_was_shown(shown: list[str]) -> None:
    assert [render(parse_statement(line)) for line in shown] == shown
    for kind in ("QUOTA", "SETTINGS PROFILE", "ROW POLICY"):
        assert any(line.startswith(f"CREATE {kind}") for line in shown)


def test_the_lines_are_one_model(shown: list[str]) -> None:
    model, misfits = assemble(map(parse_statement, shown))
    assert misfits == ()
    hourly = model.quotas["hourly"]
    assert (hourly.key, hourly.ipv4_prefix_bits, hourly.ipv6_prefix_bits) == (QuotaKey.IP_ADDRESS, 24, 64)
    assert set(hourly.intervals) == {
        QuotaInterval(90),
        QuotaInterval(3600, ((QuotaLimit.QUERIES, 10), (QuotaLimit.ERRORS, 1), (QuotaLimit.EXECUTION_TIME, 1.5))),
        QuotaInterval(7889238, ((QuotaLimit.READ_BYTES, 2**64 - 1),), randomized=True),
    }
    assert hourly.to == NameSet(("anna",))
    assert model.quotas["every_key"].key is QuotaKey.CLIENT_KEY_OR_USER_NAME
    assert model.quotas["forwarded"].key is QuotaKey.FORWARDED_IP_ADDRESS
    assert [element.profile for element in model.settings_profiles["careful"].settings] == ["small", ""]
    assert model.settings_profiles["small"].settings[1].value == r"'a; b \'c\''"
    policy = model.row_policies[PolicyName("bob", "shop", "orders")]
    assert policy.condition == r"(city = 'TO anna') AND ((id IN (1, 2)) OR (note LIKE '%it\'s%'))"
    assert model.granted_roles[Holder(EntityKind.USER, "anna")] == {"reader": False}


def test_the_model_is_built_again_by_its_statements_and_by_the_text_itself(shown: list[str]) -> None:
    model = model_from_statements(map(parse_statement, shown))
    assert model_from_statements(statements_of(model)) == model
    for text in ("\n".join(shown), ";\n".join(shown)):
        again, problems = model_of_script(text)
        assert (again, problems) == (model, [])
    assert model != AccessModel()
