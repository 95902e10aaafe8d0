"""Workers, Redis and the broker go away under load; nothing is lost, doubled or out of order."""
import os
import random
import time

import pytest

from checker import acquit, settle
from crashes import QUICK, kill_at_random
from load import BASELINE, LIVES, RULES, Load, structured
from waymark_testlib.process import wait_until
from waymark_testlib.redis_server import Redis
from waymark_testlib.worker import Worker

KILLS = int(os.environ.get("WAYMARK_KILLS", "8"))
SEED = int(os.environ.get("WAYMARK_SEED", random.randrange(1 << 30)))


@pytest.fixture
def loaded(make_workspace):
    """A workspace, and a load that stops with the test."""
    loads = []

    def make(rate=400, lives=False, **more):
        print(f"WAYMARK_SEED={SEED}")
        workspace = make_workspace(LIVES, properties={**QUICK, **more.pop("properties", {})}, baseline=BASELINE, **more)
        load = Load(workspace, SEED, rate=rate, lives=lives).start()
        loads.append(load)
        return workspace, load

    yield make
    for load in loads:
        load.stopping.set()


def test_killed_at_random_moments(make_workspace):
    print(f"WAYMARK_SEED={SEED}")
    workspace = make_workspace(LIVES, properties=QUICK, baseline=BASELINE)
    worker = Worker(workspace)
    try:
        # Journey events only: which of two topics a killed worker had read first does not always leave a trace to judge by.
        kill_at_random(workspace, worker.start, KILLS, SEED, lives=False)
        counts = acquit(workspace, [worker])
        assert counts["outcomes"] > 500
    finally:
        worker.end()


def test_two_workers_one_is_killed_again_and_again(loaded, workers):
    workspace, load = loaded()
    first = workers(workspace, "first")
    twin = workspace.other_instance("worker-2")
    for _ in range(max(2, KILLS // 3)):
        second = workers(twin, "second")
        time.sleep(random.Random(SEED).uniform(0.2, 2))
        second.kill()
        first.restart_if_it_asks()
    last = workers(twin, "second")
    time.sleep(1)
    load.stop()
    acquit(workspace, supervised=[first, last])


def test_a_second_worker_comes_and_goes_cleanly(loaded, workers):
    workspace, load = loaded()
    first = workers(workspace, "first")
    twin = workspace.other_instance("worker-2")
    for _ in range(2):
        second = workers(twin, "second")
        time.sleep(1)
        code, seconds = second.terminate()
        assert code == 0, f"exit {code} after {seconds} s"
    time.sleep(0.5)
    load.stop()
    acquit(workspace, [first])


def test_a_worker_that_was_frozen_comes_back_as_a_zombie(loaded, workers):
    workspace, load = loaded()
    first = workers(workspace, "first")
    twin = workspace.other_instance("worker-2")
    second = workers(twin, "second")
    time.sleep(1)
    first.pause()
    time.sleep(6)  # its session ends, the other takes over
    first.resume()
    time.sleep(3)
    load.stop()
    acquit(workspace, supervised=[first, second])


@pytest.mark.parametrize("append_only", [False, True])
def test_redis_is_killed_and_restarted(append_only, tmp_path, loaded, workers):
    redis = Redis(tmp_path / "redis", append_only=append_only).start()
    try:
        workspace, load = loaded(redis=redis)
        worker = workers(workspace)
        for pause in (0.2, 3):
            time.sleep(1)
            redis.kill()
            time.sleep(pause)
            redis.start()
        time.sleep(2)
        load.stop()
        acquit(workspace, [worker])
    finally:
        redis.stop()


def test_redis_is_not_there_when_the_worker_starts(own_redis, make_workspace, workers, sender):
    workspace = make_workspace(RULES, redis=own_redis)
    own_redis.kill()
    worker = workers(workspace, ready=False)
    sender.of_user(workspace.events, "u", structured(1, user="u", data={"milestone": "joined"}))
    sender.flush()
    time.sleep(2)
    own_redis.start()
    deadline = time.monotonic() + 90
    while workspace.roles("u") != {"member"} and time.monotonic() < deadline:
        worker.restart_if_it_asks()
        time.sleep(0.2)
    acquit(workspace, [worker])


def test_redis_is_flushed_under_load(own_redis, loaded, workers):
    workspace, load = loaded(redis=own_redis)
    worker = workers(workspace)
    for _ in range(3):
        time.sleep(1.5)
        own_redis.flush()
    time.sleep(1.5)
    load.stop()
    acquit(workspace, [worker])


def test_redis_is_flushed_at_rest(own_redis, make_workspace, workers):
    workspace = make_workspace(RULES, redis=own_redis)
    worker = workers(workspace)
    Load(workspace, SEED).send(500).sender.flush()
    settle(workspace, [worker])
    before = own_redis.client().dbsize()
    own_redis.flush()
    wait_until(lambda: own_redis.client().dbsize() >= before, what="Redis to be rebuilt without any event")
    meta = f"{workspace.prefix}:meta"
    known = own_redis.client().hmget(meta, "incarnation", "generation")
    assert all(known)
    own_redis.client().delete(meta)
    wait_until(lambda: own_redis.client().hmget(meta, "incarnation", "generation") == known,
               what="what identifies Redis to be there again without any event")
    acquit(workspace, [worker])


def test_redis_loses_its_tail(own_redis, make_workspace, workers):
    """The state of some seconds ago, as after a fail-over to a replica that was behind."""
    workspace = make_workspace(RULES, redis=own_redis)
    worker = workers(workspace)
    load = Load(workspace, SEED)
    load.send(300).sender.flush()
    settle(workspace, [worker])
    client = own_redis.client()
    old = {key: client.execute_command("DUMP", key, NEVER_DECODE=True) for key in client.keys()}
    load.send(300).sender.flush()
    settle(workspace, [worker])
    pipeline = client.pipeline(transaction=True)
    pipeline.flushall()
    for key, dump in old.items():
        pipeline.restore(key, 0, dump)
    pipeline.execute()
    load.send(300).sender.flush()
    acquit(workspace, [worker])


def test_the_broker_is_restarted(loaded, workers, broker):
    workspace, load = loaded(rate=200)
    worker = workers(workspace)
    time.sleep(2)
    broker.restart()
    time.sleep(5)
    load.stop()
    acquit(workspace, supervised=[worker])


def test_the_broker_is_away_for_some_seconds(loaded, workers, broker):
    workspace, load = loaded(rate=200)
    worker = workers(workspace)
    time.sleep(2)
    broker.stop()
    time.sleep(8)
    broker.start()
    time.sleep(3)
    load.stop()
    acquit(workspace, supervised=[worker])


def test_everything_at_once(tmp_path, loaded, workers, broker):
    redis = Redis(tmp_path / "redis").start()
    try:
        workspace, load = loaded(redis=redis, rate=300)
        worker = workers(workspace)
        twin = workspace.other_instance("worker-2")
        second = workers(twin, "second")
        dice = random.Random(SEED)
        steps = [redis.flush, worker.kill, lambda: (redis.kill(), redis.start()), second.kill, broker.restart]
        dice.shuffle(steps)
        for step in steps:
            step()
            time.sleep(dice.uniform(0, 2))
            for each in (worker, second):
                if not each.running():
                    assert each.process.returncode in (-9, 75), each.said()[-2000:]
                    each.start()
        time.sleep(2)
        load.stop()
        acquit(workspace, supervised=[worker, second])
    finally:
        redis.stop()
