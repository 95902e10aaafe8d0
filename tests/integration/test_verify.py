"""Redis against the log: what verify finds, and what it does not take for drift."""
import contextlib
import itertools
import json
import os
import pty
import threading
import time

import pytest

from checker import redis_is_caught_up
from load import structured
from waymark_testlib.kafka import Sender, home
from waymark_testlib.process import free_ports, wait_until
from waymark_testlib.worker import build_folder, waymark

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
tasks: [{name: Give, sequence: 10, type: change-role, role: guest, action: add}]
"""


class Desk:
    def __init__(self, workspace, workers, sender):
        self.workspace, self.sender = workspace, sender
        self.redis = workspace.redis.client()
        self.worker = workers(workspace)
        self.number = 0

    def send(self, user, type="journey.started", flush=True):
        self.number += 1
        self.sender.of_user(self.workspace.events, user, structured(self.number, type, user, {}, at=time.time()))
        if flush:
            self.sender.flush()

    def fill(self, count):
        for i in range(count):
            self.send(f"u{i}", flush=False)
        self.sender.flush()
        self.wait_roles(f"u{count - 1}")
        self.wait_applied()

    def wait_applied(self):
        wait_until(lambda: self.workspace.lag() == 0, what="everything to be decided")
        wait_until(lambda: redis_is_caught_up(self.workspace), what="Redis to have it")

    def wait_roles(self, user, *roles):
        wait_until(lambda: self.workspace.roles(user) == set(roles or ("member", "trial")), what=f"roles of {user}")

    def key(self, user, kind):
        return self.workspace.redis_key(user, kind)

    def verify(self, *words):
        done = waymark("verify", *words, "-C", self.workspace.folder, "--json")
        assert done.returncode in (0, 1), done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        parts = [line for line in lines if "partition" in line]
        users = {line.get("user") or line["key"]: line for line in lines if "drift" in line and "partition" not in line}
        assert (done.returncode == 0) == lines[-1]["equal"]
        return parts, users, lines[-1]


@pytest.fixture
def desk(make_workspace, workers, sender):
    return Desk(make_workspace(RULES), workers, sender)


def test_redis_is_what_the_log_says(desk):
    desk.fill(300)
    parts, users, all = desk.verify()
    assert all == {"users": 300, "drifted": 0, "moving": 0, "strange-keys": 0, "equal": True} and not users
    assert [part["partition"] for part in parts] == [0, 1, 2, 3] and sum(part["redis"] for part in parts) == 300
    assert all_hashes_agree(parts) and len({part["log-hash"] for part in parts}) == 4
    (one,), _, few = desk.verify("--partition", "2")
    assert one == parts[2] and few["users"] == one["log"]
    assert desk.verify("--user", "u7")[2]["users"] == 1
    text = waymark("verify", "-C", desk.workspace.folder)
    assert text.returncode == 0 and "Redis is what the log says, for 300 users" in text.stdout


def all_hashes_agree(parts):
    return all(part["log-hash"] == part["redis-hash"] for part in parts)


def test_every_kind_of_drift_is_found(desk):
    desk.fill(40)
    redis, prefix = desk.redis, desk.workspace.prefix
    redis.sadd(desk.key("u1", "roles"), "guest")
    redis.srem(desk.key("u2", "roles"), "member")
    redis.delete(desk.key("u3", "user"), desk.key("u3", "roles"))
    before = redis.hgetall(desk.key("u4", "user"))
    desk.send("u4", "journey.completed")
    desk.wait_roles("u4", "member", "trial", "guest")
    redis.hset(desk.key("u4", "user"), mapping=before)
    redis.hset(desk.key("u5", "user"), "at", 10 ** 9)
    redis.hset(desk.key("u6", "user"), "register", before["register"])
    redis.zrem(f"{prefix}:ends", "u7")
    redis.zadd(f"{prefix}:ends", {"u8": (time.time() + 400 * 86400) * 1e6})
    redis.sadd(desk.key("nobody", "roles"), "member")
    redis.hset(desk.key("ghost", "user"), mapping={"gen": 1, "at": 3, "register": "{}"})
    redis.set(f"{prefix}:{{u9}}:what", "else")

    parts, users, all = desk.verify()
    found = {user: (line["drift"], line.get("too-many"), line.get("too-few")) for user, line in users.items()}
    assert found == {
        "u1": (["roles"], "guest", None), "u2": (["roles"], None, "member"),
        "u3": (["missing", "roles"], None, "member, trial"), "u4": (["older"], None, None),
        "u5": (["newer"], None, None), "u6": (["register"], None, None), "u7": (["end"], None, None),
        "u8": (["end"], None, None), "nobody": (["unbacked"], "member", None), "ghost": (["unbacked"], None, None),
        f"{prefix}:{{u9}}:what": (["unreadable"], None, None)}
    assert (all["drifted"], all["strange-keys"]) == (10, 1)
    differ = {part["partition"] for part in parts if part["log-hash"] != part["redis-hash"]}
    assert {home(user, 4) for user in ("u1", "u2", "u3", "u4", "u5", "u6", "nobody", "ghost")} == differ

    assert set(desk.verify("--user", "u1")[1]) == {"u1"}
    assert len(desk.verify("--limit", "3")[1]) == 3
    text = waymark("verify", "-C", desk.workspace.folder)
    assert text.returncode == 1 and "too few: member" in text.stdout and "10 of 39 users" not in text.stdout


@contextlib.contextmanager
def beside(*works):
    """Each work is called with a number, over and over, until the block ends."""
    stop = threading.Event()

    def over_and_over(work):
        for number in itertools.count(1):
            if stop.is_set():
                return
            work(number)

    threads = [threading.Thread(target=over_and_over, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def stream(desk, broker):
    sender = Sender(broker, 4)

    def work(number):
        user = f"u{number % 50}"
        sender.of_user(desk.workspace.events, user, structured(10 ** 6 + number, "journey.started", user, {}, at=time.time()))
        if number % 20 == 0:
            sender.flush()
            time.sleep(0.02)

    return work


def test_users_who_change_meanwhile_are_no_drift(desk, broker):
    """A stream of events on the users who are looked at; at its end a real drift is found among them."""
    desk.fill(500)
    with beside(stream(desk, broker)):
        _, users, all = desk.verify()
        assert all["equal"] and not users
        desk.redis.sadd(desk.key("u400", "roles"), "guest")
        _, users, all = desk.verify()
        assert set(users) == {"u400"} and all["drifted"] == 1


def test_a_rebuild_puts_redis_right_while_all_goes_on(desk, broker):
    """Roles that somebody holds are there all the time; what nobody decided goes; nothing is decided twice."""
    desk.fill(2000)
    redis, prefix = desk.redis, desk.workspace.prefix
    for user in ("u60", "u61"):
        desk.send(user, "journey.completed")
        desk.wait_roles(user, "member", "trial", "guest")
    redis.sadd(desk.key("u100", "roles"), "guest")
    redis.delete(desk.key("u101", "user"), desk.key("u101", "roles"))
    redis.hset(desk.key("u102", "user"), mapping={"at": 10 ** 9, "register": "{}"})
    redis.zrem(f"{prefix}:ends", "u103")
    redis.sadd(desk.key("nobody", "roles"), "member")
    redis.hset(desk.key("ghost", "user"), mapping={"gen": 1, "at": 3, "register": "{}"})
    assert desk.verify()[2]["drifted"] == 6

    watched, absent, looks = ["u10", "u60", "u61", "u1500"], [], itertools.count()
    look = desk.workspace.redis.client()

    def watch(_):
        pipeline = look.pipeline(transaction=False)
        for user in watched:
            pipeline.smembers(desk.key(user, "roles"))
        for user, held in zip(watched, pipeline.execute()):
            if not held >= {"member", "trial"} or user in ("u60", "u61") and "guest" not in held:
                absent.append((user, held))
        next(looks)

    with beside(stream(desk, broker), watch):
        done = waymark("rebuild", "--reason", "drift", "--yes", "--wait", "--json", "-C", desk.workspace.folder)
        assert (done.returncode, json.loads(done.stdout)) == (0, {"generation": 2, "state": "rebuilt"}), done.stderr
    assert not absent and next(looks) > 20
    desk.wait_applied()
    assert desk.verify()[2] == {"users": 2000, "drifted": 0, "moving": 0, "strange-keys": 0, "equal": True}
    assert not redis.exists(desk.key("nobody", "roles"), desk.key("ghost", "user"))
    assert redis.hget(f"{prefix}:meta", "rebuild-reason") == "drift" and not desk.worker.lines("warning.*stopped")


def test_a_rebuild_survives_its_workers(desk, workers, crash):
    """Killed while it rebuilds; another worker goes on, and a second rebuild comes on top."""
    desk.fill(6000)
    desk.redis.sadd(desk.key("nobody", "roles"), "member")
    desk.redis.srem(desk.key("u5999", "roles"), "member")
    command = ("rebuild", "--reason", "drift", "--yes", "-C", desk.workspace.folder)
    desk.worker.terminate()
    crash(desk.workspace, "after-apply", 1, when_ready=lambda: waymark(*command))
    meta = desk.redis.hgetall(f"{desk.workspace.prefix}:meta")
    assert meta["rebuild-reason"] == "drift" and [field for field in meta if field.startswith("rebuild:")]
    again = workers(desk.workspace, "again", ready=False)
    again.wait_said("catching up")
    assert waymark(*command, "--wait").returncode == 0
    assert again.lines("rebuilt.*generation=3")
    assert desk.verify()[2]["equal"]
    assert not desk.redis.exists(desk.key("nobody", "roles"))


def asked_on_a_terminal(words, errors):
    """Says no on a terminal while stderr goes to a file. The exit code, and whether it asked."""
    shown = b""
    child, terminal = pty.fork()
    if child == 0:
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT, 0o600), 2)
        os.execv(build_folder() / "waymark", ["waymark", *map(str, words)])
    try:
        while b"[y/N]" not in shown and (more := os.read(terminal, 4096)):
            shown += more
        os.write(terminal, b"n\n")
        while os.read(terminal, 4096):
            pass
    except OSError:  # its side of the terminal is closed
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return code, b"[y/N]" in shown


def test_a_rebuild_asks_for_a_reason_and_a_redis(desk):
    folder = desk.workspace.folder
    assert waymark("rebuild", "--yes", "-C", folder).returncode == 2
    assert waymark("rebuild", "--yes", "--reason", "\udcff", "-C", folder).returncode == 2
    assert asked_on_a_terminal(["rebuild", "--reason", "r", "-C", folder], desk.workspace.logs / "said") == (1, True)
    assert "nothing was done" in (desk.workspace.logs / "said").read_text()
    other = desk.workspace.other_instance("empty")
    other.settings["redis"]["prefix"] += "-empty"
    other.write_settings()
    done = waymark("rebuild", "--yes", "--reason", "r", "-C", other.folder)
    assert done.returncode == 1 and "no worker has filled" in done.stderr


def test_what_can_not_be_reached_is_said(desk, tmp_path):
    port, = free_ports(1)
    for section, value in (("redis", {"address": f"127.0.0.1:{port}"}), ("kafka", {"bootstrap": f"127.0.0.1:{port}"})):
        other = desk.workspace.other_instance(section)
        other.settings[section].update(value)
        other.write_settings()
        assert waymark("verify", "-C", other.folder).returncode == 3
    for words in (["--partition", "4"], ["--limit", "0"], ["--user", "u1", "--partition", "1"]):
        assert waymark("verify", *words, "-C", desk.workspace.folder).returncode == 2


def doctor(workspace, code):
    done = waymark("doctor", "-C", workspace.folder, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(line["area"], line["check"]): line for line in lines}


def test_the_doctor_tells_what_is_wrong_and_what_to_do(make_workspace, workers, own_redis, broker):
    workspace = make_workspace(RULES, redis=own_redis)
    found = doctor(workspace, 1)
    assert found["workers", "alive"]["text"].endswith("start one")
    assert found["group", workspace.group]["state"] == "wrong"

    worker = workers(workspace)
    redis = own_redis.client()
    wait_until(lambda: redis.hget(f"{workspace.prefix}:meta", "ready") == "1", what="Redis to be told that it is ready")
    found = doctor(workspace, 0)
    assert not [line for line in found.values() if line["state"] == "wrong"]
    assert found["group", workspace.group]["text"] == "1 member for 4 partitions"
    assert found["redis", "eviction"]["state"] == found["workers", "ready"]["state"] == "ok"
    assert found["redis", "persistence"]["state"] == "doubtful" and found["clock", "redis and here"]["state"] == "ok"
    assert found["topic", workspace.topic["users"]]["state"] == found["retention", "all topics"]["state"] == "ok"
    assert "no ACL is to be seen" in found["permissions", "kafka"]["text"] and found["permissions", "redis"]["state"] == "ok"
    assert "0 wrong" in waymark("doctor", "-C", workspace.folder).stdout

    redis.config_set("maxmemory-policy", "allkeys-lru")
    redis.config_set("appendonly", "yes")
    broker.delete_topics([workspace.topic["changes"]])
    broker.create_topics([workspace.topic["changes"]], 4, **{"retention.ms": "3600000"})
    short = "retention", workspace.topic["changes"]
    wait_until(lambda: short in doctor(workspace, 1), 30, what="brokers that know the settings of the new topic")
    found = doctor(workspace, 1)
    assert "noeviction" in found["redis", "eviction"]["text"] and found["redis", "persistence"]["state"] == "ok"
    assert found[short]["state"] == "doubtful"
    redis.config_set("maxmemory-policy", "noeviction")
    broker.delete_topics([workspace.topic["outcomes"]])
    workspace.write("automation: broken\n", "broken.yaml")
    found = doctor(workspace, 1)
    assert "waymark topics create" in found["topic", workspace.topic["outcomes"]]["text"]
    assert found[short]["state"] == "doubtful", "a topic that is missing hides no other"
    assert "waymark lint" in found["workspace", "lint"]["text"]
    worker.kill()

    port, = free_ports(1)
    for section, value, area in (("redis", {"address": f"127.0.0.1:{port}"}, ("redis", "connection")),
                                 ("kafka", {"bootstrap": f"127.0.0.1:{port}"}, ("kafka", "brokers"))):
        other = workspace.other_instance(section)
        other.settings[section].update(value)
        other.write_settings()
        assert doctor(other, 3)[area]["state"] == "wrong"
