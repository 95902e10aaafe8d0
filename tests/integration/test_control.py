"""What is said on the control topic, on real Kafka and Redis: automations off and on, roles archived and back, a worker
killed in the middle of a projection."""
import json
import pathlib
import time

import jsonschema

from load import structured
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark

SCHEMA = json.loads((pathlib.Path(__file__).parents[2] / "schemas" / "control.schema.json").read_text())
RULES = """
role: member
---
role: guest
---
automation: join
trigger: journey.started
tasks: [{name: Give, sequence: 10, type: change-role, role: member, action: add}]
---
automation: visit
enabled: false
trigger: journey.started
tasks: [{name: Give, sequence: 10, type: change-role, role: guest, action: add}]
"""
CROWD = 10000


class Desk:
    def __init__(self, workspace, sender):
        self.workspace, self.sender = workspace, sender
        self.numbers = iter(range(1, 1000000))

    def call(self, *words):
        done = waymark(*words, "-C", self.workspace.folder)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def switch(self, state, *names):
        return self.call("automations", state, *names, "--reason", "a drill", "--by", "jane", "--yes")

    def start(self, *users):
        for user in users:
            value = structured(next(self.numbers), "journey.started", user, {}, at=time.time())
            self.sender.of_user(self.workspace.events, user, value)
        self.sender.flush()

    def wait_roles(self, user, *roles):
        wait_until(lambda: self.workspace.roles(user) == set(roles), what=f"{user} to hold {roles}")

    def catalogue(self):
        """partition -> the last word that wm:meta has of it: 'done', or an offset"""
        meta = self.workspace.redis.client().hgetall(self.workspace.prefix + ":meta")
        return {key: value.split()[-1] for key, value in meta.items() if key.startswith("catalogue:")}


def wait_followed(worker, word):
    """The worker has read this word, and decides by it."""
    wait_until(lambda: "follows control" in worker.said().partition(word)[2], what=f"the worker to follow {word}")


def test_an_automation_is_switched_off_for_good_and_on_again(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    worker = workers(desk.workspace)
    desk.start("u1")
    desk.wait_roles("u1", "member")
    assert "off from the next batch" in desk.switch("off", "join")
    desk.switch("on", "visit")
    wait_followed(worker, "automation=visit state=on")
    desk.start("u2")
    desk.wait_roles("u2", "guest")
    desk.wait_roles("u1", "member")

    rows = {row["automation"]: row for row in map(json.loads, desk.call("automations", "--json").splitlines())}
    assert (rows["join"]["state"], rows["join"]["from"], rows["join"]["by"], rows["join"]["reason"]) == (
        "off", "control", "jane", "a drill")
    assert rows["join"]["runs"] == 1 and rows["join"]["results"]["changed"] == 1
    assert (rows["visit"]["state"], rows["visit"]["enabled"]) == ("on", False)

    event = desk.workspace.folder / "event.json"
    event.write_bytes(structured(1, "journey.started", "u9", {}, at=time.time()))
    answers = map(json.loads, desk.call("explain", event, "--control", "--json").splitlines())
    join = next(answer for answer in answers if answer["automation"] == "join")
    assert (join["verdict"], join["control"]["by"]) == ("off", "jane")
    assert "by jane: a drill" in desk.call("explain", event, "--control")
    assert '"verdict":"takes"' in desk.call("explain", event, "--json"), "the workspace alone says something else"

    worker.end()
    desk.start("u3")  # decided by the next worker, which knows before it decides
    following = workers(desk.workspace, "next")
    desk.wait_roles("u3", "guest")
    assert "already" in desk.switch("off", "join")
    desk.switch("reset", "join", "visit")
    wait_followed(following, 'automation=visit state="as written"')
    desk.start("u4")
    desk.wait_roles("u4", "member")

    said = [record for record in desk.workspace.broker.read(desk.workspace.topic["control"]) if record.key != b"partitions"]
    assert [(record.key, record.value is None) for record in said] == [
        (b"automation/join", False), (b"automation/visit", False), (b"automation/join", True), (b"automation/visit", True)]
    for record in said[:2]:
        jsonschema.validate(json.loads(record.value), SCHEMA)


def test_garbage_on_the_control_topic_stops_nobody(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    control = desk.workspace.topic["control"]
    for key, value in ((b"automation/join", b"{"), (b"role/\xff", b"\x00"), (b"nonsense", b"{}")):
        sender.raw(control, value, key)
    sender.flush()
    worker = workers(desk.workspace)
    desk.start("u1")
    desk.wait_roles("u1", "member")
    assert worker.said().count("passed over a control record") == 3
    sender.raw(control, b"[]", b"automation/join")
    sender.flush()
    wait_until(lambda: worker.said().count("passed over a control record") == 4, what="a line for it")
    desk.start("u2")
    desk.wait_roles("u2", "member")


def test_a_worker_killed_in_the_middle_of_a_projection_goes_on(make_workspace, workers, sender, crash):
    desk = Desk(make_workspace(RULES, properties={"session.timeout.ms": "6000"}), sender)
    users = [f"user-{i}" for i in range(CROWD)]
    client = desk.workspace.redis.client()

    def holders():
        keys = [desk.workspace.redis_key(user, "roles") for user in users]
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.sismember(key, "member")
        return sum(pipe.execute())

    def wait_projected():
        wait_until(lambda: list(desk.catalogue().values()) == 4 * ["done"], what="the projection to end")

    def archive():
        wait_projected()
        desk.start(*users)
        wait_until(lambda: holders() == CROWD, interval=0.5, what="everybody to be a member")
        desk.call("roles", "archive", "member", "--reason", "a drill", "--by", "jane", "--yes", "--no-wait")

    crash(desk.workspace, "after-projected", 1, when_ready=archive)
    assert 0 < holders() < CROWD
    second = workers(desk.workspace, "second")
    wait_projected()
    assert holders() == 0
    assert "goes on projecting the catalogue" in second.said()

    desk.call("roles", "unarchive", "member", "--reason", "it was a drill", "--by", "jane", "--yes")
    assert holders() == CROWD
