"""Several files put together, judged by ClickHouse, which puts the very same files together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access.xml.files import read_configuration
from core.access.xml.nodes import XmlError
from core.access.xml.problems import Severity
from core.access.xml.sql_losses import losses_to_sql
from core.access.xml.writing import Layout, write
from tests.engine.xml_engine import (
    CHDB,
    DEFAULT,
    FOR_CHDB,
    ROOT,
    laid_out,
    read_for_chdb,
    show_access,
    without_sources,
)

DATA = Path(__file__).parent.parent / "data" / "xml"
NO = "<no_password/><grants/>"


def database(name: str) -> str:
    return f"<default_database>{name}</default_database>"


def networks(*addresses: str) -> str:
    return f"<networks>{''.join(f'<ip>{address}</ip>' for address in addresses)}</networks>"


MAIN = (
    f"<clickhouse><include_from>{ROOT}/included.xml</include_from><profiles><default/>"
    "<p><max_threads>1</max_threads><max_block_size>9</max_block_size></p></profiles>"
    "<quotas><q><interval><duration>60</duration><queries>5</queries></interval></q></quotas>"
    f"<users>{DEFAULT}"
    f"<order>{NO}</order><joined>{NO}{database('x')}</joined><emptied>{NO}{database('x')}</emptied>"
    f"<replaced>{NO}{database('x')}</replaced><replaced0>{NO}{database('x')}</replaced0>"
    f"<removed>{NO}</removed><removed0>{NO}</removed0><kept remove='1'>{NO}<default_database replace='1'>y"
    f"</default_database></kept><other>{NO}</other><differs>{NO}{database('x')}</differs>"
    f"<ips>{NO}{networks('10.0.0.1', '10.0.0.2')}</ips><more>{NO}{networks('10.0.0.1')}</more>"
    f"<fewer>{NO}{networks('10.0.0.1', '10.0.0.2')}</fewer>"
    f"<i1>{NO}<networks incl='nets' replace='replace'><ip>10.0.0.1</ip></networks></i1>"
    f"<i2>{NO}<networks incl='nets'><ip>10.0.0.1</ip></networks></i2>"
    f"<i3>{NO}<default_database incl='text'>x</default_database></i3>"
    f"<i4>{NO}<default_database incl='nets/ip'/></i4>"
    f"<i5>{NO}<networks incl='nothing'><ip>10.0.0.1</ip></networks></i5>"
    f"<i6>{NO}<networks incl='nothing' optional='1'><ip>10.0.0.1</ip></networks></i6>"
    f"<i7>{NO}<networks incl='nets'><ip>10.0.0.1</ip></networks></i7>"
    "<include incl='users'/><include incl='nothing'/><include incl='merged' merge='1'/>"
    f"<e1>{NO}<default_database from_env='HOUSEKEYS_TEST_DATABASE'/></e1>"
    "<e2 from_env='HOUSEKEYS_TEST_USER'/>"
    f"<e3>{NO}<default_database from_env='HOUSEKEYS_TEST_DATABASE' replace='1'>x</default_database></e3>"
    f"<e4>{NO}<default_database from_env='HOUSEKEYS_TEST_NOTHING'/></e4>"
    f"<hidden hide_in_preprocessed='1'>{NO}</hidden>"
    "</users></clickhouse>"
)
INCLUDED = (
    f"<yandex><nets remove='1'><ip remove='1'>10.9.9.9</ip></nets><text>t</text><users><new>{NO}</new></users>"
    f"<merged><order>{database('merged')}</order></merged></yandex>"
)
EARLY = (
    f"<yandex><users><order>{database('early')}</order><joined>{database('y')}</joined><emptied>text"
    "<default_database/></emptied><replaced replace='replace'><password>p</password></replaced>"
    "<replaced0 replace='0'><password>p</password></replaced0><removed remove='remove'/><removed0 remove='0'/>"
    f"<nobody remove='1'/><other x='1'>{NO}</other><added replace='1'>{NO}<networks remove='1'><ip>::1</ip></networks>"
    "</added><differs><no_password remove='1'/><password>p</password></differs></users>"
    "<quotas><q><interval><errors>9</errors></interval></q></quotas></yandex>"
)
LATE = (
    f"<clickhouse><users><order>{database('late')}</order><ips>{networks('10.0.0.3')}</ips>"
    f"<more>{networks('10.0.0.3', '10.0.0.4')}</more><fewer><networks><ip remove='1'>10.0.0.2</ip></networks></fewer>"
    f"<i7>{networks('10.0.0.2')}</i7></users><profiles><p><max_threads>2</max_threads></p></profiles></clickhouse>"
)
FILES = {
    "users.xml": MAIN,
    "included.xml": INCLUDED,
    "conf.d/z.xml": f"<clickhouse><logger/><users><order>{database('shared')}</order></users></clickhouse>",
    "users.d/Z.xml": EARLY,  # capitals sort before small letters
    "users.d/a.CONF": LATE,
    "users.d/.hidden.xml": "no XML",
    "users.d/notes.txt": "no XML",
    "users.d/folder.xml/x.xml": "no XML",
}
ENVIRONMENT = {"HOUSEKEYS_TEST_DATABASE": "from &amp; env", "HOUSEKEYS_TEST_USER": NO}


def test_files_are_put_together_as_clickhouse_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with laid_out(FILES) as root:
        theirs = show_access(root)
        reading = read_configuration(root, replace(CHDB, environment=ENVIRONMENT))
        names = [str(Path(file).relative_to(root)) for file in reading.files]
        written = write(reading.model, FOR_CHDB)
        with laid_out(written.files) as copy:
            ours = show_access(copy)
    assert names == ["users.xml", "conf.d/z.xml", "users.d/Z.xml", "users.d/a.CONF", "included.xml"]
    assert [loss.entity.name for loss in written.losses] == ["other[1]"]
    assert theirs is not None
    assert without_sources(ours) == without_sources([line for line in theirs if "other[1]" not in line])
    assert reading.model.users["order"].default_database == "merged"
    assert reading.unresolved == {"users.e4.default_database": "from_env"}
    assert reading.substituted["users.e1.default_database"] == "from_env"


def test_every_value_has_the_place_that_it_comes_from() -> None:
    with laid_out(
        {
            "users.xml": f"<clickhouse>\n<users>\n<u>\n{NO}\n<default_database>x</default_database></u>\n</users>\n"
            "</clickhouse>",
            "users.d/a.xml": "<clickhouse><users>\n<u>\n\n<default_database>y</default_database>\n"
            "<networks>\n<ip>::1</ip>\n<ip>10.0.0.1</ip></networks></u></users></clickhouse>",
        }
    ) as root:
        reading = read_for_chdb(root)
    places = {path: (Path(origin.file).name, origin.line) for path, origin in reading.values.items()}
    assert places["users.u"] == ("users.xml", 3)
    assert places["users.u.no_password"] == ("users.xml", 4)
    assert places["users.u.default_database"] == ("a.xml", 4)
    assert places["users.u.networks.ip[1]"] == ("a.xml", 7)
    origin = reading.model.origins[EntityKey(EntityKind.USER, "u")]
    assert (Path(origin.file).name, origin.line) == ("users.xml", 3)


@pytest.mark.parametrize("name", ["users_of_2020.xml", "users_today.xml"])
@pytest.mark.parametrize("layout", Layout)
def test_the_files_that_clickhouse_comes_with(name: str, layout: Layout) -> None:
    text = (DATA / name).read_text()
    if "<access_management>" not in text:
        rights = "<access_management>1</access_management>"  # chDB's user must see everything
        text = text.replace("<quota>default</quota>\n", f"<quota>default</quota>{rights}\n", 1)
    with laid_out({"users.xml": text}) as root:
        reading = read_for_chdb(root)
        theirs = show_access(root)
    written = write(reading.model, replace(FOR_CHDB, layout=layout))
    main = {} if layout is Layout.ONE_FILE else {"users.xml": "<clickhouse/>"}
    with laid_out({**main, **written.files}) as copy:
        assert show_access(copy) == theirs
    assert written.losses == ()
    assert {problem.severity for problem in reading.problems} == {Severity.WARNING}


BAD_MERGES = {
    "remove and replace": "<clickhouse><users><u remove='1' replace='1'/></users></clickhouse>",
    "another root": "<config><users/></config>",
    "a value beside from_env": "<clickhouse><users><u from_env='X'><a/></u></users></clickhouse>",
    "two substitutions": "<clickhouse><users><u from_env='X' incl='Y'/></users></clickhouse>",
    "include of nothing": "<clickhouse><users><include/></users></clickhouse>",
    "include with something in it": "<clickhouse><users><include incl='x'><a/></include></users></clickhouse>",
    "no file to include from": "<clickhouse><include_from>/nowhere/at/all.xml</include_from></clickhouse>",
    "blanks around that file": f"<clickhouse><include_from> {ROOT}/users.xml</include_from></clickhouse>",
    "an environment that is no XML": "<clickhouse><users><u from_env='HOUSEKEYS_TEST_BAD'/></users></clickhouse>",
}
BAD_FILES = {
    "not closed": b"<clickhouse><users></clickhouse>",
    "empty": b"",
    "two roots": b"<clickhouse/><clickhouse/>",
    "a name with a colon": b"<clickhouse><users><a:b/></users></clickhouse>",
    "a name with an at": b"<clickhouse><users><a@b/></users></clickhouse>",
    "a name that begins with a digit": b"<clickhouse><users><1a/></users></clickhouse>",
    "a name with a smile": "<clickhouse><users><😀/></users></clickhouse>".encode(),
    "not in UTF-8": b"<clickhouse><users><a>\xff</a></users></clickhouse>",
    "another encoding": "<?xml version='1.0' encoding='windows-1251'?><clickhouse>ж</clickhouse>".encode("cp1251"),
    "a control character": b"<clickhouse><a>\x01</a></clickhouse>",
}


@pytest.mark.parametrize("text", BAD_MERGES.values(), ids=BAD_MERGES)
def test_what_clickhouse_does_not_put_together_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSEKEYS_TEST_BAD", "a < b")
    main = f"<clickhouse><profiles><default/></profiles><users>{DEFAULT}<u>{NO}</u></users></clickhouse>"
    with laid_out({"users.xml": main, "users.d/a.xml": text}) as root:
        assert show_access(root) is None
        reading = read_configuration(root, replace(CHDB, environment={"HOUSEKEYS_TEST_BAD": "a < b"}))
    assert not reading.loads
    assert all("a < b" not in f"{problem}" for problem in reading.problems)


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_no_xml_to_clickhouse_is_none_to_us(content: bytes) -> None:
    main = f"<clickhouse><profiles><default/></profiles><users>{DEFAULT}</users></clickhouse>"
    with laid_out({"users.xml": main, "users.d/a.xml": content}) as root:
        assert show_access(root) is None
        with pytest.raises(XmlError) as caught:
            read_for_chdb(root)
    assert caught.value.origin.file.endswith("a.xml")
    assert caught.value.origin.line == 1
    assert caught.value.advice


def test_what_is_xml_to_clickhouse_is_xml_to_us() -> None:
    user = f"<clickhouse><users><u>{NO}{database('é')}</u></users></clickhouse>"
    for content in (
        f"\ufeff{user}".encode(),
        f"<?xml version='1.0' encoding='ISO-8859-1'?>{user}".encode("latin-1"),
        user.encode("utf-16"),
        f"<!DOCTYPE clickhouse>{user}".encode(),
    ):
        main = f"<clickhouse><profiles><default/></profiles><users>{DEFAULT}</users></clickhouse>"
        with laid_out({"users.xml": main, "users.d/a.xml": content}) as root:
            theirs = show_access(root)
            with laid_out(write(read_for_chdb(root).model, FOR_CHDB).files) as copy:
                assert theirs == show_access(copy)


def test_losses_on_the_way_to_sql_are_named() -> None:
    with laid_out(FILES) as root:
        reading = read_configuration(root, replace(CHDB, environment=ENVIRONMENT))
    losses = {(str(loss.entity.name), loss.what) for loss in losses_to_sql(reading)}
    assert ("e1", "where users.e1.default_database comes from") in losses
    assert ("e4", "the value of users.e4.default_database") in losses
    assert ("replaced", "its password in clear") in losses
