"""The policy documents of the vendor's page about API connections, as the page has them, slips and all."""

from __future__ import annotations

import json
from typing import Any

ALIYUN_FUNCTIONS: dict[str, Any] = json.loads("""
{"Version": "1", "Statement": [
  {"Action": "fc:*", "Resource": "*", "Effect": "Allow"},
  {"Action": "ram:PassRole", "Resource": "*", "Effect": "Allow",
   "Condition": {"StringEquals": {"acs:Service": "fc.aliyuncs.com"}}}
]}""")

ALIYUN_BUCKETS: dict[str, Any] = json.loads("""
{"Version": "1", "Statement": [
  {"Effect": "Allow",
   "Action": ["oss:GetObject", "oss:ListObjects", "oss:PutObject", "oss:DeleteObject"],
   "Resource": ["acs:oss:*:*:bucket_name_1", "acs:oss:*:*:bucket_name_1/*",
                "acs:oss:*:*:bucket_name_2", "acs:oss:*:*:bucket_name_2/*",
                "acs:oss:*:*:bucket_name_3", "acs:oss:*:*:bucket_name_3/*"]}
]}""")

ALIYUN_TRUST: dict[str, Any] = json.loads("""
{"Statement": [
  {"Action": "sts:AssumeRole",
   "Condition": {"StringEquals": {"sts:ExternalId": "O0lQUogDJajHqnAQ"}},
   "Effect": "Allow",
   "Principal": {"RAM": ["acs:ram::1384322691904283:root"]}}
], "Version": "1"}""")
ALIYUN_EXTERNAL_ID = "VW9UaGwYENBQ7cFp"  # what DESC CONNECTION tells on the same page

_LAMBDA_ACTIONS = """
CreateFunction DeleteProvisionedConcurrencyConfig GetFunctionConfiguration ListProvisionedConcurrencyConfigs
GetProvisionedConcurrencyConfig ListLayers ListLayerVersions DeleteFunction GetAlias ListCodeSigningConfigs
UpdateFunctionEventInvokeConfig DeleteFunctionCodeSigningConfig ListFunctions GetEventSourceMapping InvokeFunction
ListAliases GetFunctionCodeSigningConfig UpdateAlias UpdateFunctionCode ListFunctionEventInvokeConfigs
ListFunctionsByCodeSigningConfig GetFunctionConcurrency PutProvisionedConcurrencyConfig ListEventSourceMappings
PublishVersion DeleteEventSourceMapping CreateAlias ListVersionsByFunction GetLayerVersion PublishLayerVersion
InvokeAsync GetAccountSettings CreateEventSourceMapping GetLayerVersionPolicy PutFunctionConcurrency
DeleteCodeSigningConfig ListTags DeleteLayerVersion PutFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig
CreateCodeSigningConfig PutFunctionCodeSigningConfig UpdateEventSourceMapping UpdateFunctionCodeSigningConfig
GetFunction UpdateFunctionConfiguration UpdateCodeSigningConfig GetFunctionEventInvokeConfig DeleteAlias
DeleteFunctionConcurrency GetCodeSigningConfig GetPolicy
"""
AWS_PERMISSIONS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "VisualEditor0",
            "Effect": "Allow",
            "Action": [f"lambda:{action}" for action in _LAMBDA_ACTIONS.split()],
            "Resource": "*",
        },
        {
            "Sid": "VisualEditor1",
            "Effect": "Allow",
            "Action": [
                "s3:PutObject",
                "s3:GetObject",
                "s3:DeleteObjectVersion",
                "s3:ListBucket",
                "s3:DeleteObject",
                "s3:GetBucketLocation",
                "s3:GetObjectVersion",
            ],
            "Resource": "arn:aws-cn:s3:::cz-udf-code",
        },
    ],
}

# The page shows clicks in the console for the trust in AWS and all of Tencent Cloud; this is what they make.
AWS_TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "028022243208"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "000000"}},
        }
    ],
}
TENCENT_PERMISSIONS: dict[str, Any] = {
    "version": "2.0",
    "statement": [
        {
            "effect": "allow",
            "action": ["scf:*"],
            "resource": ["qcs::scf:ap-shanghai:uin/100012345678:namespace/default/function/*"],
        },
        {
            "effect": "allow",
            "action": ["cos:*"],
            "resource": ["qcs::cos:ap-shanghai:uid/1310000000:myfunction-1310000000"],
        },
    ],
}
TENCENT_TRUST: dict[str, Any] = {
    "version": "2.0",
    "statement": [
        {
            "effect": "allow",
            "action": "name/sts:AssumeRole",
            "principal": {"qcs": ["qcs::cam::uin/100029595716:root"]},
        }
    ],
}
