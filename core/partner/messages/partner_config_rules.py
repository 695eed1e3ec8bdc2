"""What must hold between the fields of a PartnerConfig, each of them right by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import fields

from core.partner.messages.json_fields import FieldProblem
from core.partner.messages.partner_config import (
    METHODS,
    AuthOption,
    Category,
    Endpoints,
    PartnerConfig,
    ResourceType,
)

_DELETION_REQUIRED = (2, 1, 0)


def partner_config_problems(config: PartnerConfig, wrong: Collection[str] = ()) -> tuple[FieldProblem, ...]:
    """Every rule that is broken. What depends on one of the `wrong` fields is not judged: something stands in there."""
    return tuple(
        problem
        for names, rule in _RULES
        if not any(_concerns(name, each) for name in names for each in wrong)
        for problem in rule(config)
    )


def _concerns(name: str, other: str) -> bool:
    """Whether a field is another, or within it, or around it."""
    return name == other or name.startswith((f"{other}.", f"{other}[")) or other.startswith((f"{name}.", f"{name}["))


def _clouds(config: PartnerConfig) -> Iterator[FieldProblem]:
    if not config.supported_clouds:
        yield FieldProblem("supported_clouds", "is empty", "name aws, azure or gcp")
    yield from _repeated("supported_clouds", config.supported_clouds)


def _hostnames(config: PartnerConfig) -> Iterator[FieldProblem]:
    if not config.hostnames:
        yield FieldProblem("hostnames", "is empty", "name every host that a redirect_uri may lead to")
    yield from _repeated("hostnames", (name.lower() for name in config.hostnames))


def _resources(config: PartnerConfig) -> Iterator[FieldProblem]:
    yield from _repeated("resources_to_provision", (each.resource_type for each in config.resources_to_provision))


def _base_url(config: PartnerConfig) -> Iterator[FieldProblem]:
    if "?" in config.base_url or "#" in config.base_url:
        yield FieldProblem("base_url", "must end before any ? and #", "the paths of endpoints are put after it")


def _ingestion(config: PartnerConfig) -> Iterator[FieldProblem]:
    if config.category is Category.INGEST and config.endpoints.get_connectors_path is None:
        advice = "add the path at which Databricks lists the connectors"
        yield FieldProblem("endpoints.get_connectors_path", "is required in the category INGEST", advice)


def _deletion(config: PartnerConfig) -> Iterator[FieldProblem]:
    version = tuple(map(int, config.api_version.split(".")))
    if version >= _DELETION_REQUIRED and config.endpoints.delete_connection_path is None:
        advice = "add the path at which Databricks tells that it removed a connection"
        yield FieldProblem("endpoints.delete_connection_path", "is required from api_version 2.1.0 on", advice)


def _paths(config: PartnerConfig) -> Iterator[FieldProblem]:
    taken: dict[tuple[str, str], str] = {}
    for name in (each.name for each in fields(Endpoints)):
        path = getattr(config.endpoints, name)
        others = {taken.setdefault((path, method), name) for method in METHODS[name]} - {name}
        if path is not None and others:
            advice = "the same method is called on both: give it another path"
            yield FieldProblem(f"endpoints.{name}", f"is the same as {min(others)}", advice)


def _permissions(config: PartnerConfig) -> Iterator[FieldProblem]:
    if config.data_permissions is None and config.object_permissions is None:
        advice = 'ask for at least one, as {"permission": "SELECT"}'
        yield FieldProblem("data_permissions", "and object_permissions both lack", advice)


def _auth_options(config: PartnerConfig) -> Iterator[FieldProblem]:
    yield from _repeated("auth_options", config.auth_options)
    if AuthOption.AUTH_PAT in config.auth_options and AuthOption.AUTH_OAUTH_M2M in config.auth_options:
        advice = "keep AUTH_OAUTH_M2M; a PAT is the legacy way"
        yield FieldProblem("auth_options", "holds AUTH_PAT and AUTH_OAUTH_M2M, which exclude each other", advice)


def _published_app(config: PartnerConfig) -> Iterator[FieldProblem]:
    if config.is_published_app and AuthOption.AUTH_OAUTH_U2M not in config.auth_options:
        advice = "add it, or remove is_published_app"
        yield FieldProblem("is_published_app", "is true, but auth_options lacks AUTH_OAUTH_U2M", advice)


def _token(config: PartnerConfig) -> Iterator[FieldProblem]:
    if config.provisions(ResourceType.PAT) and AuthOption.AUTH_PAT not in config.auth_options:
        advice = "remove PAT there, or add AUTH_PAT"
        yield FieldProblem("resources_to_provision", "holds PAT, but auth_options lacks AUTH_PAT", advice)


def _repeated(name: str, values: Iterable[str]) -> Iterator[FieldProblem]:
    for value, times in Counter(values).items():
        if times > 1:
            yield FieldProblem(name, f"holds {value} {times} times", "keep one")


_RULES: tuple[tuple[tuple[str, ...], Callable[[PartnerConfig], Iterator[FieldProblem]]], ...] = (
    (("supported_clouds",), _clouds),
    (("hostnames",), _hostnames),
    (("resources_to_provision",), _resources),
    (("base_url",), _base_url),
    (("category", "endpoints.get_connectors_path"), _ingestion),
    (("api_version", "endpoints.delete_connection_path"), _deletion),
    (("endpoints",), _paths),
    (("data_permissions", "object_permissions"), _permissions),
    (("auth_options",), _auth_options),
    (("auth_options", "is_published_app"), _published_app),
    (("auth_options", "resources_to_provision"), _token),
)
