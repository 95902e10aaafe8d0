"""Random workspaces and random lives: `waymark simulate` and the judge's model decide the same, event by event.

WAYMARK_SEEDS (default 40) says how many; WAYMARK_SEED where to begin."""
import json
import os
import random
import types

import pytest

import model
from checker import Judge
from load import rfc3339
from waymark_testlib.kafka import Record
from waymark_testlib.worker import waymark

SEEDS = int(os.environ.get("WAYMARK_SEEDS", "40"))
FIRST = int(os.environ.get("WAYMARK_SEED", "1"))
NOW = 1795255200

TEXTS = ["gold", "silver", "Gold", "ü", "go*", "2026-11-21T10:00:00Z", "2026-11-20T10:00:00+02:00", "80", "a.b", "漢字"]
NUMBERS = [0, 1, 79, 80, 80.5, -3, 10**12]
SCALARS = TEXTS + NUMBERS + [True, False]
TIMES = ["2026-11-21T10:00:00Z", "2026-11-20T08:00:00Z", "2026-11-20T10:00:00+02:00", "2026-11-22T00:00:00.5Z"]
ROLES = [f"role-{letter}" for letter in "abcdef"]
USERS = [f"user-{number}" for number in range(5)] + ["größe"]
UNITS = ["acme", "emea", "north"]
DATA_PATHS = ["data.s", "data.n", "data.b", "data.t", "data.l", "data.o.x", 'data."a.b"', "data.missing"]
EVENT_PATHS = ["event.id", "event.type", "event.source", "event.subject", "event.time", "event.extra"]
USER_PATHS = ["user.roles", "user.status", "user.type", "user.groups", "user.portals", "user.manager", "user.name",
              "user.email", "user.org-units.division", "user.attributes.tier"]
TYPES = ["journey.milestone.achieved", "journey.milestone.failed", "journey.started", "other.thing"]


