"""Each error that is known leads to what helps, for the cloud that it came from."""

from __future__ import annotations

import pytest

from core.lakehouse.connections import Provider
from core.lakehouse.reaching.server_errors import advice_for


@pytest.mark.parametrize(
    ("text", "provider", "words"),
    [
        ("CZLH-42000: HTTP_GENERAL_ERROR(640)", Provider.ALIYUN, "1384322691904283"),
        ("HTTP_GENERAL_ERROR(640)", Provider.AWS, "same region"),
        ("the caller is not authorized to do: ram:PassRole", Provider.ALIYUN, "AliyunFCFullAccess"),
        ("AccessDenied: not authorized to perform: iam:PassRole on resource", Provider.AWS, "iam:PassedToService"),
        ("AccessDenied: sts:AssumeRole", Provider.AWS, "endpoint of STS"),
        ("AccessDenied: sts:AssumeRole", Provider.TENCENT, "trust policy"),
        ("An error occurred (AccessDenied): s3:PutObject", Provider.AWS, "<bucket>/*"),
        ("AccessDenied: s3:ListBucket", Provider.AWS, "without anything after"),
        ("AccessDenied (Status Code: 403)", Provider.TENCENT, "/* at the end"),
        ("You have no right. AccessDenied", Provider.ALIYUN, "CzUdfOssAccess"),
        ("AccessDenied", Provider.AWS, "allows too little"),
        ("role arn is not exist", Provider.TENCENT, "LakehouseRole"),
        ("Role ARN does not exist", Provider.AWS, "Compare the role ARN"),
        ("Namespace is required", Provider.TENCENT, "NAMESPACE='default'"),
        (
            "The role defined for the function cannot be assumed by Lambda.",
            Provider.AWS,
            "lambda.amazonaws.com assume the role",
        ),
        ("function not found: my_upper", Provider.ALIYUN, "schema"),
        ("request timed out after 60 s", Provider.TENCENT, "same region"),
        ("connection udf_conn already exists", Provider.AWS, "DESC CONNECTION"),
    ],
)
def test_known_errors(text: str, provider: Provider, words: str) -> None:
    assert words in advice_for(text, provider)


@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("text", ["", "Syntax error at line 1", "disk is full"])
def test_an_unknown_error_gets_no_advice(text: str, provider: Provider) -> None:
    assert advice_for(text, provider) == ""
