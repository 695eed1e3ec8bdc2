"""Every slip of the vendor's page, and every way to leave a role open or useless, is found and told apart."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lakehouse.connections import ApiConnection
from core.lakehouse.documents import PolicyScope
from core.lakehouse.lint.document_lint import documents_differ, lint_document
from core.lakehouse.policies.cloud_documents import role_documents
from core.lakehouse.policies.policy_reading import DocumentKind, read_document, wildcard_covers
from tests.unit.lakehouse import seed_documents as seed
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, EXTERNAL_ID, TENCENT


def _codes(document: Any, connection: ApiConnection | None = None, external_id: str = "") -> list[str]:
    return [each.code for each in lint_document(document, connection=connection, external_id=external_id)]


def _permissions(connection: ApiConnection) -> Any:
    made = [each.document for each in role_documents(connection).permissions if each.document is not None]
    return copy.deepcopy(made[0])


def _trust(connection: ApiConnection) -> Any:
    return copy.deepcopy(role_documents(connection, external_id=EXTERNAL_ID).trust)


def _changed(document: Any, old: str, new: str) -> Any:
    text = json.dumps(document)
    assert old in text
    return json.loads(text.replace(old, new))


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        (seed.ALIYUN_FUNCTIONS, ["system-policy-text"]),
        (seed.ALIYUN_BUCKETS, ["bucket-name"] * 3),  # bucket_name_1 and its like are to be replaced
        (seed.ALIYUN_TRUST, []),
        (seed.AWS_PERMISSIONS, ["objects-not-allowed", "pass-role-missing"]),
        (seed.AWS_TRUST, ["placeholder-external-id", "function-service-not-trusted"]),
        (seed.TENCENT_PERMISSIONS, ["objects-not-allowed"]),
        (seed.TENCENT_TRUST, ["external-id-not-asked"]),
    ],
    ids=["fc", "oss", "ram-trust", "aws", "aws-trust", "cam", "cam-trust"],
)
def test_the_documents_of_the_vendors_page(document: Any, codes: list[str]) -> None:
    assert _codes(document) == codes


def test_the_two_external_ids_of_the_vendors_page_are_found_to_differ() -> None:
    assert _codes(seed.ALIYUN_TRUST, ALIYUN, seed.ALIYUN_EXTERNAL_ID) == ["external-id-differs"]


def test_what_is_found_says_where_and_what_to_do() -> None:
    found = lint_document(seed.AWS_PERMISSIONS, line=41)
    assert [each.line for each in found] == [41, 41]
    assert found[0].message == (
        "s3:PutObject, s3:GetObject, s3:DeleteObjectVersion, s3:DeleteObject and 1 more act on objects, and only the "
        "bucket arn:aws-cn:s3:::cz-udf-code is named."
    )
    assert found[0].advice == "Name arn:aws-cn:s3:::cz-udf-code/* as well."


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        (_changed(_permissions(AWS), '"arn:aws-cn:s3:::cz-udf-code/*"', '"arn:aws-cn:s3:::cz-udf-code"'), "objects"),
        (_changed(_permissions(AWS), '"arn:aws-cn:s3:::cz-udf-code"', '"arn:aws-cn:s3:::cz-udf-code/*"'), "bucket"),
        (_changed(seed.ALIYUN_BUCKETS, "acs:oss:*:*:bucket_name_2/*", "acs:oss:*:*:bucket_name_1/*"), "objects"),
        (_changed(seed.ALIYUN_BUCKETS, '"acs:oss:*:*:bucket_name_2",', ""), "bucket"),
        (_changed(_permissions(TENCENT), "1310000000/*", "1310000000"), "objects"),
    ],
)
def test_a_bucket_and_what_is_in_it_are_both_named(document: Any, codes: str) -> None:
    assert f"{codes}-not-allowed" in _codes(document)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (_changed(_permissions(AWS), '"lambda:*"', '"*"'), "wildcard-action"),
        (_changed(_permissions(AWS), '"s3:ListBucket"', '"s3:*"'), "wildcard-action"),
        (_changed(_permissions(AWS), '"arn:aws-cn:s3:::cz-udf-code/*"', '"*"'), "wildcard-resource"),
        (_changed(_permissions(AWS), "cz-udf-code", "*"), "wildcard-resource"),
        (_changed(_permissions(ALIYUN), "oss:PutObject", "oss:*"), "wildcard-action"),
        (_changed(_permissions(ALIYUN), "acs:oss:*:*:function-compute-my1/*", "acs:oss:*:*:*"), "wildcard-resource"),
        (
            _changed(_permissions(TENCENT), "qcs::cos:ap-shanghai:uid/1310000000:myfunction-1310000000/*", "*"),
            "wildcard",
        ),
        (_changed(_permissions(AWS), '"Action": ["lambda:*"]', '"NotAction": ["iam:*"]'), "negated-statement"),
        (_changed(seed.ALIYUN_FUNCTIONS, '"ram:PassRole"', '"oss:GetObject"'), "pass-role-missing"),
        (_changed(seed.ALIYUN_FUNCTIONS, '"acs:Service"', '"acs:SourceIp"'), "pass-role-unconditional"),
        (_changed(_permissions(TENCENT), "cos:*", "cls:*"), "storage-missing"),
        (_changed(_permissions(TENCENT), "uid/1310000000", "uid/1250000000"), "app-id-differs"),
        (_changed(_permissions(AWS), "2012-10-17", "1"), "policy-version"),
        ({**_permissions(TENCENT), "version": "1.0"}, "policy-version"),
        ({"Statement": []}, "cloud-unknown"),
        ({"Version": "1"}, "no-policy"),
        ([1], "no-policy"),
        ({"Statement": [{"Effect": "Permit", "Action": "fc:*"}]}, "no-policy"),
        ({"Statement": [{"Effect": "Allow", "Action": [1]}]}, "no-policy"),
        ({"Statement": ["x"]}, "no-policy"),
        ({"Statement": {"Effect": "Allow", "Action": "fc:*", "Condition": {"StringEquals": "x"}}}, "no-policy"),
    ],
)
def test_permission_policies(document: Any, code: str) -> None:
    assert any(each.startswith(code) for each in _codes(document))


@pytest.mark.parametrize(
    ("document", "connection", "code"),
    [
        (_permissions(ALIYUN), AWS, "document-of-other-cloud"),
        (_permissions(AWS), replace(AWS, code_bucket="other"), "code-bucket-not-allowed"),
        (_changed(_permissions(AWS), "aws-cn", "aws"), AWS, "partition-not-of-region"),
        (_changed(_permissions(TENCENT), "ap-shanghai", "ap-beijing"), TENCENT, "region-differs"),
        (_changed(_trust(AWS), "arn:aws-cn:iam::028022243208", "arn:aws:iam::014617434350"), AWS, "vendor-not-trusted"),
    ],
)
def test_what_does_not_fit_to_the_connection(document: Any, connection: ApiConnection, code: str) -> None:
    assert code in _codes(document, connection)


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda each: each.provider.value)
def test_functions_of_another_place_are_found(connection: ApiConnection) -> None:
    least = role_documents(connection, scope=PolicyScope.LEAST).permissions[0].document
    region = _changed(least, connection.region, "xx-other-1")
    account = _changed(least, role_documents(connection).account, "100000000001")
    assert "region-differs" in _codes(region, connection)
    assert "account-differs" in _codes(account, connection)
    if connection is TENCENT:
        assert "namespace-differs" in _codes(_changed(least, "namespace/default", "namespace/other"), connection)


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda each: each.provider.value)
def test_a_trust_policy_that_leaves_the_role_open_or_useless(connection: ApiConnection) -> None:
    trust = _trust(connection)
    assert _codes(trust, connection, EXTERNAL_ID) == []
    assert _codes(trust, connection, "another-id") == ["external-id-differs"]
    assert _codes(role_documents(connection).trust, connection, EXTERNAL_ID) == ["placeholder-external-id"]
    assert _codes(role_documents(connection, external_id=None).trust, connection) == ["external-id-not-asked"]
    assert _codes(_changed(trust, EXTERNAL_ID, "two words"), connection) == ["external-id-form"]
    key, other = (
        ("sts:external_id", "sts:ExternalId") if connection is TENCENT else ("sts:ExternalId", "sts:external_id")
    )
    assert _codes(_changed(trust, key, other), connection) == ["external-id-key"]
    operator = "string_equal" if connection is TENCENT else "StringEquals"
    assert _codes(_changed(trust, operator, operator + "IfExists"), connection) == ["external-id-operator"]


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda each: each.provider.value)
def test_a_trust_policy_for_somebody_else(connection: ApiConnection) -> None:
    trust = _trust(connection)
    account = {ALIYUN: "1384322691904283", TENCENT: "100029595716", AWS: "028022243208"}[connection]
    stranger = _changed(trust, account, "9" * len(account))
    assert _codes(stranger, connection) == ["other-principal-trusted", "vendor-not-trusted"]
    open_to_all = _changed(trust, f"{account}:root", "*")
    assert _codes(open_to_all, connection) == ["anybody-trusted", "vendor-not-trusted"]
    of_a_user = _changed(trust, f"{account}:root", f"{account}:user/x")
    assert _codes(of_a_user, connection) == ["other-principal-trusted", "vendor-not-trusted"]


def test_lambda_must_be_trusted_too() -> None:
    trust = _trust(AWS)
    del trust["Statement"][0]
    assert _codes(trust, AWS) == ["function-service-not-trusted"]
    assert "other-principal-trusted" in _codes(_changed(_trust(AWS), "lambda.amazonaws.com", "ec2.amazonaws.com"))


def test_anybody_is_anybody_also_without_a_kind() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    assert "anybody-trusted" in _codes({"Version": "2012-10-17", "Statement": statement}, AWS)


@pytest.mark.parametrize(("action", "severity"), [("sts:*", "warning"), ("s3:GetObject", "error")])
def test_a_trust_policy_allows_assuming_the_role_and_nothing_else(action: str, severity: str) -> None:
    found = lint_document(_changed(_trust(ALIYUN), "sts:AssumeRole", action))
    assert [(each.code, each.severity.value) for each in found] == [("trust-action", severity)]


def test_findings_are_safe_to_show_whatever_the_document_says() -> None:
    hostile = _changed(_trust(AWS), "028022243208", "\\u001b[31m\\u202e")
    assert all(each.message.isprintable() for each in lint_document(hostile))
    assert all(each.isprintable() for each in documents_differ(_trust(AWS), hostile))


_documents = [
    document
    for connection in EVERY_CLOUD
    for scope in PolicyScope
    for made in [role_documents(connection, scope=scope)]
    for document in [made.trust, *(each.document for each in made.permissions if each.document is not None)]
]


def _rewritten(value: Any, draw: Any) -> Any:
    """The same document as another hand or another cloud's answer writes it."""
    if isinstance(value, dict):
        pairs = draw(st.permutations(list(value.items())))
        return {key: _rewritten(each, draw) for key, each in pairs}
    if isinstance(value, list):
        shuffled = [_rewritten(each, draw) for each in draw(st.permutations(value))]
        return shuffled[0] if len(shuffled) == 1 and draw(st.booleans()) else shuffled
    return value


