"""Who may call: Basic credentials, and 401 unauthorized for everything else, on every endpoint."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping

from core.partner.checker.case import Case, Origin
from core.partner.checker.conversation import Conversation
from core.partner.checker.judging import check_refusal
from core.partner.checker.requesting import TEST_DOMAIN, Json, company, user_of
from core.partner.checker.subject import basic
from core.partner.messages.responses import ErrorReason
from core.secrets import Secret


def _body(talk: Conversation) -> Json:
    return talk.requests.connect(user_of(company()), talk.requests.workspace())


def _another_password() -> Secret:
    return Secret(secrets.token_urlsafe(24), passing=True)


def _stranger() -> str:
    return basic(f"stranger-{secrets.token_hex(4)}", _another_password())


def _own(talk: Conversation) -> tuple[str, Secret]:
    return talk.subject.user, talk.subject.password or Secret("")


async def _unauthorized(talk: Conversation, headers: Mapping[str, str | None]) -> None:
    """Each of the headers is refused; its key says what it is, for the header itself is never shown."""
    for what, header in headers.items():
        answer = await talk.connect(_body(talk), {"Authorization": header})
        check_refusal(answer, ErrorReason.UNAUTHORIZED, of=f"for {what}")


async def bad_credentials(talk: Conversation) -> None:
    await _unauthorized(talk, {"an unknown user": _stranger()})


async def no_header(talk: Conversation) -> None:
    await _unauthorized(talk, {"no Authorization header": None})


async def wrong_password(talk: Conversation) -> None:
    user, password = _own(talk)
    shorter = Secret(password.reveal()[:-1])  # to be masked as the password is: it tells nearly all of it
    longer = Secret(f"{password.reveal()}x")
    wrong = {"another password": _another_password(), "the password without its last character": shorter}
    wrong["the password with an x behind it"] = longer
    await _unauthorized(talk, {what: basic(user, each) for what, each in wrong.items()})


async def wrong_user(talk: Conversation) -> None:
    user, password = _own(talk)
    await _unauthorized(talk, {"the user with an x behind it": basic(f"{user}x", password)})


async def other_scheme(talk: Conversation) -> None:
    user, password = _own(talk)
    encoded = basic(user, password).removeprefix("Basic ")
    schemes = {"Bearer": f"Bearer {encoded}", "no scheme": encoded, "Digest": f"Digest {encoded}"}
    await _unauthorized(talk, {f"the right user and password after {name}": each for name, each in schemes.items()})


async def broken_header(talk: Conversation) -> None:
    nothing = b64encode(b"no colon").decode("ascii")
    broken = ("Basic", "Basic ", "Basic !!!!", f"Basic {nothing}", "Basic ====")
    await _unauthorized(talk, {f"Authorization: {each!r}": each for each in broken})


async def every_endpoint(talk: Conversation) -> None:
    """H206: who may not connect may not do anything else."""
    workspace = talk.requests.test_workspace()
    of_connection = talk.requests.of_connection("unknown", workspace)
    bodies: dict[str, Json | None] = {
        "delete_connection_path": of_connection,
        "test_connection_path": of_connection,
        "delete_account_path": talk.requests.delete_account(TEST_DOMAIN, workspace),
        "expire_account_path": talk.requests.expire_account(user_of(TEST_DOMAIN), workspace),
        "get_connectors_path": None,
    }
    for endpoint, body in bodies.items():
        if getattr(talk.subject.endpoints, endpoint) is not None:
            for what, header in (("no Authorization header", None), ("an unknown user", _stranger())):
                answer = await talk.call(endpoint, body, headers={"Authorization": header})
                check_refusal(answer, ErrorReason.UNAUTHORIZED, of=f"for {what}")


async def before_validation(talk: Conversation) -> None:
    for content in (b"{", b"{}"):
        answer = await talk.connect(content, {"Authorization": _stranger()})
        talk.should(
            answer.status == 401,
            f"a bad request of a stranger is answered by {answer.status}: it is read before it is known who asks",
        )


async def scheme_in_lower_case(talk: Conversation) -> None:
    user, password = _own(talk)
    answer = await talk.connect(_body(talk), {"Authorization": f"basic {basic(user, password)[6:]}"})
    talk.should(answer.status in (200, 201), "the scheme of Authorization is compared with its case: basic is refused")


CASES = (
    Case("E100", "connect refuses a bad user and password", Origin.SUITE, bad_credentials, anonymous=True),
    Case("H201", "connect refuses a call without credentials", Origin.HOUSEKEYS, no_header, anonymous=True),
    Case("H202", "connect refuses the right user with another password", Origin.HOUSEKEYS, wrong_password),
    Case("H203", "connect refuses another user with the right password", Origin.HOUSEKEYS, wrong_user),
    Case("H204", "connect refuses another scheme than Basic", Origin.HOUSEKEYS, other_scheme),
    Case("H205", "connect refuses a broken Authorization header", Origin.HOUSEKEYS, broken_header, anonymous=True),
    Case("H206", "Every other endpoint refuses strangers", Origin.HOUSEKEYS, every_endpoint, anonymous=True),
    Case(
        "H207",
        "Strangers are refused before their request is read",
        Origin.HOUSEKEYS,
        before_validation,
        anonymous=True,
    ),
    Case("H208", "The scheme Basic is known in any case", Origin.HOUSEKEYS, scheme_in_lower_case),
)
