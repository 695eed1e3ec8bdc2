"""The rules that a partner keeps, each with a fault that breaks it, and the cases of the checker that must find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from core.partner.accounts.policy import PartnerPolicy
from core.partner.checker.requesting import changed
from core.partner.messages.responses import ErrorReason
from core.profiles.partner import TrialPolicy
from tests.partner_faults import (
    ACCOUNT,
    AUTHORIZATION,
    BAD,
    CONNECT,
    CONNECTION,
    DELETE,
    DELETED,
    EXPIRE,
    FORGET,
    GENERAL,
    M2M,
    NULLS,
    ONE,
    SIGNED_IN,
    SOME_ID,
    TEST,
    U2M,
    asking,
    domain_is,
    established,
    failed,
    gmail,
    header,
    instead,
    invited,
    is_json,
    made,
    new,
    not_json,
    on,
    page,
    put,
    replying,
    signed_in,
    status,
    told,
    user,
    with_fields,
    without_credentials,
)
from tests.partner_faults_at_once import (
    ExpiresNobody,
    authorized,
    coded,
    coercing,
    decoded,
    forgiving_fields,
    open_ended,
    silent,
    token_echoed,
    token_in_link,
    trusting,
    unfinished,
    with_link,
    with_warehouse,
    zipped,
)
from tests.partner_faults_over_time import (
    CLOUD,
    WORKSPACE,
    DeletesAll,
    FloatIds,
    ForgetsAnywhere,
    MadeBefore400,
    Owners,
    again,
    body_key,
    deleted_key,
    email_key,
    used_once,
)
from tests.partner_server import OAUTH_REDIRECT, PAGE, PASSWORD, USER, Fault, Reply, error


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, how a fault of it is made anew, the cases that find it, and the policy under which they do."""

    name: str
    make: Callable[[], Fault]
    found_by: tuple[str, ...]
    policy: dict[str, Any] = field(default_factory=dict)
    warned: bool = False  # it is wise, and nobody demands it


def changed_policy(policy: PartnerPolicy, changes: dict[str, Any]) -> PartnerPolicy:
    """A policy with some things otherwise; a trial by `user`, by `account` or with `another`."""
    trials = {"user": TrialPolicy("user"), "account": TrialPolicy("account"), "another": TrialPolicy("user", 14, True)}
    for name, value in changes.items():
        match name:
            case "trial":
                policy = replace(policy, trial=trials[value])
            case "accounts":
                policy = replace(policy, accounts=replace(policy.accounts, by=value))
            case _:
                policy = replace(policy, **{name: value})
    return policy


