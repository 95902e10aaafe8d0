"""Bad records: verbatim on the dead-letter topic, one failure record each, and the next record is read."""
import json
import time

from checker import acquit
from load import RULES, Load, structured
from waymark_testlib.kafka import home
from waymark_testlib.process import wait_until

GOOD = {"journey": "onboarding", "milestone": "joined"}


def test_every_code_has_its_dead_letter(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES, limits={"event-bytes": 20000})
    at, topic = home("u", 4), workspace.events

    def send(value, code, headers=(), partition=at, key=b"u", timestamp=0):
        sender.raw(topic, value, key, [("expected", code.encode()), *headers], partition, timestamp)

    send(structured(1, user="u", data={"x": "y" * 20000}), "EVENT_OVERSIZE")
    send(b"{}", "EVENT_OVERSIZE", [("large", b"x" * 20000)])
    send(structured(2, user="u", data=json.loads("[" * 40 + "]" * 40)), "EVENT_DEPTH")
    send(b"[" * 33, "EVENT_DEPTH")
    for value in (b"", b"{", b"\xff\xfe", b"null", b"[]", b"5", b'{"a":1,"a":2}', b'{"id":"\\u0000"}', b"{} {}", b"{nan}",
                  b'{"specversion":"1.0"}', structured(3, user=""), structured(3, user="a\nb"), structured(3, user="x" * 257),
                  structured("", user="u"), structured("x" * 1025, user="u"), structured(3, user="u", specversion="2.0"),
                  structured(3, user="u", at="2026-13-01T00:00:00Z"), structured(3, user="u", at="now"),
                  b'{"specversion":"1.0","id":7,"source":"/s","type":"t"}'):
        send(value, "EVENT_INVALID")
    ce = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/s"), ("ce_type", b"journey.started"),
          ("ce_subject", b"u")]
    send(b"{}", "EVENT_INVALID", [*ce, ce[1]])
    send(b"no json", "EVENT_INVALID", ce)
    send(b"{}", "EVENT_INVALID", ce[:2])
    send(b"[" + structured(3, user="u") + b"]", "EVENT_INVALID", [("content-type", b"application/cloudevents-batch+json")])
    send(structured(4, "directory.user.deleted", "u"), "EVENT_FORBIDDEN")
    send(structured(5, "role.assignment.requested", "u", {"role": "member", "action": "add"}), "EVENT_FORBIDDEN")
    send(structured(6, user="u", data=GOOD, at=time.time() + 600), "EVENT_FUTURE")
    send(structured(7, user="u", data=GOOD), "EVENT_FUTURE", timestamp=int((time.time() + 1800) * 1000))
    send(structured(8, user="u", data=GOOD), "EVENT_MISROUTED", partition=(at + 1) % 4, key=None)
    send(structured(8, user="u", data=GOOD), "EVENT_MISROUTED", partition=(at + 2) % 4)
    sender.raw(topic, None, b"u", partition=at)
    sender.raw(topic, structured(9, "nobody.listens", "u"), b"u", partition=(at + 1) % 4)
    sender.raw(topic, structured(10, "directory.later", "u"), b"u", partition=at)
    sender.of_user(topic, "u", structured(11, user="u", data=GOOD))
    sender.flush()

    worker = workers(workspace)
    counts = acquit(workspace, alive=[worker])
    letters = broker.read(workspace.dlq())
    assert counts["dead letters"] == counts["rejected"] == counts["rejections"] == len(letters) > 25
    for letter in letters:
        assert letter.header("wm-code") == letter.header("expected"), letter
    assert {letter.header("wm-code").decode() for letter in letters} == {
        "EVENT_OVERSIZE", "EVENT_DEPTH", "EVENT_INVALID", "EVENT_FORBIDDEN", "EVENT_FUTURE", "EVENT_MISROUTED"}
    assert workspace.roles("u") == {"member"}


def test_a_misrouted_event_is_told_both_partitions(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES)
    at = home("u", 4)
    sender.raw(workspace.events, structured(1, user="u", data=GOOD), b"u", partition=(at + 1) % 4)
    sender.flush()
    acquit(workspace, alive=[workers(workspace)])
    sender.raw(workspace.topic["replay"], structured(2, user="u", data=GOOD), b"u", partition=(at + 2) % 4, headers=[
        ("wm-run", b"again"), ("wm-origin-topic", workspace.events.encode()), ("wm-origin-partition", b"0"),
        ("wm-origin-offset", b"7"), ("wm-origin-timestamp", str(int(time.time() * 1000)).encode())])
    sender.flush()
    failures = wait_until(lambda: len(found := broker.read(workspace.topic["failures"])) == 2 and found, 30)
    found = {json.loads(failure.value)["data"]["run"]: failure for failure in failures}
    for run, partition in (("live", (at + 1) % 4), ("again", (at + 2) % 4)):
        data = json.loads(found[run].value)["data"]
        assert data["code"] == "EVENT_MISROUTED" and data["reason"] == "partition"
        assert str(at) in data["message"] and str(partition) in data["message"]
        assert found[run].partition == at, "the record of a user's failure goes to his home"
        assert found[run].header("wm-run") == run.encode()
    assert workspace.roles("u") == set()


def test_huge_records_do_not_stop_it(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    for size in (524288, 900_000, 2_000_000, 7_000_000):
        sender.of_user(workspace.events, "u", b"x" * size, [("h", b"\x00\xff")])
    sender.of_user(workspace.events, "u", structured(1, user="u", data=GOOD))
    sender.flush()
    wait_until(lambda: workspace.roles("u") == {"member"}, what="the event behind the huge ones")
    counts = acquit(workspace, alive=[worker])
    assert counts["dead letters"] == 4 and worker.running()


def test_mostly_poison(make_workspace, workers):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    Load(workspace, seed=2, poison=0.8).send(2000).sender.flush()
    counts = acquit(workspace, alive=[worker])
    assert counts["dead letters"] > 1000 and worker.running()


def test_a_task_that_fails_for_every_event_does_not_flood_the_log(make_workspace, workers, sender):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    for number in range(5000):
        sender.of_user(workspace.events, "u", structured(number, "other.thing", "u"))
    sender.flush()
    counts = acquit(workspace, alive=[worker])
    assert counts["failures"] == 15000
    assert len(worker.lines("ENTITY_NOT_ALLOWED")) < 5000
