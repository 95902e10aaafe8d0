"""The rights that deploy/guide/deployment.md gives are enough to work with, and not more."""
import hashlib
import json
import pathlib
import re

import pytest
import redis as client_of_redis
from waymark_testlib.process import wait_until
from waymark_testlib.redis_server import Redis
from waymark_testlib.worker import waymark

from load import structured

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "guide" / "deployment.md"
RULES = """
role: member
---
role: staff
assigned-when: [{group: staff}]
---
automation: join
trigger: journey.started
tasks: [{name: Give, sequence: 10, type: change-role, role: member, action: add, expires-after: 8s}]
"""


@pytest.fixture
def guarded(tmp_path):
    """A Redis whose users are those of the guide; each has his name as password."""
    lines = re.findall(r"^user .*$", GUIDE.read_text(), re.M)
    assert len(lines) == 3
    redis = Redis(tmp_path / "redis")
    redis.users = []
    for line in lines:
        name = line.split()[1]
        line = line.replace("#<sha256 of the password>", "#" + hashlib.sha256(name.encode()).hexdigest())
        redis.users.append(name)
        with open(redis.folder / "users.acl", "a") as file:
            file.write(line + "\n")
    with open(redis.folder / "users.acl", "a") as file:
        file.write("user default on nopass ~* &* +@all\n")  # for the test alone
    redis.options = ("--aclfile", str(redis.folder / "users.acl"))
    yield redis.start()
    redis.stop()


def as_user(workspace, name):
    """The workspace with the rights of another one; a worker or command started now has them."""
    password = workspace.logs / f"{name}.password"
    password.write_text(name + "\n")
    workspace.settings["redis"].update({"username": name, "password-file": str(password), "prefix": "wm"})
    workspace.write_settings()
    return workspace


def test_the_users_of_redis_may_do_what_they_need(guarded, make_workspace, workers, sender):
    workspace = make_workspace(RULES, redis=guarded)
    workers(as_user(workspace, "waymark"))
    sender.of_user(workspace.topic["directory"], "ann", structured(
        "p1", "directory.user.updated", "ann", {"status": "active", "groups": ["staff"]}))
    sender.flush()
    application = client_of_redis.Redis(host="127.0.0.1", port=guarded.port, username="application",
                                        password="application", decode_responses=True)
    wait_until(lambda: application.smembers("wm:{ann}:roles") == {"staff"}, what="the role of the profile")
    sender.of_user(workspace.events, "ann", structured("e1", "journey.started", "ann"))
    sender.flush()
    wait_until(lambda: application.smembers("wm:{ann}:roles") == {"member", "staff"}, what="the roles")
    wait_until(lambda: application.smembers("wm:{ann}:roles") == {"staff"}, what="the end of the grant")

    as_user(workspace, "waymark-reader")
    for words in (("user", "ann"), ("who", "staff"), ("why", "ann", "staff"), ("roles", "show", "staff", "--count"),
                  ("verify",)):
        done = waymark(*words, "-C", workspace.folder, "--json")
        assert done.returncode == 0 and "NOPERM" not in done.stderr, (words, done.stderr)
    assert json.loads(waymark("user", "ann", "-C", workspace.folder, "--json").stdout)["effective"] == ["staff"]

    done = waymark("doctor", "-C", workspace.folder)
    assert done.returncode in (0, 1)  # asks for CONFIG, and does without
    assert "redis.username may not hset, hdel, sadd, del, zadd, zrem, type, publish: a worker must" in done.stdout
    assert {row["object"] for row in guarded.client().acl_log()} <= {"config|get"}
    assert waymark("rebuild", "-C", workspace.folder, "--yes", "--reason", "a test").returncode == 3  # only looks
    as_user(workspace, "waymark")
    assert "redis.username may do all that a worker does" in waymark("doctor", "-C", workspace.folder).stdout
    guarded.client().acl_log_reset()
    guarded.client().sadd("wm:{ghost}:roles", "member")  # nothing in the log stands behind it
    done = waymark("rebuild", "-C", workspace.folder, "--yes", "--reason", "a test", "--wait")
    assert done.returncode == 0, done.stderr
    assert not guarded.client().exists("wm:{ghost}:roles")
    assert {row["username"] for row in guarded.client().acl_log()} <= {"waymark-reader"}
    guarded.client().acl_log_reset()
    guarded.flush()  # filling an empty one needs no other right
    wait_until(lambda: application.smembers("wm:{ann}:roles") == {"staff"}, what="the rebuild")
    assert guarded.client().acl_log() == []
    for name, call in (("application", ("SADD", "wm:{ann}:roles", "admin")), ("application", ("HGETALL", "wm:{ann}:user")),
                       ("waymark-reader", ("SADD", "wm:{ann}:roles", "admin")), ("waymark", ("FLUSHALL",)),
                       ("waymark", ("SET", "other", "1")), ("waymark", ("CONFIG", "GET", "*"))):
        other = client_of_redis.Redis(host="127.0.0.1", port=guarded.port, username=name, password=name)
        with pytest.raises(client_of_redis.exceptions.NoPermissionError):
            other.execute_command(*call)
