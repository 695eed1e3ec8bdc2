"""What is wrong in a configuration file is told with its place, and does not take the rest down."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError, NotFoundError
from core.profiles import (
    CloudSettings,
    DataLens,
    LakehouseSettings,
    Preferences,
    Profile,
    ProfileFile,
    built_in,
    load,
)
from core.profiles.tables import dotted, quoted_key, quoted_text
from core.secrets import Kind, SecretReference
from tests.unit.profiles.toml_texts import Writer, toml_texts

README = Path(__file__).parents[3] / "README.md"
WHOLE = """\
default_profile = "prod"
read_only = true
idle_lock = 5
theme = "housekeys-light"
mouse = false

[profiles.prod]
url = "https://ch-1.example:9443"
user = "operator"
password = "prompt"
database = "house"
cluster = "main"
console_members = "{ca}"
connect_timeout = 2.5
query_timeout = 120
read_only = false
production = true

[profiles.prod.tls]
ca_file = "{ca}"
client_certificate = "{certificate}"
client_key = "{key}"
verify = false

[profiles.prod.settings]
max_threads = 4
log_comment = "by housekeys"
log_queries = true
max_memory_usage_for_user = 1.5

[profiles.prod.datalens]
user = "reader"
hosts = ["ch-1.example", "ch-2.example:8443", "[::1]:8443"]
key_folder = "/srv/keys"

[profiles.prod.lakehouse]
service = "gateway.example:8443/api"
instance = "i1"
workspace = "w1"
vcluster = "small"
schema = "udf"
username = "house"
password = "prompt"
ca_file = "{ca}"
verify = false
connect_timeout = 3
query_timeout = 4.5

[profiles.prod.clouds.aws]
provision = true
endpoint = "http://127.0.0.1:5000"
sts_endpoint = "https://sts.example/"
credentials_profile = "partner"
region = "cn-north-1"

[profiles.prod.clouds.tencent]

[profiles.plain]
host = "::1"
tls.enabled = false

