"""The OpenAPI document: valid, the same as the values field by field, and of one mind with the reading of requests."""

from __future__ import annotations

import copy
import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from core.partner.checker.requesting import changed
from core.partner.messages import requests, responses
from core.partner.messages.openapi import USUAL_ENDPOINTS, openapi_document, write_openapi_document
from core.partner.messages.partner_config import METHODS, PartnerConfig
from core.partner.messages.partner_config_reading import read_partner_config
from core.partner.messages.reading import (
    BadRequestError,
    read_account_info,
    read_account_user_info,
    read_connect_request,
    read_connection_info,
    read_delete_connection_request,
)
from core.partner.messages.writing import Answer, write_answer
from core.secrets import Secret
from tests.unit.partner.bodies import CONFIG, CONNECT, DELETE_CONNECTION, WAREHOUSE, Json, encoded

READERS: dict[str, Callable[[bytes], object]] = {
    "ConnectRequest": read_connect_request,
    "DeleteConnectionRequest": read_delete_connection_request,
    "ConnectionInfo": read_connection_info,
    "AccountInfo": read_account_info,
    "AccountUserInfo": read_account_user_info,
}
DATACLASSES = {
    "ErrorResponse" if each is responses.ErrorAnswer else each.__name__: each
    for module in (requests, responses)
    for each in vars(module).values()
    if dataclasses.is_dataclass(each) and isinstance(each, type) and each.__module__ == module.__name__
    if each not in (requests.WorkspaceKey, requests.UserKey)
}


def config(changes: dict[str, Any]) -> PartnerConfig:
    return read_partner_config(encoded(changed(CONFIG, changes)))


@cache
def document() -> Json:
    return openapi_document()


def validator(schema: Json, whole: Json | None = None) -> Draft202012Validator:
    """What judges by a schema, whose references lead into the document."""
    return Draft202012Validator({**schema, "components": (whole or document())["components"]})


@cache
def component(name: str) -> Draft202012Validator:
    return validator({"$ref": f"#/components/schemas/{name}"})


def everything(value: Any) -> Iterator[Json]:
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


def test_the_document_is_valid_openapi() -> None:
    validate(document())
    validate(openapi_document(config({})))
    assert json.loads(write_openapi_document()) == document()


def test_a_document_is_the_caller_s_to_change() -> None:
    openapi_document()["paths"].clear()
    assert openapi_document() == document()


def test_nothing_in_the_document_is_unused() -> None:
    used = {each["$ref"] for each in everything(document()) if "$ref" in each}
    there = {
        f"#/components/{kind}/{name}"
        for kind, components in document()["components"].items()
        if kind != "securitySchemes"
        for name in components
    }
    assert used == there


@pytest.mark.parametrize("name", sorted(DATACLASSES))
def test_a_schema_agrees_with_the_dataclass_field_by_field(name: str) -> None:
    schema = document()["components"]["schemas"][name]
    hints = typing.get_type_hints(DATACLASSES[name])
    fields = {each.name: each for each in dataclasses.fields(DATACLASSES[name])}
    assert set(schema["properties"]) == set(fields)
    assert set(schema.get("required", ())) == {
        name for name, each in fields.items() if each.default is dataclasses.MISSING
    }
    nullable = name in READERS or name in ("Auth", "UserInfo", "DeletingUserInfo")
    for field, each in fields.items():
        optional = each.default is not dataclasses.MISSING
        assert expected_types(hints[field], nullable and optional) == told_types(schema["properties"][field]), field
        assert "description" in schema["properties"][field] or "$ref" in schema["properties"][field], field


def test_every_schema_has_its_dataclass() -> None:
    assert set(document()["components"]["schemas"]) == set(DATACLASSES)


