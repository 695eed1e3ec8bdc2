"""The client of the Lakehouse against a stub that speaks the connector's wire protocol, over real HTTP."""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError, UnreachableError
from core.lakehouse.reaching import client as client_module
from core.lakehouse.reaching.client import LakehouseClient
from core.lakehouse.reaching.failures import (
    CloudSideError,
    LakehouseBusyError,
    LakehouseCancelledError,
    LakehouseError,
    LakehouseLoginError,
    LakehouseLostError,
    LakehouseNameTakenError,
    LakehouseStatementError,
    LakehouseTimeoutError,
    explain,
)
from core.lakehouse.reaching.jobs import CANCEL_PATH, GET_PATH, LOGIN_PATH, SUBMIT_PATH
from core.lakehouse.reaching.result_rows import TEXT
from core.lakehouse.reaching.tls import trust_of
from core.profiles import LakehouseSettings
from core.secrets import Secret, SecretReference
from tests.http_front.certificates import make_certificates
from tests.lakehouse_stub import CLOUD_ERRORS, INSTANCE, PASSWORD, USER, WORKSPACE, LakehouseStub

CREATE = (
    "CREATE API CONNECTION fc TYPE CLOUD_FUNCTION PROVIDER = 'tencent' REGION = 'ap-shanghai' "
    "ROLE_ARN = 'qcs::cam::uin/100001:roleName/LakehouseRole' NAMESPACE = 'default' CODE_BUCKET = 'code-1310000000'"
)
FUNCTION = "CREATE EXTERNAL FUNCTION f AS 'm.C' USING FILE 'cos://code/f.zip' CONNECTION fc"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.002)


@pytest.fixture
def stub() -> Iterator[LakehouseStub]:
    with LakehouseStub() as running:
        yield running


def settings_of(stub: LakehouseStub, **changes: object) -> LakehouseSettings:
    reference = SecretReference.parse("prompt")
    settings = LakehouseSettings(stub.service, INSTANCE, WORKSPACE, USER, reference, secure=False)
    return replace(settings, **changes)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def client(stub: LakehouseStub) -> AsyncIterator[LakehouseClient]:
    client = await LakehouseClient.open(settings_of(stub), Secret(PASSWORD))
    yield client
    await client.close()


async def refused(stub: LakehouseStub, password: str = PASSWORD, **changes: object) -> HousekeysError:
    with pytest.raises(HousekeysError) as caught:
        await LakehouseClient.open(settings_of(stub, **changes), Secret(password))
    return caught.value


@pytest.mark.parametrize("text_only", [False, True])
async def test_a_connection_is_made_listed_described_and_dropped(
    stub: LakehouseStub, client: LakehouseClient, text_only: bool
) -> None:
    stub.text_only = text_only
    await client.execute(CREATE)
    first = {name: value for name, value in (await client.query("DESC CONNECTION fc")).rows}
    listed = await client.query("SHOW CONNECTIONS;")

    assert listed.columns == ("name", "category", "type", "enabled", "created_time")
    assert listed.rows == (("fc", "API", "CLOUD_FUNCTION", "true", "2026-11-02 09:01:00.000"),)
    assert first["ExternalId"] == stub.connections["fc"].external_id
    assert first["comment"] == ""  # NULL
    await client.execute("DROP CONNECTION fc")
    await client.execute(CREATE)
    again = {name: value for name, value in (await client.query("DESC CONNECTION fc")).rows}
    assert again["ExternalId"] == stub.connections["fc"].external_id != first["ExternalId"]
    assert stub.statements[0] == CREATE
    assert await client.query("SHOW EXTERNAL FUNCTIONS") == (
        ("schema_name", "function_name", "category", "connection", "handler", "created_time"),
        (),
    )
    assert await client.query(FUNCTION) == ((), ())
    assert stub.logins == 1


@pytest.mark.parametrize("text_only", [False, True])
async def test_a_large_result_is_fetched_from_its_store_without_the_token(
    stub: LakehouseStub, client: LakehouseClient, text_only: bool
) -> None:
    await client.execute(CREATE)
    stub.stored, stub.text_only = True, text_only
    assert (await client.query("SHOW CONNECTIONS")).rows[0][0] == "fc"
    assert (await client.query("SHOW EXTERNAL FUNCTIONS")).rows == ()


async def test_a_large_result_that_cannot_be_fetched_is_told_without_its_url(stub: LakehouseStub) -> None:
    stub.stored = True
    client = await LakehouseClient.open(settings_of(stub), Secret(PASSWORD))
    await client.execute(CREATE)
    await client.query("SHOW CONNECTIONS")
    stub.store_refuses = True
    with pytest.raises(LakehouseLostError) as caught:
        await client.query("SHOW CONNECTIONS")
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.detail
    assert "HTTP 403" in shown
    assert "/store/" not in shown
    await client.close()


