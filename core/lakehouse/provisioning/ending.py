"""Planning what breaks a connection: dropping it to create it anew, and removing it for good."""

from __future__ import annotations

from core.changes import Change, Danger, RecordStep, Step
from core.errors import RefusedError
from core.lakehouse.cloud_access import RoleState
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.facts import CALL, HAND, event
from core.lakehouse.provisioning.cloud_steps import CloudSteps
from core.lakehouse.provisioning.lakehouse_steps import drop_step
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.provisioning.situation import CloudSituation, LakehouseSituation
from core.lakehouse.provisioning.verification import trusted_id
from core.lakehouse.sql.statement_rendering import render
from core.lakehouse.sql.statements import DropConnection
from core.lakehouse.state import ConnectionState

NEW_ID = "It will have another external id: until the trust policy asks for that, no function can be called through it."
NO_WAY_BACK = "a connection that is created again has another external id"


def plan_recreation(
    state: ConnectionState,
    wanted: Wanted,
    cloud: CloudSituation | None,
    lakehouse: LakehouseSituation | None,
) -> Change:
    """DROP, so that provisioning creates it anew as `wanted`; there is no ALTER CONNECTION.

    The trust policy is put back to the placeholder first, so that the role stays closed in between. Where the Lakehouse
    is worked by hand, only the fact is recorded. Raises RefusedError while functions use the connection.
    """
    refuse_used(state.name, lakehouse)
    steps: list[Step] = []
    if Wanted.of(state) != wanted:
        undo = RecordStep("Forget this definition", (Wanted.of(state).definition(),))
        steps.append(RecordStep(f"Define {wanted.name}", (wanted.definition(),), undo=undo))
    if cloud is not None and cloud.role is not None:
        steps.extend(_closing(state, cloud.role))
    steps.append(_dropping(state, lakehouse))
    return Change(
        f"Drop API connection {state.name}, to create it anew",
        tuple(steps),
        danger=Danger.DESTRUCTIVE,
        consequences=(NEW_ID, *_left_behind(state, wanted, cloud), *_uncertain(state.name, lakehouse)),
        confirm_name=state.name,
    )


def plan_removal(
    state: ConnectionState,
    cloud: CloudSituation | None,
    lakehouse: LakehouseSituation | None,
    *,
    keep_role: bool = False,
) -> Change:
    """DROP, and unless it is kept the end of the role and of the account's own policies that were made for it.

    Raises RefusedError while functions use the connection.
    """
    refuse_used(state.name, lakehouse)
    steps: list[Step] = []
    consequences: list[str] = []
    if state.created is not None or (lakehouse is not None and lakehouse.description is not None):
        steps.append(_dropping(state, lakehouse))
        consequences += ["Functions that use it cannot be called any more.", *_uncertain(state.name, lakehouse)]
    if cloud is not None and cloud.role is not None and not keep_role:
        steps.extend(_role_ending(state, cloud, cloud.role))
        documents = Wanted.of(state).documents()
        own = ", ".join(p.policy.name for p in documents.permissions if p.document is not None)
        consequences.append(f"The role {documents.role} and its policies ({own}) go too.")
    elif not keep_role and state.trusted is not None:
        consequences.append(f"The role {state.connection.role_arn} stays: delete it by hand in the cloud.")
    steps.append(RecordStep(f"Forget {state.name}", (event(state.name, "remove"),), no_undo=NO_WAY_BACK))
    return Change(
        f"Remove API connection {state.name}",
        tuple(steps),
        danger=Danger.DESTRUCTIVE,
        consequences=tuple(consequences),
        confirm_name=state.name,
    )


def refuse_used(name: str, lakehouse: LakehouseSituation | None) -> None:
    """Raise RefusedError when external functions are known to use the connection."""
    if lakehouse is not None and lakehouse.functions:
        names = ", ".join(function.name for function in lakehouse.functions[:5])
        more = " and more" if len(lakehouse.functions) > 5 else ""
        raise RefusedError(
            f"The connection {name} is in use by {names}{more}.",
            advice="Drop these functions first (DROP FUNCTION); they cannot run without it.",
        )


def _left_behind(state: ConnectionState, wanted: Wanted, cloud: CloudSituation | None) -> tuple[str, ...]:
    """The role that the connection had, where it gets another one."""
    former = state.connection.role_arn
    if former.lower() == wanted.connection.role_arn.lower() or state.trusted is None:
        return ()
    if cloud is None:
        return (f"The role {former} stays: delete it by hand in the cloud.",)
    closed = f"The role {former} stays, and nobody can assume it: delete it in the cloud."
    return (closed,) if cloud.role is not None else ()


def _uncertain(name: str, lakehouse: LakehouseSituation | None) -> tuple[str, ...]:
    if lakehouse is None:
        return (
            "Whether functions use it is not known from here: look with SHOW EXTERNAL FUNCTIONS.",
            f"It is not dropped from here: first run {render(DropConnection(name))}; in the Lakehouse.",
        )
    if lakehouse.unclear:
        return (f"{lakehouse.unclear} external functions do not tell what connection they use.",)
    return ()


def _dropping(state: ConnectionState, lakehouse: LakehouseSituation | None) -> Step:
    if lakehouse is not None:
        description = lakehouse.description
        return drop_step(state.name, description.external_id if description is not None else "")
    dropped = event(state.name, "drop", by=HAND)
    return RecordStep(f"Record that {state.name} was dropped by hand", (dropped,), no_undo=NO_WAY_BACK)


def _closing(state: ConnectionState, role: RoleState) -> list[Step]:
    """The trust policy asks for the placeholder again."""
    asked = trusted_id(role)
    if asked == PLACEHOLDER_EXTERNAL_ID:
        return []
    documents = Wanted.of(state).documents()
    return [
        CloudSteps(state.connection, documents).update_trust(
            documents.trust,
            role.trust,
            external_id=PLACEHOLDER_EXTERNAL_ID,
            former_id=asked,
            events=(event(state.name, "trust", by=CALL),),
            undo_events=(event(state.name, "trust", by=CALL, external_id=asked),),
        )
    ]


def _role_ending(state: ConnectionState, cloud: CloudSituation, role: RoleState) -> list[Step]:
    documents = Wanted.of(state).documents()
    make = CloudSteps(state.connection, documents)
    attached = {policy.name.lower() for policy in role.attached}
    wanted = {p.policy.name.lower() for p in documents.permissions}
    if strangers := sorted(policy.name for policy in role.attached if policy.name.lower() not in wanted):
        raise RefusedError(
            f"The role {documents.role} has more attached than this connection needs: {', '.join(strangers)}.",
            advice="Somebody else uses it: keep the role, or detach that first.",
        )
    steps: list[Step] = [
        make.detach_policy(p.policy) for p in documents.permissions if p.policy.name.lower() in attached
    ]
    gone = (event(state.name, "untrust", by=CALL),)
    steps.append(make.delete_role("the role is made anew by provisioning again", events=gone))
    for permission in documents.permissions:
        if permission.document is not None and permission.policy in cloud.policies:
            steps.append(make.delete_policy(permission.policy, "the policy is made anew by provisioning again"))
    return steps
