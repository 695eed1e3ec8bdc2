"""How a cloud is called: in a worker thread, and once more only where that cannot do anything twice."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.display import one_line
from core.errors import BadInputError, HousekeysError
from core.lakehouse.clouds.troubles import CallFailure, Trouble, explain
from core.lakehouse.connections import Provider

Answer = Mapping[str, Any]
Send = Callable[[str, Mapping[str, Any]], Answer]
"""Makes one call and blocks: the cloud's own name of it, its parameters. Raises CallFailure."""

PAUSES: Final[tuple[float, ...]] = (0.2, 0.8, 2.0)  # seconds before another attempt, give or take half
_HARMLESS_TO_READ = frozenset({Trouble.BUSY, Trouble.NO_ANSWER})
_HUNG = 3  # timeouts: a name server or a metadata service that hangs is under no timeout of an SDK


class _Answered(dict[str, Any]):
    """An answer. What it lacks is told as an error: something else than the cloud may stand at an endpoint."""

    def __init__(self, provider: Provider, answer: Answer) -> None:
        super().__init__(answer)
        self._provider = provider

    def __missing__(self, key: str) -> Any:
        raise HousekeysError(
            f"The answer is not one of {self._provider.cloud}: it has no {key}.",
            advice="Look at the endpoint, and at what stands between here and there.",
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes calls through one SDK, whose own attempts are switched off, and tells failures in the house's errors."""

    provider: Provider
    send: Send
    timeout: float

    async def read(self, operation: str, **parameters: Any) -> Answer:
        """A call that changes nothing: made again when there is no answer, too."""
        return await self._unless((), operation, parameters, _HARMLESS_TO_READ) or _Answered(self.provider, {})

    async def find(self, operation: str, **parameters: Any) -> Answer | None:
        """The same for what may not be there; then None."""
        return await self._unless({Trouble.ABSENT}, operation, parameters, _HARMLESS_TO_READ)

    async def write(
        self,
        operation: str,
        *,
        unless: Collection[Trouble] = (),
        again: Collection[Trouble] = (),
        **parameters: Any,
    ) -> Answer:
        """A call that changes something: made again only when the cloud was too busy to do it.

        The troubles in `unless` mean that it is so already; those in `again` that nothing was done, either.
        """
        answer = await self._unless(unless, operation, parameters, {Trouble.BUSY, *again})
        return answer or _Answered(self.provider, {})

    async def _unless(
        self, harmless: Collection[Trouble], operation: str, parameters: Answer, again: Collection[Trouble]
    ) -> Answer | None:
        try:
            return _Answered(self.provider, await self._attempts(operation, parameters, again))
        except CallFailure as failure:
            if failure.trouble in harmless:
                return None
            # The SDK's own exception holds the request, with what it was signed with: it goes no further.
            raise explain(self.provider, operation, failure) from None

    async def _attempts(self, operation: str, parameters: Answer, again: Collection[Trouble]) -> Answer:
        for pause in PAUSES:
            try:
                return await self._once(operation, parameters)
            except CallFailure as failure:
                if failure.trouble not in again:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that many do not come back at once
        return await self._once(operation, parameters)

    async def _once(self, operation: str, parameters: Answer) -> Answer:
        try:
            async with asyncio.timeout(self.timeout * _HUNG):
                return await asyncio.to_thread(self.send, operation, parameters)
        except TimeoutError:
            raise CallFailure(Trouble.NO_ANSWER, "Timeout") from None


class AskedOnce:
    """The answer to one question: asked by the first who wants it, for all who want it meanwhile, and then kept.

    A failure is told to those who were waiting; who comes later has it asked again.
    """

    def __init__(self, ask: Callable[[], Awaitable[str]]) -> None:
        self._ask = ask
        self._asking: asyncio.Future[str] | None = None

    async def answer(self) -> str:
        """The answer. Raises what asking for it raises."""
        if self._asking is None or (self._asking.done() and self._failed(self._asking)):
            self._asking = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._asking)  # one who gives up takes it from nobody else

    @staticmethod
    def _failed(asking: asyncio.Future[str]) -> bool:
        return asking.cancelled() or asking.exception() is not None


def refuse_path(provider: Provider, path: str) -> None:
    """Raise BadInputError where a role should stand under a path, in a cloud that has none."""
    if path:
        raise BadInputError(
            f"{provider.cloud} has no paths, and the role should stand under {one_line(path)}.",
            advice="Leave the path out of the role ARN.",
        )


def silence(*loggers: str) -> None:
    """Keep an SDK off the screen: some hang a handler on their loggers that writes requests to the terminal."""
    for name in loggers:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