def expected_types(hint: Any, nullable: bool) -> tuple[str, frozenset[Any]]:
    """The JSON type of a field and the words of its enumeration, or the schema of the object that it is."""
    hint, *_ = [each for each in typing.get_args(hint) if each is not types.NoneType] if optional_hint(hint) else [hint]
    words: frozenset[Any] = frozenset()
    if typing.get_origin(hint) is tuple:
        kind = f"array of {typing.get_args(hint)[0].__name__}"
    elif dataclasses.is_dataclass(hint):
        kind = str(getattr(hint, "__name__", ""))
    elif issubclass(hint, StrEnum):
        kind, words = "string", frozenset(each.value for each in hint) | ({None} if nullable else set())
    else:
        kind = {str: "string", Secret: "string", int: "integer", bool: "boolean"}[hint]
    return (f"{kind} or null" if nullable else kind), words


def optional_hint(hint: Any) -> bool:
    return types.NoneType in typing.get_args(hint)


def told_types(schema: Json) -> tuple[str, frozenset[Any]]:
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else list(schema.get("type", ()))
    kinds += [told_types(each)[0] for each in schema.get("anyOf", ())]
    if "$ref" in schema:
        kinds.append(schema["$ref"].rpartition("/")[2])
    if "items" in schema:
        kinds = [f"array of {told_types(schema['items'])[0]}"]
    return " or ".join(kinds), frozenset(schema.get("enum", ()))


def test_ids_are_int64_and_secrets_are_marked() -> None:
    for name, each in DATACLASSES.items():
        for field, hint in typing.get_type_hints(each).items():
            schema = document()["components"]["schemas"][name]["properties"].get(field, {})
            if schema.get("type") in ("integer", ["integer", "null"]) and field != "port":
                assert (schema["format"], schema["minimum"], schema["maximum"]) == ("int64", -(2**63), 2**63 - 1)
            assert (schema.get("format") == "password") == (hint == Secret | None), field


def test_every_endpoint_has_its_methods_errors_and_security() -> None:
    paths = document()["paths"]
    assert document()["security"] == [{"basicAuth": []}]
    assert document()["components"]["securitySchemes"]["basicAuth"]["scheme"] == "basic"
    assert set(paths) == {getattr(USUAL_ENDPOINTS, name) for name in METHODS}
    names: list[str] = []
    for name, methods in METHODS.items():
        operations = paths[getattr(USUAL_ENDPOINTS, name)]
        assert {method.upper() for method in operations} == set(methods)
        for operation in operations.values():
            assert set(operation["responses"]) == {"200", "400", "401", "404", "500"}
            names.append(operation["operationId"])
    assert len(set(names)) == len(names) == 7


def test_errors_have_the_reasons_of_their_status() -> None:
    for path in document()["paths"].values():
        for operation in path.values():
            for status, reference in list(operation["responses"].items())[1:]:
                answer = document()["components"]["responses"][reference["$ref"].rpartition("/")[2]]
                judge = validator(answer["content"]["application/json"]["schema"])
                fitting = [each for each in responses.ErrorReason if each.status == int(status)]
                accepted = [each for each in responses.ErrorReason if judge.is_valid({"error_reason": each.value})]
                assert accepted
                assert set(accepted) <= set(fitting)


def test_the_examples_are_right() -> None:
    examples = document()["components"]["examples"]
    judged: set[str] = set()
    for each in everything(document()):
        if "examples" not in each or "schema" not in each:
            continue
        for name in each["examples"]:
            judge = validator(each["schema"])
            assert [error.message for error in judge.iter_errors(examples[name]["value"])] == [], name
            judged.add(name)
            kind = each["schema"].get("$ref", "").rpartition("/")[2]
            if kind in READERS:
                READERS[kind](encoded(examples[name]["value"]))
    assert judged == set(examples)


