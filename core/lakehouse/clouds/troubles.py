"""What can go wrong with a call to a cloud, in the words of all three, and what an operator is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from core.display import one_line
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError, UnreachableError
from core.lakehouse.connections import Provider

_SAID_LIMIT = 300  # characters of the cloud's own sentence that a message repeats; the detail keeps all of it

CREDENTIALS_FROM = {
    Provider.AWS: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws/config (aws configure), or the instance's role",
    Provider.ALIYUN: "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, ~/.aliyun/config.json "
    "(aliyun configure), or the instance's role",
    Provider.TENCENT: "TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, ~/.tencentcloud/credentials, or the "
    "instance's role",
}


class Trouble(Enum):
    """Why a call failed."""

    ABSENT = auto()  # what it names does not exist
    TAKEN = auto()  # what it would make exists
    IN_USE = auto()  # what it would delete is attached, or has something attached
    FULL = auto()  # a quota of the account
    MALFORMED = auto()  # a document or a name
    REFUSED = auto()  # the caller has no right
    NO_CREDENTIALS = auto()
    BAD_CREDENTIALS = auto()  # unknown, expired, or they do not fit the signature
    BUSY = auto()  # asked too often; it did nothing
    NO_ANSWER = auto()  # it may have been carried out
    OTHER = auto()


class CallFailure(Exception):
    """A failed call as an SDK tells it, of which `explain` makes what an operator meets. It holds no credential."""

    def __init__(self, trouble: Trouble, code: str, *, request_id: str = "", said: str = "") -> None:
        super().__init__(code)
        self.trouble = trouble
        self.code = code
        self.request_id = request_id
        # Where a signature is wrong the cloud repeats what it has signed itself: headers, with the session's token.
        self.said = "" if trouble is Trouble.BAD_CREDENTIALS else said


def trouble_of(code: str, status: int, troubles: Mapping[str, Trouble]) -> Trouble:
    """What a cloud's code stands for: the code itself, the part before its first dot, or the HTTP status."""
    for known in (code, code.partition(".")[0]):
        if known in troubles:
            return troubles[known]
    if status >= 500:
        return Trouble.NO_ANSWER
    return Trouble.BUSY if status == 429 else Trouble.OTHER


def explain(provider: Provider, operation: str, failure: CallFailure) -> HousekeysError:
    """The error an operator meets. `operation` is the cloud's own name of the call."""
    cloud = provider.cloud
    said = one_line(failure.said, _SAID_LIMIT)
    colon = f": {said}" if said else "."
    detail = "\n".join(filter(None, (_numbers(failure), failure.said)))
    match failure.trouble:
        case Trouble.NO_CREDENTIALS:
            return UnreachableError(
                f"No credentials for {cloud} were found.",
                advice=f"They come from {CREDENTIALS_FROM[provider]}; Housekeys keeps none.",
                detail=detail,
            )
        case Trouble.BAD_CREDENTIALS:
            return RefusedError(
                f"{cloud} does not accept the credentials ({one_line(failure.code)}).",
                advice=f"Look at {CREDENTIALS_FROM[provider]}, and at the clock of this machine.",
                detail=detail,
            )
        case Trouble.REFUSED:
            return RefusedError(
                f"{cloud} does not allow {operation}{colon}",
                advice="Have the right given to whom the credentials belong to, or use other credentials.",
                detail=detail,
            )
        case Trouble.TAKEN:
            return RefusedError(f"{cloud} has one of that name already ({operation}){colon}", detail=detail)
        case Trouble.MALFORMED:
            return BadInputError(f"{cloud} does not accept what {operation} was given{colon}", detail=detail)
        case Trouble.ABSENT:
            return NotFoundError(f"{cloud} has nothing of that name ({operation}){colon}", detail=detail)
        case Trouble.IN_USE:
            return HousekeysError(
                f"{cloud} keeps what is in use ({operation}){colon}", advice="Detach it first.", detail=detail
            )
        case Trouble.FULL:
            return HousekeysError(
                f"{cloud} has no room for more ({operation}){colon}",
                advice="Delete what is not needed, or have the quota raised.",
                detail=detail,
            )
        case Trouble.BUSY:
            return HousekeysError(
                f"{cloud} is asked too often ({operation}).", advice="Wait a little, then again.", detail=detail
            )
        case Trouble.NO_ANSWER:
            return UnreachableError(
                f"{cloud} did not answer {operation}{colon}",
                advice="Look at the network and the endpoint. A change may have been carried out: read it again.",
                detail=detail,
            )
        case Trouble.OTHER:
            return HousekeysError(f"{cloud} failed at {operation}{colon}", detail=detail)


def _numbers(failure: CallFailure) -> str:
    return f"{failure.code}, request id {failure.request_id}" if failure.request_id else failure.code
