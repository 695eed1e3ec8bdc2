"""Configuration files read without an engine: each problem is told with its line, and nothing makes the reader fall."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.access_model import EntityKey, Origin
from core.access.effective.privilege_tree import PrivilegeTree, clickhouse_26_9
from core.access.model import Authentication, AuthKind, EntityKind, NameSet, SshKey
from core.access.policies import PolicyName
from core.access.tokenizer import AccessSyntaxError
from core.access.xml.files import configuration_files, read_configuration
from core.access.xml.losses import Effect
from core.access.xml.nodes import XmlError, parse_xml
from core.access.xml.policies import as_expression
from core.access.xml.problems import Severity
from core.access.xml.reading import DEFAULT_OPTIONS, Reading, ReadingOptions, XmlFile, read_files
from core.access.xml.sql_losses import losses_to_sql
from core.errors import BadInputError, HousekeysError, NotFoundError

HEX = "ab" * 32


def read(text: str, options: ReadingOptions = DEFAULT_OPTIONS, **included: bytes) -> Reading:
    return read_files([XmlFile("users.xml", text.encode())], options, included.get)


def users(inner: str) -> str:
    return f"<clickhouse><profiles><default/></profiles><users>{inner}</users></clickhouse>"


def messages(reading: Reading, severity: Severity) -> dict[int, str]:
    return {problem.line: problem.message for problem in reading.problems if problem.severity is severity}


def test_every_problem_is_told_at_once_with_its_line() -> None:
    reading = read(
        """<clickhouse>
