"""Everything that a decision has made in ClickHouse, in the order in which each step finds what it names."""

from __future__ import annotations

from collections.abc import Iterator

from core.changes import StatementStep
from core.partner.accounts.decision import Provision
from core.partner.provisioning.accounts import account_steps, role_step, user_step
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.quotas import QuotaMembers, quota_step
from core.profiles.partner import ResourceTemplate


def provision_steps(
    provision: Provision,
    template: ResourceTemplate,
    members: QuotaMembers | None = None,
    clusters: Clusters = NO_CLUSTER,
) -> Iterator[StatementStep]:
    """The steps for a new account and a new user; none where both are there. `members`: of the template's quota.

    Raises BadInputError for privileges that cannot be granted.
    """
    if provision.new_account:
        yield from account_steps(provision, template, clusters)
    if provision.new_user:
        yield user_step(provision, template, clusters)
        if members is not None and not members.holds_for(provision.user):
            yield quota_step(provision.user, members, clusters)
        yield role_step(provision.user, provision.role, clusters)
