"""An edit changes what it must and nothing else, and a stranger's change is never overwritten unseen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
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
from core.profiles.model import CLOUDS
from core.profiles.partner import PagePolicy, PartnerPolicy, ServicePolicy, TrialPolicy
from core.secrets import SecretReference
from tests.unit.profiles.toml_texts import BARE, PRINTABLE, Draw, Writer

TEXT = """\
# my notes
idle_lock = 5   # short

# production, careful
[profiles.prod]   # here
url = "https://ch-1.example:8443" # address
password = 'env:HOME'
tls.verify = true
production = true # !
settings = {max_threads = 3}

# staging
[profiles.stage]
  host = "s"   # by host
  [profiles.stage.settings]
  max_threads=1
# end
"""


def read(tmp_path: Path, text: str) -> ProfileFile:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("utf-8"))
    return load(path)


@pytest.fixture
def file(tmp_path: Path) -> ProfileFile:
    return read(tmp_path, TEXT)


def test_only_changed_keys_change_and_comments_stay(file: ProfileFile) -> None:
    prod = dataclasses.replace(
        file.profile("prod"),
        host="ch-2.example",
        password=SecretReference.parse(["command:pass", "show", "a b"]),
        production=False,
        verify=False,
        user="op",
        settings={"max_threads": 4, "log_queries": True},
        datalens=DataLens(hosts=("a",)),
    )
    changed = file.with_profile(prod)
    assert changed.profile("prod") == prod
    assert changed.text == TEXT.replace("ch-1", "ch-2").replace(
        "'env:HOME'\ntls.verify = true\nproduction = true # !\nsettings = {max_threads = 3}",
        '["command:pass", "show", "a b"]\ntls.verify = false\nproduction = false # !\n'
        'settings = {max_threads = 4,log_queries = true}\nuser = "op"\ndatalens.hosts = ["a"]',
    )
    back = changed.with_profile(file.profile("prod"))
    assert back.profiles == file.profiles


def test_host_and_port_stay_host_and_port_and_keep_their_indent(file: ProfileFile) -> None:
    stage = dataclasses.replace(file.profile("stage"), host="t", port=8123, secure=False, settings={"max_threads": 2})
    changed = file.with_profile(stage)
    assert changed.text == TEXT.replace(
        'host = "s"   # by host\n', 'host = "t"   # by host\n  tls.enabled = false\n'
    ).replace("max_threads=1", "max_threads=2")
    again = changed.with_profile(dataclasses.replace(stage, port=9000))
    assert again.text == changed.text.replace("enabled = false\n", "enabled = false\n  port = 9000\n")


def test_a_new_profile_is_appended_with_what_is_not_usual(file: ProfileFile) -> None:
    new = Profile("new one", host="::1", port=8123, secure=False, database="x", datalens=DataLens(hosts=("a",)))
    changed = file.with_profile(new)
    assert changed.text == TEXT + (
        '\n[profiles."new one"]\nurl = "http://[::1]:8123"\ndatabase = "x"\n'
        '\n[profiles."new one".datalens]\nhosts = ["a"]\n'
    )
    assert load(Path("/nowhere")).with_profile(Profile("p", host="h")).text == '[profiles.p]\nurl = "https://h:8443"\n'


def test_a_lakehouse_and_clouds_come_and_go(file: ProfileFile) -> None:
    lakehouse = LakehouseSettings("s", "i", "w", "u", SecretReference.parse("env:HOME"), schema="udf", verify=False)
    lakehouse = dataclasses.replace(lakehouse, ca_file=Path("/ca.pem"))
    prod = file.profile("prod")
    clouds = {"aws": CloudSettings(True, region="cn-north-1"), "aliyun": CloudSettings()}
    added = file.with_profile(dataclasses.replace(prod, lakehouse=lakehouse, clouds=clouds))
    assert added.text == TEXT.replace(
        "settings = {max_threads = 3}\n",
        "settings = {max_threads = 3}\n"
        'lakehouse.service = "s"\nlakehouse.instance = "i"\nlakehouse.workspace = "w"\nlakehouse.username = "u"\n'
        'lakehouse.password = "env:HOME"\nlakehouse.schema = "udf"\nlakehouse.verify = false\n'
        'lakehouse.ca_file = "/ca.pem"\n'
        'clouds.aws.provision = true\nclouds.aws.region = "cn-north-1"\nclouds.aliyun.provision = false\n',
    )
    fewer = added.with_profile(dataclasses.replace(added.profile("prod"), clouds={"aws": CloudSettings()}))
    assert fewer.profile("prod").clouds == {"aws": CloudSettings()}
    assert fewer.with_profile(prod).profiles == file.profiles


def test_the_built_in_profile_can_be_changed(tmp_path: Path) -> None:
    changed = load(tmp_path / "none").with_profile(dataclasses.replace(built_in(), query_log=True))
    assert changed.text == '[profiles.embedded]\nengine = "embedded"\nquery_log = true\n'


def test_a_server_becomes_an_embedded_engine_and_back(file: ProfileFile) -> None:
    embedded = file.with_profile(Profile("prod", engine="embedded", folder=Path("/srv/x")))
    assert embedded.profile("prod") == Profile("prod", engine="embedded", folder=Path("/srv/x"))
    server = embedded.with_profile(Profile("prod", host="h", secure=False, port=1))
    assert server.profile("prod") == Profile("prod", host="h", secure=False, port=1)


def test_a_broken_profile_is_mended_by_saving_a_whole_one(tmp_path: Path) -> None:
    broken = read(
        tmp_path, "[profiles.x]\nhost = 'h:1' # h\nread_onyl = true\ntls.enabled = 1 # t\npassword = 'plain'\n"
    )
    mended = broken.with_profile(Profile("x", host="h", port=1, verify=False))
    assert (mended.problems, mended.profile("x")) == ((), Profile("x", host="h", port=1, verify=False))
    assert "plain" not in mended.text


@pytest.mark.parametrize("text", ["[profiles]\nx = 3\n", "[[profiles.x]]\nhost = 'h'\n", "profiles = 3\n"])
def test_what_is_no_table_is_left_to_the_operator(tmp_path: Path, text: str) -> None:
    with pytest.raises(HousekeysError, match="by hand; nothing was changed"):
        read(tmp_path, text).with_profile(Profile("x", host="h"))


@pytest.mark.parametrize(
    "profile",
    [
        Profile("x"),
        Profile("x", host="h", port=0),
        Profile("x", host="u:p@h"),
        Profile("x", host="h", query_timeout=-1.0),
        Profile("x", host="h", settings={"readonly": 1}),
        Profile("x", host="h", database=""),
        Profile(" x", host="h"),
        Profile("x", engine="embedded", folder=Path("relative")),
    ],
)
def test_a_profile_that_would_be_broken_is_refused(file: ProfileFile, profile: Profile) -> None:
    with pytest.raises(BadInputError):
        file.with_profile(profile)


def test_removing_takes_the_comment_above_and_leaves_the_next_one(file: ProfileFile) -> None:
    head, rest = TEXT.split("# production, careful\n")
    prod, stage = rest.split("# staging\n")
    assert file.without("prod").text == head + "# staging\n" + stage
    assert file.without("stage").text == head + "# production, careful\n" + prod + "# end\n"
    assert file.without("stage").without("prod").text == head + "# end\n"


def test_removing_and_renaming_know_the_default_profile(tmp_path: Path) -> None:
    file = read(tmp_path, "default_profile = 'a' # d\n[profiles.a]\nhost = 'h'\n[profiles.b]\nhost = 'h'\n")
    assert file.without("a").preferences.default_profile == "embedded"
    assert file.without("a").problems == ()
    assert file.renamed("a", "c").text.startswith('default_profile = "c" # d\n[profiles.c]\n')
    assert file.without("b").preferences.default_profile == "a"


def test_what_is_not_there_or_built_in_cannot_be_removed_or_renamed(file: ProfileFile) -> None:
    with pytest.raises(NotFoundError):
        file.without("nobody")
    with pytest.raises(RefusedError):
        file.without("embedded")
    with pytest.raises(RefusedError):
        file.renamed("embedded", "x")
    with pytest.raises(NotFoundError):
        file.renamed("nobody", "x")
    for taken in ("stage", "embedded", "", "a\nb"):
        with pytest.raises(BadInputError):
            file.renamed("prod", taken)


@pytest.mark.parametrize(
    "text",
    [
        "profiles = {a = {host = 'h'}, b = {host = 'i'}}\n",
        "profiles.a.host = 'h'\nprofiles.b.host = 'i'\n",
        "[profiles]\na = {host = 'h'}\nb.host = 'i'\n",
        "[profiles.b]\nhost = 'i'\n[profiles.a]\nhost = 'h'\n[profiles]\n",
        "[profiles.a.settings]\n[profiles.b]\nhost = 'i'\n[profiles.a]\nhost = 'h'\n",
    ],
)
def test_every_way_to_write_profiles_can_be_edited_or_says_so(tmp_path: Path, text: str) -> None:
    file = read(tmp_path, text)
    assert file.problems == ()
    renamed = file.renamed("a", "z z")
    assert renamed.profile("z z") == Profile("z z", host="h")
    changed = Profile("a", host="k", user="u", verify=False, settings={"s": 1})
    edits: list[Callable[[], ProfileFile]] = [
        lambda: file.with_profile(changed),
        lambda: file.without("a"),
        lambda: file.with_profile(Profile("new", host="n")),
    ]
    for edit in edits:
        try:
            edited = edit()
        except HousekeysError as error:
            assert text.startswith("profiles = {"), error
            assert "nothing was changed" in error.advice
        else:
            assert edited.profile("b") == Profile("b", host="i")


def test_preferences_are_saved_in_place(file: ProfileFile) -> None:
    changed = file.with_preferences(Preferences(idle_lock=7, theme="housekeys-light", read_only=True))
    assert changed.preferences == Preferences(idle_lock=7, theme="housekeys-light", read_only=True)
    assert changed.text == TEXT.replace(
        "idle_lock = 5   # short\n", 'idle_lock = 7   # short\nread_only = true\ntheme = "housekeys-light"\n'
    )
    assert load(Path("/nowhere")).with_preferences(Preferences(mouse=False)).text == "mouse = false\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[profiles.a]\nhost = 'h'", "mouse = false\n\n[profiles.a]\nhost = 'h'"),
        ("# top\n\n[profiles.a]\nhost = 'h'\n", "# top\n\nmouse = false\n\n[profiles.a]\nhost = 'h'\n"),
        ("# of a\n[profiles.a]\nhost = 'h'\n", "mouse = false\n\n# of a\n[profiles.a]\nhost = 'h'\n"),
    ],
)
def test_the_first_preference_goes_above_the_tables(tmp_path: Path, text: str, expected: str) -> None:
    assert read(tmp_path, text).with_preferences(Preferences(mouse=False)).text == expected


# Any file, any profile, any edit


NAMES = PRINTABLE.filter(lambda name: name == name.strip() and 1 <= len(name) <= 64)
SETTINGS = st.dictionaries(
    st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True).filter(lambda name: name != "readonly"),
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | PRINTABLE,
    max_size=3,
)
REFERENCES = st.sampled_from(
    ["prompt", "env:HOME", "file:/nowhere/x", "keyring:a/b", "command:true 'a b'", ["command:true", "x"]]
).map(SecretReference.parse)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "database": PRINTABLE,
    "query_timeout": st.sampled_from([60.0, 0.5, 7.0]),
    "read_only": st.sampled_from([None, True, False]),
    "production": st.booleans(),
    "settings": SETTINGS,
    "datalens": st.builds(DataLens, PRINTABLE, st.just(()) | st.just(("a", "b:1"))),
    "lakehouse": st.none()
    | st.builds(
        LakehouseSettings,
        st.sampled_from(["s", "s:1", "s/api"]),
        *(PRINTABLE, PRINTABLE, PRINTABLE, REFERENCES),
        vcluster=st.just("default") | PRINTABLE,
        secure=st.booleans(),
        ca_file=st.none() | st.just(Path("/ca.pem")),
        query_timeout=st.sampled_from([120.0, 0.5]),
    ).filter(lambda lakehouse: lakehouse.secure or lakehouse.ca_file is None),
    "clouds": st.dictionaries(
        st.sampled_from(CLOUDS),
        st.builds(
            CloudSettings,
            st.booleans(),
            st.none() | st.just("http://[::1]:5000"),
            region=st.none() | PRINTABLE,
        ),
        max_size=2,
    ),
    "partner": st.none()
    | st.builds(
        PartnerPolicy,
        st.sampled_from(["https://c.example", "http://127.0.0.1:8085"]),
        hostnames=st.just(("c.example", "127.0.0.1")),
        trial=st.sampled_from([TrialPolicy(), TrialPolicy("user", 3), TrialPolicy("account", another=True)]),
        pages=st.builds(PagePolicy, st.none() | st.just("https://a.c.example/in")),
        service=st.builds(ServicePolicy, read_timeout=st.sampled_from([10.0, 0.5]), metrics=st.booleans()),
    ),
}
SERVERS = st.builds(
    Profile,
    st.just(""),
    host=st.sampled_from(["h", "ch-1.example", "::1", "10.0.0.1"]),
    port=st.sampled_from([8443, 8123, 443, 1]),
    secure=st.booleans(),
    verify=st.booleans(),
    user=PRINTABLE,
    password=st.none() | REFERENCES,
    cluster=st.none() | PRINTABLE,
    connect_timeout=st.sampled_from([10.0, 2.5]),
    **COMMON,
)
EMBEDDED = st.builds(
    Profile,
    st.just(""),
    engine=st.just("embedded"),
    folder=st.none() | st.just(Path("/srv/data")),
    query_log=st.booleans(),
    **COMMON,
)
PROFILES = SERVERS | EMBEDDED
LAKEHOUSES = st.fixed_dictionaries(
    {"service": st.just("s"), "instance": PRINTABLE, "workspace": PRINTABLE, "username": PRINTABLE}
    | {"password": st.just("prompt")},
    optional={"schema": PRINTABLE, "verify": st.booleans(), "ca_file": st.just("/ca.pem")},
)
CLOUD_TABLES = st.dictionaries(
    st.sampled_from(CLOUDS), st.fixed_dictionaries({}, optional={"provision": st.booleans(), "region": PRINTABLE})
)
PARTNER_TABLES = st.fixed_dictionaries(
    {"base_url": st.just("https://c.example")},
    optional={
        "trial": st.fixed_dictionaries({"type": st.just("user")}, optional={"days": st.integers(1, 9)}),
        "supports_demo": st.booleans(),
    },
)
TABLES = st.fixed_dictionaries(
    {"host": st.sampled_from(["h", "::1"])},
    optional={
        "user": PRINTABLE,
        "port": st.integers(1, 65_535),
        "production": st.booleans(),
        "tls": st.fixed_dictionaries({"verify": st.booleans()}, optional={"enabled": st.booleans()}),
        "settings": SETTINGS,
        "datalens": st.fixed_dictionaries({}, optional={"user": PRINTABLE, "hosts": st.just(["a", "b"])}),
        "password": st.sampled_from(["prompt", ["command:true", "x"]]),
        "lakehouse": LAKEHOUSES,
        "clouds": CLOUD_TABLES,
        "partner": PARTNER_TABLES,
    },
) | st.fixed_dictionaries({"engine": st.just("embedded")}, optional={"query_log": st.booleans(), "settings": SETTINGS})


@st.composite
def written_files(draw: Draw) -> tuple[str, list[str]]:
    """The text of a file with several profiles in any style, and its comments."""
    profiles = draw(st.dictionaries(BARE | NAMES, TABLES, min_size=1, max_size=3))
    preferences = draw(st.sampled_from([{}, {"idle_lock": 3}]))
    writer = Writer(draw, {**preferences, "profiles": profiles})
    text = writer.text.replace("\n", "\r\n") if draw(st.booleans()) else writer.text
    return text, writer.notes


@given(written_files(), PROFILES, st.data())
def test_any_edit_of_any_file_says_what_was_meant_and_keeps_every_comment(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[str, list[str]], wanted: Profile, data: st.DataObject
) -> None:
    text, notes = made
    file = read(tmp_path_factory.getbasetemp(), text)
    assert not file.broken, file.problems
    name = data.draw(st.sampled_from(file.names) | NAMES)
    wanted = dataclasses.replace(wanted, name=name)
    edited = _edit(file, lambda: file.with_profile(wanted))
    if edited is None:
        return
    assert edited.profiles == {**file.profiles, name: wanted}
    assert edited.preferences == file.preferences
    gone = [note for note in notes if note not in edited.text]
    removed = [line for line in text.splitlines() if any(note in line for note in gone)]
    # A comment goes only with the value it stands behind or in, or with a table that is not there any more: [tls] when
    # there is no server, [lakehouse], and [clouds.aws] and the like.
    before = file.profiles.get(name, wanted)
    moved = name in file.lines and (
        before.engine != wanted.engine
        or (before.lakehouse is not None and wanted.lakehouse is None)
        or bool(before.clouds.keys() - wanted.clouds.keys())
        or (before.partner is not None and wanted.partner is None)
    )
    assert moved or all(not line.lstrip().startswith("#") or "not, a ]" in text for line in removed), removed
    if "\r\n" in text:
        assert "\n" not in edited.text.replace("\r\n", "")


@given(written_files(), NAMES, st.data())
def test_any_profile_of_any_file_can_be_renamed_and_removed(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[str, list[str]], new: str, data: st.DataObject
) -> None:
    text, notes = made
    file = read(tmp_path_factory.getbasetemp(), text)
    name = data.draw(st.sampled_from(sorted(file.lines)))
    if new not in file.names:
        renamed = file.renamed(name, new)
        assert renamed.profile(new) == dataclasses.replace(file.profile(name), name=new)
        assert all(note in renamed.text for note in notes)
        assert renamed.renamed(new, name).profiles == file.profiles
    removed = _edit(file, lambda: file.without(name))
    if removed is not None:
        assert removed.profiles.keys() == (file.profiles.keys() - {name}) | {"embedded"}


def _edit(file: ProfileFile, act: Callable[[], ProfileFile]) -> ProfileFile | None:
    """What `act` gives; None when the file is written in a way that it says it cannot edit: all in one table."""
    try:
        edited = act()
    except HousekeysError as error:
        assert "nothing was changed" in error.advice, error
        assert "profiles" in "".join(line for line in file.text.splitlines() if "{" in line), file.text
        return None
    return edited


@pytest.mark.parametrize(
    "text", ["idle_lock = 5\n", "[profiles.a]\nhost = 'h'\n", "# mine\r\n[profiles.a]\r\nhost = 'h'\r\n"]
)
def test_what_was_added_and_removed_leaves_the_file_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, newline="")
    file = load(path)
    assert file.with_profile(Profile("z", host="h")).without("z").text == text