RULES = (
    # What every answer is.
    Rule(
        "declared_statuses", replying(lambda a, r: status(422, r) if r.status == 400 else r), ("H101", "H103", "P405")
    ),
    Rule("created_is_for_new", replying(lambda a, r: status(201, r) if signed_in(a, r) else r), ("P300",)),
    Rule("flat_errors", told({"details": {"field": "x"}}, failed), ("E100", "H101")),
    Rule("texts_in_errors", told({"code": 5}, failed), ("E100", "H101")),
    Rule("no_nulls_in_errors", told(NULLS, failed), ("E100", "H101", "P402")),
    Rule("reason_in_errors", told({"error_reason": "oops"}, failed), ("E100", "P402")),
    Rule("reason_fits_status", told({"error_reason": "bad_request"}, lambda a, r: r.status == 401), ("E100",)),
    Rule("json_content_type", replying(lambda a, r: replace(r, headers={}) if r.json else r), ("P100", "E100")),
    Rule("known_codings", replying(coded), ("P100",)),
    Rule("answers_in_time", lambda: silent, ("P100",)),
    Rule("bodies_end_in_time", lambda: open_ended, ("P100",)),
    Rule("no_secrets_in_answers", replying(token_echoed), ("P100",)),
    # New connections and sign-ins.
    Rule("configures", told({"configured_resources": False}, made), ("P100",)),
    Rule("tells_connection_id", told({"connection_id": None}, made), ("P100", "P600")),
    Rule("known_words", told({"account_status": "existing"}, made), ("P100",)),
    Rule("begins_trials", told({"redirect_value": "sign_in"}, made), ("P100", "P700")),
    Rule("knows_users", told({"user_status": "new"}, made), ("P101",), warned=True),
    Rule("signs_in_without_making", told({"configured_resources": True}, signed_in), ("P300", "P600")),
    Rule("no_id_in_sign_ins", told({"connection_id": "pc1"}, signed_in), ("P300",)),
    Rule("signs_others_in", instead(invited, ACCOUNT), ("P301", "P302-auto-add")),
    Rule("adds_new_users", told(SIGNED_IN, lambda a, r: invited(a)), ("P302-auto-add",)),
    Rule("invites", told({"redirect_value": "sign_in"}, signed_in), ("P302-invite",), {"new_user_action": "invite"}),
    Rule("not_found", instead(invited, CONNECTION), ("P302-not-found",), {"new_user_action": "not_found"}),
    Rule("refuses", instead(invited, ACCOUNT), ("P302-error",), {"new_user_action": "error"}),
    Rule("waits_for_sign_up", replying(unfinished), ("P300", "P600"), {"require_manual_signup": True}),
    Rule("connects_twice", again(body_key, lambda a, first, now: GENERAL), ("P400", "P401", "H310")),
    Rule("separate_connections", again(body_key, lambda a, first, now: first), ("H310",)),
    Rule("several_workspaces", again(email_key, lambda a, first, now: CONNECTION), ("P101", "P600")),
    Rule("demos_are_new", put({"demo": False}, new), ("P700",)),
    Rule("connects_clusters", instead(new, GENERAL), ("R100",), {"integration": "notebook"}),
    # Endings.
    Rule("deletes", instead(on(DELETE), DELETED), ("P402", "P801")),
    Rule("knows_deletion_words", told({"resource_status": "gone"}, lambda a, r: a.path == DELETE), ("P401",)),
    Rule(
        "user_unauthorized_with_user_only",
        told({"resource_status": "user_unauthorized"}, lambda a, r: a.path == DELETE and r.status == 200),
        ("P401",),
    ),
    Rule("second_deletion_404", again(deleted_key, lambda a, first, now: first), ("H401",), warned=True),
    Rule(
        "unknown_deletion_404",
        replying(lambda a, r: DELETED if a.path == DELETE and r.status == 404 else r),
        ("H402", "H401"),
        warned=True,
    ),
    Rule(
        "knows_what_is_gone",
        replying(lambda a, r: BAD if a.path == DELETE and r.status == 404 else r),
        ("H402", "H401"),
    ),
    Rule(
        "deletes_by_delete", instead(lambda a: a.path == DELETE and a.method == "DELETE", BAD), ("H403",), warned=True
    ),
    Rule("deletes_with_user", instead(lambda a: a.path == DELETE and bool(user(a)), BAD), ("H404",)),
    Rule("deletes_one_only", DeletesAll, ("H309",)),
    Rule("checks_deletions", instead(lambda a: a.path == DELETE and not a.json, GENERAL), ("H113",)),
    Rule("checks_tests", instead(lambda a: a.path == TEST and not a.json, GENERAL), ("H114",)),
    Rule(
        "tests",
        told({"test_results": [{"test_name": "", "status": "SUCCESS"}]}, lambda a, r: a.path == TEST),
        ("P800",),
    ),
    Rule("tests_by_id", instead(lambda a: a.path == TEST and len(a.json) == 1, BAD), ("H411",)),
    Rule(
        "messages_in_tests",
        told(
            {"test_results": [{"test_name": "a", "status": "UNKNOWN"}]}, lambda a, r: a.path == TEST and r.status == 200
        ),
        ("P800",),
        warned=True,
    ),
    # The hooks of tests.
    Rule(
        "forgets",
        instead(lambda a: a.path == FORGET and domain_is(a, "domain", ""), Reply(200)),
        ("P403", "P404", "P405"),
    ),
    Rule("forgets_testers_only", instead(lambda a: domain_is(a, "domain", "realuseraccount.com"), ACCOUNT), ("P405",)),
    Rule(
        "forgets_no_lookalikes",
        instead(lambda a: domain_is(a, "domain", "evildatabricks-test.com"), ACCOUNT),
        ("H502",),
    ),
    Rule("forgets_own_workspace_only", ForgetsAnywhere, ("H504",), warned=True),
    Rule(
        "forgets_without_failing",
        replying(lambda a, r: GENERAL if a.path == FORGET and r.status == 404 else r),
        ("H506", "H504"),
    ),
    Rule(
        "expires_without_failing",
        replying(lambda a, r: GENERAL if a.path == EXPIRE and r.status == 404 else r),
        ("H505",),
    ),
    Rule(
        "forgets_once",
        replying(lambda a, r: Reply(200) if a.path == FORGET and r.status == 404 else r),
        ("H506", "H504"),
        warned=True,
    ),
    Rule("expires", ExpiresNobody, ("P500", "P501")),
    Rule(
        "expires_testers_only",
        instead(lambda a: a.path == EXPIRE and not domain_is(a, "email", "databricks-test.com"), Reply(200)),
        ("H503",),
    ),
    Rule(
        "expires_no_lookalikes",
        instead(lambda a: a.path == EXPIRE and domain_is(a, "email", "evildatabricks-test.com"), Reply(200)),
        ("H501",),
    ),
    Rule(
        "expires_known_only",
        replying(lambda a, r: Reply(200) if a.path == EXPIRE and r.status == 404 else r),
        ("H505",),
        warned=True,
    ),
    Rule(
        "sells_to_expired",
        told(SIGNED_IN, lambda a, r: made(a, r) and r.json["account_status"] == "expired"),
        ("P500",),
    ),
    Rule(
        "makes_nothing_for_expired",
        told(
            {"connection_id": "pc9", "configured_resources": True},
            lambda a, r: made(a, r) and r.json["account_status"] == "expired",
        ),
        ("P500",),
    ),
    Rule(
        "expires_accounts",
        told(SIGNED_IN, lambda a, r: invited(a) and r.status == 200),
        ("P502",),
        {"trial": "account"},
    ),
    Rule(
        "expires_users_only",
        told({"account_status": "expired"}, lambda a, r: invited(a) and r.status == 200),
        ("P502",),
        {"trial": "user"},
    ),
    Rule("checks_hooks", instead(lambda a: a.path in (FORGET, EXPIRE) and not is_json(a), GENERAL), ("H507",)),
    # Connectors.
    Rule("lists_connectors", replying(lambda a, r: page(a, r, {"connectors": []})), ("P900",)),
    Rule("names_connectors", replying(lambda a, r: page(a, r, {"connectors": [{**ONE, "name": ""}]})), ("P900",)),
    Rule(
        "knows_connector_types", replying(lambda a, r: page(a, r, {"connectors": [{**ONE, "type": "both"}]})), ("P900",)
    ),
    Rule("connectors_once", replying(lambda a, r: page(a, r, {"connectors": [ONE]})), ("H901",), warned=True),
    Rule("connectors_end", replying(lambda a, r: page(a, r, {"pagination_token": "2"})), ("H901",)),
    # Bad requests.
    Rule("parses", instead(not_json, GENERAL), ("H101",)),
    Rule("answers_empty_bodies", instead(lambda a: a.path == CONNECT and not a.body, GENERAL), ("H102",)),
    Rule(
        "objects_only",
        instead(lambda a: is_json(a) and bool(a.body) and not a.body.startswith(b"{"), GENERAL),
        ("H109",),
    ),
    Rule("requires_fields", forgiving_fields, ("H103",)),
    Rule("checks_types", coercing, ("H104",)),
    Rule(
        "requires_connection_id",
        instead(lambda a: established(a) and "connection_id" not in a.json, CONNECTION),
        ("H105",),
    ),
    Rule(
        "requires_warehouse",
        asking(with_warehouse),
        ("H106",),
    ),
    Rule("checks_service_principals", put({"service_principal_id": SOME_ID}, new), ("H107",), M2M),
    Rule("takes_large_bodies", instead(lambda a: len(a.body) > 65_536, Reply(413)), ("H108",), warned=True),
    Rule(
        "bounds_ids",
        asking(
            lambda a: (
                a.saying(changed(a.json, {"workspace_id": 1, "user_info.databricks_organization_id": 1}))
                if a.json.get("workspace_id") == 2**63
                else a
            )
        ),
        ("H110",),
        warned=True,
    ),
    Rule("leaves_nothing_after_400", MadeBefore400, ("H111",)),
    Rule(
        "same_answer_to_retries",
        again(lambda a: a.body if invited(a) else None, lambda a, first, now: ACCOUNT),
        ("H112",),
        {"new_user_action": "error"},
    ),
    # Authentication.
    Rule(
        "checks_credentials", asking(lambda a: authorized(a) if "authorization" in a.headers else a), ("E100", "H202")
    ),
    Rule("requires_credentials", asking(lambda a: a if "authorization" in a.headers else authorized(a)), ("H201",)),
    Rule("checks_passwords", trusting(lambda each: decoded(each)[0] == USER), ("H202",)),
    Rule(
        "checks_whole_passwords",
        trusting(lambda each: bool(decoded(each)[1]) and PASSWORD.startswith(decoded(each)[1])),
        ("H202",),
    ),
    Rule("checks_users", trusting(lambda each: decoded(each)[1] == PASSWORD), ("H203",)),
    Rule("basic_only", trusting(lambda each: each.endswith(AUTHORIZATION[6:])), ("H204",)),
    Rule(
        "unauthorized_when_broken",
        replying(lambda a, r: BAD if r.status == 401 and not decoded(header(a, "authorization"))[0] else r),
        ("H205",),
    ),
    Rule("guards_every_endpoint", asking(lambda a: a if a.path == CONNECT else authorized(a)), ("H206",)),
    Rule(
        "authenticates_first",
        instead(lambda a: a.path == CONNECT and (not is_json(a) or a.json == {}), BAD),
        ("H207",),
        warned=True,
    ),
    Rule(
        "scheme_has_no_case",
        instead(lambda a: header(a, "authorization").startswith("basic"), error(ErrorReason.UNAUTHORIZED)),
        ("H208",),
        warned=True,
    ),
    # Whose it is.
    Rule("owns_connections", lambda: Owners(CONNECT, *WORKSPACE), ("H301",)),
    Rule("owns_connections_by_cloud", lambda: Owners(CONNECT, *CLOUD), ("H302",)),
    Rule(
        "knows_connections",
        replying(lambda a, r: ACCOUNT if established(a) and r.status == 404 else r),
        ("H303", "P402", "P404"),
    ),
    Rule("owner_deletes", lambda: Owners(DELETE, *WORKSPACE), ("H304",)),
    Rule("owner_deletes_by_cloud", lambda: Owners(DELETE, *CLOUD), ("H305",)),
    Rule("owner_tests", lambda: Owners(TEST, *WORKSPACE), ("H313",)),
    Rule("int64", lambda: FloatIds(CONNECT), ("H306",)),
    Rule("int64_of_deletions", lambda: FloatIds(DELETE), ("H307",)),
    Rule(
        "takes_largest_ids",
        instead(
            lambda a: int(a.json.get("workspace_id", 0) or 0) >= 2**53 and a.json["workspace_id"] >= 2**63 - 1, BAD
        ),
        ("H306",),
    ),
    Rule(
        "user_ids_by_cloud",
        again(
            lambda a: user(a)["databricks_user_id"] if new(a) else None,
            lambda a, first, now: now.saying({**now.json, **SIGNED_IN}),
        ),
        ("H308",),
    ),
    Rule(
        "int64_of_users",
        again(
            lambda a: float(user(a)["databricks_user_id"]) if new(a) else None,
            lambda a, first, now: now.saying({**now.json, **SIGNED_IN}),
        ),
        ("H314",),
    ),
    Rule(
        "free_mail",
        again(gmail, lambda a, first, now: now.saying({**now.json, "account_status": "active"})),
        ("H311",),
        warned=True,
    ),
    Rule("domains_have_no_case", told({"account_status": "new"}, made), ("H312",), warned=True),
    # Links and OAuth.
    Rule("links_answer", instead(on(PAGE), Reply(404)), ("P100", "P300")),
    Rule("get_safe_links", lambda: used_once(), ("H601",)),
    Rule("redirect_hostnames", with_link("https://127.0.0.1.evil.example/"), ("P100",)),
    Rule("redirects_by_https", with_link("http://acme.example/"), ("P100",)),
    Rule("no_secrets_in_links", replying(token_in_link), ("P100",)),
    Rule("m2m_without_token", instead(lambda a: new(a) and "auth" not in user(a), BAD), ("H701", "P100"), M2M),
    Rule(
        "requires_some_credential",
        put({"user_info.auth": {"personal_access_token": "x"}}, without_credentials),
        ("H702",),
        warned=True,
    ),
    Rule("oauth_redirect_uri", told({"oauth_redirect_uri": None}, made), ("H703",), U2M),
    Rule("oauth_redirect_by_https", told({"oauth_redirect_uri": "http://acme.example/"}, made), ("H703",), U2M),
    Rule("oauth_redirect_uri_only_then", told({"oauth_redirect_uri": OAUTH_REDIRECT}, made), ("H704",)),
    # Tolerance.
    Rule("ignores_unknown_fields", instead(lambda a: with_fields(a, "a_new_field"), BAD), ("H801",)),
    Rule("null_is_absent", instead(lambda a: new(a) and a.json.get("catalog_name", "") is None, BAD), ("H802",)),
    Rule("quotes_names", instead(lambda a: "`" in str(a.json.get("catalog_name")), GENERAL), ("H803",)),
    Rule("names_may_be_empty", instead(lambda a: user(a).get("last_name") == "", BAD), ("H804",)),
    Rule("charset_may_lack", instead(lambda a: header(a, "content-type") == "application/json", BAD), ("H805",)),
    Rule(
        "any_language", instead(lambda a: a.path == CONNECT and header(a, "accept-language") != "en-US", BAD), ("H806",)
    ),
    Rule("plain_bodies", replying(zipped), ("H807",)),
    Rule(
        "any_user_agent",
        instead(lambda a: a.path == CONNECT and header(a, "user-agent") != "databricks", BAD),
        ("H808",),
        warned=True,
    ),
    Rule(
        "other_methods", instead(lambda a: a.path == CONNECT and a.method != "POST", Reply(405)), ("H809",), warned=True
    ),
)