ANSWERS: list[tuple[str, Answer]] = [
    (
        "Connection",
        responses.Connection(
            "https://a.example/x",
            responses.RedirectValue.CREATE_TRIAL,
            responses.UserStatus.NEW,
            responses.AccountStatus.NEW,
            True,
            "pc_1",
            "https://a.example/y",
        ),
    ),
    (
        "Connection",
        responses.Connection(
            "https://a.example/x",
            responses.RedirectValue.CONTACT_ADMIN,
            responses.UserStatus.NOT_APPLICABLE,
            responses.AccountStatus.ACTIVE,
            False,
        ),
    ),
    ("DeleteConnectionResponse", responses.DeleteConnectionResponse(responses.ResourceStatus.RESOURCES_DELETED)),
    (
        "ConnectionTestResult",
        responses.ConnectionTestResult(
            (
                responses.TestResult("reach", responses.TestStatus.PASS),
                responses.TestResult("query", responses.TestStatus.FAIL, "stopped"),
            )
        ),
    ),
    ("ConnectionTestResult", responses.ConnectionTestResult(())),
    (
        "ConnectorResponse",
        responses.ConnectorResponse(
            (responses.Connector("s3", "S3 \u2603 \ud800", responses.ConnectorType.SOURCE),), "page-2"
        ),
    ),
    ("ErrorResponse", responses.ErrorAnswer(responses.ErrorReason.CONNECTION_NOT_FOUND, "Not there.", "pc_1")),
    ("ErrorResponse", responses.ErrorAnswer(responses.ErrorReason.UNAUTHORIZED)),
]


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_answers_are_written_as_documented_and_without_nulls(name: str, answer: Answer) -> None:
    body = write_answer(answer)
    assert body.isascii()
    value = json.loads(body)
    assert [error.message for error in component(name).iter_errors(value)] == []
    assert None not in [inner for each in everything(value) for inner in each.values()]
    assert [key for key in value if value[key] != getattr(answer, key)] == [
        each.name for each in dataclasses.fields(answer) if isinstance(getattr(answer, each.name), tuple)
    ]


def test_an_error_is_a_flat_map_of_texts_and_has_its_status() -> None:
    error = responses.ErrorAnswer(responses.ErrorReason.GENERAL_ERROR, debugging_message="why")
    assert write_answer(error) == b'{"error_reason":"general_error","debugging_message":"why"}'
    assert [(each.value, each.status) for each in responses.ErrorReason] == [
        ("unauthorized", 401),
        ("bad_request", 400),
        ("account_not_found", 404),
        ("connection_not_found", 404),
        ("general_error", 500),
    ]
    assert error.status == 500


def test_a_config_moves_the_paths_and_leaves_out_what_is_not_served() -> None:
    fitted = openapi_document(config({}))
    assert fitted["servers"] == [{"url": CONFIG["base_url"]}]
    assert {path: set(item) for path, item in fitted["paths"].items()} == {
        "/v1/connect": {"post"},
        "/v1/connectors": {"get"},
        "/v1/test": {"post"},
        "/v1/account": {"delete", "put"},  # two endpoints, called by other methods
        "/v1/connection": {"post", "delete"},
    }
    one = {"endpoints": {"connect_path": "/c"}, "api_version": "2.0.6", "base_url": "https://a.example/"}
    few = openapi_document(config(one))
    assert set(few["paths"]) == {"/c"}
    assert few["servers"] == [{"url": "https://a.example"}]


@pytest.mark.parametrize("resource", ["SqlEndpoint", "InteractiveCluster", "PAT"])
def test_a_config_demands_of_connect_what_it_provisions(resource: str) -> None:
    fitted = config({"resources_to_provision": [{"resource_type": resource}]})
    whole = openapi_document(fitted)
    judge = validator({"$ref": "#/components/schemas/ConnectRequest"}, whole)
    full = {**CONNECT, **WAREHOUSE}
    for body in [
        CONNECT,
        full,
        *({**CONNECT, name: value} for name, value in WAREHOUSE.items()),
        *({**full, name: value} for name in [*WAREHOUSE, "cluster_id"] for value in ("", None)),
    ]:
        try:
            read_connect_request(encoded(body), fitted)
            accepted = True
        except BadRequestError:
            accepted = False
        assert judge.is_valid(body) == accepted, body


