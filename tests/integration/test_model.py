"""The judge's model against examples that the contract's sentences decide."""
import itertools
import json

import pytest

import model
import order
from model import Catalogue, Event, Model, Rejected, User, decode, holds, moment, render
from waymark_testlib.kafka import Record, home

NOW = moment("2026-11-21T10:00:00Z")


def event(data=None, user="user-7", time=NOW, **attributes):
    attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": "journey.milestone.achieved", **attributes}
    return Event(attributes, data, time, NOW, user, ("t", 0, 0))


@pytest.fixture
def catalogue(tmp_path):
    def make(text, **settings):
        (tmp_path / "waymark.yaml").write_text(json.dumps(settings))
        (tmp_path / "rules.yaml").write_text(text)
        return Catalogue(tmp_path)
    return make


def send(model, number, type="journey.milestone.achieved", user="u", time=NOW, now=NOW, **more):
    value = {"specversion": "1.0", "id": str(number), "source": "/s", "type": type, "time": more.pop("at", None),
             "subject": user, "data": more.pop("data", {})}
    if value["time"] is None:
        value["time"] = f"2026-11-21T10:00:{number % 60:02d}Z"
    record = Record("t", home(user, 4), number, user.encode(), json.dumps({**value, **more}).encode(), (), now // 1000)
    return model.feed(record)


@pytest.mark.parametrize("text, same", [
    ("2026-11-21T10:00:00Z", NOW), ("2026-11-21t10:00:00z", NOW), ("2026-11-21T11:30:00+01:30", NOW),
    ("2026-11-21T10:00:00.1234567Z", NOW + 123456), ("2026-11-21T09:59:60Z", NOW), ("1970-01-01T00:00:00Z", 0),
    ("2026-11-21 10:00:00Z", None), ("2026-11-21T10:00:00", None), ("2026-02-30T10:00:00Z", None), ("today", None),
    ("2026-11-21T24:00:00Z", None), (5, None),
])
def test_moments(text, same):
    assert moment(text) == same


@pytest.mark.parametrize("condition, answer", [
    ({}, True),
    ({"data.s": "gold"}, True), ({"data.s": "silver"}, False), ({"data.s": 1}, None), ({"data.none": "x"}, None),
    ({"data.n": 80}, True), ({"data.n": 80.0}, True), ({"data.b": True}, True), ({"data.b": 1}, None),
    ({"data.s": {"is-not": "silver"}}, True), ({"data.s": {"is-not": 1}}, None),
    ({"data.s": {"in": [1, "gold"]}}, True), ({"data.s": {"in": [1, 2]}}, None),
    ({"data.s": {"not-in": ["silver"]}}, True), ({"data.s": {"not-in": [1]}}, None),
    ({"data.n": {"above": 79, "below": 81}}, True), ({"data.n": {"at-least": 80, "at-most": 79}}, False),
    ({"data.s": {"above": 1}}, None),
    ({"data.t": {"before": "2026-11-21T12:00:00+01:00"}}, True), ({"data.s": {"after": "2026-01-01T00:00:00Z"}}, None),
    ({"data.t": {"within": "1h"}}, True), ({"data.t": {"older-than": "1h"}}, False),
    ({"data.t": {"older-than": "59m"}}, True), ({"data.future": {"within": "1s"}}, True),
    ({"data.s": {"starts-with": "go", "ends-with": "ld", "contains": "ol"}}, True), ({"data.n": {"contains": "8"}}, None),
    ({"data.s": {"glob": "g?l*"}}, True), ({"data.s": {"glob": "g?l"}}, False), ({"data.u": {"glob": "?"}}, True),
    ({"data.l": {"has": "a"}}, True), ({"data.l": {"has-any": ["x", "b"]}}, True),
    ({"data.l": {"has-all": ["a", "x"]}}, False), ({"data.l": {"has-none": ["x"]}}, True), ({"data.s": {"has": "g"}}, None),
    ({"data.s": {"present": True}}, True), ({"data.null": {"present": True}}, False), ({"data.none": {"present": False}}, True),
    ({"data.null": None}, None),
    ({'data."a.b"': 1}, True), ({"data.o.p": 2}, True), ({"data.s.p": 2}, None),
    ({"not": {"data.s": "silver"}}, True), ({"not": {"data.none": 1}}, None),
    ({"any": [{"data.none": 1}, {"data.s": "gold"}]}, True), ({"any": [{"data.none": 1}, {"data.s": "x"}]}, None),
    ({"all": [{"data.none": 1}, {"data.s": "x"}]}, False), ({"data.none": 1, "data.s": "gold"}, None),
    ({"event.id": "1"}, True), ({"user.roles": {"has": "r"}}, True), ({"user.status": "active"}, None),
])
def test_conditions(condition, answer):
    data = {"s": "gold", "n": 80, "b": True, "t": "2026-11-21T09:00:00Z", "future": "2027-01-01T00:00:00Z", "u": "ü",
            "l": ["a", "b"], "null": None, "a.b": 1, "o": {"p": 2}}
    assert holds(condition, event(data), {"roles": ["r"]}) is answer


def test_templates():
    filled = render("{{ data.a }}, {{data.n}} {{ data.b }} {{ data.l }} {{{{x", event(
        {"a": "ä", "n": 1, "b": True, "l": ["x", 2]}), {})
    assert filled == "ä, 1 true x, 2 {{x"
    for path in ("data.none", "data.o", "data.null", "user.name"):
        with pytest.raises(model.TemplateFailed):
            render("{{ %s }}" % path, event({"o": {}, "null": None}), {"roles": []})


WRITES = [("add", 1, "a"), ("add", 3, "a"), ("remove", 2, None), ("add", 2, "b"), ("remove", 4, None), ("add", 5, "b")]


@pytest.mark.parametrize("count", range(1, len(WRITES) + 1))
def test_writes_converge_in_any_order_and_any_repetition(count):
    ends = set()
    for order in itertools.permutations(WRITES[:count]):
        user = User("u")
        for action, at, source in (*order, *order[:2]):
            clock = (at, "/s", "id", "auto", 1)
            if action == "add":
                user.add("r", source, clock, None, None, NOW)
            else:
                user.remove("r", clock, NOW)
        ends.add(json.dumps({name: [state["removed"], sorted(state["grants"].items())]
                             for name, state in user.roles.items()}, default=str))
    assert len(ends) == 1


def test_results_of_writes():
    user = User("u")
    clocks = [(at, "/s", "id", "auto", 1) for at in range(10)]
    assert user.add("r", "a", clocks[1], None, None, NOW) == "changed"
    assert user.add("r", "b", clocks[2], None, None, NOW) == "unchanged"
    assert user.remove("r", clocks[1], NOW) == ("superseded", {"a"})
    assert user.remove("r", clocks[3], NOW) == ("changed", {"b"})
    assert user.remove("r", clocks[3], NOW) == ("unchanged", set())
    assert user.add("r", "a", clocks[3], None, None, NOW) == "superseded"
    assert user.add("r", "a", clocks[4], NOW, None, NOW) == "unchanged"  # it has already ended
    assert user.add("r", "a", clocks[5], NOW + 1, None, NOW) == "changed"


RULES = """
role: r
---
role: old
status: archived
---
role: admin
kind: administrator
---
automation: give
trigger: journey.*
when: {data.do: give}
repeat: once-per-journey
tasks:
  - {name: late, sequence: 20, type: change-role, role: old, action: add, on-failure: stop}
  - {name: first, sequence: 10, type: change-role, role: r, action: add}
  - {name: never, sequence: 30, type: change-role, role: r, action: remove}
---
automation: take
trigger: [other.thing, journey.milestone.failed]
tasks:
  - {name: take, sequence: 1, type: change-role, role: r, action: remove}
---
automation: seen
trigger: journey.milestone.achieved
when: {user.roles: {has: r}, data.do: see}
tasks:
  - {name: protected, sequence: 1, type: change-role, role: admin, action: add}
  - {name: say, sequence: 2, type: notify, channel: c, title: "{{ user.roles }}", message: hello}
---
channel: c
"""


def results(fate):
    return [(execution.automation, [(task.result, task.code) for task in execution.tasks]) for execution in fate.executions]


def test_a_small_life(catalogue):
    judge = Model(catalogue(RULES), 4, {"t": "events"})
    stopped = [("changed", None), ("failed", "ROLE_ARCHIVED"), ("skipped", "STOPPED")]
    assert results(send(judge, 1, data={"do": "give"})) == [("give", stopped)]
    assert send(judge, 1, data={"do": "give"}).kind == "duplicate"
    assert results(send(judge, 2, data={"do": "give"})) == [("give", [("skipped", "ALREADY_RAN")] * 3)]
    assert results(send(judge, 3, data={"do": "give", "journey": "x"})) == [
        ("give", [("unchanged", None), ("failed", "ROLE_ARCHIVED"), ("skipped", "STOPPED")])]
    seen = send(judge, 4, data={"do": "see"})
    assert results(seen) == [("seen", [("failed", "ROLE_PROTECTED"), ("requested", None)])]
    assert seen.executions[0].tasks[1].notification == {"channel": "c", "title": "r", "message": "hello"}
    assert results(send(judge, 5, "other.thing")) == [("take", [("failed", "ENTITY_NOT_ALLOWED")])]
    taken = send(judge, 6, "journey.milestone.failed")
    assert results(taken) == [("take", [("changed", None)])]
    assert taken.executions[0].tasks[0].lockout and taken.before == {"r"} and taken.after == set()
    assert results(send(judge, 7, "journey.milestone.failed", at="2026-11-21T09:00:00Z")) == [("take", [("unchanged", None)])]
    assert results(send(judge, 8, data={"do": "give", "journey": "y"}, at="2026-11-21T09:00:00Z"))[0][1][0] == ("superseded", None)


def test_an_event_that_failed_altogether_may_come_again(catalogue):
    judge = Model(catalogue(RULES.replace("role: old, action: add", "role: none, action: add")), 4, {"t": "events"})
    assert results(send(judge, 5, "other.thing")) == results(send(judge, 5, "other.thing"))


def test_only_the_last_32_events_are_remembered(catalogue):
    judge = Model(catalogue(RULES), 4, {"t": "events"})
    for number in range(33):
        assert send(judge, number, "journey.milestone.failed").kind == "decided"
    assert send(judge, 1, "journey.milestone.failed").kind == "duplicate"
    assert send(judge, 0, "journey.milestone.failed").kind == "decided"


def test_profiles_requests_and_deletion(catalogue):
    rules = "role: r\n---\nrole: boss\nassigned-when: [{manager-of-anyone: true}]\n"
    judge = Model(catalogue(rules), 4, {"t": "requests"})
    fate = send(judge, 1, "role.assignment.requested", data={"role": "r", "action": "add"})
    assert results(fate) == [(None, [("changed", None)])] and fate.after == {"r"}
    judge.kinds["t"] = "directory"
    fate = send(judge, 2, "directory.user.updated", data={"status": "active", "manager-of-anyone": True})
    assert fate.after == {"r", "boss"}
    assert send(judge, 3, "directory.user.updated", data={"status": "suspended"}).after == set()
    assert send(judge, 4, "directory.user.deleted", data=None).after == set()
    assert send(judge, 5, "directory.user.updated", data={"status": "active"}).after == set()


def structured(**members):
    return {"specversion": "1.0", "id": "1", "source": "/s", "type": "journey.started", "subject": "u", **members}


def nested(levels):
    return json.loads("[" * levels + "]" * levels)


@pytest.mark.parametrize("value, code", [
    (structured(), None),
    (structured(id=None), "EVENT_INVALID"), (structured(id=""), "EVENT_INVALID"), (structured(id=1), "EVENT_INVALID"),
    (structured(specversion="0.3"), "EVENT_INVALID"), (structured(subject=""), "EVENT_INVALID"),
    (structured(subject="a\x7f"), "EVENT_INVALID"), (structured(time="yesterday"), "EVENT_INVALID"),
    (structured(subject=None, data={"user": "u"}), None), (structured(subject=None), None),
    (structured(data=nested(31)), None), (structured(data=nested(32)), "EVENT_DEPTH"),
    (structured(data="\0"), "EVENT_INVALID"),
    (structured(type="directory.user.deleted"), "EVENT_FORBIDDEN"),
    (structured(time="2026-11-21T10:05:01Z"), "EVENT_FUTURE"), (structured(time="2026-11-21T10:05:00Z"), None),
    (structured(subject="elsewhere"), "EVENT_MISROUTED"),
    (structured(subject="elsewhere", type="nobody.listens"), None),
    (b"[]", "EVENT_INVALID"), (b"{", "EVENT_INVALID"), (b"\xff", "EVENT_INVALID"), (b'{"a":1,"a":1}', "EVENT_INVALID"),
    (b"[" * 33, "EVENT_DEPTH"), (b" " * 524289, "EVENT_OVERSIZE"), (b"", "EVENT_INVALID"),
])
def test_rejections(value, code, catalogue):
    rules = catalogue("automation: a\ntrigger: journey.*\ntasks: []\n")
    if isinstance(value, dict):
        value = json.dumps(value).encode()
    assert home("u", 4) != home("elsewhere", 4)
    record = Record("t", home("u", 4), 0, b"u", value, (), NOW // 1000)
    if code is None:
        assert decode(record, "events", rules, 4).type
    else:
        with pytest.raises(Rejected) as rejected:
            decode(record, "events", rules, 4)
        assert rejected.value.code == code


def test_binary_mode_and_null_values(catalogue):
    rules = catalogue("")
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/s"), ("ce_type", b"x"), ("ce_subject", b"u")]
    record = Record("t", home("u", 4), 0, b"u", None, tuple(headers), NOW // 1000)
    assert decode(record, "events", rules, 4).user == "u"
    assert decode(Record("t", 0, 0, b"u", None, (), 0), "events", rules, 4) is None
    with pytest.raises(Rejected):
        decode(Record("t", 0, 0, b"u", b"{}", tuple(headers + headers[:1]), 0), "events", rules, 4)


def test_the_yaml_core_schema(catalogue):
    rules = catalogue("""
automation: "1"
trigger: x
when: {data.a: yes, data.b: True, data.c: 012, data.d: "1", data.e: {within: 2h}, data.f: 1.50, data.g: ~}
tasks: [{name: 007, sequence: 1, type: notify, channel: c, title: 1, message: true}]
""").automations["1"]
    assert rules["when"] == {"data.a": "yes", "data.b": True, "data.c": 12, "data.d": "1", "data.e": {"within": "2h"},
                             "data.f": 1.5, "data.g": None}
    assert (rules["tasks"][0]["name"], rules["tasks"][0]["title"], rules["tasks"][0]["message"]) == ("007", "1", "true")


# --- which word of control counts: order.py ---

SWITCHED = """
automation: greet
trigger: journey.phase.entered
tasks: [{sequence: 1, type: notify, channel: pigeon, title: Hello, message: Hello}]
---
automation: other
enabled: false
trigger: nobody.listens
tasks: [{sequence: 1, type: notify, channel: pigeon, title: Hello, message: Hello}]
---
automation: always
trigger: journey.completed
tasks: [{sequence: 1, type: notify, channel: pigeon, title: Hello, message: Hello}]
"""
GREET, ALWAYS = ("greet", "journey.phase.entered"), ("always", "journey.completed")


def explained(rules, user, words, events):
    """Does the judge's own story tell what the outcomes do? For each event.

    words: (milliseconds, automation, is it on); events: (automation and type, sent, decided), decided None: there is no outcome."""
    said = [Record("control", 0, at, f"automation/{name}".encode(), b"1" if on else b"0", (), sent)
            for at, (sent, name, on) in enumerate(words)]
    epochs = order.Epochs(rules, said, lambda record: (record.key.decode(), record.value == b"1"))
    inputs, outcomes = [], []
    for offset, ((name, type), sent, decided) in enumerate(events):
        body = {"specversion": "1.0", "id": str(offset), "source": "/s", "type": type, "subject": user, "data": {}}
        inputs.append(Record("t", 0, offset, user and user.encode(), json.dumps(body).encode(), (), sent))
        if decided is not None:
            task = {"sequence": 1, "result": "failed", "code": "CHANNEL_UNKNOWN" if user else "USER_MISSING"}
            origin = {"topic": "t", "partition": 0, "offset": offset}
            outcomes.append((Record("outcomes", 0, offset, None, b"", (), decided),
                             {"id": f"live:t/0/{offset}:{name}", "data": {"origin": origin, "tasks": [task]}}))
    evidence = order.gather(outcomes, [], [], [])
    judged = Model(rules, 1, {"t": "events"})
    fates = dict(order.Partition(judged, {"t": "events"}, epochs, evidence).run(inputs))
    return [evidence["t", 0, record.offset].agrees(fates[record]) for record in inputs]


@pytest.mark.parametrize("user", [None, "u"])
@pytest.mark.parametrize("words, sent, later", [
    # Off a second before it was sent.
    ([(9_000, "greet", False)], 10_000, 10_100),
    # Off only after it was sent, with other words before and after that: it waited for a worker.
    ([(11_000, "other", True), (12_500, "other", False), (14_000, "greet", False), (15_500, "other", True)], 10_000, 16_000),
    # On again since, and it may have been decided before that or after.
    ([(9_000, "greet", False), (10_500, "greet", True), (12_000, "other", True)], 10_000, 13_000),
    # Nothing came after it.
    ([(11_000, "other", True), (12_500, "greet", False)], 10_000, None),
])
def test_what_leaves_no_trace_is_decided_under_any_word_that_could_count(catalogue, user, words, sent, later):
    events = [(ALWAYS, sent - 100, sent - 50), (GREET, sent, None)]
    if later is not None:
        events.append((ALWAYS, sent + 50, later))
    assert all(explained(catalogue(SWITCHED), user, words, events))


@pytest.mark.parametrize("user", [None, "u"])
@pytest.mark.parametrize("words, decided, later", [
    # It does not run, long after it was switched on.
    ([(1_000, "greet", False), (5_000, "greet", True)], None, 10_100),
    # It does not run, and was switched off only when what came later was decided already.
    ([(10_500, "greet", False)], None, 10_100),
    ([(1_000, "greet", False), (5_000, "greet", True), (10_500, "greet", False)], None, 10_100),
    # It runs, long after it was switched off.
    ([(5_000, "greet", False)], 10_050, 10_100),
    # It runs, and was switched on only when that was done already.
    ([(1_000, "greet", False), (10_500, "greet", True)], 10_050, 10_100),
])
def test_no_word_explains_what_was_not_so(catalogue, user, words, decided, later):
    events = [(ALWAYS, 9_900, 9_950), (GREET, 10_000, decided), (ALWAYS, 10_050, later)]
    assert explained(catalogue(SWITCHED), user, words, events) == [True, False, True]
