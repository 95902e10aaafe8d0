"""Milestone events become roles: what a user of a fresh installation sees."""
import collections
import json
import time

import pytest

from checker import acquit
from load import RULES, Load, binary, structured
from waymark_testlib.kafka import Sender
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark

HAPPY = """
role: certified-partner
label: Certified partner
---
role: new-partner
label: New partner
---
role: gone
label: Gone
status: archived
---
channel: partner-mail
---
automation: certified-partner
owner: jane@acme.example
trigger: journey.milestone.achieved
when:
  data.journey: onboarding
  data.milestone: {in: [certified, expert]}
tasks:
  - {name: Grant the certified role, sequence: 10, type: change-role, role: certified-partner, action: add}
  - {name: Grant what is gone, sequence: 15, type: change-role, role: gone, action: add}
  - {name: Take the first role, sequence: 20, type: change-role, role: new-partner, action: remove}
  - {name: Tell the partner, sequence: 30, type: notify, channel: partner-mail, title: You are certified,
     message: "{{ data.milestone }} is done: {{ user.roles }}"}
---
automation: welcome
trigger: journey.started
tasks:
  - {name: Grant the first role, sequence: 1, type: change-role, role: new-partner, action: add}
"""


def certified(id, user="user-7", **more):
    return structured(id, user=user, data={"journey": "onboarding", "milestone": "certified"}, **more)


def test_a_milestone_grants_a_role_and_a_failed_task_does_not_stop_the_later_ones(make_workspace, workers, sender, broker):
    workspace = make_workspace(HAPPY)
    worker = workers(workspace)
    sender.of_user(workspace.events, "user-7", structured(1, "journey.started", "user-7", {"journey": "onboarding"}))
    sender.flush()
    wait_until(lambda: workspace.roles("user-7") == {"new-partner"}, what="the first role")
    sender.of_user(workspace.events, "user-7", certified(2))
    sender.flush()
    wait_until(lambda: workspace.roles("user-7") == {"certified-partner"}, what="the certified role")
    assert redis_says(workspace, "user-7", "certified-partner")

    counts = acquit(workspace, alive=[worker])
    assert (counts["outcomes"], counts["failures"], counts["notifications"], counts["registers"]) == (2, 1, 1, 1)
    assert counts["changes"] == 3

    (record,) = [record for record in broker.read(workspace.topic["outcomes"]) if b"certified-partner" in record.value]
    tasks = json.loads(record.value)["data"]["tasks"]
    assert [(task["sequence"], task["result"], task.get("code"), task.get("effective")) for task in tasks] == [
        (10, "changed", None, True), (15, "failed", "ROLE_ARCHIVED", False), (20, "changed", None, False),
        (30, "requested", None, None)]
    (record,) = broker.read(workspace.topic["notifications"])
    data = json.loads(record.value)["data"]
    assert (data["channel"], data["title"]) == ("partner-mail", "You are certified")
    assert data["message"] == "certified is done: certified-partner"


def redis_says(workspace, user, role):
    return workspace.redis.client().sismember(workspace.redis_key(user, "roles"), role)


@pytest.mark.parametrize("content_type", [b"application/cloudevents+json", b"application/cloudevents+json; charset=UTF-8",
                                          None, b"application/json"])
def test_structured_mode(content_type, make_workspace, workers, sender):
    workspace = make_workspace(HAPPY)
    headers = [("content-type", content_type)] if content_type else []
    sender.of_user(workspace.events, "user-7", certified(1), headers)
    sender.flush()
    counts = acquit(workspace, alive=[workers(workspace)])
    assert counts["decided"] == 1 and workspace.roles("user-7") == {"certified-partner"}


def test_binary_mode(make_workspace, workers, sender):
    workspace = make_workspace(HAPPY)
    value = json.dumps({"journey": "onboarding", "milestone": "expert"}).encode()
    sender.of_user(workspace.events, "user-7", value, binary(1, user="user-7", at=1_700_000_000))
    sender.flush()
    acquit(workspace, alive=[workers(workspace)])
    assert workspace.roles("user-7") == {"certified-partner"}


def test_an_event_without_a_user_fails_its_tasks(make_workspace, workers, sender, broker):
    workspace = make_workspace(HAPPY)
    sender.raw(workspace.events, certified(1, user=None), b"some key", partition=2)
    sender.raw(workspace.events, certified(2, user=None), None, partition=1)
    sender.flush()
    counts = acquit(workspace, alive=[workers(workspace)])
    assert counts["failures"] == 8
    failures = [json.loads(record.value)["data"]["task"]["code"] for record in broker.read(workspace.topic["failures"])]
    assert set(failures) == {"USER_MISSING"}


def test_an_event_twice_counts_once_and_one_that_failed_may_come_again(make_workspace, workers, sender):
    workspace = make_workspace(HAPPY + """
---
automation: fails
trigger: other.thing
tasks: [{name: Not allowed, sequence: 1, type: change-role, role: gone, action: add}]
""")
    for _ in range(3):
        sender.of_user(workspace.events, "user-7", certified(1))
        sender.of_user(workspace.events, "user-7", structured(2, "other.thing", "user-7"))
    sender.flush()
    counts = acquit(workspace, alive=[workers(workspace)])
    assert (counts["duplicate"], counts["outcomes"]) == (2, 4)


def test_events_that_wait_are_taken_up_at_the_start(make_workspace, workers, broker):
    workspace = make_workspace(RULES)
    Load(workspace, seed=1).send(3000).sender.flush()
    counts = acquit(workspace, alive=[workers(workspace)])
    assert counts["outcomes"] > 1000 and counts["rejected"] > 5 and counts["duplicate"] > 5


