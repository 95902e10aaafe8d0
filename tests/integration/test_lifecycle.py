"""Starting, stopping, reloading, refusing: the worker as an operator meets it."""
import json
import signal
import time

import pytest

from checker import acquit, settle
from crashes import QUICK
from load import RULES, Load, structured
from model import Catalogue
from waymark_testlib.kafka import Sender, home
from waymark_testlib.process import free_ports, wait_until
from waymark_testlib.redis_server import Redis
from waymark_testlib.worker import waymark, waymark_waits

ENDS = 8  # seconds: five are promised, and waymarkd cuts itself short after four; the rest is for a machine that is busy
SMALL = """
role: r
label: R
---
automation: give
trigger: journey.started
tasks: [{name: Grant, sequence: 1, type: change-role, role: r, action: add}]
"""


def started(sender, workspace, number, user="u"):
    sender.of_user(workspace.events, user, structured(number, "journey.started", user, {}))
    sender.flush()


# --- stopping ---

def test_sigterm_at_rest_ends_with_0_at_once(make_workspace, workers, sender):
    workspace = make_workspace(SMALL)
    worker = workers(workspace)
    started(sender, workspace, 1)
    settle(workspace)
    code, seconds = worker.terminate()
    assert code == 0 and seconds < ENDS


def test_sigterm_under_load_ends_within_5_s_and_hands_over(make_workspace, workers):
    workspace = make_workspace(RULES, properties={"session.timeout.ms": "60000"})
    load = Load(workspace, 3, rate=1000).start()
    for _ in range(3):
        worker = workers(workspace)
        time.sleep(1)
        code, seconds = worker.terminate()
        assert code == 0 and seconds < ENDS, f"exit {code} after {seconds} s"
    load.stop()
    began = time.monotonic()
    worker = workers(workspace)
    assert time.monotonic() - began < 50, "the one before did not leave the group"
    acquit(workspace, [worker])


def test_sigterm_while_the_broker_hangs_ends_within_5_s_all_the_same(make_workspace, workers, broker):
    workspace = make_workspace(RULES)
    load = Load(workspace, 3, rate=300).start()
    worker = workers(workspace)
    time.sleep(1)
    broker.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(0.3)
        code, seconds = worker.terminate()
    finally:
        broker.process.send_signal(signal.SIGCONT)
    assert code in (0, 75) and seconds < ENDS, f"exit {code} after {seconds} s"
    load.stop()
    acquit(workspace, [workers(workspace)])


def test_sigterm_while_redis_is_away(own_redis, make_workspace, workers, sender):
    workspace = make_workspace(SMALL, redis=own_redis)
    worker = workers(workspace)
    own_redis.kill()
    started(sender, workspace, 1)
    time.sleep(1)
    code, seconds = worker.terminate()
    assert code == 0 and seconds < ENDS
    own_redis.start()
    acquit(workspace, [workers(workspace)])


def test_sigterm_while_it_looks_for_brokers_at_its_start(make_workspace, workers):
    workspace = make_workspace(SMALL, topics=False)
    workspace.settings["kafka"]["bootstrap"] = f"127.0.0.1:{free_ports(1)[0]}"
    workspace.write_settings()
    worker = workers(workspace, ready=False)
    worker.wait_said("serves metrics and health")
    assert worker.terminate()[0] == 0
    assert worker.lines("stopped before brokers and redis were found")


def test_sigint_is_a_request_to_stop(make_workspace, workers):
    worker = workers(make_workspace(SMALL))
    worker.process.send_signal(2)
    assert worker.wait() == 0


# --- reloading ---

def test_a_reload_takes_effect(make_workspace, workers, sender):
    workspace = make_workspace(SMALL)
    worker = workers(workspace)
    started(sender, workspace, 1)
    settle(workspace)
    workspace.write(SMALL.replace("add", "remove"))
    worker.reload()
    worker.wait_said("reloaded")
    started(sender, workspace, 2)
    wait_until(lambda: workspace.roles("u") == set(), what="the new rule")
    outcomes = [json.loads(record.value)["data"] for record in workspace.broker.read(workspace.topic["outcomes"])]
    assert [data["tasks"][0]["action"] for data in outcomes] == ["add", "remove"]
    assert outcomes[0]["version"] != outcomes[1]["version"]


def test_an_invalid_workspace_is_refused_and_the_old_one_stays(make_workspace, workers, sender):
    workspace = make_workspace(SMALL)
    worker = workers(workspace)
    workspace.write(SMALL.replace("action: add", "acton: add"))
    worker.reload()
    worker.wait_said("rules.yaml:.*acton")
    started(sender, workspace, 1)
    wait_until(lambda: workspace.roles("u") == {"r"}, what="the old rule")
    assert worker.running()


