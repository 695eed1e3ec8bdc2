"""The documents that are made for a role: what the vendor asks for, right for cloud and partition, and lint-free."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.lakehouse.cloud_access import PolicyName
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PermissionPolicy, PolicyScope, RoleDocuments
from core.lakehouse.lint.document_lint import documents_differ, lint_document
from core.lakehouse.policies.aliyun_documents import custom_function_policy
from core.lakehouse.policies.aws_documents import policy_arn
from core.lakehouse.policies.cloud_documents import document_text, least_leaves_out, role_documents
from core.lakehouse.rules.arn import parse_role_arn
from core.lakehouse.rules.vendor_principals import vendor_principal
from tests.unit.lakehouse import seed_documents as seed
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, EXTERNAL_ID, TENCENT

_ABROAD = replace(AWS, region="eu-west-1", role_arn="arn:aws:iam::123456789012:role/team/LakehouseUdf")
_EVERY_PLACE = (*EVERY_CLOUD, _ABROAD)


def _named(documents: RoleDocuments, name: str) -> PermissionPolicy:
    return next(each for each in documents.permissions if each.policy.name == name)


@pytest.mark.parametrize("scope", PolicyScope)
@pytest.mark.parametrize("connection", _EVERY_PLACE, ids=lambda each: each.region)
def test_every_document_that_is_made_has_nothing_wrong_with_it(connection: ApiConnection, scope: PolicyScope) -> None:
    documents = role_documents(
        connection, scope=scope, external_id=EXTERNAL_ID, pass_role=True, custom_function_policy=True
    )
    assert (documents.role, documents.account) == _role(connection)
    written = [documents.trust, *(each.document for each in documents.permissions if each.document is not None)]
    for document in written:
        found = lint_document(document, connection=connection, external_id=EXTERNAL_ID)
        assert [each for each in found if each.code != "system-policy-text"] == []
        assert json.loads(document_text(document)) == document
    assert all(each.purpose.endswith(".") for each in documents.permissions)


def _role(connection: ApiConnection) -> tuple[str, str]:
    arn = parse_role_arn(connection.role_arn)
    return arn.role, arn.account


def test_the_documents_of_the_vendors_page_are_made_without_its_slips() -> None:
    """Where the page is right ours means the same; where it is wrong ours differs by just what the page lacks."""
    three = role_documents(
        replace(ALIYUN, code_bucket="bucket-name-1"),
        buckets=("bucket-name-2", "bucket-name-3"),
        external_id=seed.ALIYUN_EXTERNAL_ID,
    )
    page = json.loads(json.dumps(seed.ALIYUN_BUCKETS).replace("bucket_name_", "bucket-name-"))
    assert documents_differ(page, _named(three, "CzUdfOssAccess").document or {}) == []
    assert documents_differ(seed.ALIYUN_FUNCTIONS, custom_function_policy().document or {}) == []
    assert documents_differ(seed.ALIYUN_TRUST, three.trust) == [
        "sts:AssumeRole by acs:ram::1384322691904283:root: the condition is sts:ExternalId = "
        "VW9UaGwYENBQ7cFp, wanted is sts:ExternalId = O0lQUogDJajHqnAQ."
    ]

    aws = role_documents(AWS)
    assert documents_differ(seed.AWS_PERMISSIONS, _named(aws, "LakehouseAccess").document or {}) == [
        "It no longer allows s3:DeleteObject, s3:DeleteObjectVersion, s3:GetObject, s3:GetObjectVersion, s3:PutObject "
        "on arn:aws-cn:s3:::cz-udf-code.",
        "It also allows lambda:* on *.",
        "It also allows s3:DeleteObject, s3:DeleteObjectVersion, s3:GetObject, s3:GetObjectVersion, s3:PutObject "
        "on arn:aws-cn:s3:::cz-udf-code/*.",
    ]
    assert documents_differ(seed.AWS_TRUST, aws.trust) == ["It also allows sts:AssumeRole to lambda.amazonaws.com."]

    tencent = role_documents(TENCENT, external_id=None)
    assert documents_differ(seed.TENCENT_TRUST, tencent.trust) == []
    assert "myfunction-1310000000/*" in json.dumps(tencent.permissions[0].document)


def test_alibaba_attaches_the_system_policy_as_it_is_and_offers_an_equal_one() -> None:
    system, bucket = role_documents(ALIYUN).permissions
    assert system.policy == PolicyName("AliyunFCFullAccess", provided=True)
    assert system.document is None
    assert bucket.policy == PolicyName("CzUdfOssAccess")
    custom = role_documents(ALIYUN, custom_function_policy=True).permissions[0]
    assert custom.policy == PolicyName("CzUdfFcAccess")
    assert custom.document is not None


def test_tencent_has_the_names_and_the_form_that_the_vendor_insists_on() -> None:
    documents = role_documents(TENCENT, external_id=EXTERNAL_ID)
    assert documents.role == "LakehouseRole"
    assert [each.policy.name for each in documents.permissions] == ["LakehouseAccess"]
    assert documents.permissions[0].document == {
        "version": "2.0",
        "statement": [
            {"effect": "allow", "action": ["scf:*"], "resource": ["*"]},
            {
                "effect": "allow",
                "action": ["cos:*"],
                "resource": ["qcs::cos:ap-shanghai:uid/1310000000:myfunction-1310000000/*"],
            },
        ],
    }
    assert documents.trust == {
        "version": "2.0",
        "statement": [
            {
                "effect": "allow",
                "action": ["name/sts:AssumeRole"],
                "principal": {"qcs": ["qcs::cam::uin/100029595716:root"]},
                "condition": {"string_equal": {"sts:external_id": EXTERNAL_ID}},
            }
        ],
    }


@pytest.mark.parametrize(("connection", "partition"), [(AWS, "aws-cn"), (_ABROAD, "aws")])
@pytest.mark.parametrize("scope", PolicyScope)
def test_aws_is_in_the_partition_of_the_role(connection: ApiConnection, partition: str, scope: PolicyScope) -> None:
    documents = role_documents(connection, scope=scope, pass_role=True)
    every = json.dumps([documents.trust, *(each.document for each in documents.permissions)])
    other = "arn:aws:" if partition == "aws-cn" else "arn:aws-cn:"
    assert f"arn:{partition}:" in every
    assert other not in every
    assert vendor_principal(Provider.AWS, partition).principal in every
    assert "lambda.amazonaws.com" in json.dumps(documents.trust)
    assert connection.role_arn in every  # iam:PassRole is for the role itself


def test_aws_policies_are_attached_by_their_arns() -> None:
    arn = parse_role_arn(_ABROAD.role_arn)
    managed, own = PolicyName("AWSLambdaBasicExecutionRole", provided=True), PolicyName("LakehouseAccess")
    assert policy_arn(arn, managed) == "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert policy_arn(arn, PolicyName("AWSLambda_FullAccess", provided=True)) == (
        "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
    )
    assert policy_arn(parse_role_arn(AWS.role_arn), own) == "arn:aws-cn:iam::123456789012:policy/LakehouseAccess"
    assert [each.policy for each in role_documents(AWS).permissions] == [own, managed]


@pytest.mark.parametrize("connection", _EVERY_PLACE, ids=lambda each: each.region)
def test_the_external_id_is_the_placeholder_the_given_one_or_none(connection: ApiConnection) -> None:
    assert "000000" in json.dumps(role_documents(connection).trust)
    assert EXTERNAL_ID in json.dumps(role_documents(connection, external_id=EXTERNAL_ID).trust)
    assert "ondition" not in json.dumps(role_documents(connection, external_id=None).trust)


@pytest.mark.parametrize("connection", _EVERY_PLACE, ids=lambda each: each.region)
def test_the_least_policies_name_region_account_bucket_and_functions(connection: ApiConnection) -> None:
    documents = role_documents(connection, scope=PolicyScope.LEAST, functions=("cz_udf_*", "one"))
    statements = [
        statement
        for each in documents.permissions
        for statement in (each.document or {}).get("Statement", (each.document or {}).get("statement", []))
    ]
    resources = [
        resource
        for statement in statements
        for resource in _listed(statement.get("Resource", statement.get("resource")))
    ]
    assert "*" not in resources
    assert all(each.document is not None for each in documents.permissions)
    functions = [each for each in resources if ":fc:" in each or ":scf:" in each or ":lambda:" in each]
    assert functions
    assert all(connection.region in each and documents.account in each for each in functions)
    assert any("cz_udf_*" in each for each in functions)
    assert connection.provider is not Provider.TENCENT or all("namespace/default/" in each for each in functions)
    buckets = [each for each in resources if ":oss:" in each or ":cos:" in each or ":s3:" in each]
    assert buckets
    assert all(connection.code_bucket in each for each in buckets)
    actions = [
        action for statement in statements for action in _listed(statement.get("Action", statement.get("action")))
    ]
    assert not any("*" in action for action in actions)
    sentences = least_leaves_out(connection.provider)
    assert len(sentences) == 4
    assert all(each.endswith(".") for each in sentences)


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def test_further_buckets_are_named_once_each() -> None:
    document = role_documents(ALIYUN, buckets=("other-code", ALIYUN.code_bucket)).permissions[1].document or {}
    assert document["Statement"][0]["Resource"] == [
        "acs:oss:*:*:function-compute-my1",
        "acs:oss:*:*:function-compute-my1/*",
        "acs:oss:*:*:other-code",
        "acs:oss:*:*:other-code/*",
    ]


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (replace(AWS, role_arn="arn:aws-cn:iam::028022243208:role/CzUdfRole"), "the vendor's own"),
        (replace(AWS, region="us-east-1"), "is in the partition aws"),
        (replace(AWS, code_bucket="My Bucket"), "white space"),
        (replace(ALIYUN, role_arn="acs:ram::x:role/a"), "must be digits"),
        (replace(ALIYUN, region=""), "region is missing"),
        (replace(TENCENT, code_bucket="myfunction"), "app id of its account is missing"),
        (replace(TENCENT, namespace='a"b'), "the character"),
    ],
)
def test_no_document_is_made_for_a_wrong_connection(connection: ApiConnection, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        role_documents(connection)


def test_a_warning_does_not_keep_a_document_from_being_made() -> None:
    role = role_documents(replace(TENCENT, role_arn="qcs::cam::uin/100012345678:roleName/CzUDFRole", region="ap-new"))
    assert role.role == "CzUDFRole"


def test_wrong_options_are_refused() -> None:
    with pytest.raises(BadInputError, match="no external id: it may only have"):
        role_documents(AWS, external_id='"}')
    with pytest.raises(BadInputError, match="is not the name of a function"):
        role_documents(AWS, scope=PolicyScope.LEAST, functions=("a/b",))
    with pytest.raises(BadInputError, match="bad_bucket"):
        role_documents(AWS, buckets=("bad_bucket",))