def test_a_failed_task_is_one_line_in_the_log(make_workspace, workers, sender):
    workspace = make_workspace(HAPPY)
    worker = workers(workspace)
    sender.of_user(workspace.events, "user-7", certified(1))
    sender.flush()
    acquit(workspace, alive=[worker])
    (line,) = worker.lines("task failed.*ROLE_ARCHIVED")
    for part in ("warning", "certified-partner", "15", "user-7", workspace.events):
        assert part in line, f"'{part}' is not in: {line}"


def test_several_input_topics(make_workspace, workers, broker):
    workspace = make_workspace(HAPPY, inputs=("events", "more"))
    sender = Sender(broker, 4)
    for number in range(300):
        user = f"user-{number % 20}"
        type = ("journey.started", "journey.milestone.achieved")[number % 3 == 0]
        value = structured(number, type, user, {"journey": "onboarding", "milestone": "certified"})
        sender.of_user(workspace.inputs[number % 2], user, value)
    sender.flush()
    counts = acquit(workspace, alive=[workers(workspace)])
    assert counts["outcomes"] == 300


def test_meta_tells_whether_redis_can_be_believed(make_workspace, workers):
    workspace = make_workspace(HAPPY)
    worker = workers(workspace)

    def meta():
        return workspace.redis.client().hgetall(f"{workspace.prefix}:meta")

    wait_until(lambda: meta().get("ready") in ("1", "true", "yes"), what="ready in wm:meta")
    alive = int(meta()["alive-at"])
    assert abs(time.time() - alive / 1000) < 60, "alive-at is the wall clock in milliseconds"
    wait_until(lambda: int(meta()["alive-at"]) > alive, what="another beat")
    worker.kill()
    time.sleep(0.5)  # its last words are with Redis
    alive = int(meta()["alive-at"])
    time.sleep(2)
    assert int(meta()["alive-at"]) == alive


def test_a_change_of_roles_is_published(make_workspace, workers, sender):
    workspace = make_workspace(HAPPY)
    listener = workspace.redis.client().pubsub()
    listener.subscribe(f"{workspace.prefix}:changes")
    assert listener.get_message(timeout=60)["type"] == "subscribe"
    worker = workers(workspace)
    for number in range(3):
        sender.of_user(workspace.events, "größe {1}", certified(number, user="größe {1}"))
    sender.flush()
    acquit(workspace, alive=[worker])
    heard = []
    while message := listener.get_message(timeout=0.5):
        heard.append(message["data"])
    assert heard == ["größe {1}"], "published once: the later events changed nothing"


TRACE, STATE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
HOP = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def traces_of(records):
    """user -> every (traceparent, tracestate) that is said of him, in values and in headers."""
    found = collections.defaultdict(set)
    for record in records:
        value, headers = json.loads(record.value), [record.header(name) for name in ("traceparent", "tracestate")]
        said = (value.get("traceparent"), value.get("tracestate"))
        assert said == tuple(header and header.decode() for header in headers)
        found[value.get("subject")].add(said)
    return found


def test_the_trace_is_passed_on(make_workspace, workers, sender, broker):
    workspace = make_workspace(HAPPY)
    headers = [("traceparent", HOP.encode()), ("tracestate", b"acme=1")]
    data = json.dumps({"journey": "onboarding", "milestone": "expert"}).encode()
    sender.of_user(workspace.events, "user-1", certified(1, "user-1", traceparent=TRACE, tracestate=STATE), headers)
    traced = [("ce_traceparent", TRACE.encode()), ("ce_tracestate", STATE.encode())]
    sender.of_user(workspace.events, "user-2", data, [*binary(2, user="user-2"), *traced, *headers])
    sender.of_user(workspace.events, "user-3", certified(3, "user-3"), headers)
    sender.of_user(workspace.events, "user-4", certified(4, "user-4", tracestate=STATE), [("traceparent", b"00-x\x1b[31m")])
    sender.of_user(workspace.events, "user-5", certified(5, "user-5", specversion="9", traceparent=TRACE, tracestate="A"))
    sender.flush()
    worker = workers(workspace)
    acquit(workspace, alive=[worker])
    expected = {"user-1": {(TRACE, STATE)}, "user-2": {(TRACE, STATE)}, "user-3": {(HOP, "acme=1")}, "user-4": {(None, None)}}
    for name in ("outcomes", "changes", "notifications"):
        assert traces_of(broker.read(workspace.topic[name])) == expected, name
    failures = broker.read(workspace.topic["failures"])
    assert traces_of(failures) == {**expected, "user-5": {(TRACE, None)}}
    (letter,) = broker.read(workspace.dlq())
    assert json.loads(letter.value)["tracestate"] == "A", "a dead letter is as it came"
    said = {user: worker.lines(f"task failed.*user={user} ") for user in expected}
    assert said["user-1"] and all(line.endswith(" trace=" + TRACE[3:35]) for line in said["user-1"] + said["user-2"])
    assert all(line.endswith(" trace=" + HOP[3:35]) for line in said["user-3"])
    assert said["user-4"] and not any("trace=" in line for line in said["user-4"])
    assert worker.lines("event rejected.*trace=" + TRACE[3:35])

    # what runs again is in the trace of the original
    again = waymark("redrive", "--code", "ROLE_ARCHIVED", "--reason", "r", "--yes", "-C", workspace.folder)
    assert again.returncode in (0, 1), again.stderr
    wait_until(lambda: len(broker.read(workspace.topic["failures"])) == len(failures) + 4, what="the redrive")
    repeated = broker.read(workspace.topic["failures"])
    assert traces_of(record for record in repeated if json.loads(record.value)["data"]["run"] != "live") == expected