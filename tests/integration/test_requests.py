"""What the role model adds to the main job, through Kafka and Redis: delegation, the baseline, sign-ins."""
import json
import os
import random
import time

import model
from checker import Judge, redis_is_caught_up
from crashes import QUICK
from load import rfc3339, structured
from waymark_testlib.kafka import home
from waymark_testlib.process import wait_until

RULES = """
role: open
delegation: holders
---
role: shut
---
role: member
---
role: desk
activate: at-sign-in
assigned-when: [{group: staff}]
---
automation: take-all
trigger: journey.abandoned
tasks:
  - {name: Take it, sequence: 10, type: change-role, role: open, action: remove}
"""


def of_two_homes():
    """Two users who live on different partitions."""
    first = "user-0"
    return first, next(user for user in (f"user-{n}" for n in range(1, 99)) if home(user, 4) != home(first, 4))


def test_a_holder_hands_his_role_on_to_another_home(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES)
    workers(workspace)
    giver, receiver = of_two_homes()

    def request(id, kind, data, user=giver):
        sender.of_user(workspace.topic["requests"], user, structured(id, f"role.{kind}.requested", user, data))
        sender.flush()

    request(1, "assignment", {"role": "open", "action": "add"})
    wait_until(lambda: workspace.roles(giver) == {"open"}, what="the giver's role")
    request(2, "delegation", {"role": "open", "to": receiver, "reason": "on leave"})
    request(3, "delegation", {"role": "shut", "to": receiver})
    wait_until(lambda: workspace.roles(receiver) == {"open"}, what="the receiver's role")
    wait_until(lambda: workspace.lag() == 0, what="the other request to be decided")

    (written,) = [record for record in broker.read(workspace.topic["requests"]) if b'"/waymark"' in record.value]
    assert written.partition == home(receiver, 4) and written.key == receiver.encode()
    wanted = json.loads(written.value)
    assert wanted["data"] == {"role": "open", "action": "add", "by": giver, "reason": "on leave"}
    assert wanted["type"] == "role.assignment.requested" and wanted["subject"] == receiver

    outcomes = {}
    for record in broker.read(workspace.topic["outcomes"]):
        outcome = json.loads(record.value)
        outcomes.setdefault(outcome["subject"], []).append((outcome["id"].split(":")[-1], outcome["data"]["tasks"][0]))
    assert [(name, task["type"], task["result"]) for name, task in outcomes[giver]] == [
        ("manual", "change-role", "changed"), ("delegation", "delegate", "requested"), ("delegation", "delegate", "failed")]
    assert [(name, task["result"]) for name, task in outcomes[receiver]] == [("manual", "changed")]
    (failure,) = [json.loads(record.value) for record in broker.read(workspace.topic["failures"])]
    assert failure["id"].endswith(":delegation:0") and failure["data"]["task"]["code"] == "ROLE_NOT_HELD"


def test_the_last_role_leaves_the_baseline_and_a_sign_in_begins_another(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES, baseline="member")
    worker = workers(workspace)

    def send(topic, id, type, data=None):
        sender.of_user(workspace.topic.get(topic, workspace.events), "user-7", structured(id, type, "user-7", data))
        sender.flush()

    send("requests", 1, "role.assignment.requested", {"role": "open", "action": "add"})
    wait_until(lambda: workspace.roles("user-7") == {"open"}, what="the first role")
    send("events", 2, "journey.abandoned")
    wait_until(lambda: workspace.roles("user-7") == {"member"}, what="the baseline")
    send("directory", 3, "directory.user.updated", {"status": "active", "groups": ["staff"]})
    send("directory", 4, "directory.user.signed-in")
    wait_until(lambda: workspace.roles("user-7") == {"desk", "member"}, what="the role that waited")

    changes = [json.loads(record.value)["data"] for record in broker.read(workspace.topic["changes"])]
    assert [(change["role"], change["effective"], change["cause"], change.get("lockout")) for change in changes] == [
        ("open", True, "request", None), ("member", True, "task", None), ("open", False, "task", True),
        ("desk", True, "sign-in", None)]
    (outcome,) = [json.loads(record.value) for record in broker.read(workspace.topic["outcomes"])
                  if b"take-all" in record.value]
    (task,) = outcome["data"]["tasks"]
    assert task["lockout"] is True and task["baseline"] == "member"
    assert changes[1]["clock"][3:] == ["baseline", 10]
    (line,) = worker.lines("a removal left no role")
    assert "user=user-7 role=open automation=take-all" in line and "baseline=member" in line


