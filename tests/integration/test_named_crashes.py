"""The worker dies by SIGKILL at each step of decide, commit, apply; the next one makes good what it left.

`tests/lib/crash/crash_at.c` says where the steps are. A case is only worth something when the worker died there, so
each looks at what it left behind: an open transaction, registers that Redis does not have, progress that is behind."""
import os
import time

import pytest

from checker import acquit, last_registers, settle
from load import RULES, Load
from waymark_testlib.process import wait_until

SEED = int(os.environ.get("WAYMARK_SEED", "7"))
EVENTS = 400  # three batches
# A batch waits until it is full: partitions are fetched one after the other, as they come up.
SETTINGS = {"properties": {"session.timeout.ms": "1000", "heartbeat.interval.ms": "300"},
            "limits": {"batch-events": 150, "batch-ms": 1000}}


def in_redis(workspace):
    """Registers that the last progress does not cover: how many there are, and how many of them Redis has."""
    _, users = last_registers(workspace)
    client = workspace.redis.client()
    progress = client.hgetall(f"{workspace.prefix}:progress")
    fresh = {user: record for user, record in users.items() if record.offset >= int(progress.get(str(record.partition), 0))}
    stored = {user: client.hget(workspace.redis_key(user, "user"), "at") for user in fresh}
    return len(fresh), sum(stored[user] == str(record.offset) for user, record in fresh.items())


def behind(workspace):
    """Partitions with registers: how many there are, and in how many the progress is behind the last one."""
    last, _ = last_registers(workspace)
    progress = workspace.redis.client().hgetall(f"{workspace.prefix}:progress")
    return len(last), sum(int(progress.get(str(partition), 0)) <= offset for partition, offset in last.items())


def transaction_is_open(workspace):
    """Records lie in the log that nobody may read yet."""
    topics = [workspace.topic[name] for name in ("outcomes", "users")]
    return workspace.broker.stable_ends(*topics) != workspace.broker.ends(*topics)


def nothing_is_visible(workspace):
    assert not transaction_is_open(workspace)
    assert workspace.lag() == EVENTS


def a_transaction_is_open(workspace):
    assert transaction_is_open(workspace)


def one_or_the_other(workspace):
    """Nobody knows whether it was committed; but it ends without anybody's help."""
    wait_until(lambda: not transaction_is_open(workspace), what="the transaction to end")


def nothing_is_applied(workspace):
    assert workspace.lag() < EVENTS
    fresh, applied = in_redis(workspace)
    assert fresh > 0 and applied == 0


def half_is_applied(workspace):
    wait_until(lambda: in_redis(workspace)[1] > 0, what="Redis to apply what it was sent")
    fresh, applied = in_redis(workspace)
    assert 0 < applied < fresh


def all_is_applied(workspace):
    fresh, applied = in_redis(workspace)
    assert applied == fresh > 0
    partitions, late = behind(workspace)
    assert late == partitions


POINTS = [
    ("after-begin", 1, nothing_is_visible), ("after-produce", 1, a_transaction_is_open),
    ("after-produce", 150, a_transaction_is_open), ("before-offsets", 1, a_transaction_is_open),
    ("after-offsets", 2, a_transaction_is_open), ("before-commit", 2, a_transaction_is_open),
    ("commit-sent", 2, one_or_the_other), ("after-commit", 1, nothing_is_applied), ("half-applied", 1, half_is_applied),
    ("after-apply", 1, all_is_applied),
]


def loaded(make_workspace, events=EVENTS):
    workspace = make_workspace(RULES, **SETTINGS)
    load = Load(workspace, SEED)
    load.send(events).sender.flush()
    return workspace, load


@pytest.mark.parametrize(("point", "passage", "left"), POINTS, ids=[f"{point}-{passage}" for point, passage, _ in POINTS])
def test_killed_at(point, passage, left, make_workspace, workers, crash):
    workspace, load = loaded(make_workspace)
    crash(workspace, point, passage)
    left(workspace)
    load.send(100).sender.flush()
    counts = acquit(workspace, [workers(workspace)])
    assert counts["outcomes"] > 150


def test_killed_between_the_progress_of_two_partitions(make_workspace, workers, crash):
    """Sent when all of them are caught up: the progress of one that is being caught up moves by itself."""
    workspace = make_workspace(RULES, **SETTINGS)
    load = Load(workspace, SEED)
    crash(workspace, "between-progress", 1, when_ready=lambda: load.send(EVENTS).sender.flush())
    partitions, late = behind(workspace)
    assert 0 < late < partitions
    acquit(workspace, [workers(workspace)])


def test_a_killed_worker_is_missed_when_its_session_ends(make_workspace, workers):
    """`kafka.properties` says when that is: 1 s here, 10 s by default."""
    workspace = make_workspace(RULES, **SETTINGS)
    admin = workspace.broker.admin()

    def members():
        (group,) = admin.list_groups(workspace.group, timeout=20)
        return len(group.members)

    worker = workers(workspace)
    assert members() == 1
    worker.kill()
    began = time.monotonic()
    wait_until(lambda: members() == 0, what="the group to be empty")
    assert time.monotonic() - began < 9
    workers(workspace, "next")


def test_killed_while_catching_up(make_workspace, workers, crash):
    """Redis is empty, so all that is applied is caught up; each worker gets a bit further than the one before."""
    workspace, load = loaded(make_workspace)
    worker = workers(workspace)
    settle(workspace, [worker])
    worker.kill()
    client = workspace.redis.client()
    client.delete(*client.scan_iter(f"{workspace.prefix}:*", count=1000))
    load.send(100).sender.flush()
    _, before = last_registers(workspace)
    position = workspace.broker.committed(workspace.group, workspace.events)
    assert workspace.lag() > 0
    crash(workspace, "after-new-progress", 2)
    crash(workspace, "half-applied", 1)
    crash(workspace, "after-apply", 2)
    now = workspace.broker.committed(workspace.group, workspace.events)
    decided = {partition for topic, partition in now if now[topic, partition] != position[topic, partition]}
    assert not [user for user, record in before.items() if record.partition in decided and
                not client.exists(workspace.redis_key(user, "user"))], "it decided before it had caught up"
    acquit(workspace, [workers(workspace, "last")])


def test_killed_again_and_again(make_workspace, workers, crash):
    """No worker but the last finishes a batch in peace: each begins with what the one before left."""
    workspace, load = loaded(make_workspace)
    for point in ("half-applied", "before-commit", "after-commit", "after-apply"):
        load.send(60).sender.flush()
        crash(workspace, point, 1)
    acquit(workspace, [workers(workspace, "last")])
