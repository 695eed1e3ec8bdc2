"""Planning the way to a working connection: from what is there now, only what is missing. Pure.

The cloud's side and the Lakehouse's side are each done by Housekeys (a situation was read) or by hand (None); a change
goes as far as it can without a hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.changes import CallStep, Change, Danger, Event, Found, RecordStep, Step
from core.errors import BadInputError, RefusedError
from core.lakehouse.cloud_access import Document, PolicyName
from core.lakehouse.connections import ApiConnection
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PermissionPolicy, PolicyScope, RoleDocuments
from core.lakehouse.facts import CALL, NOTHING_TO_UNDO, define, event
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.lint.document_lint import documents_differ
from core.lakehouse.policies.cloud_documents import role_documents
from core.lakehouse.provisioning.cloud_calls import with_external_id
from core.lakehouse.provisioning.cloud_steps import CloudSteps
from core.lakehouse.provisioning.lakehouse_steps import create_step, describe_step
from core.lakehouse.provisioning.situation import CloudSituation, LakehouseSituation
from core.lakehouse.provisioning.verification import definition_differences, trusted_id
from core.lakehouse.rules.validation import code_bucket_finding, problems
from core.lakehouse.sql.statements import Syntax
from core.lakehouse.state import ConnectionState


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator asks for."""

    connection: ApiConnection
    scope: PolicyScope = PolicyScope.DOCUMENTED
    more_buckets: tuple[str, ...] = ()
    policy_suffix: str = ""  # of the account's own policies, where another connection has those without

    @classmethod
    def of(cls, state: ConnectionState) -> Wanted:
        """What is wanted of a known connection."""
        return cls(state.connection, state.scope, state.more_buckets, state.policy_suffix)

    @property
    def name(self) -> str:
        return self.connection.name

    def definition(self) -> Event:
        """The fact that it is defined so."""
        return define(self.connection, self.scope, self.more_buckets, self.policy_suffix)

    def documents(self, external_id: str = PLACEHOLDER_EXTERNAL_ID) -> RoleDocuments:
        """The documents of its role."""
        documents = role_documents(
            self.connection, scope=self.scope, external_id=external_id, buckets=self.more_buckets
        )
        return documents if not self.policy_suffix else replace(documents, permissions=self._named(documents))

    def _named(self, documents: RoleDocuments) -> tuple[PermissionPolicy, ...]:
        return tuple(
            permission
            if permission.policy.provided
            else replace(permission, policy=PolicyName(f"{permission.policy.name}{self.policy_suffix}"))
            for permission in documents.permissions
        )


def definition_findings(wanted: Wanted) -> tuple[Finding, ...]:
    """All that is wrong with a definition, or to be known of it. Further buckets have the field `more_buckets`."""
    provider = wanted.connection.provider
    more = (code_bucket_finding(provider, bucket) for bucket in wanted.more_buckets)
    further = (
        replace(found, message=found.message.replace("code bucket", "further bucket"), field="more_buckets")
        for found in more
        if found is not None
    )
    return (*problems(wanted.connection), *further)


def refuse_unusable(wanted: Wanted) -> tuple[str, ...]:
    """Raise BadInputError for a definition that cannot work; returns what else is to be said of it, a sentence each."""
    findings = definition_findings(wanted)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise BadInputError(
            " ".join(finding.message for finding in errors),
            advice=" ".join(dict.fromkeys(finding.advice for finding in errors if finding.advice)),
        )
    warnings = [finding for finding in findings if finding.severity is Severity.WARNING]
    return tuple(f"{finding.message} {finding.advice}".strip() for finding in warnings)


def plan_provisioning(
    wanted: Wanted,
    state: ConnectionState | None,
    cloud: CloudSituation | None,
    lakehouse: LakehouseSituation | None,
    syntax: Syntax = Syntax.CLAUSES,
) -> Change:
    """The change that does what is missing, as far as it goes without a hand. No steps: nothing is missing.

    Raises BadInputError for a definition that cannot work, RefusedError where something else is in the way.
    """
    notes = refuse_unusable(wanted)
    plan = _Plan(wanted, state, syntax)
    plan.define()
    plan.remember(lakehouse)
    if cloud is not None:
        plan.close(cloud)
        plan.cloud_side(cloud)
    ready_for_connection = cloud is not None or (state is not None and state.trusted is not None)
    if lakehouse is not None and ready_for_connection:
        plan.lakehouse_side(lakehouse)
    if cloud is not None:
        plan.tighten()
    return Change(
        f"Provision API connection {wanted.name}",
        tuple(plan.steps),
        danger=plan.danger,
        consequences=(*plan.consequences, *notes) if plan.steps else (),
    )


