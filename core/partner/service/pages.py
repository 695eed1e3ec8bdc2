"""The pages that users are led to: set a password, see how to connect, let a workspace be authorised.

A GET changes nothing, however often it comes: Databricks and mail scanners follow links. All of it works without a
script; nothing is asked of another host; whatever others have said is escaped by the templates.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
from core.partner.handling.links import (
    CONTACT_ADMIN_PATH,
    PURCHASE_PATH,
    SIGN_IN_PATH,
    WELCOME_PATH,
)
from core.partner.handling.outcomes import Visitor
from core.partner.security.redaction import redacted
from core.partner.security.sign_in_links import PARAMETER, SignInLinkRefusedError
from core.partner.service.connection_texts import DSN_FILE, connection_texts, dsn_file
from core.partner.service.needs import ReceivesVisitors
from core.partner.workspaces.oauth_apps import callback_uri
from core.profiles.partner import PartnerPolicy
from core.secrets import Secret

log = logging.getLogger(__name__)

SIGN_UP_PATH: Final = "/sign-up"
AUTHORIZE_PATH: Final = "/authorize"
DSN_PATH: Final = f"/{DSN_FILE}"
STYLE_PATH: Final = "/style.css"
BROWSER_KEY: Final = "housekeys_authorization"  # the cookie of an authorization under way
_KEY_SECONDS: Final = 900
_LARGEST_FORM: Final = 16_384  # bytes
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_PLAIN_PAGES: Final = {
    "/": "sign_in.html",
    SIGN_IN_PATH: "sign_in.html",
    SIGN_UP_PATH: "sign_up.html",
    PURCHASE_PATH: "purchase.html",
    CONTACT_ADMIN_PATH: "contact_admin.html",
}
_Answer = Callable[[Request], Awaitable[Response]]


class Pages:
    """Makes the pages of one service. `name` is what the partner is called in them."""

    def __init__(self, policy: PartnerPolicy, reception: ReceivesVisitors, name: str) -> None:
        self._policy = policy
        self._reception = reception
        self._name = name
        self._secure = urlsplit(policy.base_url).scheme == "https"
        self._callback = urlsplit(callback_uri(policy)).path or "/"
        self._templates = Environment(
            loader=PackageLoader(__package__, "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def routes(self) -> list[BaseRoute]:
        """The routes of all pages."""
        return [
            Route(WELCOME_PATH, self._guarded(self._welcome), methods=["GET"]),
            Route(WELCOME_PATH, self._guarded(self._set_password), methods=["POST"]),
            Route(AUTHORIZE_PATH, self._guarded(self._authorize), methods=["POST"]),
            Route(self._callback, self._guarded(self._authorized), methods=["GET"]),
            Route(DSN_PATH, self._guarded(self._dsn), methods=["GET"]),
            Route(STYLE_PATH, _style, methods=["GET"]),
            *(Route(path, self._plain(template), methods=["GET"]) for path, template in _PLAIN_PAGES.items()),
        ]

    # -- by a sign-in link

    async def _welcome(self, request: Request) -> Response:
        token = request.query_params.get(PARAMETER, "")
        return self._for_visitor(await self._reception.look(token), token)

    async def _set_password(self, request: Request) -> Response:
        form = await _form(request)
        token, password = form.get(PARAMETER, ""), Secret(form.get("password", ""), passing=True)
        again = Secret(form.get("again", ""), passing=True)
        try:
            if not password.matches(again):
                raise BadInputError("The two passwords differ.", advice="Type both again.")
            await self._reception.set_password(token, password)
        except BadInputError as error:
            return self._for_visitor(await self._reception.look(token), token, error)
        # By GET, so that a reload sends nothing again.
        return RedirectResponse(f"{WELCOME_PATH}?{urlencode({PARAMETER: token})}", 303, HEADERS)

    async def _authorize(self, request: Request) -> Response:
        token = (await _form(request)).get(PARAMETER, "")
        begun = await self._reception.begin_authorization(token)
        # Not a redirect: what a form leads to is bounded by the content security policy, in some browsers.
        response = self._page("leaving.html", url=begun.url, host=urlsplit(begun.url).hostname or "")
        response.set_cookie(
            BROWSER_KEY,
            begun.browser_key.reveal(),
            max_age=_KEY_SECONDS,
            path=self._callback,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return response

    async def _authorized(self, request: Request) -> Response:
        key = Secret(request.cookies.get(BROWSER_KEY, ""), passing=True)
        try:
            host = await self._reception.finish_authorization(request.query_params.multi_items(), key)
            response = self._page("authorized.html", host=host)
        except RefusedError as error:
            response = self._trouble(error, 400)
        response.delete_cookie(BROWSER_KEY, path=self._callback, secure=self._secure, httponly=True, samesite="lax")
        return response

    async def _dsn(self, request: Request) -> Response:
        visitor = await self._reception.look(request.query_params.get(PARAMETER, ""))
        if visitor.how is None:
            raise NotFoundError("There is no address to connect to.", advice="Ask whoever runs this service.")
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{DSN_FILE}"'}
        return Response(dsn_file(visitor.how), media_type="text/plain", headers=headers)

    def _for_visitor(self, visitor: Visitor, token: str, error: BadInputError | None = None) -> Response:
        return self._page(
            "how_to_connect.html" if visitor.signed_up else "set_password.html",
            400 if error else 200,
            visitor=visitor,
            token=token,
            error=error,
            texts=connection_texts(visitor.how) if visitor.how is not None else (),
            dsn=f"{DSN_PATH}?{urlencode({PARAMETER: token})}",
            desktop=self._policy.integration == "desktop",
        )

    # -- for everybody

    def _plain(self, template: str) -> _Answer:
        async def answer(_: Request) -> Response:
            return self._page(template)

        return answer

    # -- how a page is made

    def _guarded(self, answer: _Answer) -> _Answer:
        """A page whatever goes wrong: nobody who follows a link sees JSON or a word of ours."""

        async def guarded(request: Request) -> Response:
            if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "POST":
                return self._trouble(RefusedError("This form was sent from another site."), 403)
            try:
                return await answer(request)
            except SignInLinkRefusedError as error:
                return self._trouble(error, 410)
            except NotFoundError as error:
                return self._trouble(error, 404)
            except BadInputError as error:
                return self._trouble(error, 400)
            except HousekeysError as error:
                log.error("%s failed: %s %s", request.url.path, redacted(str(error)), redacted(error.detail))
            except Exception:
                log.exception("%s failed unexpectedly", request.url.path)
            return self._trouble(
                HousekeysError("Something went wrong here.", advice="Try again in a few minutes."), 503
            )

        return guarded

    def _trouble(self, error: HousekeysError, status: int) -> Response:
        return self._page("trouble.html", status, error=error)

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        names = {"parameter": PARAMETER, "welcome": WELCOME_PATH, "authorize": AUTHORIZE_PATH, "style": STYLE_PATH}
        text = self._templates.get_template(template).render(name=self._name, **names, **values)
        return Response(text, status, media_type="text/html", headers=HEADERS)


def page_routes(policy: PartnerPolicy, reception: ReceivesVisitors, name: str) -> list[BaseRoute]:
    """The routes of the pages of one service."""
    return Pages(policy, reception, name).routes()


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises BadInputError."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _LARGEST_FORM:
            raise BadInputError("The form is too large.")
    try:
        return dict(parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=16, errors="strict"))
    except ValueError as error:
        raise BadInputError("The form cannot be read.", advice="Open the link again.") from error


async def _style(_: Request) -> Response:
    text = files(__package__).joinpath("templates", "style.css").read_text(encoding="utf-8")
    return Response(text, media_type="text/css", headers={**HEADERS, "Cache-Control": "max-age=3600"})
