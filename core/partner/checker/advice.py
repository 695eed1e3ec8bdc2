"""What a partner does so that a case passes: told of one that failed, where nothing nearer to the fault can be said."""

from __future__ import annotations

from typing import Final

_OWNERS: Final = "Find a connection by its id, cloud_provider and workspace together; for any other it is a 404."
_CHECKED: Final = "Check the whole request before anything is made: what cannot be used is 400 bad_request."
_TEST_DOMAINS: Final = (
    "Compare the whole domain with databricks-test.com and databricks-demo.com; any other is 400 bad_request."
)
_NOBODY: Final = "Answer 404 account_not_found where there is nobody; nothing of it is an error of the service."
_NUMBERS: Final = "Keep ids as integers of 64 bits, where JSON is read too: floats take neighbours for the same."

ADVICE: Final = {
    "P100": "Answer an unknown company by create_trial, configured_resources true and the id of the new connection.",
    "P101": "Make a connection for each workspace that a user comes from.",
    "P300": "Find the connection, make nothing, and lead the user to the sign-in; leave connection_id out.",
    "P301": "Let every user of the account sign in to the connection of the workspace.",
    "P302": "Do what new_user_action of the PartnerConfig says, or change it there.",
    "P400": "Make a connection for each connect with is_connection_established false, for the same body too.",
    "P40": "Forget a connection that is deleted: its id is a 404 then, and the next connect makes a new one.",
    "P403": "delete-account forgets all users and connections under the domain: the next one is new again.",
    "P404": "delete-account forgets all connections under the domain: their ids are connection_not_found then.",
    "P405": _TEST_DOMAINS,
    "P500": "Say account_status expired; make nothing with purchase_product, or a connection with create_trial.",
    "P501": "Say account_status expired and purchase_product once expire-account has ended the trial.",
    "P502": "Let expire-account end the trial of one user or of the account, as trial_type of the PartnerConfig says.",
    "P600": "Keep connections by cloud_provider and workspace: one user may have several.",
    "P700": "Take demo true for a new user of a new account, whoever comes and however often.",
    "P800": "Answer test_results: for each test its test_name, PASS or FAIL as status, and a message.",
    "P801": "Answer 404 connection_not_found for what is deleted, and test nothing.",
    "P900": "List connectors on every page, each with identifier, name, and source or target as type.",
    "R100": "Where no SqlEndpoint is provisioned cluster_id comes alone: ask for no field of a warehouse.",
    "D100": "Write data_permissions or object_permissions into the PartnerConfig.",
    "E": "Check Authorization before anything else: 401 unauthorized for all but a user with the own password.",
    "H1": _CHECKED,
    "H112": "Let the same request fail in the same way, and leave nothing of it: Databricks sends it three times more.",
    "H2": "Check Authorization first, on every endpoint: 401 unauthorized unless it is Basic and both parts match.",
    "H3": _OWNERS,
    "H306": _NUMBERS,
    "H307": _NUMBERS,
    "H308": "Know a user by cloud_provider and databricks_user_id together.",
    "H309": "Delete the connection that is named, and no other of the user.",
    "H310": "Make a connection with an id of its own for each connect with is_connection_established false.",
    "H311": "Take each user of a free-mail provider for an account of their own.",
    "H312": "Compare domains in lower case.",
    "H314": _NUMBERS,
    "H40": "Answer 404 connection_not_found where there is nothing to delete (any more).",
    "H403": "Answer DELETE as POST, or by a declared status.",
    "H404": "Ignore user_info where it is of no use.",
    "H411": "Ask for the connection_id alone: cloud_provider and databricks_organization_id are optional here.",
    "H50": _TEST_DOMAINS,
    "H504": _NOBODY,
    "H505": _NOBODY,
    "H506": _NOBODY,
    "H507": _CHECKED,
    "H6": "Let a GET take nothing away from a link, and use it up by the POST of the page.",
    "H701": "Take service_principal_oauth_secret; with AUTH_OAUTH_M2M alone no personal_access_token comes.",
    "H702": "Refuse what has no credential of auth_options by 400 bad_request.",
    "H70": "Tell oauth_redirect_uri with AUTH_OAUTH_U2M and is_published_app false, and never else.",
    "H8": "Take it as any other: ignore what is unknown, and ask for nothing that is optional.",
    "H802": "Take null for absent, everywhere.",
    "H805": "Compare the media type alone, in any case: parameters as charset may follow it.",
    "H807": "Code a body only as Accept-Encoding of the request allows.",
    "H9": "Leave pagination_token out of the last page, and give each other page one of its own.",
}
"""By the id of a case, or by the beginning of it: the longest one counts."""


def advice_for(case_id: str) -> str:
    """What is to be done for a case to pass."""
    return next((ADVICE[case_id[:end]] for end in range(len(case_id), 0, -1) if case_id[:end] in ADVICE), "")
