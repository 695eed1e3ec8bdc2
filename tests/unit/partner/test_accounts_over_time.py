"""Any sequence of connects, sign-ins, deletions and expiries, of many users in few workspaces, keeps what must hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.partner.accounts.deciding import (
    Answer,
    Decision,
    decide,
    decide_delete_account,
    decide_expire,
    decide_test,
)
from core.partner.accounts.domains import domain_of, is_free_mail
from core.partner.accounts.folding import fold
from core.partner.messages.requests import AccountInfo, AccountUserInfo, CloudProvider, ConnectionInfo, WorkspaceKey
from core.partner.messages.responses import ErrorReason, RedirectValue
from core.profiles.partner import NEW_USER_ACTIONS, TRIAL_TYPES, AccountPolicy, TrialPolicy
from tests.examples import examples
from tests.unit.partner.account_examples import POLICY, Partner, asked

EMAILS = (
    "ann@acme.com",
    "Bob@acme.com",
    "eve@other.com",
    "ann@gmail.com",
    "bob@GMAIL.com",
    "eve@mail.ru",
    "user1@databricks-test.com",
    "user2@databricks-test.com",
)
WORKSPACES = st.integers(1, 3)
CLOUDS = st.sampled_from([CloudProvider.AWS, CloudProvider.GCP])
# The same id of a user in two clouds, and now and then for two users: ids alone merge nobody.
USER_IDS = st.integers(1, 4)


class PartnerOverTime(RuleBasedStateMachine):
    """A partner and what it has promised: which partner connections are there, and whose they are."""

    @initialize(
        trial=st.sampled_from(TRIAL_TYPES),
        another=st.booleans(),
        action=st.sampled_from(NEW_USER_ACTIONS),
        manual=st.booleans(),
        demo=st.booleans(),
        by=st.sampled_from(["domain", "domain", "workspace"]),
    )
    def begin(self, trial: str, another: bool, action: str, manual: bool, demo: bool, by: str) -> None:
        self.partner = Partner(
            replace(
                POLICY,
                trial=TrialPolicy(trial, 3, another),  # type: ignore[arg-type]
                new_user_action=action,  # type: ignore[arg-type]
                require_manual_signup=manual,
                supports_demo=demo,
                test_hooks=True,
                accounts=AccountPolicy(by=by),  # type: ignore[arg-type]
            )
        )
        self.live: dict[str, WorkspaceKey] = {}
        self.makers: dict[str, str] = {}  # who made each connection
        self.gone: set[str] = set()

    @rule(email=st.sampled_from(EMAILS), workspace=WORKSPACES, cloud=CLOUDS, user_id=USER_IDS, demo=st.integers(0, 9))
    def connect(self, email: str, workspace: int, cloud: CloudProvider, user_id: int, demo: int) -> None:
        request = asked(email, workspace, user_id, cloud_provider=cloud, demo=demo == 0)
        before = set(self.partner.known.connections)
        decision = self.partner.ask(request)
        made = set(self.partner.known.connections) - before
        self.error_leaves_nothing(decision)
        if not isinstance(decision.answer, Answer):
            assert decision.answer.error_reason is ErrorReason.GENERAL_ERROR  # 404 is for established ones
            assert not made
            return
        answer = decision.answer
        assert answer.configured_resources == (answer.connection_id is not None) == bool(made)
        if answer.redirect_value in (RedirectValue.CONTACT_ADMIN, RedirectValue.PURCHASE_PRODUCT):
            assert not made
        else:
            assert answer.connection_id is not None
            assert made == {answer.connection_id}
            assert decision.provision is not None
            assert decision.provision.connection_id == answer.connection_id
            self.live[answer.connection_id] = request.workspace_key
            self.makers[answer.connection_id] = email.lower()

    @precondition(lambda self: self.makers)
    @rule(data=st.data(), email=st.sampled_from(EMAILS), workspace=WORKSPACES, cloud=CLOUDS, user_id=USER_IDS)
    def sign_in(self, data: st.DataObject, email: str, workspace: int, cloud: CloudProvider, user_id: int) -> None:
        connection = data.draw(st.sampled_from(sorted(self.makers)))
        if data.draw(st.booleans()) and connection in self.live:
            workspace, cloud = self.live[connection].workspace_id, self.live[connection].cloud_provider
        request = asked(email, workspace, user_id, connection, cloud_provider=cloud)
        count = len(self.partner.known.connections)
        decision = self.partner.ask(request)
        self.error_leaves_nothing(decision)
        assert len(self.partner.known.connections) == count
        if self.live.get(connection) != request.workspace_key:
            assert decision.error is not None
            assert decision.error.error_reason is ErrorReason.CONNECTION_NOT_FOUND
        elif isinstance(decision.answer, Answer):
            assert (decision.answer.configured_resources, decision.answer.connection_id) == (False, None)
            assert decision.account_id == self.partner.known.connections[connection].account_id
            if self.partner.policy.accounts.by == "domain" and is_free_mail(domain_of(email.lower())):
                assert email.lower() == self.makers[connection]

    @precondition(lambda self: self.makers)
    @rule(data=st.data(), workspace=WORKSPACES)
    def delete(self, data: st.DataObject, workspace: int) -> None:
        connection = data.draw(st.sampled_from(sorted(self.makers)))
        ending = self.partner.delete(connection, workspace)
        if self.live.get(connection) == WorkspaceKey(CloudProvider.AWS, workspace):
            assert ending.removal.connections == (connection,)
            self.forget(connection)
        else:
            assert (ending.events, ending.resource_status) == ((), None)

    @rule(email=st.sampled_from(EMAILS), workspace=WORKSPACES, user_id=USER_IDS)
    def expire(self, email: str, workspace: int, user_id: int) -> None:
        partner = self.partner
        request = AccountUserInfo(email, user_id, CloudProvider.AWS, workspace)
        ending = decide_expire(request, partner.known, partner.policy, partner.now)
        partner.tell(*ending.events)
        if ending.error is None and not partner.policy.require_manual_signup:
            again = decide(asked(email, workspace), partner.known, partner.policy, partner.now)
            assert isinstance(again.answer, Answer)
            assert again.answer.account_status == "expired"
        assert ending.error is None or not ending.events

    @rule(domain=st.sampled_from(["databricks-test.com", "acme.com"]), workspace=WORKSPACES)
    def delete_account(self, domain: str, workspace: int) -> None:
        partner = self.partner
        ending = decide_delete_account(AccountInfo(domain, CloudProvider.AWS, workspace), partner.known, partner.policy)
        partner.tell(*ending.events)
        assert ending.error is not None or domain != "acme.com"
        for connection in ending.removal.connections:
            assert domain_of(self.makers[connection]) == domain
            self.forget(connection)

    @rule(days=st.integers(1, 3))
    def pass_days(self, days: int) -> None:
        self.partner.pass_days(days)

    def forget(self, connection: str) -> None:
        del self.live[connection]
        self.gone.add(connection)

    @staticmethod
    def error_leaves_nothing(decision: Decision) -> None:
        if decision.error is not None:
            assert (decision.events, decision.provision) == ((), None)

    @invariant()
    def what_was_promised_is_there_and_nothing_else(self) -> None:
        known = self.partner.known
        assert {one.id for one in known.connections.values() if one.deleted is None} == set(self.live)
        for identifier, workspace in self.live.items():
            found = known.connection(identifier, workspace)
            assert found is not None
            assert known.accounts[found.account_id].deleted is None

    @invariant()
    def a_deleted_connection_is_never_found_again(self) -> None:
        for identifier in self.gone:
            assert decide_test(ConnectionInfo(identifier), self.partner.known).error is not None

    @invariant()
    def free_mail_users_never_share_an_account(self) -> None:
        if self.partner.policy.accounts.by == "workspace":
            return
        addresses: dict[str, set[str]] = {}
        for user in self.partner.known.users.values():
            addresses.setdefault(user.account_id, set()).add(user.email)
        for shared in addresses.values():
            assert len(shared) == 1 or not any(is_free_mail(domain_of(email)) for email in shared)

    @invariant()
    def nobody_is_in_an_account_of_another_company(self) -> None:
        known = self.partner.known
        if self.partner.policy.accounts.by == "domain":
            for user in known.users.values():
                assert domain_of(user.email) == known.accounts[user.account_id].domain

    def teardown(self) -> None:
        assert fold(self.partner.rows) == self.partner.known


TestPartnerOverTime = PartnerOverTime.TestCase
# Each step looks at everything, so that few long walks find more than many short ones.
TestPartnerOverTime.settings = settings(max_examples=examples(15), stateful_step_count=30)
