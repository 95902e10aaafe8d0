"""The judge acquits an honest worker and notices each small lie."""
import dataclasses
import json

import pytest

from checker import Judge
from load import RULES, Load
from scribe import Scribe, create_topics
from waymark_testlib.workspace import Workspace


@pytest.fixture(scope="module")
def honest(broker, shared_redis, tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("honest"), broker, shared_redis, documents=RULES)
    create_topics(workspace)
    Load(workspace, seed=7, poison=0.05).send(700).sender.flush()
    Scribe(workspace).work()
    return workspace


def test_an_honest_worker_is_acquitted(honest):
    judge = Judge(honest)
    assert judge.judge() == []
    for what in ("outcomes", "failures", "rejections", "dead letters", "notifications", "registers", "changes",
                 "duplicate", "skipped", "rejected", "decided"):
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


def test_outcomes_in_another_order(liar):
    records = liar.outputs["outcomes"]
    one = 10
    two = next(at for at in range(one + 1, len(records)) if records[at].partition == records[one].partition)
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
        fresh.inputs, fresh.outputs, fresh.dead = liar.inputs, liar.outputs, liar.dead
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