def test_a_reload_tells_what_needs_a_restart_and_what_can_not_work(make_workspace, workers):
    workspace = make_workspace(SMALL)
    worker = workers(workspace)
    workspace.settings["kafka"]["group"] += "-other"
    workspace.settings["limits"] = {"batch-events": 10}
    workspace.write_settings()
    workspace.write(SMALL.replace("role: r, action", "role: nobody, action"))
    worker.reload()
    told = worker.wait_said("needs a restart")
    assert len(told) == 1 and "setting=kafka.group" in told[0]
    worker.wait_said(r"rules\.yaml:\d+:\d+: error: .*ROLE_UNKNOWN")
    assert worker.running()


def test_reloads_under_load_lose_nothing(make_workspace, workers):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    load = Load(workspace, 4, rate=500).start()
    for number in range(8):
        workspace.write(RULES + f"\n---\nrole: extra-{number}\nlabel: Extra {number}\n")
        worker.reload()
        time.sleep(0.3)
    load.stop()
    acquit(workspace, [worker])


# --- time and catalogue reach Redis without any event ---

# Within two seconds: tests/simulation/rules_time.c counts them. Here the machine may have much else to do.
LATE = 30
TURN = 8  # seconds


def is_over(moment):
    return time.time() > moment


def test_a_grant_that_ends_leaves_redis(make_workspace, workers, sender):
    rules = SMALL.replace("action: add", "action: add, expires-after: 3s")
    workspace = make_workspace(rules)
    worker = workers(workspace)
    at = time.time()
    sender.of_user(workspace.events, "u", structured(1, "journey.started", "u", {}, at=at))
    sender.flush()
    wait_until(lambda: workspace.roles("u") == {"r"} or is_over(at + 3), 60, 0.02, what="the role")
    wait_until(lambda: not workspace.roles("u"), 60, 0.02, what="the end of the role")
    assert -0.1 < time.time() - (at + 3) < LATE
    wait_until(lambda: len(workspace.broker.read(workspace.topic["changes"])) == 2, what="the change")
    counts = acquit(workspace, [worker])
    assert counts["changes"] == 2


def test_a_criterion_that_goes_by_time_reaches_redis(make_workspace, workers, sender):
    """For who was there before the catalogue had it, and for who comes later."""
    rules = "\n---\n".join(f"role: {role}\nassigned-when:\n  - when: {{ user.attributes.came: {{ {test}: {TURN}s }} }}"
                           for role, test in (("new", "within"), ("old", "older-than")))
    workspace = make_workspace("role: new\nassigned-when:\n  - when: { user.attributes.came: { present: true } }")
    worker = workers(workspace)

    def come(user):
        came = int(time.time())
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(came))
        sender.of_user(workspace.topic["directory"], user, structured(
            user, "directory.user.updated", user, {"status": "active", "attributes": {"came": moment}}, at=came))
        sender.flush()
        wait_until(lambda: workspace.roles(user) == {"new"} or is_over(came + TURN), 60, 0.02, what="the role of who has come")
        return came

    turns = {"u": come("u")}
    workspace.write(rules)
    worker.reload()
    worker.wait_said("reloaded")
    turns["v"] = come("v")
    for user, came in turns.items():
        wait_until(lambda: workspace.roles(user) == {"old"}, 60, 0.02, what="the turn")
        assert 0 < time.time() - came - TURN < LATE
    wait_until(lambda: len(workspace.broker.read(workspace.topic["changes"])) == 6, what="the changes")
    changes = {}
    for record in workspace.broker.read(workspace.topic["changes"]):
        change = json.loads(record.value)
        changes.setdefault(change["subject"], []).append(change["data"])
    for told in changes.values():
        assert [(change["role"], change["effective"], change["cause"]) for change in told] == [
            ("new", True, "profile"), ("new", False, "expiry"), ("old", True, "expiry")]


def test_grants_that_ended_while_no_worker_was_there(make_workspace, workers, sender):
    workspace = make_workspace(SMALL.replace("action: add", "action: add, expires-after: 5s"))
    worker = workers(workspace)
    users = [f"u{number}" for number in range(20)]
    at = time.time()
    for number, user in enumerate(users):
        sender.of_user(workspace.events, user, structured(number, "journey.started", user, {}, at=at))
    sender.flush()
    wait_until(lambda: all(workspace.roles(user) for user in users) or is_over(at + 5), what="the roles")
    worker.terminate()
    time.sleep(max(0.0, at + 5 - time.time()))
    workers(workspace)
    wait_until(lambda: not any(workspace.roles(user) for user in users), what="the ends")
    wait_until(lambda: len(workspace.broker.read(workspace.topic["changes"])) >= 40, what="the changes")
    acquit(workspace)


