"""Each field of a connection, right and wrong, by the rules of its cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError, NotFoundError
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.rules.bucket_names import bucket_problem, split_cos_bucket
from core.lakehouse.rules.regions import clouds_with, nearest_region, partition_of, regions
from core.lakehouse.rules.validation import (
    code_bucket_finding,
    comment_finding,
    connection_name_finding,
    external_id_problem,
    namespace_finding,
    parse_provider,
    problems,
    provider_finding,
    region_finding,
    role_arn_finding,
)
from core.lakehouse.rules.vendor_principals import VENDOR_ACCOUNTS, VENDOR_PRINCIPALS, vendor_principal
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, TENCENT

_FIELDS = ("name", "region", "role_arn", "code_bucket", "namespace", "comment")


def _codes(connection: ApiConnection) -> list[str]:
    return [finding.code for finding in problems(connection)]


def _with(connection: ApiConnection, field: str, value: str) -> ApiConnection:
    changed: dict[str, Any] = {field: value}
    return replace(connection, **changed)


def _told(finding: Finding | None) -> tuple[str, str]:
    return ("", "") if finding is None else (finding.severity.value, finding.code)


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda each: each.provider.value)
def test_a_right_connection_has_no_problems(connection: ApiConnection) -> None:
    assert problems(connection) == ()


def test_the_statements_of_the_vendors_page_have_the_problems_that_they_have() -> None:
    aliyun = ApiConnection(
        "my_funciton_connection",
        Provider.ALIYUN,
        "cn-hangzhou",
        "acs:ram::1757168149572678:role/czudfrole",
        "function-compute-my1",
    )
    tencent = ApiConnection(
        "my_funciton_connection",
        Provider.TENCENT,
        "ap-shanghai",
        "qcs::cam::uin/xxxx:roleName/CzUDFRole",
        "myfunction-131xxxx",
        "default",
    )
    aws = ApiConnection(
        "udf_noah", Provider.AWS, "cn-north-1", "arn:aws-cn:iam::028022243208:role/CzUdfRole", "cz-udf-code", "default"
    )
    assert _codes(aliyun) == []
    assert _codes(tencent) == ["role-arn-form", "code-bucket-name"]
    assert _codes(aws) == ["vendor-account-as-own"]


@pytest.mark.parametrize("connection", EVERY_CLOUD, ids=lambda each: each.provider.value)
@pytest.mark.parametrize("field", _FIELDS)
@pytest.mark.parametrize("character", ["\n", "\x00", "\x1b", "\u202e", "\u2028"])
def test_invisible_characters_are_errors_of_their_field(connection: ApiConnection, field: str, character: str) -> None:
    value = getattr(connection, field)
    found = problems(_with(connection, field, f"{value}{character}x"))
    assert ("forbidden-character", field, Severity.ERROR) in [(each.code, each.field, each.severity) for each in found]
    assert all(each.message.isprintable() for each in found)


@pytest.mark.parametrize("field", [field for field in _FIELDS if field != "comment"])
@pytest.mark.parametrize("character", [" ", "'", '"', "`", "\\", "\t", "\u00a0"])
def test_quotes_and_white_space_are_errors_except_in_a_comment(field: str, character: str) -> None:
    found = problems(_with(TENCENT, field, f"{getattr(TENCENT, field)}{character}"))
    assert [(each.code, each.field) for each in found if each.severity is Severity.ERROR] == [
        ("forbidden-character", field)
    ]


@pytest.mark.parametrize(("comment", "right"), [('it\'s the "first" one', True), ("", True), ("a\tb", False)])
def test_a_comment_may_have_quotes_and_spaces(comment: str, right: bool) -> None:
    assert (comment_finding(comment) is None) == right


@given(
    st.builds(
        ApiConnection, st.text(), st.sampled_from(Provider), st.text(), st.text(), st.text(), st.text(), st.text()
    )
)
def test_any_text_in_any_field_is_answered_in_words_for_people(connection: ApiConnection) -> None:
    found = problems(connection)
    assert found  # no three random texts make an ARN
    assert all(each.message.isprintable() and each.advice.isprintable() and each.field for each in found)
    severities = [each.severity for each in found]
    assert severities == sorted(severities, key=list(Severity).index)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("udf_conn", ("", "")),
        ("my_workspace.udf_conn", ("", "")),
        ("", ("error", "name-missing")),
        ("workspace.", ("error", "name-part-empty")),
        ("1st", ("warning", "name-not-plain")),
        ("udf-conn", ("warning", "name-not-plain")),
        ("连接", ("warning", "name-not-plain")),
        ("udf conn", ("error", "forbidden-character")),
        ("a'b", ("error", "forbidden-character")),
    ],
)
def test_names(name: str, told: tuple[str, str]) -> None:
    assert _told(connection_name_finding(name)) == told


@pytest.mark.parametrize(
    ("text", "provider"),
    [("aliyun", Provider.ALIYUN), ("ALIYUN", Provider.ALIYUN), (" Tencent ", Provider.TENCENT), ("AWS", Provider.AWS)],
)
def test_providers_in_any_case(text: str, provider: Provider) -> None:
    assert parse_provider(text) is provider
    assert provider_finding(text) is None


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("aliyum", "aliyun"),
        ("Alibaba Cloud", "aliyun"),
        ("tencnet", "tencent"),
        ("qcloud", "tencent"),
        ("amazon", "aws"),
    ],
)
def test_a_provider_that_is_none_is_refused_with_the_nearest(text: str, near: str) -> None:
    with pytest.raises(BadInputError, match=f"Did you mean {near}"):
        parse_provider(text)
    finding = provider_finding(text)
    assert finding is not None
    assert f"Did you mean {near}?" in finding.advice


@pytest.mark.parametrize("text", ["", "zzz", "\x1b[31m", "gcp"])
def test_a_provider_like_none_is_refused_with_those_there_are(text: str) -> None:
    finding = provider_finding(text)
    assert finding is not None
    assert finding.advice == "It must be one of aliyun, tencent, aws."
    assert finding.message.isprintable()


@pytest.mark.parametrize(
    ("provider", "region", "told", "words"),
    [
        (Provider.ALIYUN, "cn-wulanchabu", ("", ""), ""),
        (Provider.ALIYUN, "cn-shangai", ("warning", "region-unknown"), "cn-shanghai"),
        (Provider.ALIYUN, "ap-southeast-2", ("warning", "region-closed"), "another region"),
        (Provider.ALIYUN, "ap-shanghai", ("warning", "region-unknown"), "cn-shanghai"),
        (Provider.ALIYUN, "", ("error", "region-missing"), "cn-hangzhou"),
        (Provider.TENCENT, "na-siliconvalley", ("", ""), ""),
        (Provider.TENCENT, "ap-nanjing", ("warning", "region-unknown"), ""),
        (Provider.TENCENT, "mars-1", ("warning", "region-unknown"), "cloud.tencent.com"),
        (Provider.AWS, "cn-northwest-1", ("", ""), ""),
        (Provider.AWS, "US-EAST-1", ("warning", "region-unknown"), "us-east-1"),
        (Provider.AWS, "us-east-9", ("warning", "region-unknown"), "us-east-"),
        (Provider.AWS, "us east", ("error", "forbidden-character"), "Remove"),
    ],
)
def test_regions(provider: Provider, region: str, told: tuple[str, str], words: str) -> None:
    finding = region_finding(provider, region)
    assert _told(finding) == told
    assert words in (finding.advice if finding else "")


def test_a_region_of_another_cloud_is_said_to_be_one() -> None:
    finding = region_finding(Provider.AWS, "cn-hangzhou")
    assert finding is not None
    assert "it is one of Alibaba Cloud" in finding.message
    assert clouds_with("ap-southeast-1") == (Provider.ALIYUN, Provider.AWS)
    assert nearest_region(Provider.AWS, "zzzzzz") == ""


def test_every_list_of_regions_has_its_source_and_date() -> None:
    counts = {provider: len(regions(provider).partitions) for provider in Provider}
    assert counts == {Provider.ALIYUN: 20, Provider.TENCENT: 18, Provider.AWS: 36}
    for provider in Provider:
        known = regions(provider)
        assert known.source
        assert known.read.year >= 2026
        assert all(region == region.strip().lower() for region in known.partitions)
        assert not known.closed & known.partitions.keys()


def test_the_partition_follows_the_region_also_of_an_unknown_one() -> None:
    assert [partition_of(Provider.AWS, each) for each in ("cn-north-1", "cn-south-7", "us-east-1", "xx-new-1")] == [
        "aws-cn",
        "aws-cn",
        "aws",
        "aws",
    ]
    assert partition_of(Provider.ALIYUN, "us-east-1") == "acs"
    assert partition_of(Provider.TENCENT, "") == "qcs"


def test_each_partition_has_one_vendor_and_a_source() -> None:
    assert len(VENDOR_ACCOUNTS) == len(VENDOR_PRINCIPALS) == 4
    for each in VENDOR_PRINCIPALS:
        assert vendor_principal(each.provider, each.partition) is each
        assert each.account in each.principal
        assert each.partition in each.principal
        assert each.source.startswith("https://")
    assert vendor_principal(Provider.AWS).partition == "aws"
    with pytest.raises(NotFoundError, match="aws-us-gov"):
        vendor_principal(Provider.AWS, "aws-us-gov")


@pytest.mark.parametrize(
    ("provider", "arn", "region", "told"),
    [
        (Provider.ALIYUN, ALIYUN.role_arn, "", ("", "")),
        (Provider.ALIYUN, "acs:ram::12228000000000000:role/czudfrole", "", ("warning", "account-id-length")),
        (Provider.ALIYUN, "acs:ram::1384322691904283:role/czudfrole", "", ("error", "vendor-account-as-own")),
        (Provider.ALIYUN, AWS.role_arn, "", ("error", "role-arn-of-other-cloud")),
        (Provider.ALIYUN, "", "", ("error", "role-arn-missing")),
        (Provider.ALIYUN, "acs:ram::x:role/a", "", ("error", "role-arn-form")),
        (Provider.TENCENT, TENCENT.role_arn, "", ("", "")),
        (Provider.TENCENT, "qcs::cam::uin/100012345678:roleName/CzUDFRole", "", ("warning", "tencent-role-name")),
        (Provider.TENCENT, "qcs::cam::uin/100029595716:roleName/LakehouseRole", "", ("error", "vendor-account-as-own")),
        (Provider.AWS, AWS.role_arn, "cn-north-1", ("", "")),
        (Provider.AWS, AWS.role_arn, "us-east-1", ("error", "partition-not-of-region")),
        (Provider.AWS, "arn:aws:iam::123456789012:role/a", "cn-north-1", ("error", "partition-not-of-region")),
        (Provider.AWS, "arn:aws:iam::123456789012:role/a", "", ("", "")),
        (Provider.AWS, "arn:aws:iam::028022243208:role/a", "us-east-1", ("error", "vendor-account-as-own")),
        (Provider.AWS, f"{AWS.role_arn} ", "cn-north-1", ("error", "forbidden-character")),
    ],
)
def test_role_arns(provider: Provider, arn: str, region: str, told: tuple[str, str]) -> None:
    assert _told(role_arn_finding(provider, arn, region)) == told


@pytest.mark.parametrize(
    ("provider", "bucket", "rule"),
    [
        (Provider.ALIYUN, "function-compute-my1", ""),
        (Provider.ALIYUN, "a1b", ""),
        (Provider.ALIYUN, "ab", "3 to 63 characters, and has 2"),
        (Provider.ALIYUN, "a" * 64, "3 to 63 characters, and has 64"),
        (Provider.ALIYUN, "my.bucket", "has '.'"),
        (Provider.ALIYUN, "my_bucket", "has '_'"),
        (Provider.ALIYUN, "Bucket", "has 'B'"),
        (Provider.ALIYUN, "bücket", "has 'ü'"),
        (Provider.ALIYUN, "-bucket", "begin and end"),
        (Provider.ALIYUN, "bucket-", "begin and end"),
        (Provider.ALIYUN, "oss://bucket", "only the bucket's name"),
        (Provider.TENCENT, "myfunction-1310000000", ""),
        (Provider.TENCENT, "my-function-code-1310000000", ""),
        (Provider.TENCENT, "myfunction", "app id of its account is missing"),
        (Provider.TENCENT, "myfunction-131xxxx", "app id of its account is missing"),
        (Provider.TENCENT, "-1310000000", "name before the app id is missing"),
        (Provider.TENCENT, "-my-1310000000", "neither begin nor end"),
        (Provider.TENCENT, "my--1310000000", "neither begin nor end"),
        (Provider.TENCENT, "My-1310000000", "has 'M'"),
        (Provider.TENCENT, "a" * 51 + "-1310000000", "at most 50"),
        (Provider.AWS, "cz-udf-code", ""),
        (Provider.AWS, "cz.udf.code", ""),
        (Provider.AWS, "cz..code", "two dots"),
        (Provider.AWS, "192.168.5.4", "IP address"),
        (Provider.AWS, "xn--code", "begin with xn--"),
        (Provider.AWS, "sthree-code", "begin with sthree-"),
        (Provider.AWS, "amzn-s3-demo-code", "begin with amzn-s3-demo-"),
        (Provider.AWS, "code-s3alias", "end with -s3alias"),
        (Provider.AWS, "code--ol-s3", "end with --ol-s3"),
        (Provider.AWS, "code.mrap", "end with .mrap"),
        (Provider.AWS, "code--x-s3", "end with --x-s3"),
        (Provider.AWS, "code--table-s3", "end with --table-s3"),
        (Provider.AWS, ".code", "begin and end"),
        (Provider.AWS, "Code", "has 'C'"),
        (Provider.AWS, "", "it is empty"),
    ],
)
def test_buckets(provider: Provider, bucket: str, rule: str) -> None:
    problem = bucket_problem(provider, bucket)
    assert (rule in problem) if rule else problem == ""
    finding = code_bucket_finding(provider, bucket)
    assert (finding is None) == (rule == "")
    assert finding is None or finding.severity is Severity.ERROR


def test_the_app_id_is_what_follows_the_last_hyphen() -> None:
    assert split_cos_bucket("my-function-code-1310000000") == ("my-function-code", "1310000000")
    assert _told(code_bucket_finding(Provider.TENCENT, "code-131000")) == ("warning", "app-id-length")


@pytest.mark.parametrize(
    ("provider", "namespace", "told"),
    [
        (Provider.TENCENT, "default", ("", "")),
        (Provider.TENCENT, "team-a_1", ("", "")),
        (Provider.TENCENT, "", ("error", "namespace-missing")),
        (Provider.TENCENT, "1team", ("warning", "namespace-form")),
        (Provider.TENCENT, "team-", ("warning", "namespace-form")),
        (Provider.AWS, "", ("", "")),
        (Provider.AWS, "default", ("", "")),
        (Provider.ALIYUN, "team", ("information", "namespace-unused")),
    ],
)
def test_namespaces(provider: Provider, namespace: str, told: tuple[str, str]) -> None:
    assert _told(namespace_finding(provider, namespace)) == told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("VW9UaGwYENBQ7cFp", ""),
        ("aW5zdGFuY2VfbWVpeWlfZGV2==", ""),
        ("a:b/c@d-e", ""),
        ("", "empty"),
        ("000000", "placeholder"),
        (" VW9U", "spaces around"),
        ("VW 9U", "has ' '"),
        ("VW9U\u0435", "has 'е'"),  # noqa: RUF001 (a Cyrillic letter is the point)
        ("a", "2 to 1,224 characters, and has 1"),
        ("a" * 1225, "has 1,225"),
        ('x"}}', "has '\"'"),
    ],
)
def test_external_ids(text: str, words: str) -> None:
    problem = external_id_problem(text)
    assert (words in problem) if words else problem == ""
