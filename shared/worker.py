"""The worker of one service: its relay, its listeners, its timers, and the sweeping up."""

import asyncio
import contextlib
import logging
from datetime import timedelta

import asyncpg
from sqlalchemy import delete, select, update

from shared import clock
from shared.bus.consumer import BACK_OFF, Braked, Consumer
from shared.bus.listeners import Projections, Reactions
from shared.bus.relay import Relay
from shared.bus.weather import is_transient
from shared.db import idempotency_keys
from shared.db import timers as table
from shared.http.idempotency import KEPT_HOURS
from shared.migrations import REMEDIES, State, state_in
from shared.runtime import Runtime
from shared.timers import Timer, Timers

log = logging.getLogger(__name__)

ASK_AGAIN = 2.0
LOOK_AGAIN = 30.0
SWEEP_SECONDS = 3600.0
TIMER_RETRY = timedelta(minutes=5)


class Worker:
    """Runs until cancelled. If one part dies for a reason that is not the weather, all stop and it is raised."""

    def __init__(
        self, service: str, runtime: Runtime, projections: Projections, reactions: Reactions, timers: Timers
    ) -> None:
        self.service = service
        self._runtime = runtime
        self._timers = timers.handlers
        self._nudged = asyncio.Event()
        self.relay = Relay(
            runtime.settings.database_url.get_secret_value(), runtime.bus, runtime.metrics, runtime.traces
        )
        self.consumers = {
            name: Consumer(
                service, name, listeners, runtime.bus, runtime.sessions, after, runtime.metrics, runtime.traces
            )
            for name, listeners, after in (("projections", projections, None), ("reactions", reactions, projections))
            if listeners.handlers
        }

    async def tables(self) -> State:
        """How the database stands to this code, once it can be asked."""
        while True:
            try:
                async with self._runtime.engine.connect() as connection:
                    return await state_in(connection, self.service)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("%s: %s, asking the database again", self.service, type(error).__name__)
                await asyncio.sleep(ASK_AGAIN)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.relay.run(), name="relay")
            for consumer in self.consumers.values():
                tasks.create_task(consumer.run(), name=consumer.group)
            tasks.create_task(self._run_timers(), name="timers")
            tasks.create_task(self._sweep(), name="sweep")

    async def _run_timers(self) -> None:
        failures = 0
        while True:
            connection = None
            try:
                connection = await asyncpg.connect(self._runtime.settings.database_url.get_secret_value())
                await connection.add_listener("timers", lambda *_: self._nudged.set())
                while True:
                    self._nudged.clear()
                    await self.run_due_timers()
                    self._runtime.metrics.well("timers")
                    failures = 0
                    seconds = await self._seconds_to_next()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(seconds):
                            await self._nudged.wait()
            except Exception as error:
                if not is_transient(error):
                    raise
                pause = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                failures += 1
                self._runtime.metrics.backed_off("timers", failures)
                log.warning("timers: %s, trying again in %s s", type(error).__name__, pause)
                await asyncio.sleep(pause)
            finally:
                if connection is not None:
                    await connection.close(timeout=2)

    async def _seconds_to_next(self) -> float:
        async with self._runtime.sessions() as session:
            due_at = await session.scalar(
                select(table.c.due_at).where(table.c.kind.in_(self._timers)).order_by(table.c.due_at).limit(1)
            )
        return LOOK_AGAIN if due_at is None else min(LOOK_AGAIN, max(0.0, (due_at - clock.now()).total_seconds()))

    async def run_due_timers(self) -> int:
        """Run every timer that is due by the business clock, and those that fall due meanwhile; say how many ran."""
        ran = 0
        while (timer := await self._next_due()) is not None:
            ran += 1
            await self._run_timer(timer)
        return ran

    async def _next_due(self) -> Timer | None:
        query = (
            select(table.c.kind, table.c.aggregate_id, table.c.due_at)
            .where(table.c.due_at <= clock.now(), table.c.kind.in_(self._timers))
            .order_by(table.c.due_at, table.c.kind)
            .limit(1)
        )
        async with self._runtime.sessions() as session:
            row = (await session.execute(query)).one_or_none()
        return None if row is None else Timer(row.kind, row.aggregate_id, row.due_at)

    async def _run_timer(self, timer: Timer) -> None:
        """The handler locks its aggregate and acts; then the row goes, or, if it went before, nothing has happened."""
        row = (
            (table.c.kind == timer.kind)
            & (table.c.aggregate_id == timer.aggregate_id)
            & (table.c.due_at == timer.due_at)
        )
        try:
            with self._runtime.traces.span("internal", f"timer {timer.kind}"):
                async with self._runtime.sessions() as session:
                    await self._timers[timer.kind](session, timer)
                    gone = await session.scalar(delete(table).where(row).returning(table.c.kind))
                    if gone is not None:
                        await session.commit()
            self._runtime.metrics.timer_ran(timer.kind, "done")
        except Exception as error:
            if is_transient(error):
                raise
            self._runtime.metrics.timer_ran(timer.kind, "failed")
            log.error("timer %s failed: %s, trying again later", timer.kind, type(error).__name__)
            async with self._runtime.sessions() as session:
                later = update(table).where(row).values(due_at=clock.now() + TIMER_RETRY, attempts=table.c.attempts + 1)
                await session.execute(later)
                await session.commit()

    async def _sweep(self) -> None:
        """Forget answers that nobody will ask for again."""
        while True:
            try:
                async with self._runtime.sessions() as session:
                    old = idempotency_keys.c.kept_at < clock.now() - timedelta(hours=KEPT_HOURS)
                    await session.execute(delete(idempotency_keys).where(old))
                    await session.commit()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("sweep: %s, trying again later", type(error).__name__)
            await asyncio.sleep(SWEEP_SECONDS)


async def exit_code_of(worker: Worker) -> int:
    """Until cancelled; 1, and the reason in the log, on tables that are not this code's and when the brake is on."""
    state = await worker.tables()
    if state is not State.AT_HEAD:
        log.critical("%s: not started, the database is %s: %s", worker.service, state, REMEDIES[state])
        return 1
    braked = False
    try:
        await worker.run()
    except* Braked:  # the log has said why
        braked = True
    return int(braked)
