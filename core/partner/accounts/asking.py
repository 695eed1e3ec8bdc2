"""One connect request while it is decided: who asks, whose account it is, and what its facts would be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.changes import Event
from core.partner.accounts import facts
from core.partner.accounts.decision import Answer, Decision, Provision, Scenario
from core.partner.accounts.domains import domain_of, is_free_mail
from core.partner.accounts.ids import IdKind, NewId
from core.partner.accounts.policy import (
    PartnerPolicy,
    Person,
    account_key,
    auth_options_sent,
    database_name,
    role_name,
    trial_end,
    user_name,
)
from core.partner.accounts.state import (
    AccountKey,
    AccountKind,
    Coordinates,
    Known,
    PartnerAccount,
    PartnerConnection,
    PartnerUser,
)
from core.partner.messages.requests import ConnectRequest
from core.partner.messages.responses import AccountStatus, RedirectValue, UserStatus


@dataclass(frozen=True, slots=True)
class Names:
    """An account and a user, old or new: their ids and what they have in ClickHouse."""

    account_id: str
    database: str
    role: str
    user_id: str
    user: str
    new_account: bool
    new_user: bool

    def provision(self, connection_id: str | None) -> Provision | None:
        """What is to be made; None when there is nothing."""
        if connection_id is None and not self.new_user:
            return None
        return Provision(
            self.account_id,
            self.user_id,
            self.database,
            self.role,
            self.user,
            self.new_account,
            self.new_user,
            connection_id,
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """The request, and all that its decision depends on."""

    request: ConnectRequest
    person: Person
    known: Known
    policy: PartnerPolicy
    now: datetime
    new_id: NewId

    def find(self) -> tuple[PartnerAccount | None, PartnerUser | None]:
        """The account of the person and the user in it, where there are.

        A user who is known by the e-mail address in another account than the one of the address (a guest who was
        invited there) is that user.
        """
        account = self.known.account(account_key(self.policy, self.person))
        user = self.user_in(account) if account else None
        if user is None and self.policy.accounts.by == "domain":
            for identifier in self.known.users_by_email.get(self.person.email, ()):
                user = self.known.users[identifier]
                return self.known.account_of(user), user
        return account, user

    def user_in(self, account: PartnerAccount) -> PartnerUser | None:
        """The person as a user of `account`: by the e-mail address, which Databricks has verified, or else by the id.

        The id alone counts within a company only, where people get other addresses. Elsewhere it would merge strangers.
        """
        person = self.person
        if (user := self.known.user(account, person.email)) is not None:
            return user
        user = self.known.user(account, person.key)
        free_mail = is_free_mail(person.domain, self.policy.accounts.more_free_mail)
        return user if user is not None and domain_of(user.email) == person.domain and not free_mail else None

    def over(self, account: PartnerAccount, user: PartnerUser | None) -> bool:
        """Whether the account's trial or the user's own has ended."""
        if account.purchased is not None:
            return False
        return account.trial.over(self.now) or (user is not None and user.trial.over(self.now))

    def may_join(self, account: PartnerAccount, user: PartnerUser | None) -> bool:
        """Whether a new person becomes a user: who was invited does, and whose own the account is."""
        own = account.key.kind is AccountKind.USER
        return user is not None or own or self.policy.new_user_action == "auto_add"

    def names(self, account: PartnerAccount | None, user: PartnerUser | None) -> Names:
        """The account and the user, with new ids for what is new. A user who was only invited is new in ClickHouse."""
        account_id = account.id if account else self.new_id(IdKind.ACCOUNT)
        user_id = user.id if user else self.new_id(IdKind.USER)
        return Names(
            account_id,
            account.database if account else database_name(self.policy, account_id),
            account.role if account else role_name(self.policy, account_id),
            user_id,
            user.name if user else user_name(self.policy, account_id, user_id),
            account is None,
            user is None or user.added is None,
        )

    def created(self, names: Names, *, demo: bool) -> Event:
        """The fact that the account is there. A demo's is found by nobody else, and its trial never ends."""
        key = account_key(self.policy, self.person)
        return facts.account_created(
            names.account_id,
            AccountKey(AccountKind.DEMO, names.account_id) if demo else key,
            domain=self.person.domain,
            workspace=self.person.workspace,
            database=names.database,
            role=names.role,
            trial_until=None if demo else trial_end(self.policy, self.now, of_user=False),
        )

    def added(self, names: Names, *, demo: bool = False) -> Event:
        """The fact that the person is a user of the account."""
        return facts.user_added(
            names.user_id,
            names.account_id,
            self.person.key,
            email=self.person.email,
            name=names.user,
            first_name=self.person.first_name,
            last_name=self.person.last_name,
            trial_until=None if demo else trial_end(self.policy, self.now, of_user=True),
        )

    def identified(self, user: PartnerUser) -> tuple[Event, ...]:
        """The fact of what Databricks tells of a known user, if it is news. A key of somebody else is none."""
        person = self.person
        known_key = (user.account_id, person.key) in self.known.user_ids
        told = (person.email, person.first_name, person.last_name)
        if known_key and told == (user.email, user.first_name, user.last_name):
            return ()
        return (
            facts.user_identified(
                user.id, person.key, email=person.email, first_name=person.first_name, last_name=person.last_name
            ),
        )

    def configured(self, names: Names) -> tuple[str, Event]:
        """The id of a new partner connection and the fact that it is there."""
        request = self.request
        connection = PartnerConnection(
            self.new_id(IdKind.CONNECTION),
            names.account_id,
            names.user_id,
            request.workspace_key,
            self.policy.integration,
            auth_options_sent(self.policy, request),
            facts.scope_of(request.connection_scope),
            self.now,
            Coordinates(
                request.hostname,
                request.port,
                request.workspace_url,
                request.cloud_provider_region,
                request.http_path,
                request.cluster_id,
                request.catalog_name,
                request.destination_location,
                request.service_principal_id,
                request.oauth_u2m_app_id,
            ),
        )
        return connection.id, facts.connection_configured(connection)

    def made(
        self,
        scenario: Scenario,
        names: Names,
        events: tuple[Event, ...],
        redirect: RedirectValue,
        user_status: UserStatus,
        account_status: AccountStatus,
    ) -> Decision:
        """The decision that makes a new partner connection, after what `events` tell."""
        identifier, configured = self.configured(names)
        answer = Answer(redirect, user_status, account_status, configured_resources=True, connection_id=identifier)
        return Decision(
            scenario,
            answer,
            names.account_id,
            names.user_id,
            (*events, configured),
            names.provision(identifier),
        )
