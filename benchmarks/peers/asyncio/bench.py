"""The work of the Go benchmarks in Python's asyncio, or in uvloop.

    python bench.py asyncio|uvloop [-benchtime SECONDS]

Prints one line a work, in the format of Go benchmarks. Each work is a coroutine
that does n units; n grows until that takes long enough. What comes before it
starts the clock is preparation.
"""

import argparse
import asyncio
import platform
import sys
import time


class Clock:
    """Measures from start to stop, however often."""

    ns = 0

    def start(self):
        self.began = time.perf_counter_ns()

    def stop(self):
        self.ns += time.perf_counter_ns() - self.began


async def yield_(n, clock):
    sleep = asyncio.sleep
    clock.start()
    for _ in range(n):
        await sleep(0)
    clock.stop()


async def yield100(n, clock):
    async def taking_turns():
        sleep = asyncio.sleep
        for _ in range(n // 100):
            await sleep(0)

    clock.start()
    tasks = [asyncio.create_task(taking_turns()) for _ in range(100)]
    for task in tasks:
        await task
    clock.stop()


async def one():
    return 1


async def spawn_await(n, clock):
    create_task = asyncio.create_task
    clock.start()
    for _ in range(n):
        await create_task(one())
    clock.stop()


async def spawn1000(n, clock):
    create_task = asyncio.create_task
    clock.start()
    for _ in range(n // 1000):
        tasks = [create_task(one()) for _ in range(1000)]
        for task in tasks:
            await task
    clock.stop()


async def gather1000(n, clock):
    gather = asyncio.gather
    clock.start()
    for _ in range(n // 1000):
        await gather(*[one() for _ in range(1000)])
    clock.stop()


async def group1000(n, clock):
    clock.start()
    for _ in range(n // 1000):
        async with asyncio.TaskGroup() as group:
            for _ in range(1000):
                group.create_task(one())
    clock.stop()


SLEEPERS = 100_000


async def cancel100k(n, clock):
    sleep = asyncio.sleep

    class Enough(Exception):
        """Leaving a group with an error is how it is cancelled."""

    for begin in range(0, n, SLEEPERS):
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(n - begin, SLEEPERS)):
                    group.create_task(sleep(3600))
                await sleep(0)
                clock.start()
                raise Enough
        except* Enough:
            clock.stop()


async def lock(n, clock):
    lock = asyncio.Lock()
    clock.start()
    for _ in range(n):
        await lock.acquire()
        lock.release()
    clock.stop()


async def lock_handoff(n, clock):
    lock = asyncio.Lock()

    async def taking():
        sleep = asyncio.sleep
        for _ in range(n // 2):
            async with lock:
                await sleep(0)

    clock.start()
    other = asyncio.create_task(taking())
    await taking()
    await other
    clock.stop()


async def semaphore(n, clock):
    semaphore = asyncio.Semaphore(10)
    clock.start()
    for _ in range(n):
        await semaphore.acquire()
        semaphore.release()
    clock.stop()


async def event100(n, clock):
    event = asyncio.Event()

    async def waiting():
        wait = event.wait
        for _ in range(n // 100):
            await wait()

    sleep = asyncio.sleep
    clock.start()
    tasks = [asyncio.create_task(waiting()) for _ in range(100)]
    for _ in range(n // 100):
        await sleep(0)
        event.set()
        event.clear()
    for task in tasks:
        await task
    clock.stop()


async def queued(n, clock, room):
    queue = asyncio.Queue(room)

    async def producing():
        put = queue.put
        for i in range(n):
            await put(i)

    get = queue.get
    clock.start()
    producer = asyncio.create_task(producing())
    for _ in range(n):
        await get()
    await producer
    clock.stop()


async def queue_handoff(n, clock):
    await queued(n, clock, 1)


async def queue_buffered(n, clock):
    await queued(n, clock, 128)


async def queue_round_trip(n, clock):
    ping, pong = asyncio.Queue(1), asyncio.Queue(1)

    async def echoing():
        get, put = ping.get, pong.put
        for _ in range(n):
            await put(await get())

    put, get = ping.put, pong.get
    clock.start()
    echo = asyncio.create_task(echoing())
    for i in range(n):
        await put(i)
        await get()
    await echo
    clock.stop()


def nothing():
    pass


async def call_soon(n, clock):
    sleep, call_soon = asyncio.sleep, asyncio.get_running_loop().call_soon
    clock.start()
    for _ in range(n // 100):
        for _ in range(100):
            call_soon(nothing)
        await sleep(0)
    clock.stop()


PENDING = 100_000


def delays():
    """The delays of the Go benchmark: one to two hours, in no order."""
    x = 1
    for _ in range(PENDING):
        x = (x * 1664525 + 1013904223) % 2**32
        yield 3600 + x % 3_600_000 / 1000


async def timer(n, clock):
    sleep, call_later = asyncio.sleep, asyncio.get_running_loop().call_later
    times = list(delays())
    timers = [call_later(delay, nothing) for delay in times]
    await sleep(0)
    clock.start()
    for i in range(n):
        call_later(times[i % PENDING], nothing).cancel()
        # asyncio clears cancelled timers away only in a turn of the loop.
        if i % 1000 == 0:
            await sleep(0)
    await sleep(0)
    clock.stop()
    for t in timers:
        t.cancel()


async def timeout(n, clock):
    sleep, timeout = asyncio.sleep, asyncio.timeout
    clock.start()
    for _ in range(n):
        async with timeout(3600):
            await sleep(0)
    clock.stop()


async def blocking(n, clock):
    run_in_executor = asyncio.get_running_loop().run_in_executor
    await run_in_executor(None, nothing)
    clock.start()
    for _ in range(n):
        await run_in_executor(None, nothing)
    clock.stop()


async def generator(n, clock):
    async def count():
        for i in range(n):
            yield i

    clock.start()
    async for _ in count():
        pass
    clock.stop()


WORKS = {
    "Yield": yield_,
    "Yield100": yield100,
    "SpawnAwait": spawn_await,
    "Spawn1000": spawn1000,
    "Gather1000": gather1000,
    "Group1000": group1000,
    "Cancel100k": cancel100k,
    "Lock": lock,
    "LockHandoff": lock_handoff,
    "Semaphore": semaphore,
    "Event100": event100,
    "QueueHandoff": queue_handoff,
    "QueueBuffered": queue_buffered,
    "QueueRoundTrip": queue_round_trip,
    "CallSoon": call_soon,
    "Timer": timer,
    "Timeout": timeout,
    "Blocking": blocking,
    "Generator": generator,
}


def measure(work, loop_factory, benchtime):
    """How many units of work were done, and in how many nanoseconds."""
    n = SLEEPERS if work is cancel100k else 1000
    while True:
        clock = Clock()
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(work(n, clock))
        if clock.ns >= benchtime * 1e9 * 0.8 or n >= 1_000_000_000:
            return n, clock.ns
        aim = n * benchtime * 1e9 / clock.ns
        n = int(min(max(aim, n * 2), n * 100)) // 1000 * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=["asyncio", "uvloop"])
    parser.add_argument("-benchtime", type=float, default=0.2, metavar="SECONDS")
    args = parser.parse_args()

    loop_factory = None
    version = f"CPython {platform.python_version()}"
    if args.peer == "uvloop":
        import uvloop

        loop_factory = uvloop.new_event_loop
        version = f"uvloop {uvloop.__version__} on {version}"
    print(f"# {args.peer}: {version}")
    for name, work in WORKS.items():
        n, ns = measure(work, loop_factory, args.benchtime)
        print(f"Benchmark{name}/peer={args.peer}\t{n}\t{ns / n:.1f} ns/op")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
