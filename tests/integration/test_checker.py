"""The judge acquits an honest worker and notices each small lie."""
import dataclasses
import json

import pytest

from checker import Judge
from load import BASELINE, LIVES, Load, switch
from scribe import Scribe, create_topics
from waymark_testlib.workspace import Workspace


@pytest.fixture(scope="module")
def honest(broker, shared_redis, tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("honest"), broker, shared_redis, documents=LIVES, baseline=BASELINE)
    create_topics(workspace)
    scribe = Scribe(workspace)
    load = Load(workspace, seed=7, poison=0.05, lives="calm")
    words = [None, switch("automation", "f-season", False), switch("role", "season", True), switch("automation", "g-quiet", True),
             switch("role", "season", None)]
    for word in words:
        if word:
            load.sender.raw(workspace.topic["control"], word[1], word[0], (), 0)
        load.send(160).sender.flush()
        scribe.work()
    return workspace


def test_an_honest_worker_is_acquitted(honest):
    judge = Judge(honest)
    assert judge.judge() == []
    for what in ("outcomes", "failures", "rejections", "dead letters", "notifications", "registers", "changes",
                 "duplicate", "skipped", "rejected", "decided", "handed on", "changes by catalogue"):
        assert judge.counts[what] > 0, what


@pytest.fixture(scope="module")
def truth(honest):
    judge = Judge(honest)
    judge.read()
    return judge


@pytest.fixture
def liar(honest, truth):
    judge = Judge(honest)
    judge.inputs = truth.inputs
    judge.outputs = {name: list(records) for name, records in truth.outputs.items()}
    judge.dead = {name: list(records) for name, records in truth.dead.items()}
    judge.inputs = {name: list(records) for name, records in truth.inputs.items()}
    judge.control = list(truth.control)
    return judge


def edited(record, edit):
    body = json.loads(record.value)
    edit(body)
    return dataclasses.replace(record, value=json.dumps(body).encode())


