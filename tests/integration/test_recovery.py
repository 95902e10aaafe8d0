"""The first cluster is lost, with Redis and everything: the guide's steps on a copy that was a little behind."""
import json
import time

import guide
from checker import settle
from load import structured
from test_control import wait_followed
from waymark_testlib.kafka import Broker, Sender
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark

RULES = """
role: member
---
role: expert
---
role: guest
---
role: staff
assigned-when: [{group: staff}]
---
channel: mail
---
automation: join
trigger: journey.started
tasks:
  - {name: Give, sequence: 10, type: change-role, role: member, action: add}
  - {name: Say so, sequence: 20, type: notify, channel: mail, to: desk@acme.example, title: New, message: Hello}
---
automation: grow
trigger: journey.completed
tasks: [{name: Give, sequence: 10, type: change-role, role: expert, action: add}]
---
automation: leave
trigger: journey.abandoned
tasks: [{name: Take, sequence: 10, type: change-role, role: member, action: remove}]
"""
USERS = [f"u{number}" for number in range(30)]


def live_a_little(workspace, worker, sender):
    numbers = iter(range(1, 1000))

    def send(users, type):
        for user in users:
            sender.of_user(workspace.events, user, structured(next(numbers), type, user, {}, at=time.time()))

    send(USERS, "journey.started")
    for user in USERS[:5]:
        profile = {"specversion": "1.0", "id": f"d-{user}", "source": "/hr", "type": "directory.user.updated",
                   "subject": user, "data": {"status": "active", "groups": ["staff"]}}
        sender.of_user(workspace.topic["directory"], user, json.dumps(profile).encode())
    sender.flush()
    done = waymark("grant", USERS[7], "guest", "--yes", "--reason", "asked", "-C", workspace.folder)
    assert done.returncode == 0, done.stderr
    off = waymark("automations", "off", "leave", "--yes", "--reason", "not now", "-C", workspace.folder)
    assert off.returncode == 0, off.stderr
    wait_followed(worker, "automation=leave state=off")
    settle(workspace)
    behind = len(workspace.broker.read(workspace.topic["users"]))
    send(USERS[10:20], "journey.completed")
    send(USERS[20:25], "journey.abandoned")  # the automation is off
    sender.flush()
    settle(workspace)
    return behind


def mirror(workspace, broker, lacking):
    """What MirrorMaker does: same names and partitions, other offsets. The last 'lacking' registers are not there yet."""
    sender = Sender(broker, workspace.partitions)
    topics = [workspace.topic[name] for name in ("users", "changes", "control", "directory", "requests")]
    for topic in [*topics, workspace.events]:
        compacted = topic in (workspace.topic["users"], workspace.topic["control"])
        broker.create_topics([topic], 1 if topic == workspace.topic["control"] else workspace.partitions,
                             cleanup_policy="compact" if compacted else "delete")
        records = sorted(workspace.broker.read(topic), key=lambda record: record.timestamp)
        for record in records[:len(records) - lacking] if topic == workspace.topic["users"] else records:
            sender.raw(topic, record.value, record.key, record.headers, record.partition, record.timestamp)
    sender.flush()


def test_a_copy_of_the_log_is_enough_to_go_on(tmp_path, make_workspace, workers, sender, broker, own_redis):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    early = live_a_little(workspace, worker, sender)
    client = workspace.redis.client()
    before = {user: workspace.roles(user, client) for user in USERS}
    assert before["u3"] == {"member", "staff"} and before["u7"] == {"member", "guest"}
    assert before["u12"] == {"member", "expert"} and before["u22"] == {"member"}
    assert worker.terminate()[0] == 0

    second = Broker(tmp_path / "second").start()
    try:
        lacking = len(broker.read(workspace.topic["users"])) - early
        assert lacking > 0
        mirror(workspace, second, lacking)
        copied = second.ends(workspace.topic["changes"])
        workspace.broker, workspace.redis = second, own_redis
        workspace.settings["kafka"]["bootstrap"] = second.bootstrap
        workspace.settings["redis"]["address"] = own_redis.address
        workspace.write_settings()

        def run(words):
            done = waymark(*words[1:])
            return done.returncode, done.stdout + done.stderr

        operator = guide.Operator("deployment.md", "When something is lost", {"/etc/waymark": workspace.folder}, run)
        operator.does("waymark topics create")
        workers(workspace, "second")
        settle(workspace)
        operator.does("waymark verify")
        assert not operator.lines
        client = own_redis.client()
        assert {user: workspace.roles(user, client) for user in USERS} == before
        # Told again are only those whose registers the copy did not have.
        told = [record for record in second.read(workspace.topic["changes"])
                if record.offset >= copied[record.topic, record.partition]]
        assert {json.loads(record.value)["data"]["role"] for record in told} == {"expert"} and len(told) == lacking
        assert not second.read(workspace.topic["notifications"]), "who joined long ago is told again"
        again = Sender(second, workspace.partitions)
        again.of_user(workspace.events, "u0", structured(900, "journey.completed", "u0", {}, at=time.time()))
        again.flush()
        wait_until(lambda: workspace.roles("u0", client) >= {"expert"}, what="a new event")
    finally:
        second.stop()
