"""What may be done on one Asterisk node by its manager interface; under a lease, only as long as that holds."""

from collections.abc import Awaitable, Callable

from dialer.adapters import ami_words
from dialer.errors import ActionRefused
from dialer.model import LiveChannel, Order
from dialer.ports import Lease, LinkHealth

Act = Callable[[ami_words.Fields, Lease], Awaitable[None]]


class Actions:
    """Each is written once, whole and at once, right after `lease` was asked."""

    def __init__(self, act: Act, lease: Lease) -> None:
        self._act, self._lease = act, lease

    async def originate(self, order: Order) -> None:
        await self._act(ami_words.originate(order), self._lease)

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        await self._act(ami_words.redirect(channel, context, exten), self._lease)

    async def hang_up(self, channel: str, cause: int = 16) -> bool:
        try:
            await self._act(ami_words.hang_up(channel, cause), self._lease)
        except ActionRefused as refused:
            if refused.detail.endswith(ami_words.NO_SUCH_CHANNEL):
                return False
            raise
        return True

    async def mute_recording(self, channel: str, *, muted: bool) -> None:
        await self._act(ami_words.mute_recording(channel, muted), self._lease)


class Leased(Actions):
    """ports.Leased: the actions of one node, and how its link does."""

    def __init__(
        self,
        node: str,
        act: Act,
        lease: Lease,
        channels: Callable[[], Awaitable[tuple[LiveChannel, ...]]],
        health: Callable[[], LinkHealth],
    ) -> None:
        super().__init__(act, lease)
        self.node, self._channels, self.health = node, channels, health

    async def channels(self) -> tuple[LiveChannel, ...]:
        return await self._channels()