WORDS = ["", "x", "a b", "a\tb", "a@b.example", "AWS", "azure", "user", "https://a.example", "jdbc:spark://h"]
NUMBERS = [0, 443, 70_000, 2**63 - 1, 2**63, -(2**63) - 1, 1.5]
MAKERS: list[Callable[[int], str]] = [
    lambda length: "x" * length,
    lambda length: "x@".rjust(length - 1, "x") + "b",
    lambda length: "https://".ljust(length, "x"),
    lambda length: "jdbc:".ljust(length, "x"),
]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [*WORDS, *NUMBERS, None, True, False, [], {}, "x" * 321, "x" * 1025, "x" * 4097]
)
ESTABLISHED = changed(CONNECT, {"user_info.is_connection_established": True, "connection_id": "pc_1"})
STARTS: list[tuple[str, Json]] = [
    ("ConnectRequest", {**CONNECT, **WAREHOUSE}),
    ("ConnectRequest", {**ESTABLISHED, **WAREHOUSE}),
    ("DeleteConnectionRequest", {**DELETE_CONNECTION, "user_info": CONNECT["user_info"]}),
    ("ConnectionInfo", DELETE_CONNECTION),
    ("AccountInfo", {**DELETE_CONNECTION, "domain": "databricks-test.com"}),
    ("AccountUserInfo", {**DELETE_CONNECTION, "email": "a@b.example", "databricks_user_id": 5}),
]


def test_texts_may_be_as_long_as_documented_and_no_longer() -> None:
    judged = 0
    for name, start in STARTS:
        for field, schema in document()["components"]["schemas"][name]["properties"].items():
            if "maxLength" not in schema or field == "service_principal_id":
                continue
            longest = schema["maxLength"]
            (make, *_) = [each for each in MAKERS if component(name).is_valid({**start, field: each(longest)})]
            assert problems_of(name, {**start, field: make(longest)}) == []
            beyond = {**start, field: make(longest + 1)}
            assert not component(name).is_valid(beyond)
            # Without a connection, its id is not looked at.
            told = problems_of(name, beyond)
            assert [field in each for each in told] == [True] or (
                (name, start) == STARTS[0] and field == "connection_id"
            )
            judged += 1
    assert judged > 25


@given(st.sampled_from(STARTS), st.data())
def test_the_document_and_the_reading_judge_a_changed_body_alike(start: tuple[str, Json], data: st.DataObject) -> None:
    name, body = start[0], copy.deepcopy(start[1])
    place, within = body, document()["components"]["schemas"][name]
    field = data.draw(st.sampled_from(sorted(within["properties"])))
    if field == "user_info" and isinstance(body.get(field), dict) and data.draw(st.booleans()):
        kind = "UserInfo" if name == "ConnectRequest" else "DeletingUserInfo"
        place, within = body[field], document()["components"]["schemas"][kind]
        field = data.draw(st.sampled_from(sorted(within["properties"])))
    place[field] = value = data.draw(ODD)
    problems = problems_of(name, body)
    allowed = component(name).is_valid(body)
    if allowed:
        # What holds between fields is told in words only.
        between = ("the same as user_info", "for a SQL warehouse", "a SQL warehouse has one")
        assert all(any(words in problem for words in between) for problem in problems), (field, value, problems)
    elif not problems:
        # What is not needed in this case is not looked at, and an empty word counts as absent.
        words = field in ("connection_scope", "cloud_provider") and value == ""
        assert words or field in ("connection_id", "auth"), (field, value)


def problems_of(name: str, body: Json) -> list[str]:
    try:
        READERS[name](encoded(body))
    except BadRequestError as error:
        return [str(problem) for problem in error.problems]
    return []