class Chance:
    asked_for = [*ROLES, "nobody-knows"]

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def of(self, *choices):
        return self.dice.choice(choices)

    def some(self, choices, most=3):
        return self.dice.sample(choices, self.dice.randint(1, min(most, len(choices))))

    def maybe(self, probability):
        return self.dice.random() < probability

    # --- rules ---

    def operators(self, path):
        names = list(model.OPERATORS) + ["present"]
        if self.maybe(0.5):
            names = {"user.roles": ["has", "has-any", "has-all", "has-none"], "data.n": ["above", "at-least", "below", "at-most"],
                     "data.t": ["before", "after", "within", "older-than"], "event.time": ["within", "before"]}.get(path, names)
        return {name: self.operand(name, path) for name in self.some(names, 2)}

    def operand(self, name, path):
        pool = ROLES if path == "user.roles" else SCALARS
        if name in ("in", "not-in", "has-any", "has-all", "has-none"):
            return self.some(pool)
        if name in ("above", "at-least", "below", "at-most"):
            return self.of(*NUMBERS)
        if name in ("before", "after"):
            return self.of(*TIMES)
        if name in ("within", "older-than"):
            return self.of("10s", "2h", "1d", "1w", "90m")
        if name == "glob":
            return self.of("*", "g*d", "?", "g??d", "user-?", "*o*", "[a]", "journey.*")
        if name in ("starts-with", "ends-with", "contains"):
            return self.of("g", "d", "ol", "user", "ü", "Z")
        if name == "present":
            return self.of(True, False)
        return self.of(*pool)

    def condition(self, paths, depth=2):
        result = {}
        for _ in range(self.dice.randint(1, 2)):
            word = self.of("path", "path", "path", "any", "all", "not") if depth else "path"
            if word == "not":
                result["not"] = self.condition(paths, depth - 1)
            elif word != "path":
                result[word] = [self.condition(paths, depth - 1) for _ in range(self.dice.randint(1, 3))]
            else:
                path = self.of(*paths)
                result[path] = self.operators(path) if self.maybe(0.8) or path == "user.roles" else self.of(*SCALARS)
        return result

    def role(self, name):
        role = {"role": name, "label": f"The {name}"}
        if self.maybe(0.3):
            role["type"] = self.of("employee", "partner")
        if self.maybe(0.15):
            role["kind"] = self.of("system", "administrator")
        if self.maybe(0.2):
            role["status"] = self.of("inactive", "archived")
        if self.maybe(0.1):
            role["managed"] = True
        if self.maybe(0.2):
            role["portals"] = self.some(["partners", "staff"])
        if self.maybe(0.3):
            role["delegation"] = self.of("holders", "holders", "none")
        if self.maybe(0.4):
            if self.maybe(0.4):
                role["activate"] = self.of("at-sign-in", "at-sign-in", "immediately")
            role["assigned-when"] = [self.criterion() for _ in range(self.dice.randint(1, 2))]
        return role

    def criterion(self):
        below = {"include-subordinates": True} if self.maybe(0.5) else {}
        return self.of({"user": self.of(*USERS), **below},
                       {"org-unit": self.of(*UNITS), **below, **({"org-unit-type": "division"} if self.maybe(0.4) else {})},
                       {"group": self.of("certified", "gold")}, {"manager-of-anyone": True},
                       {"when": self.condition([path for path in USER_PATHS if path != "user.roles"], 1)},
                       {"all": True} if self.maybe(0.1) else {"group": "certified"})

    def task(self, sequence):
        task = {"name": f"Task {sequence}", "sequence": sequence}
        if self.maybe(0.3):
            task["on-failure"] = "stop"
        if self.maybe(0.3):
            path = self.of(*DATA_PATHS, *EVENT_PATHS, *USER_PATHS)
            return {**task, "type": "notify", "channel": self.of("mail", "mail", "pigeon"),
                    "to": self.of("user", "manager", "a@acme.example"), "title": self.of("Hello", "{{ user.name }}"),
                    "message": self.of("Hello", "{{ %s }}!" % path, "{{{{ {{data.s}}")}
        task = {**task, "type": "change-role", "role": self.of(*ROLES, *ROLES, "nobody-knows"),
                "action": self.of("add", "add", "remove")}
        if task["action"] == "add" and self.maybe(0.3):
            task["expires-after"] = self.of("1h", "2d", "30s")
        return task

    def automation(self, name):
        automation = {"automation": name, "trigger": self.of(*TYPES, "journey.*", "*", TYPES[:2], ["journey.milestone.*"])}
        if self.maybe(0.6):
            automation["when"] = self.condition(DATA_PATHS + EVENT_PATHS + USER_PATHS)
        if self.maybe(0.4):
            automation["repeat"] = self.of("every-event", "once-per-user", "once-per-journey")
        if self.maybe(0.1):
            automation["entity"] = "course"
        if self.maybe(0.05):
            automation["enabled"] = False
        if self.maybe(0.5):
            automation["owner"] = "jane@acme.example"
        sequences = self.some(range(-1, 30), 4)
        return {**automation, "tasks": [self.task(sequence) for sequence in sequences]}

    def workspace(self):
        documents = [self.role(name) for name in ROLES] + [{"channel": "mail"}]
        return documents + [self.automation(f"auto-{number}") for number in range(8)]

    def settings(self):
        closed = {"users": "closed"} if self.maybe(0.3) else {}
        return {**closed, "baseline": self.of(*ROLES)} if self.maybe(0.4) else closed

    # --- events ---

    def value(self, depth=0):
        if depth < 2 and self.maybe(0.3):
            return self.of([], {}, [self.value(depth + 1) for _ in range(2)], {"x": self.value(depth + 1)})
        return self.of(None, *SCALARS)

    def data(self):
        data = {"s": self.of(*TEXTS), "n": self.of(*NUMBERS), "b": self.of(True, False), "t": self.of(*TIMES),
                "l": self.some(SCALARS), "o": {"x": self.value()}, "a.b": self.value(),
                "journey": self.of("x", "y", 1, True, None, ["x"]), "enrollment": self.of(None, None, "x", 1, "1", {})}
        for name in list(data):
            if self.maybe(0.15):
                data[name] = self.value()
            if self.maybe(0.15):
                del data[name]
        return self.of(data, data, data, data, data, data, data, None, "text", [data])

    def profile(self):
        everything = {"type": self.of("employee", "partner", "guest"), "name": "Ann", "email": "ann@acme.example",
                      "manager": self.of(*USERS), "managers": self.some(USERS), "groups": self.some(["certified", "gold", "x"]),
                      "org-units": {"division": self.some(UNITS), "region": self.some(UNITS)}, "portals": self.some(["partners", "staff"]),
                      "manager-of-anyone": self.of(True, False), "attributes": {"tier": self.of(*SCALARS)}}
        chosen = {name: everything[name] for name in self.some(list(everything), 10)}
        if "managers" in chosen and "manager" in chosen:
            chosen["managers"] = chosen["managers"] + [chosen["manager"]]
        return {"status": self.of("active", "active", "active", "suspended", "inactive"), **chosen}

    def request(self, type):
        until = self.of(None, rfc3339(NOW + self.dice.randint(-9000, 90000)))
        data = {"role": self.of(*self.asked_for), "reason": self.of("why not", None), "until": until}
        if type == "role.delegation.requested":
            data["to"] = self.of(*USERS)
        elif type == "role.grant.withdrawn":
            data |= {"source": self.of("manual", "manual", "automation/baseline", f"automation/auto-{self.dice.randint(0, 7)}"), "by": "joe"}
        else:
            data |= {"action": self.of("add", "add", "remove"), "by": "joe", "delegation": self.of(None, "none", "holders", "holders")}
        if self.maybe(0.04):
            data[self.of(*data)] = self.of(None, 5, "", "x" * 1025, "none", "holders", "automation/", [], "a\tb")
        return data

    def type(self):
        return self.of(*TYPES, *TYPES, *TYPES, *TYPES, "directory.user.updated", "directory.user.updated",
                       "role.assignment.requested", "role.assignment.requested", "directory.user.deleted", "directory.later",
                       "directory.user.signed-in", "directory.user.signed-in", "role.delegation.requested",
                       "role.delegation.requested", "role.grant.withdrawn", "role.later")

    def event(self, number):
        user = self.of(*USERS, *USERS, None) if self.maybe(0.9) else self.of(*USERS)
        type = self.type()
        data = self.data()
        if type == "directory.user.updated":
            data = self.profile()
        elif type.startswith("role."):
            data = self.request(type)
        elif type == "directory.user.deleted" and self.maybe(0.6):
            type = "journey.started"
        at = NOW + self.dice.choice([0, 0, 0, 1, 60, -60, 3600, -3600, -86400 * 3, 86400]) + number // 4
        event = {"specversion": "1.0", "id": str(number if self.maybe(0.9) else self.dice.randint(0, number)),
                 "source": self.of("/s", "/s", "/z"), "type": type, "time": rfc3339(at), "subject": user, "data": data}
        if user is None and self.maybe(0.3) and isinstance(data, dict):
            data["user"] = self.of(*USERS, 7)
        if self.maybe(0.1):
            event["extra"] = self.of("gold", "silver")
        if self.maybe(0.02):
            event[self.of(*event)] = self.of("", 5, None, "x" * 2000, "a\nb", [[]])
        return {name: value for name, value in event.items() if value is not None or self.maybe(0.2)}

    def line(self, number):
        if self.maybe(0.01):
            return self.of("{", "[]", "5", '{"a":1,"a":1}', "[" * 40)
        return json.dumps(self.event(number), ensure_ascii=self.maybe(0.5))