@pytest.mark.parametrize("name", ["outcomes", "failures", "notifications", "changes"])
def test_a_lost_record(liar, name):
    del liar.outputs[name][len(liar.outputs[name]) // 2]
    assert liar.weigh()


@pytest.mark.parametrize("name", ["outcomes", "failures", "notifications", "changes"])
def test_a_doubled_record(liar, name):
    liar.outputs[name].append(liar.outputs[name][3])
    assert any("twice" in sentence for sentence in liar.weigh())


@pytest.mark.parametrize("name", ["outcomes", "failures"])
def test_a_record_that_nobody_asked_for(liar, name):
    def rename(body):
        body["id"] += "x"
    liar.outputs[name].append(edited(liar.outputs[name][3], rename))
    assert any("no reason to be" in sentence for sentence in liar.weigh())


def origin(record):
    return json.loads(record.value)["data"]["origin"]


def test_outcomes_in_another_order(liar):
    records = liar.outputs["outcomes"]
    one = 10
    two = next(at for at in range(one + 1, len(records)) if records[at].partition == records[one].partition
               and origin(records[at])["topic"] == origin(records[one])["topic"])
    records[one], records[two] = (dataclasses.replace(records[one], offset=records[two].offset),
                                  dataclasses.replace(records[two], offset=records[one].offset))
    assert any("out of order" in sentence for sentence in liar.weigh())


def change_task(member, value):
    def edit(body):
        body["data"]["tasks"][0][member] = value
    return edit


@pytest.mark.parametrize("edit", [
    change_task("result", "held"), change_task("code", "STOPPED"), change_task("effective", "?"), change_task("sequence", 99),
    change_task("lockout", "?"), change_task("dropped", ["automation/x"]),
    lambda body: body["data"].update(run="other"), lambda body: body["data"]["origin"].update(offset=10**6),
    lambda body: body["data"]["tasks"].pop(), lambda body: body.update(subject="somebody"),
    lambda body: body.update(time="2020-01-01T00:00:00Z"), lambda body: body["data"].update(version="new"),
])
def test_a_wrong_outcome(liar, edit):
    liar.outputs["outcomes"][5] = edited(liar.outputs["outcomes"][5], edit)
    assert liar.weigh()


def test_a_lost_dead_letter(liar):
    next(iter(liar.dead.values())).pop()
    assert any("is lost" in sentence for sentence in liar.weigh())


@pytest.mark.parametrize("change", [
    lambda letter: {"value": (letter.value or b"") + b" "}, lambda letter: {"key": b"another"},
    lambda letter: {"timestamp": letter.timestamp + 1}, lambda letter: {"headers": letter.headers[:-1]},
    lambda letter: {"headers": tuple((name, b"\0" if name.endswith("original-partition") else value)
                                     for name, value in letter.headers)},
])
def test_a_wrong_dead_letter(liar, change):
    letters = next(iter(liar.dead.values()))
    letters[2] = dataclasses.replace(letters[2], **change(letters[2]))
    assert liar.weigh()


def last_of(liar, wanted):
    """Where the newest register with wanted(register) stands."""
    seen = set()
    records = liar.outputs["users"]
    for at in reversed(range(len(records))):
        if records[at].key not in seen and records[at].key != b"\0log" and wanted(json.loads(records[at].value)):
            return at
        seen.add(records[at].key)
    raise AssertionError("no such register")


def grant(register):
    return next((grant for role in register["roles"].values() for grant in role["grants"].values()), None)


@pytest.mark.parametrize("edit", [
    lambda register: grant(register).update(until=1), lambda register: grant(register)["clock"].__setitem__(0, 1),
    lambda register: register["roles"].clear(), lambda register: register.update(cleared=[1, "", "", "", 0]),
    lambda register: register.update(home=99), lambda register: register["roles"].update(x={"removed": [1, "", "", "", 0], "grants": {}}),
    lambda register: grant(register)["by"].update(offset=-1),
])
def test_a_wrong_register(liar, edit):
    at = last_of(liar, grant)
    liar.outputs["users"][at] = edited(liar.outputs["users"][at], edit)
    assert liar.weigh()


def test_a_tombstone(liar):
    liar.outputs["users"].append(dataclasses.replace(liar.outputs["users"][9], value=None))
    assert any("tombstone" in sentence for sentence in liar.weigh())


def test_lies_in_redis(liar, honest):
    client = honest.redis.client()
    user = json.loads(liar.outputs["users"][last_of(liar, grant)].value)["user"]
    roles, stored = honest.redis_key(user, "roles"), honest.redis_key(user, "user")

    def complaints():
        fresh = Judge(honest)
        fresh.inputs, fresh.outputs, fresh.dead, fresh.control = liar.inputs, liar.outputs, liar.dead, liar.control
        return fresh.weigh()

    assert complaints() == []
    before = client.hgetall(stored), client.smembers(roles)
    client.sadd(roles, "lie")
    assert complaints()
    client.srem(roles, "lie")
    client.hset(stored, "register", "{}")
    assert complaints()
    client.hset(stored, mapping={**before[0], "at": 5})
    assert complaints()
    client.delete(stored)
    assert complaints()
    client.hset(stored, mapping=before[0])
    client.set(honest.redis_key("nobody", "user"), "x")
    assert complaints()
    client.delete(honest.redis_key("nobody", "user"))
    progress = client.hgetall(f"{honest.prefix}:progress")
    client.hset(f"{honest.prefix}:progress", "0", 1)
    assert complaints()
    client.hset(f"{honest.prefix}:progress", mapping=progress)
    assert complaints() == []


# --- what the directory, people and control decide ---

def where(records, wanted):
    """The index of the last record whose body is as wanted."""
    return next(at for at in reversed(range(len(records))) if records[at].value and records[at].value.startswith(b"{")
                and wanted(json.loads(records[at].value)))


def tell(liar, name, wanted, edit):
    at = where(liar.outputs[name], wanted)
    liar.outputs[name][at] = edited(liar.outputs[name][at], edit)


def task_of(body):
    return body["data"]["tasks"][0]


@pytest.mark.parametrize("wanted, edit", [
    (lambda task: task["type"] == "delegate", lambda task: task.update(to="somebody")),
    (lambda task: task["type"] == "delegate" and task["result"] == "requested", lambda task: task.update(result="failed")),
    (lambda task: task.get("action") == "withdraw", lambda task: task.update(source="automation/x")),
    (lambda task: task.get("baseline"), lambda task: task.pop("baseline")),
    (lambda task: task.get("action") == "remove" and not task.get("baseline"), lambda task: task.update(baseline="guest")),
])
def test_a_wrong_outcome_of_a_request(liar, wanted, edit):
    tell(liar, "outcomes", lambda body: wanted(task_of(body)), lambda body: edit(task_of(body)))
    assert liar.weigh()


def handed_on(liar):
    records = liar.inputs[liar.workspace.topic["requests"]]
    return records, where(records, lambda body: body.get("source") == "/waymark")


def test_a_request_that_was_not_handed_on(liar):
    records, at = handed_on(liar)
    del records[at]
    assert any("is lost" in sentence for sentence in liar.weigh())


def test_a_request_that_was_handed_on_twice(liar):
    records, at = handed_on(liar)
    records.append(dataclasses.replace(records[at], offset=10**6))
    assert any("stands twice" in sentence for sentence in liar.weigh())


@pytest.mark.parametrize("edit", [
    lambda body: body["data"].update(by="jane"), lambda body: body["data"].update(until="2099-01-01T00:00:00Z"),
    lambda body: body.update(id="delegation:x/0/1"), lambda body: body.update(id="another"),
    lambda body: body.update(time="2026-01-01T00:00:00Z"), lambda body: body["data"].update(role="root"),
])
def test_a_request_that_was_handed_on_otherwise(liar, edit):
    records, at = handed_on(liar)
    records[at] = edited(records[at], edit)
    assert liar.weigh()


def test_a_request_that_went_to_another_home(liar):
    records, at = handed_on(liar)
    other = (records[at].partition + 1) % liar.workspace.partitions
    records[at] = dataclasses.replace(records[at], partition=other, offset=10**6)
    assert liar.weigh()


def by_source(register, source):
    return next((grant for role in register["roles"].values() for name, grant in role["grants"].items()
                 if name == source and grant.get("clock")), None)


def standing(register):
    """Was not deleted later."""
    return not register["cleared"] and register.get("profile")


@pytest.mark.parametrize("wanted, edit", [
    (lambda register: register.get("signed-in"), lambda register: register.update({"signed-in": None})),
    (lambda register: register.get("signed-in"), lambda register: register["signed-in"].__setitem__(0, 1)),
    (standing, lambda register: register["profile"].update(status="deleted")),
    (standing, lambda register: register["profile"]["clock"].__setitem__(2, "x")),
    (lambda register: (by_source(register, "manual") or {}).get("by", {}).get("delegation"),
     lambda register: by_source(register, "manual")["by"].pop("delegation")),
    (lambda register: by_source(register, "manual") and not register["cleared"],
     lambda register: by_source(register, "manual").update(taken=[1 << 60, "", "", "", 0])),
    (lambda register: by_source(register, "automation/baseline"),
     lambda register: by_source(register, "automation/baseline")["clock"].__setitem__(4, 99)),
])
def test_a_wrong_register_of_somebody_in_the_directory(liar, wanted, edit):
    at = last_of(liar, wanted)
    liar.outputs["users"][at] = edited(liar.outputs["users"][at], edit)
    assert liar.weigh()


@pytest.mark.parametrize("cause, edit", [
    ("profile", lambda data: data.update(cause="task")), ("request", lambda data: data.update(cause="sign-in")),
    ("deletion", lambda data: data.pop("lockout")), ("catalogue", lambda data: data.update(effective=not data["effective"])),
    ("catalogue", lambda data: data.update(role="member")),
])
def test_a_wrong_change(liar, cause, edit):
    tell(liar, "changes", lambda body: body["data"]["cause"] == cause, lambda body: edit(body["data"]))
    assert liar.weigh()


def test_a_change_of_the_catalogue_that_is_not_told(liar):
    del liar.outputs["changes"][where(liar.outputs["changes"], lambda body: body["data"]["cause"] == "catalogue")]
    assert liar.weigh()


def test_a_change_of_the_catalogue_may_stand_twice(liar):
    at = where(liar.outputs["changes"], lambda body: body["data"]["cause"] == "catalogue")
    liar.outputs["changes"].append(dataclasses.replace(liar.outputs["changes"][at], offset=10**6))
    assert liar.weigh() == []


def test_a_switch_that_did_not_count(liar):
    """The automation ran before it was off; an hour later it does not run any more without one."""
    del liar.control[0]
    assert any("is lost" in sentence for sentence in liar.weigh())


def test_a_switch_that_nobody_said(liar, honest):
    word = switch("automation", "a-member", False)
    first = min(record.timestamp for record in honest.broker.read(honest.events))
    liar.control.insert(0, dataclasses.replace(liar.control[0], key=word[0], value=word[1], timestamp=first - 10_000))
    assert any("no reason to be" in sentence for sentence in liar.weigh())


def test_a_switch_that_came_too_late(liar):
    """It counts for all that was sent FOLLOWED later, and these events were not."""
    at = next(at for at, record in enumerate(liar.control) if record.key == b"automation/g-quiet")
    liar.control[at] = dataclasses.replace(liar.control[at], timestamp=liar.control[at].timestamp - 3_600_000)
    liar.control.sort(key=lambda record: record.timestamp)
    assert liar.weigh()


def test_a_switch_that_goes_back_on_one_partition(liar):
    """Off for one event between two that it ran for."""
    def ran(body):
        return body["data"].get("automation") == "g-quiet"
    records = liar.outputs["outcomes"]
    of_one = [at for at, record in enumerate(records) if record.partition == 0 and ran(json.loads(record.value))]
    del records[of_one[len(of_one) // 2]]
    assert liar.weigh()


def test_lies_about_ends(liar, honest):
    client = honest.redis.client()
    key = f"{honest.prefix}:ends"
    user, end = client.zrange(key, -1, -1, withscores=True)[0]
    client.zadd(key, {user: end + 60_000_000})
    assert any("next end" in sentence for sentence in liar.weigh())
    client.zadd(key, {user: end})
