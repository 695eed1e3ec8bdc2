"""Role ARNs are taken apart and put together without loss; what is wrong with one is said of the part that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInputError
from core.lakehouse.connections import Provider
from core.lakehouse.rules.arn import RoleArn, parse_role_arn, provider_of_arn, role_arn_form

_ALIYUN_ROLES = st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True)
_TENCENT_ROLES = st.from_regex(r"[A-Za-z0-9_.@:+=,-]{1,40}", fullmatch=True)
_AWS_ROLES = st.from_regex(r"[A-Za-z0-9_+=,.@-]{1,64}", fullmatch=True)
_PATHS = st.lists(st.from_regex(r"[!-.0-~]{1,8}", fullmatch=True), max_size=3).map(
    lambda parts: "/" + "".join(f"{part}/" for part in parts)
)
_arns = st.one_of(
    st.builds(
        RoleArn,
        st.just(Provider.ALIYUN),
        st.just("acs"),
        st.from_regex(r"[0-9]{12,17}", fullmatch=True),
        st.just("/"),
        _ALIYUN_ROLES,
    ),
    st.builds(
        RoleArn,
        st.just(Provider.TENCENT),
        st.just("qcs"),
        st.from_regex(r"[0-9]{6,15}", fullmatch=True),
        st.just("/"),
        _TENCENT_ROLES,
    ),
    st.builds(
        RoleArn,
        st.just(Provider.AWS),
        st.sampled_from(["aws", "aws-cn"]),
        st.from_regex(r"[0-9]{12}", fullmatch=True),
        _PATHS,
        _AWS_ROLES,
    ),
)


@given(_arns)
def test_an_arn_is_read_as_it_was_written(arn: RoleArn) -> None:
    assert parse_role_arn(str(arn)) == arn


@given(st.text(max_size=60))
def test_any_text_is_an_arn_or_an_error_for_people(text: str) -> None:
    for candidate in (text, f"acs:ram::{text}", f"qcs::cam::uin/{text}", f"arn:aws:iam::123456789012:role/{text}"):
        try:
            assert str(parse_role_arn(candidate)) == candidate
        except BadInputError as error:
            assert error.message.isprintable()
            assert error.advice


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must begin with acs:"),
        ("czudfrole", "must begin with acs:"),
        ("acs:oss::1757168149572678:role/a", "must begin with acs:ram::"),
        ("acs:ram::1222808864xxxxxxx:role/czudfrole", "1222808864xxxxxxx must be digits"),
        ("acs:ram::1757168149572678:user/a", "role/ must follow"),
        ("acs:ram::1757168149572678:role/", "the role's name (empty)"),
        ("acs:ram::1757168149572678:role/a/b", "the role's name a/b"),
        ("acs:ram::1757168149572678:role/" + "a" * 65, "1 to 64"),
        ("qcs:cam::uin/100012345678:roleName/a", "must begin with qcs::cam::"),
        ("qcs::cam::100012345678:roleName/a", "uin/ must stand before"),
        ("qcs::cam::uin/xxxx:roleName/CzUDFRole", "xxxx must be 6 to 15 digits"),
        ("qcs::cam::uin/100012345678:role/4611686018", "names the role by its id"),
        ("qcs::cam::uin/100012345678:rolename/a", "roleName/ must follow"),
        ("arn:aws:iam::1234:role/a", "1234 must be 12 digits"),
        (
            "arn:aws:iam::\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12:role/a",
            "must be 12 digits",
        ),
        ("arn:aws-us-gov:iam::123456789012:role/a", "aws-us-gov must be aws, or aws-cn"),
        ("arn:aws:s3:::bucket", "iam:: must follow"),
        ("arn:aws:iam::123456789012:user/a", "role/ must follow"),
        ("arn:aws:iam::123456789012:role", "role/ must follow"),
        ("arn:aws:iam::123456789012:role//a", "the path //"),
        ("arn:aws:iam::123456789012:role/team/", "the role's name (empty)"),
        ("arn:aws:iam", "six parts"),
    ],
)
def test_the_wrong_part_is_named(text: str, words: str) -> None:
    with pytest.raises(BadInputError) as raised:
        parse_role_arn(text)
    assert words in raised.value.message


def test_a_path_belongs_to_the_arn_and_not_to_the_name() -> None:
    arn = parse_role_arn("arn:aws:iam::123456789012:role/team/udf/CzUdfRole")
    assert (arn.path, arn.role) == ("/team/udf/", "CzUdfRole")


def test_the_cloud_is_told_by_the_beginning() -> None:
    assert [provider_of_arn(text) for text in ("ACS:ram", "qcs::cam", "arn:aws", "oss:", "")] == [
        Provider.ALIYUN,
        Provider.TENCENT,
        Provider.AWS,
        None,
        None,
    ]
    assert all(role_arn_form(provider).endswith(("<role>", "China")) for provider in Provider)