[profiles.here]
engine = "embedded"
folder = "/srv/data"
query_log = true
"""


def read(tmp_path: Path, text: str) -> ProfileFile:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def told(file: ProfileFile) -> list[tuple[int, str, str, bool]]:
    return [(problem.line, problem.key, problem.message, problem.blocking) for problem in file.problems]


def test_every_key_of_a_profile_is_read(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "certificate", "key")}
    for path in files.values():
        path.touch(0o600)
    file = read(tmp_path, WHOLE.format(**files))

    assert file.problems == ()
    assert file.preferences == Preferences("prod", True, 5, "housekeys-light", False)
    assert file.profile() == Profile(
        "prod",
        host="ch-1.example",
        port=9443,
        ca_file=files["ca"],
        client_certificate=files["certificate"],
        client_key=files["key"],
        verify=False,
        user="operator",
        password=SecretReference(Kind.PROMPT, ()),
        database="house",
        cluster="main",
        console_members=files["ca"],
        connect_timeout=2.5,
        query_timeout=120.0,
        read_only=False,
        production=True,
        settings={
            "max_threads": 4,
            "log_comment": "by housekeys",
            "log_queries": True,
            "max_memory_usage_for_user": 1.5,
        },
        datalens=DataLens("reader", ("ch-1.example", "ch-2.example:8443", "[::1]:8443"), Path("/srv/keys")),
        lakehouse=LakehouseSettings(
            "gateway.example:8443/api",
            "i1",
            "w1",
            "house",
            SecretReference(Kind.PROMPT, ()),
            vcluster="small",
            schema="udf",
            ca_file=files["ca"],
            verify=False,
            connect_timeout=3.0,
            query_timeout=4.5,
        ),
        clouds={
            "aws": CloudSettings(True, "http://127.0.0.1:5000", "https://sts.example/", "partner", "cn-north-1"),
            "tencent": CloudSettings(),
        },
    )
    assert file.profile("plain") == Profile("plain", host="::1", port=8123, secure=False)
    assert file.profile("here") == Profile("here", engine="embedded", folder=Path("/srv/data"), query_log=True)
    assert file.profile("embedded") == built_in()
    assert file.names == ("prod", "plain", "here", "embedded")
    assert file.profile_origin("plain") == f"{tmp_path / 'config.toml'}:58"
    assert file.profile_origin("embedded") == "built-in"


def test_the_examples_of_the_documents_are_right(tmp_path: Path) -> None:
    documents = (README, README.parent / "docs" / "partner-connect.md")
    for document in documents:
        examples = re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
        assert examples
        for example in examples:
            file = read(tmp_path, example)
            assert [problem for problem in file.problems if problem.blocking or not problem.profile] == []
            assert file.broken == ()


def test_badges_addresses_and_urls() -> None:
    assert Profile("p", host="h", production=True, verify=False).badges == ("PRODUCTION", "TLS NOT VERIFIED")
    assert Profile("p", host="h", port=8123, secure=False).badges == ("NO TLS",)
    assert Profile("p", host="h").badges == ()
    assert built_in().badges == ("embedded",)
    assert Profile("p", host="::1").address == "[::1]:8443"
    assert Profile("p", host="::1").url == "https://[::1]:8443"
    assert built_in().url == ""


def test_no_file_and_an_empty_file_give_the_built_in_profile(tmp_path: Path) -> None:
    for file in (load(tmp_path / "none.toml"), read(tmp_path, "")):
        assert (file.profile(), file.problems, file.preferences) == (built_in(), (), Preferences())


def test_a_file_that_is_a_folder_is_a_problem_and_the_built_in_profile_works(tmp_path: Path) -> None:
    file = load(tmp_path)
    assert told(file) == [(0, "", "cannot be read: Is a directory. No profile of it is read.", True)]
    assert file.profile() == built_in()


@pytest.mark.parametrize(
    ("text", "line", "start"),
    [
        ("a = 1\n[profiles.x\n", 2, "not TOML, at column 12:"),
        ("[profiles.x]\nhost = 'h'\n[profiles.x]\n", 3, "not TOML, at column "),
        ("a = 1\na = 2\n", 2, "not TOML, at column "),
        ('a = """', 1, "not TOML, at the end of the file:"),
        ("\ufeffa = 1", 1, "not TOML, at column 1: the file begins with a byte order mark"),
    ],
)
def test_a_syntax_error_has_a_place_and_the_built_in_profile_works(
    tmp_path: Path, text: str, line: int, start: str
) -> None:
    file = read(tmp_path, text)
    (problem,) = file.problems
    assert (problem.line, problem.key) == (line, "")
    assert problem.message.startswith(start)
    assert problem.message.endswith("Correct it and start again; until then no profile of this file is read.")
    assert file.profile() == built_in()
    with pytest.raises(NotFoundError, match="not TOML"):
        file.profile("x")
    with pytest.raises(BadInputError, match="before it can be read"):
        file.with_profile(Profile("x", host="h"))


def test_bytes_that_are_not_utf8_are_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"# fine\n[profiles.\xff]\n")
    assert told(load(path)) == [
        (2, "", "this is not UTF-8; save the file as UTF-8. No profile of it is read.", True),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("idle_lok = 1", [(1, "idle_lok", "is not a known key; did you mean idle_lock?", False)]),
        ("[prod]\nhost = 'h'", [(1, "prod", "is not a known key; a profile is written as [profiles.prod]", False)]),
        ("default_profile = 'embeded'", [(1, "default_profile", "names no profile; did you mean embedded?", False)]),
        ("idle_lock = 1441", [(1, "idle_lock", "must be from 0 to 1440, not 1441", False)]),
        ("idle_lock = true", [(1, "idle_lock", "must be a whole number from 0 to 1440, without quotes", False)]),
        ("theme = ''", [(1, "theme", "must not be empty", False)]),
        ("profiles = 3", [(1, "profiles", "must be tables, as [profiles.NAME]", False)]),
    ],
)
def test_a_wrong_preference_is_told_and_the_usual_one_used(
    tmp_path: Path, text: str, expected: list[tuple[int, str, str, bool]]
) -> None:
    file = read(tmp_path, text)
    assert told(file) == expected
    assert file.preferences == Preferences()


def test_a_read_only_that_cannot_be_read_is_on(tmp_path: Path) -> None:
    file = read(tmp_path, 'read_only = "no"')
    assert file.preferences.read_only
    assert [message for _, _, message, _ in told(file)] == [
        "must be true or false, without quotes",
        "read-only is on until this is corrected",
    ]