def test_a_catalogue_status_reaches_redis_and_comes_back(make_workspace, workers, sender):
    workspace = make_workspace(SMALL)
    worker = workers(workspace)
    for number in range(50):
        started(sender, workspace, number, f"u{number}")
    settle(workspace)
    decided_under = Catalogue(workspace.folder)
    for status, roles in (("archived", set()), ("active", {"r"}), ("inactive", set())):
        workspace.write(SMALL.replace("label: R", f"label: R\nstatus: {status}"))
        worker.reload()
        wait_until(lambda: all(workspace.roles(f"u{number}") == roles for number in range(50)),
                   what=f"the roles to be {roles}")
    wait_until(lambda: len(workspace.broker.read(workspace.topic["changes"])) >= 200, what="the changes")
    counts = acquit(workspace, [worker], catalogue=decided_under)
    assert counts["changes"] == 200


def test_a_catalogue_that_changed_while_no_worker_was_there(make_workspace, workers, sender):
    workspace = make_workspace(SMALL)
    worker = workers(workspace)
    started(sender, workspace, 1)
    settle(workspace)
    worker.terminate()
    workspace.write(SMALL.replace("label: R", "label: R\nstatus: archived"))
    workers(workspace)
    wait_until(lambda: not workspace.roles("u"), what="the role to be out of force")


# --- transactions of others ---

def test_what_no_reader_sees_at_the_end_of_an_input_is_passed(make_workspace, workers, broker):
    """Else retention deletes "unread" offsets of a quiet partition, and the next assignment is refused."""
    workspace = make_workspace(SMALL)
    workers(workspace)
    sender = Sender(broker, 4, **{"transactional.id": workspace.id})
    sender.producer.init_transactions()
    for number, end in enumerate((sender.producer.commit_transaction, sender.producer.abort_transaction)):
        sender.producer.begin_transaction()
        sender.of_user(workspace.events, "u", structured(number, "journey.started", "u", {}))
        sender.flush()
        end()
    key = workspace.events, home("u", 4)
    wait_until(lambda: broker.ends(workspace.events)[key] == 4, what="a record, its marker, another, its marker")
    wait_until(lambda: broker.committed(workspace.group, workspace.events)[key] == 4, what="the end")
    wait_until(lambda: workspace.roles("u") == {"r"}, what="the role")


def test_birth_records_that_are_being_committed_are_waited_for(make_workspace, broker):
    """The broker answers a commit before the records are there for a reader of committed ones."""
    workspace = make_workspace(SMALL)
    users = workspace.topic["users"]
    births = broker.read(users)
    assert len(births) == 4
    broker.delete_topics([users])
    wait_until(lambda: users not in broker.topics(), what="the topic to be gone")
    broker.create_topics([users], 4, cleanup_policy="compact")
    writer = Sender(broker, 4, **{"transactional.id": workspace.id})
    writer.producer.init_transactions(20)
    writer.producer.begin_transaction()
    for birth in births:
        writer.raw(users, birth.value, birth.key, partition=birth.partition)
    writer.flush()
    assert waymark_waits("topics", "check", "-C", workspace.folder, until=writer.producer.commit_transaction) == 0


# --- refusing ---

def refused(worker, *words, codes=(78,)):
    code = worker.wait()
    said = worker.said()
    assert code in codes, f"exit {code}: {said[-2000:]}"
    for word in words:
        assert word in said, f"'{word}' is not in: {said[-2000:]}"


def test_missing_topics(make_workspace, workers):
    workspace = make_workspace(SMALL, topics=False)
    refused(workers(workspace, ready=False), workspace.id)


def test_a_missing_input_topic(make_workspace, workers, broker):
    workspace = make_workspace(SMALL)
    broker.delete_topics([workspace.events])
    wait_until(lambda: workspace.events not in broker.topics())
    refused(workers(workspace, ready=False), workspace.events)


def test_a_topic_with_another_number_of_partitions(make_workspace, workers, broker):
    workspace = make_workspace(SMALL)
    broker.add_partitions(workspace.events, 5)
    refused(workers(workspace, ready=False), workspace.events)


def test_a_number_of_partitions_that_is_not_the_recorded_one(make_workspace, workers):
    workspace = make_workspace(SMALL)
    workspace.settings["kafka"]["partitions"] = 5
    workspace.write_settings()
    refused(workers(workspace, ready=False), "partition")


def test_a_number_of_partitions_that_changes_while_it_runs(make_workspace, workers, broker):
    workspace = make_workspace(SMALL, properties={"topic.metadata.refresh.interval.ms": "1000"})
    worker = workers(workspace)
    broker.add_partitions(workspace.events, 5)
    refused(worker, workspace.events, codes=(75, 78))


@pytest.mark.parametrize("name", ["events", "control"])
def test_a_topic_that_goes_while_it_runs(name, make_workspace, workers, broker):
    """librdkafka never gets rid of a consumer whose topic was deleted; the worker ends all the same."""
    workspace = make_workspace(SMALL)
    topic = workspace.events if name == "events" else workspace.topic[name]
    worker = workers(workspace)
    broker.delete_topics([topic])
    refused(worker, f"topic '{topic}' is gone", codes=(78,))