LIFE = RULES + """
---
automation: give
trigger: journey.started
tasks:
  - {name: Give open, sequence: 10, type: change-role, role: open, action: add, expires-after: 3650d}
  - {name: Give shut, sequence: 20, type: change-role, role: shut, action: add}
---
automation: take-shut
trigger: journey.completed
tasks:
  - {name: Take it, sequence: 10, type: change-role, role: shut, action: remove}
"""


def send_anything(workspace, sender, dice, number):
    """One event or request; the ids make some of them duplicates."""
    users = [f"user-{each}" for each in range(25)]
    user, role, at = dice.choice(users), dice.choice(["open", "open", "shut", "member"]), time.time() - dice.choice([0, 0, 0, 5, 60])
    kind = dice.choice(["journey", "journey", "assignment", "assignment", "delegation", "delegation", "withdrawal"])
    type, topic, data = dice.choice(["journey.started", "journey.completed", "journey.abandoned"]), workspace.events, {}
    if kind != "journey":
        topic = workspace.topic["requests"]
        type, data = {
            "assignment": ("role.assignment.requested", {"role": role, "action": dice.choice(["add", "add", "remove"]), "by": "jane",
                                                         "delegation": dice.choice(["none", "holders"])}),
            "delegation": ("role.delegation.requested", {"role": role, "to": dice.choice(users), "reason": "on leave",
                                                         "until": dice.choice([None, rfc3339(at + 86400)])}),
            "withdrawal": ("role.grant.withdrawn", {"role": role, "source": dice.choice(["manual", "automation/give"])}),
        }[kind]
    id = number if dice.random() < 0.95 else dice.randrange(max(1, number))
    sender.of_user(topic, user, structured(id, type, user, data, at))


def check_requests(judge, workspace, broker):
    """What holders may hand on is asked for once, at the home of the receiver."""
    written = {}
    for record in broker.read(workspace.topic["requests"]):
        if b'"source":"/waymark"' not in record.value:
            continue
        event = json.loads(record.value)
        assert event["id"] not in written, f"{event['id']} stands twice"
        assert record.key.decode() == event["subject"] and record.partition == home(event["subject"], workspace.partitions)
        if "until" in event["data"]:
            event["data"]["until"] = model.moment(event["data"]["until"])
        written[event["id"]] = event["subject"], model.moment(event["time"]), event["data"]
    wanted = {}
    for _, fate in judge.fates:
        for event in fate.sent:
            data = {name: value for name, value in event.data.items() if value is not None}
            if "until" in data:
                data["until"] = model.moment(data["until"])
            wanted[event.attributes["id"]] = event.user, event.time, data
    assert written == wanted
    return len(written)


def test_a_killed_worker_hands_on_each_role_once(make_workspace, workers, sender, broker):
    seed = int(os.environ.get("WAYMARK_SEED", random.randrange(1 << 30)))
    print(f"WAYMARK_SEED={seed}")
    dice = random.Random(seed)
    workspace = make_workspace(LIFE, baseline="member", properties=QUICK)
    topics = [workspace.events, workspace.topic["requests"]]
    number = 0
    for kill in range(4):
        worker = workers(workspace)
        worker.wait_ready(60)
        for _ in range(150):
            number += 1
            send_anything(workspace, sender, dice, number)
        sender.flush()
        time.sleep(0.4 * dice.random())
        if kill < 3:
            worker.kill()

    def is_consumed():
        committed = broker.committed(workspace.group, *topics)
        return all(end == (committed[place] or 0) for place, end in broker.ends(*topics).items())

    wait_until(is_consumed, 60, 0.1, "the inputs to be consumed", [worker.process])
    wait_until(lambda: redis_is_caught_up(workspace), 60, 0.1, "Redis to catch up", [worker.process])
    judge = Judge(workspace, kinds={topics[0]: "events", topics[1]: "requests"})
    wrong = judge.judge()
    assert not wrong, f"{len(wrong)} complaints:\n  " + "\n  ".join(wrong[:20])
    assert check_requests(judge, workspace, broker) > 10
