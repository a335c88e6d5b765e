"""The elector: takes the Lease when it may, renews it, and lets go of it. The decision is `lease`, the guard `leadership`.

The Kubernetes package has a leader election of its own. It writes local time as UTC, ends with the first connection that
breaks, and never releases; docs/decisions/0003-lease.md says what is promised here instead.

The Lease carries a little of what the next leader must know: the holder writes some annotations at every renewal, and
who takes the Lease is given those that it finds.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import structlog

from avatar_operator.core.clock import Clock
from avatar_operator.errors import StartUpError
from avatar_operator.kube.client import ConflictError, KubeClient, KubeError, NotFoundError, Object
from avatar_operator.kube.leadership import Leadership, LeadershipLostError
from avatar_operator.kube.lease import Sighting, held, missing, new_lease, read_lease, released, sighted

logger = structlog.get_logger(__name__)

LEASE_NAME = "avatar-operator"
RENEWALS_PER_LEASE = 4
LOOK_SECONDS = 1.0
"""How often a replica that stands by looks at the Lease, and how soon a renewal that failed is tried again."""


_NO_ANSWER = "no answer in time"


class Elector:
    """One replica's part in the election.

    Args:
        client: reads and writes the Lease.
        leadership: is told of every renewal.
        clock: for the times that people read in the Lease.
        namespace: where the Lease is.
        identity: this replica. No two processes that may live at the same time have the same.
        lease_seconds: for how long a renewal keeps others away.
        annotations: what the Lease shall carry; asked at every renewal.
    """

    def __init__(
        self,
        client: KubeClient,
        leadership: Leadership,
        clock: Clock,
        *,
        namespace: str,
        identity: str,
        lease_seconds: int,
        annotations: Callable[[], Mapping[str, str]],
    ) -> None:
        self._client = client
        self._leadership = leadership
        self._clock = clock
        self._namespace = namespace
        self._identity = identity
        self._lease_seconds = lease_seconds
        self._patience = lease_seconds / RENEWALS_PER_LEASE
        self._annotations = annotations
        self._sighting: Sighting | None = None
        self._lease: Object = new_lease(namespace, LEASE_NAME)
        self._writing = asyncio.Lock()

    async def acquire(self, stop: asyncio.Event) -> Mapping[str, str] | None:
        """Stand by until this replica leads.

        Args:
            stop: ends the wait. A look that is under way ends first: its write may have arrived.

        Returns:
            What the former leader left in the annotations; None if the wait was ended first.

        Raises:
            StartUpError: the Lease may not be used at all.
        """
        while not stop.is_set():
            try:
                async with asyncio.timeout(self._patience):
                    found = await self._try_to_take()
            except ConflictError:
                # Somebody was faster; the next look shows who.
                found = None
            except (KubeError, TimeoutError) as error:
                if isinstance(error, KubeError) and error.status in (403, 404):
                    raise StartUpError(self._unusable(error)) from error
                logger.warning("the lease could not be looked at", error=str(error) or _NO_ANSWER)
                found = None
            if found is not None:
                logger.info("this replica leads", identity=self._identity)
                return found
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        return None

    async def hold(self) -> None:
        """Renew until cancelled.

        Raises:
            LeadershipLostError: the Lease was not renewed in time, or another replica has it.
        """
        wait = self._patience
        while True:
            await asyncio.sleep(max(0.0, min(wait, self._leadership.seconds_left())))
            self._leadership.check()
            wait = self._patience if await self._renewed() else LOOK_SECONDS

    async def hand_on(self) -> None:
        """Renew at once, so that the Lease carries what the next leader must know, before anything else is done.

        Raises:
            LeadershipLostError: the Lease was not renewed in time, or another replica has it.
        """
        while not await self._renewed():
            await asyncio.sleep(LOOK_SECONDS)
            self._leadership.check()

    async def release(self) -> None:
        """Lead no more, and let the next replica lead at once. If the API server cannot be told, the lease runs out.

        The answer to the last write may have been lost, so it is the Lease itself that says whether it is this replica's.
        """
        self._leadership.let_go()
        try:
            async with asyncio.timeout(self._patience):
                await self._give_back()
        except (KubeError, TimeoutError) as error:
            logger.warning("the lease could not be released", error=str(error) or _NO_ANSWER)

    async def _give_back(self) -> None:
        while True:
            try:
                lease = await self._client.read_lease(self._namespace, LEASE_NAME)
                if read_lease(lease).holder == self._identity:
                    await self._client.write_lease(released(lease, self._annotations(), self._clock.now()))
                    logger.info("the lease is released")
                return
            except NotFoundError:
                return
            except ConflictError:
                # A renewal that was broken off has arrived after all.
                continue

    async def _try_to_take(self) -> Mapping[str, str] | None:
        try:
            self._lease = await self._client.read_lease(self._namespace, LEASE_NAME)
            record = read_lease(self._lease)
        except NotFoundError:
            self._lease = new_lease(self._namespace, LEASE_NAME)
            record = missing(self._sighting)
        now = self._leadership.now()
        self._sighting = sighted(self._sighting, record, now)
        if not self._sighting.may_be_taken(self._identity, now):
            return None
        await self._write(record.annotations)
        return record.annotations

    async def _renewed(self) -> bool:
        """Whether a try to renew succeeded."""
        try:
            async with asyncio.timeout(min(self._patience, self._leadership.seconds_left())), self._writing:
                await self._renew()
        except (KubeError, TimeoutError) as error:
            logger.warning("the lease could not be renewed", error=str(error) or _NO_ANSWER)
            return False
        return True

    async def _renew(self) -> None:
        try:
            await self._write(self._annotations())
        except (ConflictError, NotFoundError):
            # Somebody annotated or deleted it, or an answer was lost.
            await self._look_whether_it_is_ours()
            await self._write(self._annotations())

    async def _look_whether_it_is_ours(self) -> None:
        try:
            self._lease = await self._client.read_lease(self._namespace, LEASE_NAME)
        except NotFoundError:
            # Whoever makes it anew holds it: if another replica is faster, our creation is refused.
            self._lease = new_lease(self._namespace, LEASE_NAME)
            return
        holder = read_lease(self._lease).holder
        if holder != self._identity:
            self._leadership.let_go()
            raise LeadershipLostError(
                f"the lease {self._namespace}/{LEASE_NAME} is held by {holder or 'nobody'} now"
            ) from None

    async def _write(self, annotations: Mapping[str, str]) -> None:
        lease = held(self._lease, self._identity, self._lease_seconds, annotations, self._clock.now())
        sent_at = self._leadership.now()
        self._lease = await self._client.write_lease(lease)
        self._leadership.note_renewed(sent_at)

    def _unusable(self, error: KubeError) -> str:
        return (
            f"the lease {self._namespace}/{LEASE_NAME} cannot be used: {error}; the Role in "
            "charts/avatar-operator/files/role.yaml grants it, AVATAR_OPERATOR_NAMESPACE names another namespace"
        )