def test_a_register_that_somebody_else_wrote(make_workspace, workers, sender):
    """To start again would change nothing: a supervisor must not try for ever."""
    workspace = make_workspace(SMALL)
    sender.of_user(workspace.topic["users"], "u1", b"no register")
    sender.flush()
    refused(workers(workspace, ready=False), "REGISTER_INVALID", "'u1'", codes=(78,))


def test_a_redis_that_evicts(tmp_path, make_workspace, workers):
    redis = Redis(tmp_path / "redis", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru").start()
    try:
        refused(workers(make_workspace(SMALL, redis=redis), ready=False), "noeviction", codes=(75, 78))
    finally:
        redis.stop()


def test_an_invalid_workspace(make_workspace, workers):
    workspace = make_workspace(SMALL)
    workspace.write(SMALL.replace("trigger:", "triger:"))
    refused(workers(workspace, ready=False), "rules.yaml", "triger", "trigger")


@pytest.mark.parametrize("name", ["isolation.level", "enable.auto.commit", "partition.assignment.strategy", "transactional.id"])
def test_a_property_that_the_design_depends_on(name, make_workspace, workers):
    workspace = make_workspace(SMALL)
    workspace.settings["kafka"]["properties"] = {name: "true" if name.startswith("enable") else "read_uncommitted"}
    workspace.write_settings()
    refused(workers(workspace, ready=False), name)


def test_an_unknown_setting(make_workspace, workers):
    workspace = make_workspace(SMALL)
    workspace.settings["kafka"]["bootsrap"] = "x"
    workspace.write_settings()
    refused(workers(workspace, ready=False), "bootsrap", "bootstrap")


def test_two_workers_with_one_instance(make_workspace, workers, sender):
    workspace = make_workspace(SMALL, properties=QUICK)
    both = [workers(workspace, "first"), workers(workspace, "second", ready=False)]
    number = 0

    def one_has_ended():
        nonlocal number
        number += 1
        started(sender, workspace, number, f"u{number % 20}")
        return [worker for worker in both if not worker.running()]

    (ended, *_) = wait_until(one_has_ended, 60, 0.2, "one of the two to end")
    assert ended.process.returncode == 75, ended.said()[-2000:]
    assert workspace.group in ended.said() and "worker-1" in ended.said()
    assert "transactional" in ended.said() and "instance" in ended.said()
    wait_until(lambda: any(worker.running() for worker in both), what="one that goes on")
    (left,) = [worker for worker in both if worker.running()]
    acquit(workspace, [left])


# --- topics ---

def test_topics_check_agrees_with_topics_create(make_workspace, broker):
    workspace = make_workspace(SMALL)
    done = waymark("topics", "check", "-C", workspace.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    again = waymark("topics", "create", "-C", workspace.folder, "--yes")
    assert again.returncode == 0, again.stdout + again.stderr
    counts = broker.topics()
    for name in ("users", "outcomes", "changes", "failures", "notifications"):
        assert counts[workspace.topic[name]] == 4
    assert counts[workspace.topic["control"]] == 1 and counts[workspace.dlq()] == 4 and counts[workspace.events] == 4
    births = broker.read(workspace.topic["users"])
    assert [record.key for record in births] == [b"\0log"] * 4, "one birth record in each partition, however often"


def test_topics_check_names_what_is_missing(make_workspace, broker):
    workspace = make_workspace(SMALL)
    broker.delete_topics([workspace.topic["changes"]])
    wait_until(lambda: workspace.topic["changes"] not in broker.topics())
    done = waymark("topics", "check", "-C", workspace.folder)
    assert done.returncode == 1 and workspace.topic["changes"] in done.stdout + done.stderr


def test_topics_without_a_broker(make_workspace):
    workspace = make_workspace(SMALL, topics=False)
    workspace.settings["kafka"]["bootstrap"] = "127.0.0.1:1"
    workspace.write_settings()
    done = waymark("topics", "check", "-C", workspace.folder)
    assert done.returncode == 3, done.stdout + done.stderr


def test_a_users_topic_made_anew_is_noticed(own_redis, make_workspace, workers, sender, broker):
    workspace = make_workspace(SMALL, redis=own_redis)
    worker = workers(workspace)
    started(sender, workspace, 1)
    settle(workspace)
    worker.terminate()
    broker.delete_topics([workspace.topic["users"]])
    wait_until(lambda: workspace.topic["users"] not in broker.topics())
    workspace.create_topics()
    refused(workers(workspace, ready=False), "incarnation", codes=(75, 78))
    assert workspace.roles("u") == {"r"}, "Redis was emptied without being asked"