@given(st.data())
def test_order_and_lists_of_one_do_not_matter(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(_documents))
    other = _rewritten(document, data.draw)
    assert documents_differ(document, other) == []
    assert {each.code for each in lint_document(document)} == {each.code for each in lint_document(other)}


_WORDS = st.sampled_from(
    ["Allow", "Deny", "*", "s3:*", "oss:GetObject", "arn:aws:s3:::b", "acs:oss:*:*:b/*", "qcs::cos::uid/1:b-2", "sts:*"]
)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), _WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=5,
)
_parts = st.sampled_from(["Effect", "action", "Action", "Resource", "Principal", "Condition", "NotAction", "Sid"])
_statements = st.dictionaries(_parts, st.one_of(_json, _WORDS, st.dictionaries(_WORDS, _json, max_size=2)), max_size=5)


@given(
    st.one_of(
        _json,
        st.fixed_dictionaries(
            {
                "Version": st.one_of(_json, st.sampled_from(["1", "2.0", "2012-10-17"])),
                "Statement": st.lists(_statements),
            }
        ),
    ),
    st.sampled_from([None, *EVERY_CLOUD]),
)
def test_any_json_is_read_or_said_to_be_no_policy(document: Any, connection: ApiConnection | None) -> None:
    found = lint_document(document, connection=connection)
    assert all(each.message.isprintable() and each.advice.isprintable() for each in found)
    assert documents_differ(document, document) == []
    assert documents_differ(seed.AWS_TRUST, document) != []


