"""The worker compares Redis with the log all the time: who changes Redis by hand is found, who does not never is."""
import itertools
import json
import time

import pytest

from checker import redis_is_caught_up
from load import structured
from test_metrics import Outside
from waymark_testlib.kafka import Sender
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark

RULES = """
role: member
---
role: trial
---
role: guest
---
automation: join
trigger: journey.started
tasks:
  - {name: Give, sequence: 10, type: change-role, role: member, action: add}
  - {name: Try, sequence: 20, type: change-role, role: trial, action: add, expires-after: 30d}
---
automation: visit
trigger: journey.completed
tasks: [{name: Give for a moment, sequence: 10, type: change-role, role: guest, action: add, expires-after: 1s}]
"""


class Watch:
    """A worker that compares as fast as it may, and what it says of it."""

    def __init__(self, workspace, workers, sender, users):
        self.workspace, self.sender, self.numbers = workspace, sender, itertools.count()
        self.redis = workspace.redis.client()
        self.worker = workers(workspace)
        self.outside = Outside(self.worker)
        for i in range(users):
            self.send(f"u{i}")
        self.decided()

    def send(self, user, type="journey.started"):
        self.sender.of_user(self.workspace.events, user, structured(next(self.numbers), type, user, {}, at=time.time()))

    def decided(self):
        self.sender.flush()
        wait_until(lambda: self.workspace.lag() == 0, what="everything to be decided")
        wait_until(lambda: redis_is_caught_up(self.workspace), what="Redis to have it")

    def key(self, user, kind):
        return self.workspace.redis_key(user, kind)

    def number(self, name):
        return self.outside.metrics().get((f"waymark_role_drift{name}", ()))

    def wait_drift(self, users):
        wait_until(lambda: self.number("") == users, what=f"{users} users to differ")


@pytest.fixture
def watch(make_workspace, workers, broker):
    """One partition: a round takes five seconds for each."""
    def make(users):
        workspace = make_workspace(RULES, partitions=1, limits={"drift-users": 1000})
        return Watch(workspace, workers, Sender(broker, 1), users)

    return make


def test_a_redis_that_is_changed_by_hand_is_found(watch):
    desk = watch(60)
    redis = desk.redis
    redis.sadd(desk.key("u1", "roles"), "guest")
    redis.srem(desk.key("u2", "roles"), "member")
    redis.delete(desk.key("u3", "user"), desk.key("u3", "roles"))
    redis.hset(desk.key("u4", "user"), "at", 10 ** 9)
    redis.hset(desk.key("u5", "user"), "register", "{}")
    redis.zrem(f"{desk.workspace.prefix}:ends", "u6")
    redis.sadd(desk.key("nobody", "roles"), "member")
    redis.pipeline().delete(desk.key("u7", "roles")).set(desk.key("u7", "roles"), "no set").execute()
    desk.wait_drift(8)
    assert desk.number("_found_total") == 8 and desk.number("_round_seconds") is not None
    said = "\n".join(desk.worker.lines("does not hold what the log says of a user"))
    for user, what in (("u1", "roles"), ("u2", "roles"), ("u3", "missing"), ("u4", "newer"), ("u5", "register"),
                       ("u6", "end"), ("u7", "unreadable"), ("nobody", "unbacked")):
        assert f"user={user} what={what} " in said
    status = waymark("status", "--url", desk.outside.url, "--json")
    assert json.loads(status.stdout)["drift"]["users"] == 8
    assert "8 users" in waymark("status", "--url", desk.outside.url).stdout
    assert desk.worker.running(), "a key of another type stops nobody who does not need it"

    redis.delete(desk.key("u7", "roles"))
    done = waymark("rebuild", "--reason", "drift", "--yes", "--wait", "-C", desk.workspace.folder)
    assert done.returncode == 0, done.stderr
    desk.wait_drift(0)
    desk.worker.wait_said("holds again what the log says")
    assert waymark("verify", "-C", desk.workspace.folder).returncode == 0


def test_a_busy_worker_finds_nobody_where_nobody_is(watch):
    """Registers are written, grants end and the catalogue changes while it compares."""
    desk = watch(600)
    rounds = desk.number("_rounds_total")
    reloaded = False

    def work():
        for _ in range(30):
            number = next(desk.numbers)
            desk.send(f"u{number % 50}", "journey.completed")
            desk.send(f"u{number * 7 % 600}")
        desk.sender.flush()
        return desk.number("_rounds_total")

    def compared(goal):
        return wait_until(lambda: work() >= goal, 120, 0.1, what="the users to be compared")

    desk.workspace.write("role: late\nassigned-when: [{all: true}]\n", "late.yaml")
    desk.worker.reload_and_wait()
    compared(rounds + 2)
    desk.decided()
    seen = desk.number("_rounds_total")
    wait_until(lambda: desk.number("_rounds_total") >= seen + 2, what="the users to be compared once more")
    assert desk.number("_checked_total") > 500
    assert (desk.number(""), desk.number("_found_total")) == (0, 0), desk.worker.lines("log says")


def test_it_can_be_switched_off(watch):
    desk = watch(20)
    desk.redis.sadd(desk.key("u1", "roles"), "guest")
    desk.wait_drift(1)
    desk.workspace.settings["limits"]["drift-users"] = 0
    desk.workspace.write_settings()
    desk.worker.reload()
    desk.wait_drift(0)
    assert not desk.worker.lines("holds again")
