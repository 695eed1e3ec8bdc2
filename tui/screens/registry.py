"""The screens by number, and the module each is imported from when it is first opened."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.screens.base import ConsoleScreen


@dataclass(frozen=True, slots=True)
class Entry:
    """A screen that can be jumped to, by `key` where it has one. `words` are other names it is found by.

    One that is `within` another (its id) is opened from there or by its name, and is not in the list of screens.
    """

    id: str
    key: str
    title: str
    module: str
    kind: str  # the name of the class
    words: tuple[str, ...] = ()
    within: str = ""

    def create(self) -> ConsoleScreen[Any]:
        screen: ConsoleScreen[Any] = getattr(importlib.import_module(self.module), self.kind)()
        return screen


# Adding one: keep the numbers of the others. There are ten keys; what has none is found by `:` and in the list.
SCREENS: tuple[Entry, ...] = (
    Entry("checklist", "1", "Checklist", "tui.screens.checklist", "ChecklistScreen", ("onboarding", "setup", "check")),
    Entry("tenants", "2", "Tenants", "tui.screens.tenants", "TenantsScreen", ("databases", "clients", "adopt")),
    Entry("keys", "3", "Keys", "tui.screens.keys", "KeysScreen", ("rsa", "rotation", "fingerprints")),
    Entry("tokens", "4", "Tokens", "tui.screens.tokens", "TokensScreen", ("issue", "verify", "reissue", "ledger")),
    Entry("journal", "5", "Journal", "tui.screens.journal", "JournalScreen", ("history", "audit", "changes")),
    Entry("profiles", "6", "Profiles", "tui.screens.profiles", "ProfilesScreen", ("connections", "servers")),
    Entry("listing", "7", "Listing", "tui.screens.listing", "ListingScreen", ("pack", "marketplace", "icon")),
    Entry("users", "8", "Users", "tui.screens.users", "UsersScreen", ("access", "grants", "passwords", "accounts")),
    Entry("roles", "9", "Roles", "tui.screens.roles", "RolesScreen", ("access", "grants", "members")),
    Entry("quotas", "0", "Quotas", "tui.screens.quotas", "QuotasScreen", ("access", "limits", "usage")),
    Entry(
        "settings-profiles",
        "",
        "Settings profiles",
        "tui.screens.settings_profiles",
        "SettingsProfilesScreen",
        ("profiles",),
    ),
    Entry("row-policies", "", "Row policies", "tui.screens.row_policies", "RowPoliciesScreen", ("access", "filters")),
    Entry("sql-console", "", "SQL console", "tui.screens.sql_console", "SqlConsoleScreen", ("cloud", "people")),
    Entry("who-can", "", "Who can", "tui.screens.who_can", "WhoCanScreen", ("access", "matrix", "effective", "rights")),
    Entry("review", "", "Review", "tui.screens.review", "ReviewScreen", ("access", "expiring", "dormant", "lint")),
    Entry(
        "access-files", "", "Access files", "tui.screens.access_files", "AccessFilesScreen", ("users.xml", "convert")
    ),
    Entry("compare", "", "Compare", "tui.screens.compare", "CompareScreen", ("access", "difference", "snapshot")),
    Entry(
        "connections",
        "",
        "API connections",
        "tui.screens.connections",
        "ConnectionsScreen",
        ("lakehouse", "aws", "aliyun", "tencent", "external id"),
    ),
    Entry(
        "partner",
        "",
        "Partner Connect",
        "tui.screens.partner_connections",
        "PartnerConnectionsScreen",
        ("databricks", "partner connections", "partner accounts"),
    ),
    Entry(
        "partner-requests",
        "",
        "Partner requests",
        "tui.screens.partner_requests",
        "PartnerRequestsScreen",
        ("databricks", "live", "tail", "log"),
        within="partner",
    ),
    Entry(
        "partner-statistics",
        "",
        "Partner statistics",
        "tui.screens.partner_statistics",
        "PartnerStatisticsScreen",
        ("databricks", "plot", "by day"),
        within="partner",
    ),
    Entry(
        "partner-credentials",
        "",
        "Partner credentials",
        "tui.screens.partner_credentials",
        "PartnerCredentialsScreen",
        ("databricks", "basic", "authorization", "rotation"),
        within="partner",
    ),
    Entry(
        "partner-config",
        "",
        "PartnerConfig",
        "tui.screens.partner_config",
        "PartnerConfigScreen",
        ("databricks", "editor", "json"),
        within="partner",
    ),
)


def entry(screen_id: str) -> Entry:
    """The entry with that id; the first one when there is none."""
    return next((found for found in SCREENS if found.id == screen_id), SCREENS[0])