class ByHand(Chance):
    """Few users and plain roles, of whom people, baseline and directory decide: much that stands beside each other."""
    asked_for = ROLES[:3]

    def role(self, name):
        role = {"role": name, "label": name, "delegation": self.of("holders", "none")}
        if self.maybe(0.4):
            role |= {"activate": self.of("at-sign-in", "immediately"), "assigned-when": [self.criterion()]}
        if self.maybe(0.1):
            role["type"] = "partner"
        return role

    def settings(self):
        return {"baseline": self.of(*ROLES)} if self.maybe(0.7) else {}

    def condition(self, paths, depth=2):
        return {"data.n": {"at-least": self.of(*NUMBERS)}} if "data.n" in paths else super().condition(paths, depth)

    def type(self):
        return self.of("journey.milestone.achieved", "journey.milestone.failed", *["role.assignment.requested"] * 4,
                       *["role.delegation.requested"] * 4, *["role.grant.withdrawn"] * 2, *["directory.user.signed-in"] * 2,
                       "directory.user.updated", *["directory.user.deleted"] * self.maybe(0.2))

    def profile(self):
        return {**super().profile(), "status": self.of("active", "active", "active", "active", "suspended")}


def write_workspace(folder, documents, settings):
    (folder / "waymark.yaml").write_text(json.dumps(settings))
    text = "\n---\n".join(json.dumps(document, ensure_ascii=False) for document in documents)
    (folder / "rules.yaml").write_text(text + "\n")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS // 2))
def test_a_random_life_by_hand(seed, tmp_path):
    live(ByHand(seed), tmp_path)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_a_random_life(seed, tmp_path):
    live(Chance(seed), tmp_path)


