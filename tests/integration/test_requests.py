"""What the role model adds to the main job, through Kafka and Redis: delegation, the baseline, sign-ins."""
import json

from load import structured
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
    wait_until(lambda: workspace.roles(giver) == {"open"}, 10, what="the giver's role")
    request(2, "delegation", {"role": "open", "to": receiver, "reason": "on leave"})
    request(3, "delegation", {"role": "shut", "to": receiver})
    wait_until(lambda: workspace.roles(receiver) == {"open"}, 10, what="the receiver's role")

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
    wait_until(lambda: workspace.roles("user-7") == {"open"}, 10, what="the first role")
    send("events", 2, "journey.abandoned")
    wait_until(lambda: workspace.roles("user-7") == {"member"}, 10, what="the baseline")
    send("directory", 3, "directory.user.updated", {"status": "active", "groups": ["staff"]})
    send("directory", 4, "directory.user.signed-in")
    wait_until(lambda: workspace.roles("user-7") == {"desk", "member"}, 10, what="the role that waited")

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
