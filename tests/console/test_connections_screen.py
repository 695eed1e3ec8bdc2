"""The screen of API connections by keys: the way by hand, and the way that Housekeys goes itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from core.errors import UnreachableError
from core.journal.rows import Row
from core.lakehouse.connections import ListedConnection
from core.lakehouse.facts import event
from core.lakehouse.looking import Look
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.reach import Reach
from core.lakehouse.reaching import client as client_module
from core.lakehouse.sql.statement_rendering import create_statement, render_script
from tests.cloud.accounts import Account, aws_account
from tests.cloud.connection_place import PASSWORD_VARIABLE
from tests.cloud.fixtures import (  # noqa: F401 - fixtures
    AWS_ACCOUNT,
    AwsServer,
    aws_server,
    cloud_environment,
    running_moto,
)
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.starting import NARROW, NOW, WIDE, connected, start_in, told, until
from tests.console.walking import Seen, copies, fill_in, reconnect, run_change, run_named, see, type_in
from tests.lakehouse_stub import INSTANCE, PASSWORD, USER, WORKSPACE, LakehouseStub
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, EXTERNAL_ID, TENCENT, Memory
from tui.app import HousekeysApp
from tui.screens.connection_looks import look_lines
from tui.screens.connection_rows import rows_of, summary_lines
from tui.widgets.fields import FieldRow

ROLE = "acs:ram::1757168149572678:role/UdfRole"
SCRIPT = render_script(create_statement(connection)[0] for connection in EVERY_CLOUD)
BOTH = ("160x48", "80x24")
DESCRIPTION = f"""\
+-------------+---------------------------+
| info_name   | info_value                |
+-------------+---------------------------+
| name        | quickstart_ws.udf_conn    |
| type        | CLOUD_FUNCTION            |
| ExternalId  | {EXTERNAL_ID}          |
+-------------+---------------------------+
3 rows in set
"""


def console(folder: Path, how: Any, config: str = "", profile: str = "embedded") -> HousekeysApp:
    return HousekeysApp(connected(start_in(folder, config, screen="connections", profile=profile), how))


def trust(external_id: str) -> str:
    """The trust policy as the console of the cloud shows it."""
    return json.dumps(Wanted(ALIYUN).documents(external_id).trust, indent=2)


async def paste(pilot: Pilot[None], field: str, text: str) -> None:
    """Put a text of several lines into a field, and go to the button that sends the form."""
    row = next(row for row in pilot.app.screen.query(FieldRow) if row.field.name == field)
    area = row.input
    assert isinstance(area, TextArea)
    area.focus()
    area.clear()
    await type_in(pilot, text, "<tab>", "<enter>")


async def test_the_way_by_hand(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "connections.sql"
    app = console(tmp_path, opened_with())
    async with app.run_test(size=WIDE) as pilot:
        sent = copies(monkeypatch)
        await take(pilot, "empty", "No API connections yet.", "Press n to define one")

        # the form
        await type_in(pilot, "n")
        await see(pilot, "New API connection")
        await type_in(pilot, "udf_conn")
        await fill_in(pilot, "region", "cn-hangzhuo")
        await fill_in(pilot, "role_arn", "acs:ram::1384322691904283:role/x")
        await fill_in(pilot, "code_bucket", "My_Bucket")
        await take(pilot, "findings", "Did you mean", "is the vendor's own", "cannot be one of Alibaba Cloud")
        await fill_in(pilot, "region", "cn-hangzhou")
        await fill_in(pilot, "role_arn", ROLE)
        await fill_in(pilot, "code_bucket", "my-code")
        await fill_in(pilot, "cloud", "<right>")
        await see(
            pilot, "The role ARN is one of Alibaba Cloud", "Namespace"
        )  # every field is judged again by another cloud's rules
        await type_in(pilot, "<left>")
        await take(pilot, "form", "CREATE API CONNECTION udf_conn", "CODE_BUCKET='my-code'", "CzUdfOssAccess")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "step 1 of 6", "Create the permission policies in Alibaba Cloud")

        # policies, role, connection: each is shown, copied, and said to be done
        await take(pilot, "task", "Press enter when it is done.", "oss:GetObject", sizes=BOTH)
        await type_in(pilot, "y", "<tab>", "y")
        assert json.loads(sent[0])["Statement"]
        assert sent[1].startswith("#") and "aliyun ram CreatePolicy" in sent[1]
        await type_in(pilot, "<enter>")
        await run_change(pilot, "step 2 of 6", "000000 is no external id", "AliyunFCFullAccess, CzUdfOssAccess.")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "step 3 of 6", "CODE_BUCKET='my-code';")

        # it can be left at any time, and goes on where it was
        await type_in(pilot, "<escape>")
        await see(pilot, "API connections  1", "create connection")
        await type_in(pilot, "s", "<enter>")
        await run_change(pilot, "step 4 of 6", "DESC CONNECTION udf_conn;")

        # what is pasted is read, and nothing pasted is lost
        await type_in(pilot, "<enter>")
        await see(pilot, "The answer of DESC CONNECTION udf_conn")
        await paste(pilot, "answer", DESCRIPTION.replace("ExternalId", "Externality"))
        await take(
            pilot, "answer", "There is no external id", "Looked for externalId", "CLOUD_FUNCTION", sizes=("80x24",)
        )
        await paste(pilot, "answer", DESCRIPTION.replace("udf_conn", "other   "))
        await see(pilot, "not about udf_conn")
        await paste(pilot, "answer", DESCRIPTION)
        await run_change(pilot, "step 5 of 6", "Let the trust policy of UdfRole ask for the external id")
        await type_in(pilot, "y", "<enter>")
        assert json.loads(sent[2]) == json.loads(trust(EXTERNAL_ID))
        await run_change(pilot, "step 6 of 6", "Read the trust policy of UdfRole back")

        # the trust policy is compared with what is wanted
        await type_in(pilot, "<enter>")
        await paste(pilot, "trust", "no JSON at all")
        await see(pilot, "There is no trust policy in what was pasted.")
        await paste(pilot, "trust", trust("another-id"))
        await run_change(pilot, "step 5 of 6", "found", "another-id")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "step 6 of 6")
        await type_in(pilot, "<enter>")
        await paste(pilot, "trust", trust(EXTERNAL_ID))
        await run_change(pilot, "udf_conn is ready.")
        await type_in(pilot, "<enter>")
        await see(pilot, "✓  ready")

        # what there is to copy, all of it and one by one
        await type_in(pilot, "d", "<right>")
        await see(pilot, "[Documents]", "Policy AliyunFCFullAccess", "Lets the Lakehouse")
        await type_in(pilot, "<right>")
        await see(pilot, "[SQL]", "The older form", "'cloud_function.provider'='aliyun'")
        await type_in(pilot, "<right>")
        await see(pilot, "[Used by]", "SHOW EXTERNAL FUNCTIONS;")
        await type_in(pilot, "c", "<tab>", "<tab>", "<tab>")
        await take(pilot, "exhibits", "[SQL]", "CREATE API CONNECTION udf_conn", sizes=("80x24",))
        await type_in(pilot, "y", "<escape>")
        assert sent[-1].startswith("CREATE API CONNECTION udf_conn") and sent[-1].endswith("CODE_BUCKET='my-code';")

        # definitions from a file: what is wrong in it is said, and is nowhere taken in
        script.write_text(SCRIPT.replace("1757168149572678", "1384322691904283").replace("NAMESPACE", "NAMESPCE"))
        await type_in(pilot, "i")
        await see(pilot, "Take API connections from a file")
        await type_in(pilot, str(script), "<enter>")
        await see(pilot, "in_shanghai (tencent)", "NAMESPCE", "is the vendor's own")
        script.write_text(SCRIPT)
        await type_in(pilot, "<enter>")
        await run_change(pilot, "API connections  4", "in_hangzhou")
        await type_in(pilot, "S")
        await see(pilot, "STATE ↑")
        await type_in(pilot, "<asterisk>", "v")
        await see(pilot, "0 of 4 as wanted, 4 could not be seen.", "in_beijing cannot be looked at from here")
        await type_in(pilot, "<escape>", "<escape>", "v")
        await until(pilot, lambda: "Its external id is not known yet" in told(app))
        await type_in(pilot, "<slash>", "udf_conn", "<enter>", Seen("1 of 4"), "v", Seen("The trust policy of UdfRole"))
        await type_in(pilot, trust(EXTERNAL_ID), Seen("It is as wanted."), "<escape>")

        # the end of one
        await type_in(pilot, "x")
        await see(pilot, "Remove API connection udf_conn", "DROP CONNECTION udf_conn", "delete it by hand")
        await type_in(pilot, "<enter>")
        await run_named(pilot, "udf_conn", "API connections  0 of 3")


PROFILE = """\
[profiles.{name}]
engine = "embedded"
[profiles.{name}.lakehouse]
service = "{service}"
instance = "{instance}"
workspace = "{workspace}"
username = "{user}"
password = "env:{password}"
secure = false
[profiles.{name}.clouds.aws]
provision = true
endpoint = "{url}"
sts_endpoint = "{url}"
"""
ROLE_IN_CHINA = f"arn:aws-cn:iam::{AWS_ACCOUNT}:role/LakehouseUdf"


@pytest.fixture
def lakehouse(monkeypatch: pytest.MonkeyPatch) -> Iterator[LakehouseStub]:
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.002)
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with LakehouseStub() as stub:
        yield stub


async def open_role(account: Account) -> None:
    """Somebody lets the role be assumed by whoever knows another external id, past Housekeys."""
    cloud = await account.open()
    try:
        await cloud.update_trust("LakehouseUdf", account.trust("somebody-elses"))
    finally:
        await cloud.close()


async def test_the_way_that_housekeys_goes_itself(
    take: Take,
    tmp_path: Path,
    aws_server: AwsServer,  # noqa: F811
    lakehouse: LakehouseStub,
) -> None:
    names = {"service": lakehouse.service, "instance": INSTANCE, "workspace": WORKSPACE, "user": USER}
    config = "".join(
        PROFILE.format(**names, name=name, password=PASSWORD_VARIABLE, url=aws_server.url) for name in ("lab", "prod")
    )
    account = aws_account(aws_server.url, "aws-cn")
    how = opened_with()
    app = console(tmp_path, how, config, "lab")
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No API connections yet.")
        await type_in(pilot, "n")
        await see(pilot, "New API connection")
        await type_in(pilot, "udf_conn")
        await fill_in(pilot, "cloud", "<left>")
        await fill_in(pilot, "region", "cn-northwest-1")
        await fill_in(pilot, "role_arn", ROLE_IN_CHINA)
        await fill_in(pilot, "code_bucket", "cz-udf-code")
        await see(pilot, "PROVIDER='aws'")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "udf_conn is ready.")
        await type_in(pilot, "<escape>")
        await see(pilot, "✓  ready")
        external_id = lakehouse.connections["udf_conn"].external_id

        # somebody changes the trust policy; a look shows it, and records it
        await open_role(account)
        await type_in(pilot, "v")
        await take(pilot, "drift", "0 of 1 as wanted, 1 otherwise.", "somebody-elses", sizes=("80x24",))
        await type_in(pilot, "<enter>")
        await run_change(pilot, "!! id mismatch")
        await type_in(pilot, "s")
        await see(pilot, "Exactly this runs", "UpdateAssumeRolePolicy")
        await run_change(pilot, "udf_conn is ready.")
        await type_in(pilot, "<enter>")
        await see(pilot, "✓  ready")

        # functions run through it, and keep it from being dropped
        await type_in(pilot, "f")
        await see(pilot, "External functions of udf_conn")
        await type_in(pilot, "public.mask")
        await fill_in(pilot, "handler", "mask.Mask")
        await fill_in(pilot, "uri", "s3://cz-udf-code/mask.zip")
        await see(pilot, "CREATE EXTERNAL FUNCTION public.mask", "'remote.udf.api'='python3.mc.v0'")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "API connections  1")
        assert "public.mask" in lakehouse.functions
        await type_in(pilot, "d", "<right>", "<right>", "<right>")
        await see(pilot, "[Used by]", "public.mask", "mask.Mask")
        await type_in(pilot, "x")
        await see(pilot, "Remove API connection udf_conn", "is in use by public.mask")
        await type_in(pilot, "<escape>", "f")
        await see(pilot, "External functions of udf_conn")
        await fill_in(pilot, "what", "<right>")
        await see(pilot, "DROP FUNCTION public.mask;")
        await type_in(pilot, "<escape>")
        lakehouse.functions.clear()

        # another definition: it is dropped, and provisioned anew with another external id
        await type_in(pilot, "e")
        await see(pilot, "There is no ALTER CONNECTION")
        await fill_in(pilot, "code_bucket", "cz-udf-new")
        await see(pilot, "DROP CONNECTION, and then:", "CODE_BUCKET='cz-udf-new'")
        await type_in(pilot, "<enter>")
        await run_named(pilot, "udf_conn", "step 1 of 6", "Housekeys does this itself")
        lakehouse.fail("DESC CONNECTION", "the instance is suspended")
        await type_in(pilot, "<enter>", Seen("the instance is suspended"))
        lakehouse.heal()
        await type_in(pilot, "<enter>")
        await run_change(pilot, "udf_conn is ready.")
        assert lakehouse.connections["udf_conn"].info["code_bucket"] == "cz-udf-new"
        assert lakehouse.connections["udf_conn"].external_id != external_id
        await type_in(pilot, "<escape>")

        # what only the Lakehouse has is shown as such, and can be defined here
        lakehouse.store.run(
            "CREATE API CONNECTION theirs TYPE CLOUD_FUNCTION PROVIDER='tencent' REGION='ap-shanghai' "
            "ROLE_ARN='qcs::cam::uin/100012345678:roleName/LakehouseRole' NAMESPACE='default' "
            "CODE_BUCKET='udf-1310000000'"
        )
        await type_in(pilot, "r")
        await see(pilot, "API connections  2", "? not known here")
        await type_in(pilot, "g", "e")
        await until(pilot, lambda: "Only the Lakehouse knows it" in told(app))
        await type_in(pilot, "s")
        await see(pilot, "(Tencent Cloud)", "ap-shanghai", "udf-1310000000", "NAMESPACE='default'")
        await type_in(pilot, "<escape>")

        # a Lakehouse that does not answer, and looking only
        lakehouse.fail("SHOW CONNECTIONS", "the instance is suspended")
        await reconnect(pilot, how, read_only=True)
        await see(pilot, "the instance is suspended", "Shown is what is known here", "READ-ONLY")
        await type_in(pilot, "v")
        await see(pilot, "1 of 1 as wanted.")
        await type_in(pilot, "<enter>")
        await until(pilot, lambda: "nothing can be changed" in told(app))
        await type_in(pilot, "<escape>", "s")
        await see(pilot, "API connections  1")

        # with a journal that is always the same: every state at a glance
        app.start = replace(app.start, open_session=opened_with(journal()))
        app.connect("prod")
        await take(pilot, "no-lakehouse", "API connections  3", "the instance is suspended", "READ-ONLY")
        lakehouse.heal()
        await type_in(pilot, "r", "g", "j")
        await take(
            pilot, "list", "API connections  5", "? not known here", "!  drifted", "create connection", sizes=BOTH
        )
        await type_in(pilot, "d")
        await take(pilot, "summary", "[Summary]", "It also allows", "Press s to bring it back", sizes=("80x24",))
        await type_in(pilot, "<right>")
        await take(pilot, "documents", "[Documents]", "Policy CzUdfOssAccess", "Lets the Lakehouse", sizes=BOTH[::-1])

        # a cloud that is done by hand beside a Lakehouse that answers
        await type_in(pilot, "<escape>", "v")
        await see(pilot, "The Lakehouse has no connection in_hangzhou", "Its cloud is done by hand.")
        await type_in(pilot, "p", Seen("The trust policy of czudfrole"), trust("another-id"))
        await see(pilot, "Compared with what is wanted:", "! sts:AssumeRole", "another-id")


def journal() -> list[Row]:
    """Three connections, one in each cloud: one is ready, one has drifted, one is in the middle of its way."""
    memory = Memory()
    for connection in EVERY_CLOUD:
        memory.tell(Wanted(connection).definition())
    for connection, hand in ((AWS, "call"), (ALIYUN, "hand")):
        found = ["Policy CzUdfOssAccess: It also allows oss:* on *."] if connection is ALIYUN else []
        memory.tell(
            event(connection.name, "grant", by=hand),
            event(connection.name, "create", by="call"),
            event(connection.name, "describe", by="call", external_id=EXTERNAL_ID),
            event(connection.name, "trust", by=hand, external_id=EXTERNAL_ID),
            event(connection.name, "verify", by="call", differences=[*found], trusted_id=EXTERNAL_ID),
        )
    memory.tell(event(TENCENT.name, "grant", by="hand"), event(TENCENT.name, "trust", by="hand", external_id="000000"))
    return memory.rows


def test_an_api_connection_of_another_type_is_shown_and_left_alone() -> None:
    listed = [ListedConnection("bailian", "API", "AI_FUNCTION", True), ListedConnection("udf", "API", "", False)]
    other, ours = rows_of((), listed, Reach(None, {}), NOW)
    assert (other.definable, other.next, ours.definable, ours.next) == (False, "-", True, "define it (s)")
    assert "has no part in it" in summary_lines(other, NOW)[-1].text
    assert ("enabled", "no") in [(line.label, line.text) for line in summary_lines(ours, NOW)]


def test_a_look_tells_what_could_not_be_seen_after_what_is_otherwise() -> None:
    memory = Memory()
    for connection in EVERY_CLOUD:
        memory.tell(Wanted(connection).definition())
    aliyun, tencent, aws = (memory.state(connection.name) for connection in EVERY_CLOUD)
    lines = look_lines(
        [
            Look(aliyun, external_id="", missing=("connection",), differences=("The Lakehouse has no connection.",)),
            Look(tencent, error=UnreachableError("Tencent Cloud did not answer.", advice="Look at the network.")),
            Look(aws, ("There is no policy LakehouseAccess.",), "id", "id"),
        ]
    )
    assert lines[0].text == "0 of 3 as wanted, 1 otherwise, 1 could not be seen."
    told = [line.text for line in lines if line.text[:2] in ("! ", "? ", "- ")]
    assert told == ["! in_beijing is otherwise", "? in_shanghai could not be seen", "- in_hangzhou is not there yet"]
    assert "  Look at the network." in [line.text for line in lines]