SERVER = "host = 'h'\n"
LAKEHOUSE = (
    SERVER
    + "[profiles.x.lakehouse]\nservice = 's'\ninstance = 'i'\nworkspace = 'w'\nusername = 'u'\npassword = 'prompt'\n"
)


@pytest.mark.parametrize(
    ("body", "line", "key", "message"),
    [
        (SERVER + "read_onyl = true", 3, "read_onyl", "is not a known key; did you mean read_only?"),
        (SERVER + "ca_file = '/x'", 3, "ca_file", "is not a known key; did you mean ca_file in [profiles.x.tls]?"),
        (SERVER + "tls.user = 'x'", 3, "tls.user", "is not a known key; did you mean user in [profiles.x]?"),
        (SERVER + "tls.verifyy = true", 3, "tls.verifyy", "is not a known key; did you mean verify?"),
        (SERVER + "zzz = 1", 3, "zzz", "is not a known key"),
        (SERVER + "port = 70000", 3, "port", "must be from 1 to 65535, not 70000"),
        (SERVER + "port = '8443'", 3, "port", "must be a whole number from 1 to 65535, without quotes"),
        (SERVER + "engine = 'chdb'", 3, "engine", 'must be "server" or "embedded", not "chdb"'),
        (SERVER + "url = 'https://h'", 2, "host", "is said by url already; keep one of them"),
        (SERVER + "production = 'yes'", 3, "production", "must be true or false, without quotes"),
        (SERVER + "query_timeout = 0", 3, "query_timeout", "must be above 0, to 86400 seconds, not 0"),
        (SERVER + "query_timeout = nan", 3, "query_timeout", "must be above 0, to 86400 seconds, not nan"),
        (SERVER + "tls = 1", 3, "tls", "must be a table, as [profiles.x.tls]"),
        (SERVER + "tls.ca_file = 'ca.pem'", 3, "tls.ca_file", 'must be an absolute path, as "/path" or "~/path"'),
        (
            SERVER + "tls.enabled = false\ntls.ca_file = '/x'",
            4,
            "tls.ca_file",
            "has no use without TLS; use https or remove it",
        ),
        (
            SERVER + "folder = '/x'",
            3,
            "folder",
            'belongs to an embedded engine; write engine = "embedded" or remove it',
        ),
        (SERVER + "settings.readonly = 1", 3, "settings.readonly", "is decided by read_only of the profile"),
        (SERVER + "settings.a = [1]", 3, "settings.a", "must be a text, a number, true or false"),
        (SERVER + "settings.a = inf", 3, "settings.a", "must be a finite number"),
        (SERVER + 'settings."a b" = 1', 3, 'settings."a b"', "is not the name of a setting"),
        (
            SERVER + "datalens.hosts = ['h',\n'']",
            4,
            "datalens.hosts[1]",
            "must be a text in quotes, printable and not empty",
        ),
        (SERVER + "datalens.hosts = ['h:0']", 3, "datalens.hosts", "h:0 has no port from 1 to 65535"),
        (SERVER + "lakehouse = true", 3, "lakehouse", "must be a table, as [profiles.x.lakehouse]"),
        (LAKEHOUSE + "vclustr = 'v'", 9, "lakehouse.vclustr", "is not a known key; did you mean vcluster?"),
        (LAKEHOUSE + "vcluster = 1", 9, "lakehouse.vcluster", "must be a text in quotes"),
        (LAKEHOUSE + "ca_file = 'ca.pem'", 9, "lakehouse.ca_file", 'must be an absolute path, as "/path" or "~/path"'),
        (
            LAKEHOUSE + "secure = false\nca_file = '/x'",
            10,
            "lakehouse.ca_file",
            "has no use without TLS; write secure = true or remove it",
        ),
        (LAKEHOUSE + "secure = 'no'", 9, "lakehouse.secure", "must be true or false, without quotes"),
        (
            LAKEHOUSE + "query_timeout = 0",
            9,
            "lakehouse.query_timeout",
            "must be above 0, to 86400 seconds, not 0",
        ),
        (
            LAKEHOUSE.replace("service = 's'\n", ""),
            3,
            "lakehouse",
            'has no service; write service = "cn-shanghai-alicloud.api.clickzetta.com"',
        ),
        (
            LAKEHOUSE.replace("password = 'prompt'\n", ""),
            3,
            "lakehouse",
            'has no password; write a reference such as password = "env:NAME"',
        ),
        (
            LAKEHOUSE.replace("'s'", "'https://s'"),
            4,
            "lakehouse.service",
            "is a URL; write the host alone (and secure = false for plain HTTP)",
        ),
        (LAKEHOUSE.replace("'s'", "'s:0'"), 4, "lakehouse.service", "has no port from 1 to 65535"),
        (
            LAKEHOUSE.replace("'s'", "'s/api?x=1'"),
            4,
            "lakehouse.service",
            "must be a host, a port if it is not the usual one, and no more than a plain path",
        ),
        (SERVER + "clouds.azure.provision = true", 3, "clouds.azure", "is not a known key"),
        (SERVER + "clouds.aws = true", 3, "clouds.aws", "must be a table, as [profiles.x.clouds.aws]"),
        (
            SERVER + "clouds.aws.provison = true",
            3,
            "clouds.aws.provison",
            "is not a known key; did you mean provision?",
        ),
        (
            SERVER + "clouds.aliyun.provision = 1",
            3,
            "clouds.aliyun.provision",
            "must be true or false, without quotes",
        ),
        (
            SERVER + "clouds.aws.endpoint = 'moto:5000'",
            3,
            "clouds.aws.endpoint",
            "must be a URL as https://host or http://host:port",
        ),
        (
            SERVER + "clouds.aws.sts_endpoint = 'https://me:hunter2@h'",
            3,
            "clouds.aws.sts_endpoint",
            "holds a login; credentials come from the cloud's own SDK",
        ),
        (
            SERVER + "clouds.aws.endpoint = 'https://h/?a=b'",
            3,
            "clouds.aws.endpoint",
            "must end after the host, the port or a plain path",
        ),
        (SERVER + "password = 3", 3, "password", "must be a reference in quotes, as env:NAME"),
        ("host = 'h:1'", 2, "host", "holds a port; write port = instead"),
        ("host = 'https://h'", 2, "host", "is a URL; write url = instead"),
        ("host = 'a/b'", 2, "host", "is not the name of a host"),
        ("host = '1:2:z'", 2, "host", "is not an IPv6 address"),
        ("user = 'u'", 1, "", 'has no address; write url = "https://HOST:8443", or engine = "embedded"'),
        ("url = 'h:8443'", 2, "url", "the URL must begin with https:// or http:// and a host; as https://host:8443"),
        ("url = 'https://h:99999'", 2, "url", "the URL cannot be read; write it as https://host:8443"),
        (
            "url = 'https://h/path'",
            2,
            "url",
            "the URL must end after the host and the port; settings go to their own table",
        ),
        ("url = 'https://h'\ntls.enabled = false", 3, "tls.enabled", "contradicts url; keep one of them"),
        (
            "url = 'clickhouse://h:9000'",
            2,
            "url",
            "clickhouse:// is not spoken here, only ClickHouse's HTTP interface; "
            "write https://host:8443 or http://host:8123",
        ),
        (
            "engine = 'embedded'\nhost = 'h'",
            3,
            "host",
            "belongs to a server; an embedded engine runs in this process and has no address",
        ),
    ],
)
def test_a_wrong_profile_is_told_by_line_and_key_and_the_others_load(
    tmp_path: Path, body: str, line: int, key: str, message: str
) -> None:
    file = read(tmp_path, f"[profiles.x]\n{body}\n\n[profiles.good]\nhost = 'g'\n")

    assert told(file) == [(line, f"profiles.x{'.' if key else ''}{key}", message, True)]
    assert file.broken == ("x",)
    assert file.profile("good") == Profile("good", host="g")
    with pytest.raises(BadInputError, match="cannot be opened") as caught:
        file.profile("x")
    assert f"config.toml:{line}: " in caught.value.message