@given(st.sampled_from(_documents), st.sampled_from(_documents))
def test_documents_that_differ_are_told_apart_and_in_both_directions(one: Any, other: Any) -> None:
    assert bool(documents_differ(one, other)) == (one != other)
    assert bool(documents_differ(one, other)) == bool(documents_differ(other, one))


def test_what_is_the_same_thing_by_another_name_is_the_same() -> None:
    trust = _trust(AWS)
    assert documents_differ(_changed(trust, "arn:aws-cn:iam::028022243208:root", "028022243208"), trust) == []
    assert documents_differ(_trust(TENCENT), _changed(_trust(TENCENT), "name/sts:AssumeRole", "sts:AssumeRole")) == []
    capitals = {"Version": "2.0", "Statement": [{k.title(): v for k, v in _trust(TENCENT)["statement"][0].items()}]}
    assert documents_differ(_trust(TENCENT), capitals) == []
    least = role_documents(ALIYUN, scope=PolicyScope.LEAST).permissions[0].document or {}
    assert documents_differ(least, _changed(least, "role/czudfrole", "role/CzUdfRole")) == []
    with_sid = _permissions(AWS)
    with_sid["Statement"][0]["Sid"] = "VisualEditor0"
    assert documents_differ(_permissions(AWS), with_sid) == []
    secure = _changed(trust, '"StringEquals": {', '"Bool": {"aws:SecureTransport": true}, "StringEquals": {')
    assert documents_differ(secure, _changed(secure, ": true", ': ["true"]')) == []
    merged = {"Version": "1", "Statement": seed.ALIYUN_BUCKETS["Statement"] * 2}
    assert documents_differ(seed.ALIYUN_BUCKETS, merged) == []