async def test_without_pyarrow_text_is_asked_for(
    stub: LakehouseStub, client: LakehouseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "wanted_format", lambda: TEXT)
    await client.execute(CREATE.replace("fc", "`a,b`"))
    assert (await client.query("SHOW CONNECTIONS")).rows[0][0] == "a,b"


async def test_a_slow_job_is_asked_for_until_it_is_done(stub: LakehouseStub, client: LakehouseClient) -> None:
    stub.polls = 2
    await client.execute(CREATE)
    assert stub.requests == [LOGIN_PATH, SUBMIT_PATH, GET_PATH, GET_PATH]
    assert list(stub.connections) == ["fc"]


async def test_a_cancelled_statement_is_cancelled_in_the_lakehouse(
    stub: LakehouseStub, client: LakehouseClient
) -> None:
    stub.hold("CREATE API CONNECTION")
    running = asyncio.create_task(client.execute(CREATE))
    await asyncio.to_thread(stub.wait_for, lambda: GET_PATH in stub.requests)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stub.cancelled == [CREATE]
    stub.release()
    assert (await client.query("SHOW CONNECTIONS")).rows == ()


async def test_a_cancellation_that_comes_before_the_statement_is_sent_again(
    stub: LakehouseStub, client: LakehouseClient
) -> None:
    stub.lose(SUBMIT_PATH, "before", "before")
    running = asyncio.create_task(client.execute(CREATE))
    await asyncio.to_thread(stub.wait_for, lambda: SUBMIT_PATH in stub.requests)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stub.requests.count(CANCEL_PATH) == 3
    assert stub.statements == []


async def test_a_statement_that_takes_too_long_is_cancelled(stub: LakehouseStub) -> None:
    client = await LakehouseClient.open(settings_of(stub, query_timeout=0.2), Secret(PASSWORD))
    stub.hold("CREATE API CONNECTION")
    with pytest.raises(LakehouseTimeoutError, match=r"within 0\.2 s; the statement was cancelled"):
        await client.execute(CREATE)
    assert stub.cancelled == [CREATE]
    await client.close()


async def test_an_expired_session_is_renewed_once_for_all_statements(
    stub: LakehouseStub, client: LakehouseClient
) -> None:
    stub.expire_sessions()
    await asyncio.gather(client.execute(CREATE), *[client.query("SHOW CONNECTIONS") for _ in range(4)])
    assert stub.logins == 2
    assert stub.statements.count(CREATE) == 1


async def test_a_session_that_is_never_accepted_is_told(stub: LakehouseStub, client: LakehouseClient) -> None:
    stub.lose(SUBMIT_PATH, "401", "401")
    with pytest.raises(LakehouseLoginError, match="a new session is not accepted"):
        await client.query("SHOW CONNECTIONS")
    assert stub.logins == 2


