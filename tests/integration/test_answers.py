"""Who holds a role, why, since when, and who held it when: asked of a real Kafka and a real Redis."""
import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from load import structured
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark

RULES = """
role: member
description: Sees the pages of members.
---
role: staff
assigned-when: [{group: staff}]
---
role: nobodys
---
automation: join
description: Who has joined is a member.
trigger: journey.started
tasks: [{name: Give, sequence: 10, type: change-role, role: member, action: add}]
---
automation: leave
trigger: journey.abandoned
tasks: [{name: Take, sequence: 20, type: change-role, role: member, action: remove}]
"""

USER = "a{b}%25 é"


@pytest.fixture
def desk(make_workspace, workers, sender):
    return Desk(make_workspace(RULES), workers, sender)


class Desk:
    def __init__(self, workspace, workers, sender):
        self.workspace, self.sender = workspace, sender
        self.worker = workers(workspace)
        self.numbers = iter(range(1, 10000))

    def send(self, type, user, data=None, topic=None):
        number = next(self.numbers)
        self.sender.of_user(topic or self.workspace.events, user, structured(number, type, user, data or {}, at=time.time()))
        self.sender.flush()

    def wait_roles(self, user, *roles):
        wait_until(lambda: self.workspace.roles(user) == set(roles), what=f"{user} to hold {roles}")

    def ask(self, *words):
        done = waymark(*words, "-C", self.workspace.folder)
        assert done.returncode in (0, 1), (words, done.stderr)
        return done

    def json(self, *words):
        return [json.loads(line) for line in self.ask(*words, "--json").stdout.splitlines()]


def test_the_life_of_a_role_is_told(desk):
    directory = desk.workspace.topic["directory"]
    desk.send("directory.user.updated", USER, {"status": "active", "groups": ["staff"]}, directory)
    desk.send("journey.started", "other")
    desk.wait_roles(USER, "staff")
    desk.send("journey.started", USER)
    desk.wait_roles(USER, "staff", "member")
    desk.wait_roles("other", "member")

    done = desk.ask("why", USER, "member")
    assert done.returncode == 0 and "automation join" in done.stdout and "was not asked" not in done.stdout, done.stderr
    (answer,) = desk.json("why", USER, "member")
    assert answer["held"] and answer["redis"] and answer["control"]
    (grant,) = answer["because"]
    assert grant["origin"]["topic"] == desk.workspace.events and grant["event"]["id"] == "3"
    assert grant["version"] == grant["workspace-version"]
    assert desk.ask("why", USER, "staff").returncode == 0

    assert {row["user"] for row in desk.json("who", "member")} == {USER, "other"}
    assert desk.ask("who", "nobodys").returncode == 1

    between = datetime.now(timezone.utc)
    time.sleep(0.01)
    desk.send("journey.abandoned", USER)
    desk.wait_roles(USER, "staff")
    (answer,) = desk.json("why", USER, "member")
    assert not answer["held"] and answer["taken-by"][0]["automation"] == "leave" and not answer["redis"]

    rows = desk.json("history", USER)
    assert [(row["role"], row["effective"], row["cause"]) for row in rows] == [
        ("staff", True, "profile"), ("member", True, "task"), ("member", False, "task")]
    assert [row["role"] for row in desk.json("history", USER, "--on", between.isoformat())] == ["member", "staff"]
    assert [row["effective"] for row in desk.json("history", USER, "member", "--since", between.isoformat())] == [False]
    assert desk.ask("history", USER, "--until", (between - timedelta(days=1)).isoformat()).returncode == 1
    assert desk.ask("history", USER, "--since", (between + timedelta(days=1)).isoformat()).returncode == 1

    rows = {row["role"]: row for row in desk.json("roles")}
    assert (rows["member"]["effective"], rows["member"]["automation"], rows["staff"]["derived"]) == (1, 1, 1)
    assert rows["member"]["week"] == rows["member"]["day"] == {"gained": 2, "lost": 1}
    assert rows["nobodys"]["nobody"]


def test_what_was_said_at_run_time_is_told(desk):
    desk.send("journey.started", "u1")
    desk.wait_roles("u1", "member")
    assert desk.ask("roles", "archive", "member", "--reason", "no longer sold", "--by", "jane", "--yes").returncode == 0
    desk.wait_roles("u1")
    done = desk.ask("why", "u1", "member")
    assert done.returncode == 1
    assert "the role is archived, at run time by jane: no longer sold [ROLE_ARCHIVED]" in done.stdout
    assert desk.ask("who", "member").returncode == 1
    assert "member  no, ROLE_ARCHIVED" in desk.ask("user", "u1").stdout
    (member,) = [row for row in desk.json("roles") if row["role"] == "member"]
    assert (member["status"], member["effective"], member["automation"]) == ("archived", 0, 1)
    shown = desk.ask("roles", "show", "member", "--count").stdout
    assert "archived, at run time" in shown and "0 of 1 users have it in force" in shown
    assert [row["cause"] for row in desk.json("history", "u1", "member")] == ["task", "catalogue"]

    assert desk.ask("roles", "unarchive", "member", "--reason", "again", "--yes").returncode == 0
    desk.wait_roles("u1", "member")
    assert [row["effective"] for row in desk.json("history", "u1", "member")] == [True, False, True]
    assert desk.ask("automations", "off", "leave", "--reason", "a pause", "--by", "joe", "--yes").returncode == 0
    assert "but it is switched off, at run time by joe: a pause" in desk.ask("why", "u1", "member").stdout


def test_registers_that_are_garbage_hide_nobody(desk):
    desk.send("journey.started", "u1")
    desk.wait_roles("u1", "member")
    client = desk.workspace.redis.client()
    client.set(desk.workspace.redis_key("text", "user"), "x")
    client.hset(desk.workspace.redis_key("bad", "user"), mapping={"gen": 1, "at": 1, "register": "member nonsense"})
    done = desk.ask("who", "member", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["user"] == "u1"
    assert "holds no hash" in done.stderr and "'bad' is passed over" in done.stderr
    rows = {row["role"]: row for row in desk.json("roles")}
    assert rows["member"]["effective"] == 1