@dataclass(slots=True)
class _Plan:
    """The steps so far. `found` is the step that will tell the external id, `external_id` what is known of it.

    `trust` is the role's trust policy once these steps have run, `asked` the external id that it asks for.
    """

    wanted: Wanted
    state: ConnectionState | None
    syntax: Syntax
    steps: list[Step] = field(default_factory=list)
    consequences: list[str] = field(default_factory=list)
    danger: Danger = Danger.ROUTINE
    found: Found | None = None
    external_id: str = ""
    trust: Document = field(default_factory=dict)
    asked: str = ""

    def define(self) -> None:
        wanted, state = self.wanted, self.state
        if state is None or Wanted.of(state) != wanted:
            former = event(wanted.name, "remove") if state is None else Wanted.of(state).definition()
            undo = RecordStep(f"Forget this definition of {wanted.name}", (former,))
            self.steps.append(RecordStep(f"Define {wanted.name}", (wanted.definition(),), undo=undo))

    def remember(self, lakehouse: LakehouseSituation | None) -> None:
        """What is known of the external id before anything runs: the Lakehouse's word goes before the journal's."""
        if lakehouse is not None:
            self.external_id = lakehouse.description.external_id if lakehouse.description is not None else ""
        elif self.state is not None and self.state.connection == self.wanted.connection:
            self.external_id = self.state.external_id

    # -- the cloud

    def close(self, cloud: CloudSituation) -> None:
        """An open role is closed before anything else: a step that fails would leave it open."""
        self.trust, self.asked = self.wanted.documents().trust, PLACEHOLDER_EXTERNAL_ID  # as it is made
        if cloud.role is None:
            return
        self.trust, self.asked = cloud.role.trust, trusted_id(cloud.role)
        if not self.asked:
            self._trust_anew(cloud.role.name, self.external_id or PLACEHOLDER_EXTERNAL_ID)

    def cloud_side(self, cloud: CloudSituation) -> None:
        """Policies, the role, and that they are attached."""
        documents = self.wanted.documents()
        make = CloudSteps(self.wanted.connection, documents)
        begun = len(self.steps)
        for permission in documents.permissions:
            found = cloud.policies.get(permission.policy)
            if permission.document is None:
                if found is None:
                    raise RefusedError(
                        f"{self.wanted.connection.provider.cloud} has no policy {permission.policy.name}.",
                        advice="It is one that the cloud provides: look whether the service is activated.",
                    )
            elif found is None:
                self.steps.append(make.create_policy(permission))
            elif differences := documents_differ(permission.document, found):
                self.steps.append(make.update_policy(permission, found))
                self._disrupt(
                    f"The policy {permission.policy.name} is there and is put right. So far: {differences[0]}"
                )
        granted = self._since(begun, "grant")
        self._role(cloud, make, documents)
        attached = set() if cloud.role is None else {policy.name.lower() for policy in cloud.role.attached}
        for permission in documents.permissions:
            if permission.policy.name.lower() not in attached:
                self.steps.append(make.attach_policy(permission.policy))
        if not granted and (self.state is None or self.state.granted is None):
            self._note("grant", "Its policies are as wanted")

    def _role(self, cloud: CloudSituation, make: CloudSteps, documents: RoleDocuments) -> None:
        name, role = self.wanted.name, cloud.role
        placeholder = event(name, "trust", by=CALL, external_id=PLACEHOLDER_EXTERNAL_ID)
        if role is None:
            gone = (event(name, "untrust", by=CALL),)
            self.steps.append(make.create_role(documents.trust, events=(placeholder,), undo_events=gone))
            return
        if trusted_id(role) != self.asked:  # closed already
            return
        if self.external_id or self.asked == PLACEHOLDER_EXTERNAL_ID:
            known = event(name, "trust", by=CALL, external_id=self.asked)
            if self.state is None or self.state.trusted is None or self.state.trusted_id != self.asked:
                self.steps.append(RecordStep("The role is there", (known,), undo=NOTHING_TO_UNDO))
            return
        self._trust_anew(role.name, PLACEHOLDER_EXTERNAL_ID)

    def _trust_anew(self, role: str, external_id: str) -> None:
        """Have the trust policy of a role that is there ask for this external id."""
        self._disrupt(
            f"The role {role} is there: whoever assumes it with"
            f" {'the external id ' + self.asked if self.asked else 'no external id'} cannot any more."
        )
        documents, name = self.wanted.documents(), self.wanted.name
        self.steps.append(
            CloudSteps(self.wanted.connection, documents).update_trust(
                documents.trust,
                self.trust,
                external_id=external_id,
                former_id=self.asked,
                events=(event(name, "trust", by=CALL, external_id=external_id),),
                undo_events=(event(name, "trust", by=CALL, external_id=self.asked),),
            )
        )
        self.trust, self.asked = with_external_id(documents.trust, external_id), external_id

    # -- the Lakehouse

    def lakehouse_side(self, lakehouse: LakehouseSituation) -> None:
        """CREATE and DESC, or what DESC tells of a connection that is there."""
        description = lakehouse.description
        if description is None:
            self.steps.append(create_step(self.wanted.connection, self.syntax))
            needs = len(self.steps) - 1
            self.steps.append(describe_step(self.wanted.connection, needs=needs))
            self.found = Found(needs + 1, "external_id")
            return
        if differences := definition_differences(self.wanted.connection, description):
            raise RefusedError(
                f"The Lakehouse has a connection {self.wanted.name} with another definition. {differences[0]}",
                advice="There is no ALTER CONNECTION: give the new one another name, or have this one defined as it is."
                if self.state is None
                else "There is no ALTER CONNECTION: recreate it.",
            )
        told = description.external_id
        if not told:
            raise RefusedError(
                f"DESC CONNECTION {self.wanted.name} tells no external id.",
                advice="Without one the role cannot be closed to others: ask the Lakehouse's support.",
            )
        if self.state is None or self.state.external_id != told:
            events = (event(self.wanted.name, "describe", by=CALL, external_id=told),)
            self.steps.append(RecordStep("The connection is there", events, undo=NOTHING_TO_UNDO))

    # -- closing

    def tighten(self) -> None:
        """Let the trust policy ask for the external id, and read everything back."""
        if self.found is None and not self.external_id:
            return
        documents = self.wanted.documents()
        make = CloudSteps(self.wanted.connection, documents)
        before, asked = self.trust, self.asked
        now = with_external_id(documents.trust, self.external_id)
        needs = self.found.step if self.found else None
        if self.found is not None or documents_differ(now, before):
            if asked not in (PLACEHOLDER_EXTERNAL_ID, self.external_id):
                self._disrupt(
                    f"The role {documents.role} asks for the external id {asked} today, and for another from now on."
                )
            self.steps.append(
                make.update_trust(
                    documents.trust,
                    before,
                    external_id=self.external_id,
                    found=self.found,
                    former_id=asked,
                    events=(event(self.wanted.name, "trust", by=CALL),),
                    undo_events=(event(self.wanted.name, "trust", by=CALL, external_id=asked),),
                    needs=needs,
                )
            )
        if self.steps or self.state is None or self.state.verified is None or self.state.differences:
            self.steps.append(
                make.read_back(
                    external_id=self.external_id,
                    found=self.found,
                    events=(event(self.wanted.name, "verify", by=CALL),),
                    needs=needs,
                )
            )

    # -- small words

    def _since(self, begun: int, action: str) -> bool:
        """Tell the fact `action` with the last step since `begun`, if there is any."""
        if len(self.steps) == begun:
            return False
        self._replace_last(events=(event(self.wanted.name, action, by=CALL),))
        undo = self.steps[-1].undo
        if isinstance(undo, CallStep):
            self._replace_last(undo=replace(undo, events=(event(self.wanted.name, f"un{action}"),)))
        return True

    def _note(self, action: str, title: str) -> None:
        events = (event(self.wanted.name, action, by=CALL),)
        self.steps.append(RecordStep(title, events, undo=NOTHING_TO_UNDO))

    def _replace_last(self, **changes: object) -> None:
        self.steps[-1] = replace(self.steps[-1], **changes)  # type: ignore[arg-type]

    def _disrupt(self, consequence: str) -> None:
        self.danger = Danger.DISRUPTIVE
        self.consequences.append(consequence)