async def test_an_old_session_is_renewed_before_it_expires(
    stub: LakehouseStub, client: LakehouseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_SESSION_SECONDS", -1.0)
    await client.query("SHOW CONNECTIONS")
    assert stub.logins == 2


# Broken connections


@pytest.mark.parametrize("way", ["before", "after", "502"])
async def test_a_read_is_sent_again_when_the_connection_breaks(
    stub: LakehouseStub, client: LakehouseClient, way: str
) -> None:
    stub.lose(SUBMIT_PATH, way)
    assert (await client.query("SHOW CONNECTIONS")).rows == ()


async def test_a_change_whose_answer_is_lost_is_asked_for_and_not_sent_again(
    stub: LakehouseStub, client: LakehouseClient
) -> None:
    stub.lose(SUBMIT_PATH, "after")
    stub.lose(GET_PATH, "before", "503")
    await client.execute(CREATE)
    assert stub.statements == [CREATE]
    assert list(stub.connections) == ["fc"]


@pytest.mark.parametrize("way", ["before", "500"])
async def test_a_change_that_never_arrived_is_told_and_not_sent_again(
    stub: LakehouseStub, client: LakehouseClient, way: str
) -> None:
    stub.lose(SUBMIT_PATH, way)
    with pytest.raises(LakehouseLostError, match="it was not carried out") as caught:
        await client.execute(CREATE)
    assert "job 20" in caught.value.detail
    assert stub.statements == []
    assert stub.requests.count(SUBMIT_PATH) == 1


async def test_a_change_of_which_nothing_can_be_learnt_is_told(stub: LakehouseStub, client: LakehouseClient) -> None:
    stub.lose(SUBMIT_PATH, "after")
    stub.lose(GET_PATH, *["before"] * 3)
    with pytest.raises(LakehouseLostError, match="What became of the statement is not known"):
        await client.execute(CREATE)


@pytest.mark.parametrize("code", ["CZLH-60015", "CZLH-60023", "CZLH-57015"])
async def test_a_busy_lakehouse_is_asked_again_for_reads_only(
    stub: LakehouseStub, client: LakehouseClient, code: str
) -> None:
    stub.fail("SHOW", "queue is full", code=code, times=1)
    assert (await client.query("SHOW CONNECTIONS")).rows == ()
    stub.fail("CREATE", "queue is full", code=code, times=1)
    with pytest.raises(LakehouseBusyError, match="queue is full"):
        await client.execute(CREATE)
    assert stub.statements.count(CREATE) == 1


async def test_a_job_that_the_lakehouse_forgot_is_not_taken_for_a_missing_name(
    stub: LakehouseStub, client: LakehouseClient
) -> None:
    stub.fail("DESC", "job not exists", code="CZLH-60005")
    with pytest.raises(LakehouseLostError, match="knows the job of the statement no more"):
        await client.query("DESC CONNECTION fc")
    assert stub.statements == ["DESC CONNECTION fc"] * 3


# What the Lakehouse says


@pytest.mark.parametrize(
    ("sql", "kind", "said"),
    [
        ("DESC CONNECTION nobody", NotFoundError, "connection quickstart_ws.nobody is not found"),
        ("DESC CONNECITON fc", LakehouseStatementError, "does not accept the statement: Syntax error"),
        (CREATE.replace("NAMESPACE", "NAMESPCE"), LakehouseStatementError, "Syntax error at or near"),
        (CREATE.replace("NAMESPACE = 'default'", ""), BadInputError, "Tencent Cloud needs a namespace"),
        (CREATE.replace(" fc ", " taken "), LakehouseNameTakenError, "already exists"),
    ],
)
async def test_what_the_lakehouse_refuses_is_told_with_code_and_job(
    stub: LakehouseStub, client: LakehouseClient, sql: str, kind: type[HousekeysError], said: str
) -> None:
    await client.execute(CREATE.replace(" fc ", " taken "))
    with pytest.raises(kind, match=said) as caught:
        await client.query(sql)
    error = caught.value
    assert isinstance(error, LakehouseError)
    assert error.code.startswith("CZLH-42")
    assert error.detail.startswith(f"{error.code}: ")
    assert "\njob 20" in error.detail and ", request r-20" in error.detail


@pytest.mark.parametrize("name", CLOUD_ERRORS)
async def test_what_the_cloud_refuses_comes_with_advice(
    stub: LakehouseStub, client: LakehouseClient, name: str
) -> None:
    stub.fail_as(name, times=1)
    sql = FUNCTION if CLOUD_ERRORS[name][0] == "CREATE EXTERNAL FUNCTION" else CREATE
    with pytest.raises(CloudSideError) as caught:
        await client.execute(sql)
    assert isinstance(caught.value, RefusedError)
    assert caught.value.advice
    assert CLOUD_ERRORS[name][1] in caught.value.message


async def test_a_job_that_somebody_else_cancels_is_told(stub: LakehouseStub, client: LakehouseClient) -> None:
    stub.fail("CREATE", "Job is cancelled by user", code="CZLH-60006")
    with pytest.raises(LakehouseCancelledError, match="cancelled by user"):
        await client.execute(CREATE)


# Logging in


async def test_a_refused_login_is_told_without_the_password(stub: LakehouseStub) -> None:
    error = await refused(stub, "hunter2")
    assert isinstance(error, LakehouseLoginError)
    assert error.message == "The Lakehouse refused the login of operator: username or password is wrong: operator"
    assert "username, password reference and instance" in error.advice
    error = await refused(stub, instance="elsewhere")
    assert error.message == f"{stub.service} has no instance elsewhere."


async def test_a_login_that_breaks_off_is_tried_again(stub: LakehouseStub) -> None:
    stub.lose(LOGIN_PATH, "before", "503")
    await (await LakehouseClient.open(settings_of(stub), Secret(PASSWORD))).close()
    stub.lose(LOGIN_PATH, *["502"] * 3)
    error = await refused(stub)
    assert error.message == f"{stub.service} answered HTTP 502: the Lakehouse behind it does not answer."
    stub.lose(LOGIN_PATH, "404")
    assert "and not as a Lakehouse does" in (await refused(stub)).message


async def test_a_service_that_is_not_there_is_told(stub: LakehouseStub) -> None:
    error = await refused(stub, service="127.0.0.1:1")
    assert isinstance(error, UnreachableError)
    assert error.message == "Nothing listens on 127.0.0.1:1: the connection was refused."
    assert "cannot be resolved" in (await refused(stub, service="no-such-host.invalid")).message
    assert "does not speak TLS" in (await refused(stub, secure=True)).message


async def test_tls_is_verified_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, "somebody")
    with LakehouseStub(certificate=certificates.server) as stub:
        error = await refused(stub, secure=True)
        assert error.message.startswith(f"The certificate of {stub.service} is not trusted: ")
        assert "set ca_file in the lakehouse part of the profile" in error.advice
        assert stub.logins == 0
        client = await LakehouseClient.open(settings_of(stub, secure=True, verify=False), Secret(PASSWORD))
        assert (await client.query("SHOW CONNECTIONS")).rows == ()
        await client.close()