def live(chance, tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    write_workspace(folder, chance.workspace(), chance.settings())
    lines = [chance.line(number) for number in range(400)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    done = waymark("simulate", folder, tmp_path / "events.jsonl", "--outcomes", tmp_path / "outcomes", "--users", tmp_path / "users")
    assert done.returncode == 0, done.stderr[-3000:]
    compare(folder, lines, *(read_lines(tmp_path / name) for name in ("outcomes", "users")))


def read_lines(path):
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def compare(folder, lines, outcomes, users):
    judge = Judge(types.SimpleNamespace(folder=folder, partitions=1), {"simulate": "any"}, direct=True)
    found = {outcome["id"]: outcome for outcome in outcomes}
    judge.equal("ids that stand twice", len(outcomes) - len(found), 0)
    last = 0
    expected = []
    for offset, line in enumerate(lines):
        record = Record("simulate", 0, offset, None, line.encode(), (), None)
        timed = '"time": "' in line
        fate = judge.model.feed(record) if timed else judge.model.feed(untimed(record, last))
        if fate.event:
            last = fate.event.time
        what = f"line {offset + 1} ({line[:300]})"
        if fate.kind == "rejected":
            expected.append(f"live:simulate/0/{offset}")
            told = found.get(expected[-1])
            judge.equal(f"{what}: rejected", told and told["data"].get("code"), fate.code)
        for execution in fate.executions:
            event = execution.event or fate.event
            expected.append(f"live:simulate/0/{offset}:{execution.name}")
            told = found.get(expected[-1])
            if told is None:
                judge.complain(f"{what}: no outcome of {execution.automation}")
                continue
            judge.equal(f"{what}: subject", told.get("subject"), event.user)
            judge.equal(f"{what}: time", model.moment(told["time"]), event.time)
            judge.equal(f"{what}: tasks", len(told["data"]["tasks"]), len(execution.tasks))
            for one, task in zip(told["data"]["tasks"], execution.tasks):
                judge._task(f"{what}: {execution.automation} task {task.sequence}", one, task)
    judge.equal("the order of outcomes", [id for id in found if id in set(expected)], [id for id in expected if id in found])
    for id in found.keys() - set(expected):
        judge.complain(f"outcome {id} has no reason to be: line {lines[int(id.split('/')[2].split(':')[0])][:300]}")
    told = {user["user"]: user for user in users}
    for name, user in judge.model.users.items():
        if name not in told:
            judge.complain(f"user {name} is missing")
            continue
        judge._register(name, told[name]["register"], user)
        judge.equal(f"effective roles of {name}", set(told[name]["effective"]), model.effective(user, judge.catalogue, last))
    judge.equal("the order of users", [user["user"] for user in users], sorted(told, key=str.encode))
    assert not judge.wrong, f"{len(judge.wrong)} complaints:\n  " + "\n  ".join(judge.wrong[:12])


def untimed(record, last):
    """The same line with the time that simulate gives it."""
    try:
        event = json.loads(record.value)
    except (ValueError, RecursionError):
        return record
    if not isinstance(event, dict) or event.get("time") is not None:
        return record
    return Record(record.topic, 0, record.offset, None, json.dumps({**event, "time": rfc3339(last / 1_000_000)}).encode(), (), None)


def mutated(dice, line):
    data = bytearray(line.encode())
    for _ in range(dice.choice([1, 1, 2, 5])):
        at = dice.randrange(len(data))
        action = dice.randrange(5)
        if action == 0:
            data[at] = dice.randrange(256)
        elif action == 1:
            del data[at:at + dice.randint(1, 4)]
        elif action == 2:
            data[at:at] = dice.choice([b'"', b"\\u0000", b"\\ud800", b"{", b"}", b"[", b",", b"1", b"null", b"\xc3", b"\xed\xa0\x80",
                                       b"1e999", b"-", b"\\", b"\x7f", b"\xc2\x85"])
        elif action == 3:
            other = dice.randrange(len(data))
            data[at:at] = data[other:other + dice.randint(1, 20)]
        else:
            data[at:at + 1] = bytes([data[at] ^ (1 << dice.randrange(8))])
    return bytes(data).replace(b"\n", b" ") or b"x"


@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, SEEDS // 8)))
def test_mutated_lines_are_taken_or_refused_by_both(seed, tmp_path):
    chance = Chance(seed)
    folder = tmp_path / "workspace"
    folder.mkdir()
    write_workspace(folder, [{"automation": "all", "trigger": "*", "tasks": [
        {"name": "x", "sequence": 1, "type": "notify", "channel": "none", "title": "x", "message": "x"}]}], {})
    lines = [mutated(chance.dice, json.dumps(chance.event(number), ensure_ascii=False)) for number in range(2000)]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    done = waymark("simulate", folder, tmp_path / "events.jsonl", "--outcomes", tmp_path / "outcomes")
    assert done.returncode == 0, done.stderr[-3000:]
    found = {outcome["data"]["origin"]["offset"]: outcome["data"].get("code") for outcome in read_lines(tmp_path / "outcomes")}
    rules = model.Catalogue(folder)
    wrong = []
    for offset, line in enumerate(lines):
        record = Record("simulate", 0, offset, None, line, (), None)
        try:
            model.decode(record, "any", rules, 1)
            expected = None
        except model.Rejected as rejected:
            expected = rejected.code
        if found.get(offset) != expected:
            wrong.append(f"line {offset + 1}: found {found.get(offset)}, expected {expected}: {line[:1000]!r}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:10])