<users>
<two><no_password/><password>hunter2</password></two>
<profiled><no_password/>
<profile>nowhere</profile></profiled>
<mixed><no_password/><access_management>1</access_management><grants/></mixed>
<odd><password_sha256_hex>hunter2</password_sha256_hex>
<frobnicate/></odd>
</users>
<quotas><q><interval><duration>60</duration>
<queries>10G</queries></interval></q></quotas>
<usres/>
</clickhouse>"""
    )
    errors = messages(reading, Severity.ERROR)
    assert errors == {
        3: "The user 'two' has more than one way to be identified.",
        5: "There is no settings profile 'nowhere'.",
        6: "The user 'mixed' has <grants> and other elements that give rights.",
        7: "The <password_sha256_hex> of 'odd' is not 64 hexadecimal digits.",
        11: "<queries> of the quota 'q' is '10G', which is no whole number.",
    }
    warnings = messages(reading, Severity.WARNING)
    assert set(warnings) == {1, 8, 12}
    assert not reading.loads
    assert all(problem.advice and problem.file == "users.xml" for problem in reading.problems)
    assert "hunter2" not in f"{reading.problems}{reading.model}{losses_to_sql(reading)}"


def test_flags_withhold_rights_and_names_without_effect_are_kept_apart() -> None:
    reading = read(
        users(
            "<a><no_password/></a><b><no_password/><quota>gone</quota>"
            "<grants><query>GRANT missing</query><query>GRANT SELECT ON t</query></grants></b>"
        )
    )
    assert reading.loads
    user = EntityKey(EntityKind.USER, "b")
    assert reading.ignored == (
        (user, "the role 'missing'"),
        (user, "SELECT ON 't'"),
        (user, "the quota 'gone'"),
    )
    assert {loss.effect for loss in losses_to_sql(reading)} == {Effect.IGNORED}


def test_an_ssh_key_is_read() -> None:
    key = "<ssh_keys><ssh_key><type>ssh-ed25519</type><base64_key>AAAA</base64_key></ssh_key></ssh_keys>"
    reading = read(users(f"<a>{key}</a><b><ssh_keys><ssh_key><type>x</type></ssh_key><key/></ssh_keys></b>"))
    assert reading.model.users["a"].methods == (
        Authentication(AuthKind.SSH_KEY, keys=(SshKey("AAAA", "ssh-ed25519"),)),
    )
    assert len(messages(reading, Severity.ERROR)) == 1
    assert sum(problem.severity is Severity.ERROR for problem in reading.problems) == 2


@pytest.mark.parametrize(
    "attribute", ["from_zk='/secrets/a'", "encrypted_by='AES_128_GCM_SIV'", "from_env='HOUSEKEYS_NOT_SET'"]
)
@pytest.mark.parametrize("element", ["password", "password_sha256_hex"])
def test_a_secret_that_is_not_known_here_opens_nothing(attribute: str, element: str) -> None:
    text = "AABB" if attribute.startswith("encrypted") else ""
    reading = read(users(f"<a><{element} {attribute}>{text}</{element}></a>"))
    (method,) = reading.model.users["a"].methods
    assert (method.password, method.hash) == (None, None)
    assert reading.loads
    assert list(reading.unresolved) == [f"users.a.{element}"]
    losses = {(loss.entity.name, loss.what): loss.effect for loss in losses_to_sql(reading)}
    assert losses["a", "its password"] is Effect.LEFT_OUT


def test_a_number_that_is_not_known_here_is_no_error() -> None:
    quota = "<q><interval from_zk='/x'/><interval><duration from_env='A'/><queries>1</queries></interval></q>"
    reading = read(f"<clickhouse><profiles><default/></profiles><quotas>{quota}</quotas></clickhouse>")
    assert reading.loads
    assert reading.model.quotas["q"].intervals == ()


def test_what_the_server_knows_decides_what_is_wrong() -> None:
    text = (
        "<clickhouse><profiles><default><max_threads>1</max_threads><max_thraeds>1</max_thraeds><constraints>"
        "<max_threads><changeable_in_readonly/></max_threads></constraints></default></profiles><users>"
        "<a><no_password/><grants><query>GRANT HANDLE ON *.*</query></grants>"
        "<databases><d><t><filter>1</filter></t></d></databases></a><b><no_password/></b></users></clickhouse>"
    )
    newer = PrivilegeTree(clickhouse_26_9().with_unknown(["HANDLE"]).privileges.values())
    assert len(messages(read(text), Severity.ERROR)) == 1
    assert read(text, ReadingOptions(privileges=newer)).loads
    strict = read(text, ReadingOptions(privileges=newer, settings={"max_threads"}))
    assert messages(strict, Severity.ERROR) == {1: "The server has no setting 'max_thraeds'."}
    older = ReadingOptions(
        privileges=newer,
        settings_constraints_replace_previous=False,
        users_without_row_policies_can_read_rows=False,
    )
    assert messages(read(text, older), Severity.ERROR) == {1: "changeable_in_readonly is not allowed by this server."}
    assert set(read(text).model.row_policies) == {PolicyName("a", "d", "t")}
    assert set(read(text, older).model.row_policies) == {PolicyName("a", "d", "t"), PolicyName("b", "d", "t")}


def test_a_disallowed_value_is_lost_on_the_way_to_sql() -> None:
    reading = read(
        "<clickhouse><profiles><default/><p><constraints><max_threads><disallowed>3</disallowed></max_threads>"
        "</constraints></p></profiles><quotas><q><interval><duration>60</duration></interval>"
        "<interval><duration>60</duration></interval></q></quotas></clickhouse>"
    )
    assert reading.disallowed == {("p", "max_threads"): ("3",)}
    assert [(loss.entity.name, loss.effect) for loss in losses_to_sql(reading)] == [
        ("p", Effect.WIDENED),
        ("q", Effect.WIDENED),
    ]


def test_a_user_with_a_dot_gets_neither_quota_nor_row_policy() -> None:
    text = users(
        "<a.b><no_password/><quota>q</quota><databases><d><t><filter>1</filter></t></d></databases></a.b>"
    ).replace("</users>", "</users><quotas><q/></quotas>")
    reading = read(text)
    assert reading.model.quotas["q"].to == NameSet()
    assert reading.model.row_policies[PolicyName("a\\.b", "d", "t")].to == NameSet()
    assert len(messages(reading, Severity.WARNING)) == 1
    assert len(reading.problems) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a  =\n1 -- all\n", "a = 1"),
        ("f(x,'TO ALL') /* c */ OR [1]", "f(x,'TO ALL') OR [1]"),
        ("(a) TO ALL", None),
        ("1; DROP USER u", None),
        ("(a", None),
        ("a)", None),
        ("-- nothing", None),
        ("'open", None),
    ],
)
def test_a_filter_is_one_expression_and_nothing_else(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(AccessSyntaxError):
            as_expression(text)
        text = text.replace("<", "&lt;")
        reading = read(users(f"<a><no_password/><databases><d><t><filter>{text}</filter></t></d></databases></a>"))
        assert reading.model.row_policies[PolicyName("a", "d", "t")].condition == "0"
    else:
        assert as_expression(text) == expected


# -- hostile files ------------------------------------------------------------------------------------------------

LAUGHS = "<!DOCTYPE c [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><clickhouse>&b;</clickhouse>"
OUTSIDE = "<!DOCTYPE c [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><clickhouse>&a;</clickhouse>"


@pytest.mark.parametrize("text", [LAUGHS, OUTSIDE, OUTSIDE.replace("&a;", "")])
def test_entities_are_refused(text: str) -> None:
    with pytest.raises(XmlError) as caught:
        read(text)
    assert "users.xml, line 1" in caught.value.message
    assert "root" not in str(caught.value)


def test_what_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(XmlError) as caught:
        read("<a>\n" * 5000 + "</a>" * 5000)
    assert caught.value.origin == Origin("users.xml", 101)


def test_includes_that_go_round_in_circles_end() -> None:
    text = users("<a incl='a'/>").replace("<users>", "<include_from>inc</include_from><users>")
    reading = read(text, inc=b"<c><a incl='a'><x/></a></c>")
    assert any("includes itself" in problem.message for problem in reading.problems)
    reading = read(users("<a><no_password/><default_database>${users.a.default_database}</default_database></a>"))
    assert any("lead to each other" in problem.message for problem in reading.problems)


def test_includes_and_references_that_multiply_end() -> None:
    many = "".join("<x incl='x'/>" for _ in range(10))
    text = users("<a incl='x'/>").replace("<users>", "<include_from>inc</include_from><users>")
    reading = read(text, inc=f"<c><x>{many}</x></c>".encode())
    assert any("too many references" in problem.message for problem in reading.problems)
    steps = "".join(f"<s{step}>{f'${{s{step + 1}}}' * 20}</s{step}>" for step in range(9))
    reading = read(
        users("<a><no_password/><default_database>${s0}</default_database></a>" + "</users>" + steps + "<users>")
    )
    assert any("too many" in problem.message for problem in reading.problems)


@given(st.binary(max_size=60).map(lambda noise: b"<clickhouse><users>" + noise + b"</users></clickhouse>"))
def test_any_bytes_are_read_or_refused_with_a_place(content: bytes) -> None:
    try:
        read_files([XmlFile("users.xml", content), XmlFile("users.d/a.xml", content)])
    except XmlError as error:
        assert error.origin.file == "users.xml"


_NAMES = st.sampled_from(
    [
        *(
            "users",
            "roles",
            "profiles",
            "quotas",
            "include_from",
            "u",
            "default",
            "no_password",
            "password",
            "networks",
        ),
        *(
            "ip",
            "host_regexp",
            "profile",
            "quota",
            "grants",
            "query",
            "allow_databases",
            "databases",
            "database",
            "table",
        ),
        *("filter", "interval", "duration", "queries", "execution_time", "constraints", "max_threads", "min", "const"),
        *("disallowed", "ssl_certificates", "subject_alt_name", "ssh_keys", "ssh_key", "include", "a.b", "keyed_by_ip"),
    ]
)
_ATTRIBUTES = st.sampled_from(
    [
        "",
        "",
        "",
        " replace='1'",
        " remove='1'",
        " incl='u'",
        " from_env='E'",
        " from_zk='/z'",
        " name='n'",
        " merge='1'",
    ]
)
_TEXTS = st.sampled_from(["", "1", "10G", "::/0", "GRANT SELECT ON a.b", "${users.u}", " ", "default", "a = 1", "&lt;"])
_trees = st.recursive(
    _TEXTS,
    lambda inner: st.lists(st.tuples(_NAMES, _ATTRIBUTES, inner), max_size=4).map(
        lambda parts: "".join(f"<{name}{attributes}>{text}</{name}>" for name, attributes, text in parts)
    ),
    max_leaves=25,
)


@given(_trees, _trees, _trees)
def test_any_elements_in_any_place_are_read(first: str, second: str, third: str) -> None:
    files = [XmlFile(f"{part}.xml", f"<clickhouse>{part}</clickhouse>".encode()) for part in (first, second)]
    options = ReadingOptions(environment={"E": third}, include_from="inc")
    try:
        reading = read_files(files, options, lambda path: f"<c><u>{third}</u></c>".encode())
    except XmlError:
        pytest.fail("a well-formed text is XML")
    assert all(problem.message and problem.advice for problem in reading.problems)
    losses_to_sql(reading)


def test_numbers_without_end_are_no_numbers() -> None:
    long = "9" * 5000
    reading = read(
        f"<clickhouse><profiles><default/></profiles><quotas><q><interval><duration>{long}</duration></interval>"
        f"<interval><duration>9</duration><queries>{long}</queries></interval></q></quotas><users><a><no_password/>"
        f"<networks><ip>10.0.0.0/{long}</ip></networks><access_management>{long}</access_management>"
        f"<default_database>${{users.a[{long}]}}</default_database></a></users></clickhouse>"
    )
    assert sum(problem.severity is Severity.ERROR for problem in reading.problems) == 4
    assert all(len(problem.message) < 200 for problem in reading.problems)


def test_lines_are_those_of_the_file() -> None:
    root = parse_xml(b"<a>\n<b\n c='d'>\n\n<e/></b></a>", "f", 10)
    assert [(path, node.origin.line) for path, node in root.walk()] == [("b", 11), ("b.e", 14)]


# -- files and folders --------------------------------------------------------------------------------------------


def lay_out(root: Path, *names: str, text: str = "<clickhouse/>") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_the_files_of_a_configuration_are_found(tmp_path: Path) -> None:
    lay_out(tmp_path, "users.xml", "users.d/b.xml", "users.d/a.conf", "conf.d/z.XML", "users.d/c.txt", "users.d/.d.xml")
    for path in (tmp_path, tmp_path / "users.xml"):
        main, merged = configuration_files(path)
        assert main == tmp_path / "users.xml"
        assert [file.name for file in merged] == ["z.XML", "a.conf", "b.xml"]
    main, merged = configuration_files(tmp_path / "users.d")
    assert (main.name, [file.name for file in merged]) == ("a.conf", ["b.xml"])


def test_yaml_is_named_and_not_read(tmp_path: Path) -> None:
    lay_out(tmp_path, "users.xml")
    lay_out(tmp_path, "users.d/a.yaml", "users.d/b.conf", text="users:\n  a:\n    no_password:\n")
    reading = read_configuration(tmp_path)
    assert [(Path(problem.file).name, problem.line) for problem in reading.problems][:2] == [
        ("a.yaml", 0),
        ("b.conf", 0),
    ]
    with pytest.raises(XmlError, match="YAML"):
        read_configuration(tmp_path / "users.d" / "a.yaml")


def test_what_cannot_be_found_or_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_configuration(tmp_path)
    with pytest.raises(NotFoundError):
        read_configuration(tmp_path / "users.xml")
    lay_out(tmp_path, "users.xml", text="<clickhouse><include_from>/no/such/file</include_from></clickhouse>")
    reading = read_configuration(tmp_path)
    assert "cannot be read" in messages(reading, Severity.ERROR)[1]
    lay_out(tmp_path, "copy.xml", text="<c/>")
    options = ReadingOptions(include_from=str(tmp_path / "copy.xml"))
    assert read_configuration(tmp_path, options).loads


def test_every_error_is_one_of_ours(tmp_path: Path) -> None:
    assert issubclass(XmlError, BadInputError)
    assert issubclass(BadInputError, HousekeysError)
    lay_out(tmp_path, "users.xml", text="<clickhouse>\n<users>\n</clickhouse>")
    with pytest.raises(HousekeysError) as caught:
        read_configuration(tmp_path)
    assert caught.value.message.startswith(f"{tmp_path}/users.xml, line 3: this is no well-formed XML")