@pytest.mark.parametrize("value", ["hunter2", "https://u:hunter2@h", "password:hunter2", "env:hunter-2"])
@pytest.mark.parametrize("key", ["password", "url"])
def test_a_secret_in_the_file_is_refused_and_never_repeated(tmp_path: Path, key: str, value: str) -> None:
    host = "" if key == "url" else "host = 'h'\n"
    file = read(tmp_path, f"[profiles.x]\n{host}{key} = '{value}'\n")
    assert file.broken == ("x",)
    shown = " ".join(str(problem) + repr(problem) for problem in file.problems) + repr(file)
    assert "hunter" not in shown
    with pytest.raises(BadInputError) as caught:
        file.profile("x")
    assert "hunter" not in str(caught.value) + caught.value.detail


def test_a_place_that_cannot_be_reached_is_told_but_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    shared = tmp_path / "shared"
    shared.write_text("x")
    shared.chmod(0o644)
    file = read(
        tmp_path,
        f"""\
[profiles.a]
host = "h"
password = "env:NOT_THERE"
tls.ca_file = "{tmp_path}/none.pem"
lakehouse = {{service = "s", instance = "i", workspace = "w", username = "u", password = "prompt", ca_file = "/"}}
[profiles.b]
host = "h"
password = "file:{shared}"
[profiles.c]
host = "h"
password = ["command:no-such-program-here", "x"]
""",
    )
    assert told(file) == [
        (3, "profiles.a.password", "the environment variable NOT_THERE is not set", False),
        (4, "profiles.a.tls.ca_file", "the file is missing", False),
        (5, "profiles.a.lakehouse.ca_file", "it is not a file", False),
        (
            8,
            "profiles.b.password",
            f"the file is open to its group and everybody (mode 0644); run: chmod 600 {shared}",
            False,
        ),
        (11, "profiles.c.password", "the program no-such-program-here is not found", False),
    ]
    assert file.broken == ()


