"""Alerts and dashboard against real workers: every name and label that they ask for is there, and means what they think."""
import collections
import re
import time

from confluent_kafka import Producer

from load import structured
from test_metrics import RULES, Outside, send
from waymark_testlib import promql
from waymark_testlib.kafka import home
from waymark_testlib.process import wait_until


def labels_of(text):
    """metric -> label -> values, of what a worker exports; a metric without a sample has no label."""
    found = {name: collections.defaultdict(set) for name in re.findall(r"^# TYPE (\S+) ", text, re.M)}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", text, re.M):
        for label, value in re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels):
            found[name if name in found else promql.family(name)][label].add(value)
    return found


def test_rules_and_dashboard_ask_for_what_a_worker_exports(make_workspace, workers, sender):
    workspace = make_workspace(RULES)
    outside = Outside(workers(workspace))
    sent = send(workspace, sender, 60)
    wait_until(lambda: outside.by("waymark_events_total", "fate").total() == sent, what="everything to be read")
    lacking = []

    def all_there():
        lacking[:] = lacks(labels_of(outside.get("/metrics")[1]))
        return not lacking

    try:
        wait_until(all_there, what="what rules and dashboard ask for")  # a few are only told every few seconds
    except AssertionError:
        assert not lacking


def lacks(found):
    """What is asked for and not there."""
    every = {label for labels in found.values() for label in labels} | promql.OF_PROMETHEUS
    for where, expression in promql.expressions():
        asked = list(promql.selectors(expression))
        if not asked and not re.search(r"\w+:\w+:\w+", expression):
            yield where
        for name, labels in asked:
            if name in ("up", "ALERTS"):
                continue
            if promql.family(name) not in found:
                yield where, name
            for label, (operator, value) in labels.items():
                known = found[promql.family(name)][label] if promql.family(name) in found else ()
                if label in promql.OF_PROMETHEUS:
                    continue
                # results and codes appear when they come; states, reasons and failures are there from the beginning
                if not known or operator in ("=", "=~") and not any(re.fullmatch(value, one) for one in known):
                    yield where, name, label, value
        if not set(promql.grouped(expression)) <= every:
            yield where, expression


def test_roles_are_counted_as_they_are_gained_and_lost(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES)
    outside = Outside(workers(workspace))
    def moves():
        return {labels: value for (name, labels), value in outside.metrics().items() if name == "waymark_role_moves_total"}
    gained, lost = (("role", "member"), ("move", "gained")), (("role", "member"), ("move", "lost"))
    assert moves()[gained] == moves()[lost] == 0, "there before anybody has it"
    for i in range(5):
        sender.of_user(workspace.events, f"u{i}", structured(f"in{i}", user=f"u{i}", data={"milestone": "joined"}, at=time.time()))
    for i in range(2):
        out = structured(f"out{i}", user=f"u{i}", data={"milestone": "left", "score": 9}, at=time.time() + 1)
        sender.of_user(workspace.events, f"u{i}", out)
    sender.flush()
    wait_until(lambda: (moves()[gained], moves()[lost]) == (5, 2), what="the roles to be counted")
    assert len(broker.read(workspace.topic["changes"])) == 7


def test_an_open_transaction_shows_as_standing_still_and_ends_with_it(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES)
    outside = Outside(workers(workspace))

    def seconds():
        return outside.metrics()[("waymark_stuck_seconds", ())]

    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": f"hanging-{workspace.events}",
                         "transaction.timeout.ms": 300000})
    producer.init_transactions(30)
    producer.begin_transaction()
    event = structured("hangs", user="u1", data={"milestone": "joined"}, at=time.time())
    producer.produce(workspace.events, value=event, key=b"u1", partition=home("u1", 4))
    assert producer.flush(30) == 0
    sender.of_user(workspace.events, "u1", structured("waits", user="u1", data={"milestone": "joined"}, at=time.time()))
    sender.flush()
    wait_until(lambda: seconds() >= 3, what="the partition to be told as standing still")
    assert outside.by("waymark_events_total", "fate").total() == 0
    wait_until(lambda: outside.metrics()[("waymark_lag_records", ())] == 2, what="both to be told as waiting")
    producer.abort_transaction(30)
    wait_until(lambda: seconds() == 0 and outside.by("waymark_events_total", "fate").total() == 1, what="it to go on")
    # The markers behind the last event are passed as well.
    producer.begin_transaction()
    producer.produce(workspace.events, value=event, key=b"u1", partition=home("u1", 4))
    producer.commit_transaction(30)
    wait_until(lambda: outside.by("waymark_events_total", "fate").total() == 2, what="the next event to be read")
    wait_until(lambda: outside.metrics()[("waymark_lag_records", ())] == 0, what="nothing to be left")
    wait_until(lambda: workspace.lag() == 0, what="the group to have committed that, too")


def test_a_refused_reload_is_told_until_one_is_taken(make_workspace, workers):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    outside = Outside(worker)

    def failed():
        return outside.metrics()[("waymark_reload_failed", ())]

    assert failed() == 0
    workspace.write("automation: [")
    worker.reload()
    wait_until(lambda: failed() == 1, what="the refusal to be told")
    workspace.write(RULES)
    worker.reload()
    wait_until(lambda: failed() == 0, what="it to be over")