async def test_tls_is_verified_against_the_ca_file_and_the_store_of_results_against_the_others_too(
    tmp_path: Path,
) -> None:
    certificates = make_certificates(tmp_path, "somebody")
    with LakehouseStub(certificate=certificates.server, stored=True) as stub:
        trusted = settings_of(stub, secure=True, ca_file=certificates.ca)
        client = await LakehouseClient.open(trusted, Secret(PASSWORD))
        await client.execute(CREATE)
        assert (await client.query("SHOW CONNECTIONS")).rows[0][0] == "fc"  # fetched from the store
        await client.close()
        store = trust_of(trusted).store
        assert isinstance(store, ssl.SSLContext) and store.cert_store_stats()["x509_ca"] > 1
        logins = stub.logins
        error = await refused(stub, secure=True, ca_file=certificates.wrong_ca)
        assert error.message.startswith(f"The certificate of {stub.service} is not trusted: ")
        assert f"{certificates.wrong_ca} does not hold the CA that signed it" in error.advice
        missing, empty = tmp_path / "none.pem", tmp_path / "empty.pem"
        empty.touch()
        for file, said in ((missing, "cannot be read: "), (empty, "cannot be used: ")):
            error = await refused(stub, secure=True, ca_file=file)
            assert isinstance(error, BadInputError) and said in error.message and "lakehouse" in error.advice
        assert stub.logins == logins


async def test_the_proxy_of_the_environment_is_taken_and_no_netrc(
    stub: LakehouseStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", stub.service)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    client = await LakehouseClient.open(settings_of(stub, service="lakehouse.invalid"), Secret(PASSWORD))
    assert (await client.query("SHOW CONNECTIONS")).rows == ()
    assert not [name for name in stub.headers if name.lower() == "authorization"]
    await client.close()
    monkeypatch.setenv("no_proxy", "lakehouse.invalid")
    assert "cannot be resolved" in (await refused(stub, service="lakehouse.invalid")).message


async def test_password_and_token_are_in_no_repr_log_or_exception(
    stub: LakehouseStub, client: LakehouseClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = next(iter(stub._tokens))
    stub.fail("CREATE", f"bad request from {token}, {PASSWORD}", times=1)
    shown = [repr(client), repr(vars(client))]
    for sql in (CREATE, "DESC CONNECTION nobody"):
        with pytest.raises(LakehouseError) as caught:
            await client.execute(sql)
        shown += ["".join(traceback.format_exception(caught.value)), caught.value.detail]
    stub.lose(CANCEL_PATH, *["before"] * 3)
    stub.hold("CREATE")
    running = asyncio.create_task(client.execute(CREATE))
    await asyncio.to_thread(stub.wait_for, lambda: GET_PATH in stub.requests)
    running.cancel()
    with pytest.raises(asyncio.CancelledError) as ended:
        await running
    shown += ["".join(traceback.format_exception(ended.value)), caplog.text]
    assert "could not be cancelled" in caplog.text
    assert not [text for text in shown if token in text or PASSWORD in text or "wörd" in text]


@pytest.mark.parametrize(
    ("sql", "text", "advice"),
    [
        (FUNCTION, "HTTP_GENERAL_ERROR(640)", "names the vendor's account 1384322691904283"),
        (FUNCTION, "not authorized: s3:PutObject", "the bucket's own ARN is not enough"),
        (FUNCTION, "AccessDenied 403", "Allow cos:*"),
        (CREATE, "sts:AssumeRole denied", "asks for the external id of this connection"),
        (CREATE.replace("'tencent'", "'aws'"), "sts:AssumeRole denied", "the regional endpoint of STS"),
        (CREATE, "NoPermission: user may not create connections", "Ask an administrator of the workspace"),
        (CREATE, "boom", ""),
        ("SHOW CONNECTIONS", "NotFound: vcluster small is not found", "Check workspace, vcluster and schema"),
        ("DESC CONNECTION c", "workspace w: connection c is not found", "Check the name"),
    ],
)
def test_the_advice_is_that_of_the_cloud_of_the_statement_or_of_the_words(sql: str, text: str, advice: str) -> None:
    error = explain("CZLH-1", text, sql, "job 1")
    assert advice in error.advice and bool(advice) is bool(error.advice)
    assert error.detail == f"CZLH-1: {text}\njob 1"