@pytest.mark.parametrize("name", ["client_key", "client_certificate"])
def test_a_private_key_that_others_can_read_blocks(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pair.pem"
    path.touch()
    path.chmod(0o640)
    both = f"tls.client_certificate = '{path}'\n" if name == "client_key" else ""
    file = read(tmp_path, f"[profiles.x]\nhost = 'h'\n{both}tls.{name} = '{path}'\n")
    message = f"the file of the private key is open to its group (mode 0640); run: chmod 600 {path}"
    assert [(key, text) for _, key, text, _ in told(file)] == [(f"profiles.x.tls.{name}", message)]
    assert file.broken == ("x",)


def test_a_client_key_needs_its_certificate(tmp_path: Path) -> None:
    (tmp_path / "key.pem").touch(0o600)
    file = read(tmp_path, f"[profiles.x]\nhost = 'h'\ntls.client_key = '{tmp_path}/key.pem'\n")
    assert told(file) == [(3, "profiles.x.tls.client_key", "needs client_certificate beside it", True)]


@pytest.mark.parametrize("name", ["", " x", "x ", "x" * 65, "a\u202eb", "a\tb"])
def test_a_name_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    file = read(tmp_path, f"[profiles.{quoted_text(name)}]\nhost = 'h'\n")
    assert file.broken == (name,)
    assert "the name of a profile must" in file.problems[0].message


def test_a_broken_profile_named_embedded_does_not_fall_back_to_the_built_in(tmp_path: Path) -> None:
    file = read(tmp_path, "[profiles.embedded]\nengine = 'embedded'\nread_onyl = true\n")
    with pytest.raises(BadInputError):
        file.profile()


def test_an_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    file = read(tmp_path, "[profiles.production]\nhost = 'h'\n")
    with pytest.raises(NotFoundError, match="Did you mean production"):
        file.profile("prodution")


@given(toml_texts())
def test_any_toml_is_read_without_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[dict[str, Any], Writer]
) -> None:
    writer = made[1]
    file = read(tmp_path_factory.getbasetemp(), writer.text)
    for problem in file.problems:
        assert 1 <= problem.line <= writer.line
        assert str(problem)
    assert "embedded" in file.names


@given(st.binary(max_size=60))
def test_any_bytes_are_read_without_a_traceback(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.toml"
    path.write_bytes(content)
    assert load(path).profile("embedded") == built_in() or b"embedded" in content


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_quoted_keys_and_texts_mean_themselves_to_a_toml_parser(text: str) -> None:
    assert tomllib.loads(f"{quoted_key(text)} = {quoted_text(text)}") == {text: text}
    assert dotted(("a", text, 0)) == f"a.{quoted_key(text)}[0]"


@pytest.mark.parametrize("content", [b"read_only = yes", b"\xff", b"\xef\xbb\xbfidle_lock = 1"])
def test_a_file_that_cannot_be_read_may_have_said_read_only(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    for file in (load(path), load(tmp_path)):
        assert file.unread
        assert file.preferences.read_only