def test_differences_are_told_in_words() -> None:
    wanted = _permissions(AWS)
    lost = _changed(wanted, '"s3:PutObject", ', "")
    assert documents_differ(wanted, lost) == ["It no longer allows s3:PutObject on arn:aws-cn:s3:::cz-udf-code/*."]
    assert documents_differ(lost, wanted) == ["It also allows s3:PutObject on arn:aws-cn:s3:::cz-udf-code/*."]
    wider = _changed(wanted, '"s3:ListBucket", "s3:GetBucketLocation"', '"s3:*"')
    assert documents_differ(wanted, wider) == ["It also allows s3:* on arn:aws-cn:s3:::cz-udf-code."]
    assert documents_differ(wanted, {**wanted, "Version": "2008-10-17"}) == [
        "Its version is 2008-10-17, wanted is 2012-10-17."
    ]
    assert documents_differ(wanted, {"x": 1}) == ["The document is no policy: it has no Statement."]
    denied = _changed(wanted, '"Effect": "Allow", "Action": ["lambda:*"]', '"Effect": "Deny", "Action": ["lambda:*"]')
    assert documents_differ(wanted, denied) == ["It no longer allows lambda:* on *.", "It also denies lambda:* on *."]
    all_but = _changed(wanted, '"Action": ["lambda:*"]', '"NotAction": ["iam:*"]')
    assert documents_differ(all_but, _changed(all_but, "iam:*", "iam:PassRole")) == [
        'It no longer allows everything but NotAction ["iam:*"] on *.',
        'It also allows everything but NotAction ["iam:PassRole"] on *.',
    ]
    opened = role_documents(AWS, external_id=None).trust
    assert documents_differ(_trust(AWS), opened) == [
        "sts:AssumeRole by arn:aws-cn:iam::028022243208:root: the condition is none, wanted is sts:ExternalId "
        f"= {EXTERNAL_ID}."
    ]


def test_kinds_are_told() -> None:
    assert read_document(seed.AWS_TRUST).kind is DocumentKind.TRUST
    assert read_document(seed.AWS_PERMISSIONS).kind is DocumentKind.PERMISSIONS


@pytest.mark.parametrize(
    ("pattern", "text", "covers"),
    [
        ("*", "s3:GetObject", True),
        ("s3:get*", "s3:GetObject", True),
        ("s3:?", "s3:*", False),
        ("s3:Get", "s3:Ge", False),
    ],
)
def test_wildcards(pattern: str, text: str, covers: bool) -> None:
    assert wildcard_covers(pattern, text) is covers
