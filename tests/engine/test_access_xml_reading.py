"""Configuration files as we read them, judged by ClickHouse, which loads the very same files.

What was read is written again and loaded too: ClickHouse must show the same access for both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from core.access.access_model import AccessModel
from core.access.xml.problems import Severity
from core.access.xml.writing import write
from core.clickhouse.embedded_answers import shown
from tests.engine.xml_engine import (
    FOR_CHDB,
    document,
    laid_out,
    loaded,
    read_for_chdb,
    show_access,
    without_sources,
)

DATA = Path(__file__).parent.parent / "data" / "xml"
HEX = "ab" * 32
NO = "<no_password/><grants/>"  # a user with no rights, so that what it shows is short


def users(**inner: str) -> str:
    return "".join(f"<{name}><no_password/>{text}</{name}>" for name, text in inner.items())


def queries(*statements: str) -> str:
    return f"<grants>{''.join(f'<query>{statement}</query>' for statement in statements)}</grants>"


FLAGS = users(
    f0="",
    f1="<access_management>1</access_management>",
    f2="<named_collection_control>yes</named_collection_control>",
    f3="<show_named_collections_secrets>TRUE</show_named_collections_secrets>",
    f4="<named_collection_admin> 2</named_collection_admin><access_management>on</access_management>",
    f5="<allow_databases><database>db</database><any>db 2</any><database>db</database></allow_databases>",
    f6="<allow_databases/><access_management>off</access_management>",
    f7="<allow_dictionaries><dictionary>d</dictionary></allow_dictionaries><show_named_collections>1</show_named_collections>",
    f8="<allow_databases><database>db</database></allow_databases><access_management>1</access_management>"
    "<allow_dictionaries><dictionary>d</dictionary></allow_dictionaries>"
    "<named_collection_control>1</named_collection_control>",
)
GRANTS = users(
    g0="<grants/>",
    g1="<grants>no element</grants>",
    g2=queries("GRANT SELECT ON a.b WITH GRANT OPTION", "grant insert(x, `y z`) on a.b;", "REVOKE SELECT(x) ON a.b"),
    g3=queries("GRANT r1 WITH ADMIN OPTION", "GRANT r1, r2", "GRANT nobody"),
    g4="<grants><anything>GRANT SELECT ON system*.*, SHOW ON *.* -- all\n</anything></grants>",
    g5=queries("GRANT ALL ON *.*", "REVOKE SELECT ON secret.*", "REVOKE GRANT OPTION FOR INSERT ON a.*"),
    g6=queries("REVOKE SELECT ON secret.*", "GRANT SELECT ON *.*"),
    g7=queries("GRANT SELECT ON *", "GRANT IMPERSONATE ON u*", "GRANT CREATE USER ON *", "GRANT USAGE ON *.*"),
    g8=queries("GRANT CURRENT GRANTS(SELECT ON a.b)", "GRANT INSERT ON a.b WITH GRANT OPTION WITH REPLACE OPTION"),
    g9="<grants><query>GRANT SELECT ON a.b</query></grants><grants><query>GRANT SELECT ON c.d</query></grants>",
)
AUTHENTICATION = "".join(
    f"<{name}>{element}<grants/></{name}>"
    for name, element in {
        "a0": "<password></password>",
        "a1": "<password>p&amp;w</password>",
        "a2": f"<password_sha256_hex>{HEX}</password_sha256_hex>",
        "a3": f"<password_scram_sha256_hex>{HEX.upper()}</password_scram_sha256_hex>",
        "a4": f"<password_double_sha1_hex>{HEX[:40]}</password_double_sha1_hex>",
        "a5": "<ldap><server>s</server><server>t</server></ldap>",
        "a6": "<kerberos/>",
        "a7": "<kerberos><realm>R</realm></kerberos>",
        "a8": "<ssl_certificates><common_name>b</common_name><common_name>a</common_name></ssl_certificates>",
        "a9": "<ssl_certificates><subject_alt_name>URI:x</subject_alt_name><subject_alt_name>DNS:y</subject_alt_name>"
        "<common_name>z</common_name></ssl_certificates>",
        "a10": "<http_authentication><server>s</server><scheme>Basic</scheme></http_authentication>",
        "a11": "<no_password>0</no_password><no_password/>",
    }.items()
)
ADDRESSES = [
    *("::/0", "0.0.0.0/0", "::1", "127.0.0.5", "127.0.0.0/8", "10.0.0.1/8", "10.0.0.1/255.255.255.0", "10.0.0.1/32"),
    *("10.0.0.1/255.0.255.0", "2a02:6b8::3/64", "2a02:6b8::3/ffff:ffff:ffff:ffff::", "::ffff:10.0.0.1", "::/1", ""),
    *("::ffff:10.0.0.1/120", "::ffff:127.0.0.1", "2001:DB8:0:0::1", "10.0.0.1/0", "10.0.0", "010.0.0.1", "0x0a.1"),
    *("::1/128", "::1.2.3.4", "1::/ffff::", "10.0.0.1/ffff::", "::/0.0.0.0", "1:0:0:4:5:0:0:8", "64:ff9b::1.2.3.4"),
    *("127.0.0.0/7", "::ffff:127.0.0.0/104", "::/64", "10.0.0.1 ", "::ffff:0:10.0.0.1"),
]
HOSTS = users(
    **{f"h{number}": f"<networks><ip>{address}</ip></networks><grants/>" for number, address in enumerate(ADDRESSES)},
    n0="<networks/><grants/>",
    n1="<networks><host>b</host><ip>10.0.0.2</ip><ip>192.168.0.0/16</ip><host_regexp>^a.b$</host_regexp><ip>10.0.0.1</ip>"
    "<ip>10.0.0.2</ip><host>a</host><ip6>10.0.0.9</ip6><host_x>x</host_x><host>b</host></networks><grants/>",
    n2="<networks><host>LocalHost</host><host_regexp>localhost</host_regexp></networks><grants/>",
    n3="<networks><host_regexp>.*</host_regexp></networks><grants/>",
    n4="<networks><ip>::1</ip></networks><networks><ip>::/0</ip></networks><grants/>",
)
TEXTS = (
    users(
        **{
            f"t{number}": f"<default_database>{text}</default_database><grants/>"
            for number, text in enumerate(
                [
                    *(
                        "a<!-- c -->b",
                        "<![CDATA[a<b]]>",
                        "a<b>d</b>c",
                        "a\r\nb",
                        "a&#10;b",
                        "&amp;&#x263a;",
                        "$x { ",
                        " a ",
                    ),
                    *("${users.t0.default_database}", "${users.t2.default_database.b}", "$$", "x.y", "{}"),
                    *("${users.n1.networks.ip[2]}", "${users.attribute[@of]}"),
                ]
            )
        },
        twice="<grants/><default_database>first</default_database><default_database>second</default_database>",
    )
    + f"<attribute of='here'>{NO}</attribute>"
)
NAMES = f"<Пользователь>{NO}</Пользователь><漢字>{NO}</漢字><_a-b>{NO}</_a-b><a.b>{NO}</a.b><xmlish>{NO}</xmlish>"
# Names that ClickHouse makes up, which can be read but not written.
MADE_UP = document(
    f"<same>{NO}</same><same>{NO}<profile>same[1]</profile><quota>same[1]</quota></same>"
    r"<dot.ted>{NO}<quota>same</quota><databases><d.b><t><filter>1</filter></t></d.b></databases></dot.ted>"
    r"<plain>{NO}<quota>dot\.ted</quota><profile>dot\.ted</profile>"
    "<databases><d><t><filter>1</filter></t></d></databases></plain>".replace("{NO}", NO),
    profiles="<same/><same><max_threads>1</max_threads></same><dot.ted/>",
    quotas="<same/><same><keyed/></same><dot.ted/>",
    roles="<same/><same/><dot.ted/>",
)
PROFILES = (
    "<p><profile>default</profile><max_threads>4</max_threads><log_comment> it's </log_comment></p>"
    "<p2><max_threads>1</max_threads><constraints><max_threads><min>1</min><max>8</max></max_threads>"
    "<readonly><const/></readonly><max_block_size><readonly>0</readonly></max_block_size></constraints></p2>"
    "<p3><constraints><max_threads><min>1</min></max_threads></constraints><profile>p</profile>"
    "<max_threads>2</max_threads></p3>"
    "<p4><max_threads>1</max_threads><profile>p</profile><profile>default</profile><profile>p</profile>"
    "<constraints><max_threads/></constraints></p4>"
    "<p5><profile>p6</profile><constraints><max_memory_usage><max>10000000000</max></max_memory_usage>"
    "<max_threads><disallowed>3</disallowed><disallowed>4</disallowed><min>1</min></max_threads></constraints></p5>"
    "<p6>text<profile>p5</profile><load_balancing>random</load_balancing><max_execution_time>1.5</max_execution_time>"
    "<constraints><max_execution_time><min>0.25</min></max_execution_time></constraints></p6>"
)
QUOTAS = (
    "<q1><keyed_by_ip/><keyed/><ipv4_prefix_bits>24</ipv4_prefix_bits><ipv6_prefix_bits>0</ipv6_prefix_bits>"
    "<interval><duration>3600</duration><queries>5</queries><execution_time>1.5</execution_time>"
    "<result_rows>00</result_rows><errors>0</errors><read_rows>+7</read_rows>"
    "<read_bytes>18446744073709551615</read_bytes></interval>"
    "<interval><duration>60</duration><randomize>1</randomize></interval></q1>"
    "<q2><keyed_by_forwarded_ip/><interval_x><duration>0x10</duration><written_bytes>007</written_bytes>"
    "<queries_per_normalized_hash>4</queries_per_normalized_hash><queries>1</queries><queries>2</queries>"
    "<failed_sequential_authentications>2</failed_sequential_authentications></interval_x></q2>"
    "<q3><keyed_by_normalized_query_hash/><interval><duration>0</duration><queries>10G</queries></interval>"
    "<interval><queries>1</queries></interval><interval><duration>-5</duration></interval></q3>"
    "<q4><interval><duration>1,000</duration><execution_time>1e3</execution_time><queries>3</queries></interval>"
    "<interval><duration>010</duration><execution_time>.5</execution_time></interval>"
    "<interval><duration>\n 10</duration><query_selects>1</query_selects><query_inserts>2</query_inserts></interval>"
    "<interval><duration>5</duration><execution_time>0.1</execution_time><result_bytes>9</result_bytes></interval></q4>"
)
POLICIES = users(
    r1="<grants/><quota>q1</quota><databases><d><t><filter>a = 1</filter></t><t><filter>a = 2</filter></t></d>"
    "<e><t><filter>x &lt; 'y' AND (1 OR z)</filter></t></e></databases>",
    r2="<grants/><quota>q1</quota><databases><database name='d 1'><table name='t.1'><filter>a</filter></table>"
    "<table><filter>b</filter></table></database><database><x><filter>c</filter></x></database><d/></databases>",
    r3="<grants/><quota>nothing</quota><databases><d><t><filter>1</filter><filter>2</filter></t></d></databases>"
    "<databases><d><u><filter>3</filter></u></d></databases>",
)
ROLES = (
    "<r1><grants><query>GRANT r2 WITH ADMIN OPTION</query><query>GRANT SELECT ON x.y</query></grants></r1>"
    "<r2><grants><query>GRANT r1</query></grants></r2><r3>text<settings/></r3>"
)


def assert_same_access(root: Path) -> AccessModel:
    """That ClickHouse shows the same for what we write of our reading as for the files themselves."""
    theirs = show_access(root)
    reading = read_for_chdb(root)
    assert reading.loads
    with laid_out(write(reading.model, FOR_CHDB).files) as copy:
        assert theirs is not None
        assert without_sources(show_access(copy)) == without_sources(theirs)
    return reading.model


EVERYTHING = document(
    FLAGS + GRANTS + AUTHENTICATION + HOSTS + TEXTS + NAMES + POLICIES, profiles=PROFILES, quotas=QUOTAS, roles=ROLES
)


def test_every_element_means_what_clickhouse_takes_it_for() -> None:
    with laid_out({"users.xml": EVERYTHING}) as root:
        model = read_for_chdb(root).model
        assert_same_access(root)
        with loaded(root) as handle:
            for kind, entities in (("USER", model.users), ("ROLE", model.roles)):
                theirs = {str(row[0]) for row in handle.query(f"SHOW CREATE {kind}S").rows}
                assert {shown(entity) for entity in entities.values()} == theirs


REFUSED = {
    "no way to be identified": "<u><grants/></u>",
    "two ways to be identified": "<u><no_password/><password>x</password></u>",
    "sha256 too short": "<u><password_sha256_hex>ab</password_sha256_hex></u>",
    "sha256 with blanks": f"<u><password_sha256_hex> {HEX} </password_sha256_hex></u>",
    "sha256 not hexadecimal": f"<u><password_sha256_hex>{'zz' * 32}</password_sha256_hex></u>",
    "double sha1 too long": f"<u><password_double_sha1_hex>{HEX[:42]}</password_double_sha1_hex></u>",
    "scram of odd length": "<u><password_scram_sha256_hex>abc</password_scram_sha256_hex></u>",
    "ldap without a server": "<u><ldap/></u>",
    "certificates of no kind": "<u><ssl_certificates><x/></ssl_certificates></u>",
    "an empty alternative name": "<u><ssl_certificates><subject_alt_name/></ssl_certificates></u>",
    "http without a scheme": "<u><http_authentication><server>s</server></http_authentication></u>",
    "http of another scheme": "<u><http_authentication><server>s</server><scheme>x</scheme></http_authentication></u>",
    "unknown profile": users(u="<profile>nope</profile>"),
    "profile with blanks": users(u="<profile> default </profile>"),
    "grants and flags": users(u="<access_management>1</access_management><grants/>"),
    "grants and databases": users(u="<allow_databases/><grants/>"),
    "no boolean": users(u="<access_management>maybe</access_management>"),
    "empty boolean": users(u="<access_management/>"),
    "boolean with blanks": users(u="<access_management>1 </access_management>"),
    "no address": users(u="<networks><ip>localhost</ip></networks>"),
    "prefix too long": users(u="<networks><ip>10.0.0.0/33</ip></networks>"),
    "address with a blank": users(u="<networks><ip> 10.0.0.1</ip></networks>"),
    "address without a mask": users(u="<networks><ip>10.0.0.1/</ip></networks>"),
    "zero spelt out": users(u="<networks><ip>0::/0</ip></networks>"),
    "unknown kind of network": users(u="<networks><net>10.0.0.1</net></networks>"),
    "grantees": users(u=queries("GRANT SELECT ON a.b TO u")),
    "on cluster": users(u=queries("GRANT ON CLUSTER c SELECT ON a.b")),
    "revoked role": users(u=queries("REVOKE r")),
    "empty query": users(u=queries("")),
    "no grant": users(u=queries("SELECT 1")),
    "grant option for a role": users(u=queries("GRANT r WITH GRANT OPTION")),
    "unknown privilege": users(u=queries("GRANT FROBNICATE ON a.b")),
    "too deep": users(u=queries("GRANT URL ON a.b")),
    "columns of no table": users(u=queries("GRANT SELECT(x) ON a.*")),
    "no filter": users(u="<databases><d><t/></d></databases>"),
}
REFUSED_QUOTAS = [
    *(
        f"<interval><duration>9</duration><queries>{text}</queries></interval>"
        for text in ("10G", "-1", "1.5", " 5 ", "")
    ),
    *(
        f"<interval><duration>9</duration><execution_time>{text}</execution_time></interval>"
        for text in ("-1", "inf", "1e30", " 1", "x")
    ),
    *(f"<interval><duration>{text}</duration></interval>" for text in ("1.5", " 10 ", "10s", "", "2147483648", "- 5")),
    "<interval><duration>9</duration><randomize>maybe</randomize></interval>",
    "<keyed_by_ip/><ipv4_prefix_bits>33</ipv4_prefix_bits>",
    "<ipv6_prefix_bits>8</ipv6_prefix_bits>",
]
REFUSED_PROFILES = [
    "<profile>nope</profile>",
    "<max_threads>1</max_threads><max_threads>2</max_threads>",
    *(
        f"<constraints><max_threads>{text}</max_threads></constraints>"
        for text in ("<writable/>", "<const/><readonly/>", "<min>1</min><min>2</min>", "<changeable_in_readonly/>")
    ),
    "<constraints><max_threads><min>1</min></max_threads><max_threads><max>1</max></max_threads></constraints>",
]


def refused(text: str) -> bool:
    """Whether both, ClickHouse and we, refuse a configuration; that they agree is asserted."""
    with laid_out({"users.xml": text}) as root:
        theirs = show_access(root) is not None
        reading = read_for_chdb(root)
    assert reading.loads is theirs, reading.problems
    errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    assert all(problem.line and problem.message and problem.advice for problem in errors)
    return not theirs


@pytest.mark.parametrize("inner", REFUSED.values(), ids=REFUSED)
def test_what_clickhouse_refuses_about_a_user_is_an_error(inner: str) -> None:
    assert refused(document(inner, roles="<r/>"))


@pytest.mark.parametrize("inner", REFUSED_QUOTAS)
def test_what_clickhouse_refuses_about_a_quota_is_an_error(inner: str) -> None:
    assert refused(document(quotas=f"<q>{inner}</q>"))


@pytest.mark.parametrize("inner", REFUSED_PROFILES)
def test_what_clickhouse_refuses_about_a_profile_is_an_error(inner: str) -> None:
    assert refused(document(profiles=f"<p>{inner}</p>"))


def test_names_that_clickhouse_makes_up_are_the_same() -> None:
    with laid_out({"users.xml": MADE_UP}) as root:
        reading = read_for_chdb(root)
        model = reading.model
        with loaded(root) as handle:

            def names(sql: str) -> set[tuple[object, ...]]:
                return {tuple(map(str, row)) for row in handle.query(sql).rows}

            assert {(name,) for name in model.users} == names("SELECT name FROM system.users")
            assert {(name,) for name in model.roles} == names("SELECT name FROM system.roles")
            assert {(name,) for name in model.settings_profiles} == names("SELECT name FROM system.settings_profiles")
            assert {(name, str(list(quota.to.names))) for name, quota in model.quotas.items()} == names(
                "SELECT name, apply_to_list FROM system.quotas"
            )
            assert {
                (name.short, name.database, name.table, str(list(policy.to.names)))
                for name, policy in model.row_policies.items()
            } == names("SELECT short_name, database, table, apply_to_list FROM system.row_policies")
    assert reading.loads
    assert sum(problem.severity is Severity.WARNING for problem in reading.problems) >= 10
