"""The judge: reads every topic and Redis, and says whether they are what the inputs demand.

It holds the worker to the contract's sentences, with `model.py` as its own understanding of them:
every input record has exactly one fate; a user's outcomes stand in the order of his inputs; registers, roles,
changes, failures, dead letters, notifications and requests that holders make are those that follow; Redis is the fold of
the users topic under what control says. `order.py` knows in which order inputs were taken.
A judgement is a list of sentences, one per thing that is wrong; an empty list is an acquittal."""
import collections
import json
import re
import struct
import time

from confluent_kafka import KafkaException

import model
import order
from waymark_testlib.kafka import home
from waymark_testlib.process import wait_until

BIRTH_KEY = b"\0log"
EXECUTED = "dev.waymark.automation.executed.v1"
TASK_FAILED = "dev.waymark.task.failed.v1"
REJECTED = "dev.waymark.event.rejected.v1"
CHANGED = "dev.waymark.role.changed.v1"
NEAR = 5  # seconds that a judgement may take
ENDS_TOLD = 40_000  # milliseconds after its end in which a grant's end may be told, while workers are killed
REQUESTED = "dev.waymark.notification.requested.v1"


def settle(workspace, alive=(), supervised=(), timeout=120):
    """Waits until the group has committed every input and Redis has applied every register.

    Workers of `alive` must not end meanwhile; those of `supervised` may ask to be started again."""
    processes = [worker.process for worker in alive]

    def supervising(condition):
        for worker in supervised:
            worker.restart_if_it_asks()
        return condition()

    for _ in range(2):  # what is handed on is an input that comes with the commit of another
        wait_until(lambda: supervising(lambda: is_consumed(workspace)), timeout, 0.1, "the inputs to be consumed", processes)
    wait_until(lambda: supervising(lambda: redis_is_caught_up(workspace)), timeout, 0.1, "Redis to catch up", processes)
    wait_until(lambda: supervising(lambda: no_end_is_near(workspace)), timeout, 0.1, "grants to end", processes)
    words = said(workspace)
    if words:
        followed = words[-1].timestamp + order.FOLLOWED
        wait_until(lambda: supervising(lambda: time.time() * 1000 > followed and is_projected(workspace)), timeout, 0.1, "the catalogue to be projected", processes)


def is_consumed(workspace):
    try:
        return workspace.lag() == 0
    except KafkaException:  # a broker that was restarted does not know the group yet
        return False


def last_registers(workspace):
    """partition → offset of the last register in the users topic, and user → (offset, register record)."""
    last, users = {}, {}
    for record in workspace.broker.read(workspace.topic["users"]):
        if record.key == BIRTH_KEY:
            continue
        last[record.partition] = record.offset
        users[record.key.decode()] = record
    return last, users


def redis_is_caught_up(workspace):
    last, _ = last_registers(workspace)
    progress = workspace.redis.client().hgetall(f"{workspace.prefix}:progress")
    return all(int(progress.get(str(partition), -1)) > offset for partition, offset in last.items())


def _place(record):
    return record.topic, record.partition, record.offset


def control_word(record):
    """("automation/<name>" or "role/<name>", is it on or archived; None: the workspace says so); None: says nothing."""
    kinds = {"automation": ("dev.waymark.automation.switched.v1", "state", {"on": True, "off": False}),
             "role": ("dev.waymark.role.archived.v1", "archived", {True: True, False: False})}
    try:
        key = record.key.decode()
        kind, _, name = key.partition("/")
        type, member, values = kinds[kind]
        if record.value is None:
            return (key, None) if re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", name) else None
        body = model.strict_json(record.value)
        data = body["data"]
        fine = body["type"] == type and body["subject"] == key and data[kind] == name and body["specversion"] == "1.0"
        return (key, values[data[member]]) if fine and kind_fits(kind, data[member]) else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def kind_fits(kind, value):
    return isinstance(value, bool) if kind == "role" else isinstance(value, str)


def said(workspace):
    """What was said on control, oldest first."""
    control = workspace.topic["control"]
    return [record for record in workspace.broker.read(control) if control_word(record)]


def is_projected(workspace):
    """All role sets are those of one catalogue: the one that all partitions with users follow."""
    meta = workspace.redis.client().hgetall(f"{workspace.prefix}:meta")
    words = [value.split() for key, value in meta.items() if key.startswith("catalogue:")]
    return len({each[0] for each in words}) <= 1 and all(each[-1] == "done" for each in words)


def no_end_is_near(workspace):
    """Nobody loses a role while he is judged."""
    near = (time.time() + NEAR) * 1_000_000
    return workspace.redis.client().zcount(f"{workspace.prefix}:ends", "-inf", near) == 0


class Judge:
    """`catalogue` is what the decisions were made under, `present` what counts now; both are the folder's as a rule."""

    def __init__(self, workspace, kinds=None, catalogue=None, present=None, direct=False):
        self.workspace = workspace
        self.kinds = kinds or {**{topic: "events" for topic in workspace.inputs},
                               workspace.topic["directory"]: "directory", workspace.topic["requests"]: "requests"}
        self.catalogue = catalogue or model.Catalogue(workspace.folder)
        self.present = present or model.Catalogue(workspace.folder)
        self.same = catalogue is None and present is None
        self.model = model.Model(self.catalogue, workspace.partitions, self.kinds, int(time.time() * 1_000_000), direct)
        self.wrong = []
        self.counts = collections.Counter()

    def complain(self, sentence):
        self.wrong.append(sentence)

    def equal(self, what, found, expected):
        if found != expected:
            self.complain(f"{what}: found {found!r}, expected {expected!r}")
            return False
        return True

    # --- reading ---

    def _json(self, record):
        try:
            return model.strict_json(record.value)
        except ValueError as error:
            self.complain(f"{record.topic}/{record.partition}/{record.offset} is not JSON: {error}")
            return None

    def _once(self, records, what):
        """id → (record, event), complaining about ids that stand twice."""
        found = {}
        for record in records:
            event = self._json(record)
            if event is None:
                continue
            if event["id"] in found:
                self.complain(f"{what} {event['id']} stands twice")
            found[event["id"]] = (record, event)
        return found

    def read(self):
        topics = self.workspace.topic
        names = {name: topics[name] for name in ("users", "outcomes", "changes", "failures", "notifications")}
        dead = [self.workspace.dlq(topic) for topic in self.kinds]
        records = self.workspace.broker.read(*self.kinds, *names.values(), topics["control"], *dead)
        by_topic = collections.defaultdict(list)
        for record in records:
            by_topic[record.topic].append(record)
        self.inputs = {topic: by_topic[topic] for topic in self.kinds}
        self.dead = {topic: by_topic[self.workspace.dlq(topic)] for topic in self.kinds}
        self.outputs = {name: by_topic[topic] for name, topic in names.items()}
        self.control = by_topic[topics["control"]]

    def _fed(self):
        """Every input and its fate, in the order in which it was taken."""
        pairs = {name: [(record, body) for record in self.outputs[name] if (body := self._json(record))]
                 for name in ("outcomes", "changes", "notifications")}
        self.epochs = order.Epochs(self.catalogue, self.control, control_word)
        self.present = order.Epochs(self.present, self.control, control_word).last
        self.handed_on = self._asked_by_holders()
        self.evidence = evidence = order.gather(*pairs.values(), self.handed_on)
        for partition in range(self.workspace.partitions):
            records = [record for records in self.inputs.values() for record in records if record.partition == partition]
            yield from order.Partition(self.model, self.kinds, self.epochs, evidence).run(records)

    # --- judging ---

    def judge(self):
        self.read()
        return self.weigh()

    def weigh(self):
        """Judges what was read."""
        self.fates = list(self._fed())
        self.counts.update(fate.kind for _, fate in self.fates)
        self.counts.update(fate.code for _, fate in self.fates if fate.code)
        self._outcomes()
        self._failures()
        self._dead_letters()
        self._notifications()
        self._handed_on()
        self._registers()
        self._changes()
        self._redis()
        return self.wrong

    @staticmethod
    def _id(event_or_record, automation=None):
        origin = getattr(event_or_record, "origin", None) or \
            (event_or_record.topic, event_or_record.partition, event_or_record.offset)
        id = "live:{}/{}/{}".format(*origin)
        return id if automation is None else f"{id}:{automation}"

    def _executions(self):
        for record, fate in self.fates:
            for execution in fate.executions:
                yield record, execution.event or fate.event, execution, self._id(fate.event, execution.name)

    def _envelope(self, what, found, type, event, record):
        """What every record about an event has in common."""
        out, body = found
        self.equal(f"{what}: specversion", body.get("specversion"), "1.0")
        self.equal(f"{what}: type", body.get("type"), type)
        if not body.get("source"):
            self.complain(f"{what}: no source")
        self.equal(f"{what}: subject", body.get("subject"), event.user)
        self.equal(f"{what}: time", model.moment(body.get("time")), event.time)
        key = event.user.encode() if event.user is not None else record.key
        self.equal(f"{what}: key", out.key, key)
        self.equal(f"{what}: partition", out.partition, record.partition)
        data = body["data"]
        self.equal(f"{what}: run", data.get("run"), "live")
        self.equal(f"{what}: origin", data.get("origin"), dict(zip(("topic", "partition", "offset"), event.origin)))
        if "event" in data:
            told = data["event"]
            for name in ("source", "id", "type"):
                self.equal(f"{what}: event.{name}", told.get(name), event.attributes[name])
            self.equal(f"{what}: event.time", model.moment(told.get("time")), event.time)
        else:
            self.complain(f"{what}: no data.event")
        return data

    def _task(self, what, found, task):
        self.equal(f"{what}: sequence", found.get("sequence"), task.sequence)
        self.equal(f"{what}: result", found.get("result"), task.result)
        self.equal(f"{what}: code", found.get("code"), task.code)
        self.equal(f"{what}: type", found.get("type"), task.task["type"])
        if "name" in task.task:
            self.equal(f"{what}: name", found.get("name"), task.task["name"])
        for member in {"change-role": ("role", "action", "source"), "delegate": ("role", "to")}.get(task.task["type"], ("channel",)):
            self.equal(f"{what}: {member}", found.get(member), task.task.get(member))
        self.equal(f"{what}: effective", found.get("effective"), task.effective)
        self.equal(f"{what}: lockout", found.get("lockout", False), task.lockout)
        self.equal(f"{what}: dropped", set(found.get("dropped", ())), task.dropped)
        self.equal(f"{what}: baseline", found.get("baseline"), task.baseline)
        if task.result == "failed" and not found.get("message"):
            self.complain(f"{what}: failed without a message")

    def _outcomes(self):
        found = self._once(self.outputs["outcomes"], "outcome")
        expected = set()
        last = {}
        for record, event, execution, id in sorted(self._executions(), key=lambda each: _place(each[0])):
            expected.add(id)
            if id not in found:
                self.complain(f"outcome {id} is lost")
                continue
            out, _ = found[id]
            data = self._envelope(f"outcome {id}", found[id], EXECUTED, event, record)
            if execution.automation is not None:
                self.equal(f"outcome {id}: automation", data.get("automation"), execution.automation)
                if not re.fullmatch("[0-9a-f]{12}", data.get("version", "")):
                    self.complain(f"outcome {id}: version {data.get('version')!r}")
                automation = self.catalogue.automations[execution.automation]
                self.equal(f"outcome {id}: owner", data.get("owner"), automation.get("owner"))
            else:
                for member in ("automation", "version", "owner"):
                    self.equal(f"outcome {id}: {member}", data.get(member), None)
            if self.equal(f"outcome {id}: number of tasks", len(data["tasks"]), len(execution.tasks)):
                for told, task in zip(data["tasks"], execution.tasks):
                    self._task(f"outcome {id} task {task.sequence}", told, task)
            queue = record.topic, record.partition
            if out.offset <= last.get(queue, -1):
                self.complain(f"outcome {id} is out of order")
            last[queue] = max(out.offset, last.get(queue, -1))
            self.counts["outcomes"] += 1
        for id in found.keys() - expected:
            self.complain(f"outcome {id} has no reason to be")

    def _failures(self):
        found = self._once(self.outputs["failures"], "failure")
        expected = set()
        for record, event, execution, execution_id in self._executions():
            for task in execution.tasks:
                if task.result != "failed":
                    continue
                id = f"{execution_id}:{task.sequence}"
                expected.add(id)
                if id not in found:
                    self.complain(f"failure {id} is lost")
                    continue
                data = self._envelope(f"failure {id}", found[id], TASK_FAILED, event, record)
                self._task(f"failure {id}", data.get("task", {}), task)
                self.equal(f"failure {id}: automation", data.get("automation"), execution.automation)
                self._headers(f"failure {id}", found[id][0], record, task.code, execution.automation)
                self.counts["failures"] += 1
        for record, fate in self.fates:
            if fate.kind != "rejected":
                continue
            id = self._id(record)
            expected.add(id)
            if id not in found:
                self.complain(f"failure of the rejected {id} is lost")
                continue
            out, body = found[id]
            data = body["data"]
            self.equal(f"rejection {id}: type", body.get("type"), REJECTED)
            self.equal(f"rejection {id}: code", data.get("code"), fate.code)
            user = body.get("subject")
            self.equal(f"rejection {id}: partition", out.partition,
                       record.partition if user is None else home(user, self.workspace.partitions))
            self.equal(f"rejection {id}: origin", data.get("origin"),
                       {"topic": record.topic, "partition": record.partition, "offset": record.offset})
            for member in ("reason", "message"):
                if not data.get(member):
                    self.complain(f"rejection {id}: no {member}")
            if not re.fullmatch("[0-9a-f]{64}", data.get("sha256", "")):
                self.complain(f"rejection {id}: sha256 {data.get('sha256')!r}")
            self._headers(f"rejection {id}", out, record, fate.code, None)
            self.counts["rejections"] += 1
        for id in found.keys() - expected:
            self.complain(f"failure {id} has no reason to be: {found[id][1]['data']}")

    def _headers(self, what, out, record, code, automation):
        """The two families of headers that dead-letter tools read, and Waymark's own (contract 9)."""
        def text(name):
            value = out.header(name)
            return None if value is None else value.decode()

        def number(name, layout):
            value = out.header(name)
            return None if value is None or len(value) != struct.calcsize(layout) else struct.unpack(layout, value)[0]

        group = self.workspace.group
        for name, value in {"topic": record.topic, "partition": str(record.partition), "offset": str(record.offset),
                            "group": group}.items():
            self.equal(f"{what}: __dlq.errors.{name}", text(f"__dlq.errors.{name}"), value)
        self.equal(f"{what}: kafka_dlt-original-topic", text("kafka_dlt-original-topic"), record.topic)
        self.equal(f"{what}: kafka_dlt-original-partition", number("kafka_dlt-original-partition", ">i"), record.partition)
        self.equal(f"{what}: kafka_dlt-original-offset", number("kafka_dlt-original-offset", ">q"), record.offset)
        self.equal(f"{what}: kafka_dlt-original-timestamp", number("kafka_dlt-original-timestamp", ">q"), record.timestamp)
        self.equal(f"{what}: kafka_dlt-original-consumer-group", text("kafka_dlt-original-consumer-group"), group)
        for name in ("__dlq.errors.message", "kafka_dlt-exception-message"):
            if not text(name):
                self.complain(f"{what}: no {name}")
        self.equal(f"{what}: wm-code", text("wm-code"), code)
        self.equal(f"{what}: wm-run", text("wm-run"), "live")
        if automation is not None:
            self.equal(f"{what}: wm-automation", text("wm-automation"), automation)

    def _dead_letters(self):
        for topic, letters in self.dead.items():
            rejected = [(record, fate) for record, fate in self.fates if fate.kind == "rejected" and record.topic == topic]
            by_origin = {}
            for letter in letters:
                try:
                    origin = int(letter.header("__dlq.errors.partition")), int(letter.header("__dlq.errors.offset"))
                except (TypeError, ValueError):
                    self.complain(f"{letter.topic}/{letter.partition}/{letter.offset} does not name its origin")
                    continue
                if origin in by_origin:
                    self.complain(f"dead letter of {topic} {origin} stands twice")
                by_origin[origin] = letter
            for record, fate in rejected:
                letter = by_origin.pop((record.partition, record.offset), None)
                what = f"dead letter of {self._id(record)}"
                if letter is None:
                    self.complain(f"{what} is lost")
                    continue
                if letter.header("wm-truncated") is None:
                    if (letter.key, letter.value) != (record.key, record.value):
                        self.complain(f"{what} is not verbatim")
                    self.equal(f"{what}: headers", list(letter.headers)[:len(record.headers)], list(record.headers))
                self.equal(f"{what}: timestamp", letter.timestamp, record.timestamp)
                self._headers(what, letter, record, fate.code, None)
                self.counts["dead letters"] += 1
            for origin in by_origin:
                self.complain(f"dead letter of {topic} {origin} has no reason to be")

    def _notifications(self):
        found = collections.defaultdict(list)
        self._once(self.outputs["notifications"], "notification")
        for record in self.outputs["notifications"]:
            body = self._json(record)
            origin = body["data"]["origin"]
            key = origin["topic"], origin["partition"], origin["offset"], body["data"].get("automation")
            found[key].append((record, body))
        for record, event, execution, id in self._executions():
            wanted = [task for task in execution.tasks if task.notification]
            told = found.pop((*event.origin, execution.automation), [])
            if not self.equal(f"notifications of {id}", len(told), len(wanted)):
                continue
            for task, (out, body) in zip(wanted, told):
                self.equal(f"notification of {id}: type", body.get("type"), REQUESTED)
                self.equal(f"notification of {id}: key", out.key, event.user.encode())
                for member, value in task.notification.items():
                    self.equal(f"notification of {id}: {member}", body["data"].get(member), value)
                self.counts["notifications"] += 1
        for key in found:
            self.complain(f"notification of {key} has no reason to be")

    def _asked_by_holders(self):
        """The requests that Waymark itself has sent."""
        found = []
        for record in self.inputs.get(self.workspace.topic["requests"], ()):
            try:
                body = model.strict_json(record.value)
            except (ValueError, AttributeError):
                continue
            if not isinstance(body, dict) or body.get("source") != "/waymark":
                continue
            if re.fullmatch("delegation:.+/[0-9]+/[0-9]+", str(body.get("id"))):
                found.append((record, body))
            else:
                self.complain(f"{record.topic}/{record.partition}/{record.offset}: a request of nobody: {body.get('id')}")
        return found

    def _handed_on(self):
        """What a holder may hand on is asked for once, at the home of the receiver, as his delegation says."""
        found = {}
        for record, body in self.handed_on:
            if body["id"] in found:
                self.complain(f"the request {body['id']} stands twice")
            found[body["id"]] = record, body
        for _, fate in self.fates:
            for event in fate.sent:
                id = event.attributes["id"]
                if id not in found:
                    self.complain(f"the request {id} is lost")
                    continue
                record, body = found.pop(id)
                self.equal(f"request {id}: key", record.key, event.user.encode())
                self.equal(f"request {id}: subject", body.get("subject"), event.user)
                self.equal(f"request {id}: partition", record.partition, home(event.user, self.workspace.partitions))
                self.equal(f"request {id}: type", body.get("type"), "role.assignment.requested")
                self.equal(f"request {id}: time", model.moment(body.get("time")), event.time)
                told = {**body["data"], "until": model.moment(body["data"].get("until"))}
                wanted = {name: value for name, value in event.data.items() if value is not None}
                self.equal(f"request {id}: data", told, {**wanted, "until": model.moment(event.data["until"])})
                self.counts["handed on"] += 1
        for id in found:
            self.complain(f"the request {id} has no reason to be")

    @staticmethod
    def _clock(clock):
        return None if clock is None else tuple(clock)

    def _moment(self, value):
        return model.moment(value) if isinstance(value, str) else value

    def _registers(self):
        births = collections.Counter(record.partition for record in self.outputs["users"] if record.key == BIRTH_KEY)
        for partition in range(self.workspace.partitions):
            self.equal(f"birth records of partition {partition}", births[partition], 1)
        self.registers, self.register_records = {}, {}
        for record in self.outputs["users"]:
            if record.key == BIRTH_KEY:
                continue
            if record.value is None:
                self.complain(f"a tombstone for {record.key!r} in the users topic")
                continue
            user = record.key.decode()
            self.equal(f"partition of the register of {user}", record.partition, home(user, self.workspace.partitions))
            self.registers[user], self.register_records[user] = self._json(record), record
        for user, expected in self.model.users.items():
            if user not in self.registers:
                self.complain(f"the register of {user} is lost")
                continue
            self._register(user, self.registers[user], expected)
            self.counts["registers"] += 1
        for user in self.registers.keys() - self.model.users.keys():
            register = self.registers[user]
            if register.get("roles") or register.get("profile") or register.get("cleared"):
                self.complain(f"the register of {user} has no reason to be: {register}")

    def _standing(self, roles, cleared):
        """What still means something: nothing that a later removal of the role, or of all roles, has taken."""
        result = {}
        for name, state in (roles or {}).items():
            removed = self._clock(state.get("removed"))
            last = max(removed, cleared, key=model.clock_key)
            grants = {}
            for source, grant in (state.get("grants") or {}).items():
                taken, clock = self._clock(grant.get("taken")), self._clock(grant["clock"])
                taken = taken if model.clock_key(taken) > model.clock_key(last) else None
                live = model.clock_key(clock) > max(model.clock_key(last), model.clock_key(taken))
                if live or taken:
                    grants[source] = {**grant, "taken": taken, "clock": clock if live else None}
            if model.clock_key(removed) <= model.clock_key(cleared):
                removed = None
            if removed or grants:
                result[name] = {"removed": removed, "grants": grants}
        return result

    def _grant(self, what, grant, wish):
        self.equal(f"{what} clock", grant["clock"], wish["clock"])
        self.equal(f"{what} taken", grant["taken"], wish["taken"])
        if wish["clock"] is None:
            return
        self.equal(f"{what} until", self._moment(grant.get("until")), wish["until"])
        by = grant.get("by") or {}
        self.equal(f"{what} origin", (by.get("topic"), by.get("partition"), by.get("offset")), wish["by"])
        self.equal(f"{what} delegation", by.get("delegation"), wish.get("delegation"))

    def _register(self, user, found, expected):
        what = f"register of {user}"
        self.equal(f"{what}: v", found.get("v"), 1)
        self.equal(f"{what}: user", found.get("user"), user)
        self.equal(f"{what}: home", found.get("home"), home(user, self.workspace.partitions))
        self.equal(f"{what}: cleared", self._clock(found.get("cleared")), expected.cleared)
        if expected.profile is None:
            self.equal(f"{what}: profile", found.get("profile"), None)
        else:
            profile = found.get("profile") or {}
            self.equal(f"{what}: profile clock", self._clock(profile.get("clock")), expected.profile_clock)
            for name, value in expected.profile.items():
                self.equal(f"{what}: profile {name}", profile.get(name), value)
        since = expected.signed_in if model.clock_key(expected.signed_in) > model.clock_key(expected.cleared) else None
        self.equal(f"{what}: signed in", self._clock(found.get("signed-in")), since)
        roles = self._standing(found.get("roles"), expected.cleared)
        wanted_roles = self._standing(expected.roles, expected.cleared)
        self.equal(f"{what}: names of roles", sorted(roles), sorted(wanted_roles))
        for name in roles.keys() & wanted_roles.keys():
            told, wanted = roles[name], wanted_roles[name]
            self.equal(f"{what}: {name} removed", told["removed"], wanted["removed"])
            grants = told["grants"]
            self.equal(f"{what}: {name} sources", sorted(grants), sorted(wanted["grants"]))
            for source in grants.keys() & wanted["grants"].keys():
                self._grant(f"{what}: {name} of {source}", grants[source], wanted["grants"][source])

    def _changes(self):
        """Gains and losses of a role alternate, and the changes of a decision are those that it made."""
        held, ids, caused = set(), set(), collections.defaultdict(collections.Counter)
        marks = collections.defaultdict(list)
        for record in self.outputs["changes"]:
            body = self._json(record)
            data = body["data"]
            self.equal(f"change {body['id']}: type", body.get("type"), CHANGED)
            if body["id"] in ids:
                if data.get("cause") not in ("expiry", "catalogue"):
                    self.complain(f"change {body['id']} stands twice")
                continue
            ids.add(body["id"])
            user, role = body.get("subject"), data.get("role")
            self.equal(f"change {body['id']}: key", record.key, (user or "").encode())
            self.equal(f"change {body['id']}: partition", record.partition, home(user, self.workspace.partitions))
            if data.get("effective") == ((user, role) in held):
                self.complain(f"change {body['id']}: {role} of {user} {'gained' if data['effective'] else 'lost'} twice")
            if data.get("cause") == "catalogue":
                self._by_catalogue(record, body, user, role)
            (held.add if data.get("effective") else held.discard)((user, role))
            if data.get("origin"):
                origin = data["origin"]
                marks[origin["topic"], origin["partition"], origin["offset"]].append(data)
                caused[origin["topic"], origin["partition"], origin["offset"]][role] += 1 if data["effective"] else -1
            self.counts["changes"] += 1
        for _, fate in self.fates:
            if fate.kind != "decided" or fate.event.origin not in caused:
                continue
            expected = {role: 1 for role in fate.after - fate.before} | {role: -1 for role in fate.before - fate.after}
            told = {role: net for role, net in caused.pop(fate.event.origin).items() if net}
            if not self.evidence[fate.event.origin].changes_agree(fate.event.user, told, expected):
                self.complain(f"changes of {self._id(fate.event)}: found {told!r}, expected {expected!r}")
            self._causes(fate, marks.get(fate.event.origin, ()))
        for origin in caused:
            self.complain(f"changes of {origin} have no reason to be")
        now = int(time.time() * 1_000_000)
        should = {(user, role) for user, state in self.model.users.items()
                  for role in model.effective(state, self.present, now)}
        for user, role in held - should:
            if self._has_ended(user, role, now):
                self.counts["ends that something overtook"] += 1
                continue
            self.complain(f"the changes say that {user} has {role}, which he has not")
        for user, role in should - held:
            if self._has_ended(user, role, now):
                self.counts["ends that something overtook"] += 1
                continue
            self.complain(f"no change says that {user} has {role}")

    def _causes(self, fate, changes):
        """Each change says what kind of event made it; what a directory event takes with nothing left is a lock-out."""
        causes = {"directory.user.updated": "profile", "directory.user.deleted": "deletion", "directory.user.signed-in": "sign-in"}
        wanted = causes.get(fate.event.type, "request" if fate.event.type in model.REQUEST_CHECKS else "task")
        for change in changes:
            what = f"change of {change['role']} by {self._id(fate.event)}"
            self.equal(f"{what}: cause", change.get("cause"), wanted)
            if fate.event.type in causes:
                self.equal(f"{what}: lockout", change.get("lockout", False), not change["effective"] and not fate.after)

    def _ended_beside(self, user, role, record):
        """A grant ended by the clock about when something else changed the role: who tells of it first is open, because
        events are decided by the time of their records."""
        state = self.model.users.get(user)
        ends = state.ends.get(role, ()) if state else ()
        return any(end is not None and abs(end / 1000 - record.timestamp) < ENDS_TOLD for end in ends)

    def _has_ended(self, user, role, now):
        """A grant of this role ended: what is decided late counts by the time of its record, before the end or after it, and
        neither the end nor what came instead need be a change of its own."""
        ends = self.model.users[user].ends.get(role, ()) if user in self.model.users else ()
        return any(end is not None and end <= now for end in ends)

    def _by_catalogue(self, record, body, user, role):
        """The only change of the catalogue is what control said."""
        self.counts["changes by catalogue"] += 1
        wanted = rf"catalogue:[0-9a-f]+:[0-9]+:{re.escape(f'{user}:{role}')}:{'gained' if body['data']['effective'] else 'lost'}"
        if not re.fullmatch(wanted, body["id"]):
            self.complain(f"change {body['id']}: that is no id of a change by the catalogue")
        if self.same and f"role/{role}" not in self.epochs.words and not self._ended_beside(user, role, record):
            self.complain(f"change {body['id']}: nobody changed {role}")

    def _ends(self, client, now):
        """wm:ends: who loses something next, and when; it may be looked for earlier, for a grant that is gone."""
        found = {user: int(end) for user, end in client.zrange(f"{self.workspace.prefix}:ends", 0, -1, withscores=True)}
        for user, state in self.model.users.items():
            ends = [state.roles[role]["grants"][source]["until"] for role in state.roles for source in state.live(role, now)]
            expected = min((end for end in ends if end is not None), default=None)
            if expected is not None and not found.get(user, expected + 1) <= expected:
                self.complain(f"next end of {user}: found {found.get(user)}, expected {expected}")

    def _redis(self):
        client, prefix = self.workspace.redis.client(), self.workspace.prefix
        progress = client.hgetall(f"{prefix}:progress")
        ends = self.workspace.broker.ends(self.workspace.topic["users"])
        last = collections.defaultdict(int)
        for record in self.outputs["users"]:
            if record.key != BIRTH_KEY:
                last[record.partition] = record.offset + 1
        for (_, partition), end in ends.items():
            at = int(progress.get(str(partition), -1))
            if last[partition] and not last[partition] <= at <= end:
                self.complain(f"progress of partition {partition}: {at}, the last register ends at {last[partition]}")
        now = int(time.time() * 1_000_000)
        users = list(self.registers)
        pipeline = client.pipeline(transaction=False)
        for user in users:
            pipeline.smembers(self.workspace.redis_key(user, "roles"))
            pipeline.hgetall(self.workspace.redis_key(user, "user"))
        answers = pipeline.execute()
        for user, roles, stored in zip(users, answers[::2], answers[1::2]):
            expected = model.effective(self.model.users.get(user), self.present, now)
            self.equal(f"roles of {user} in Redis", roles, expected)
            if not stored:
                self.complain(f"no register of {user} in Redis")
                continue
            try:
                register = json.loads(stored["register"])
            except (KeyError, ValueError):
                self.complain(f"the register of {user} in Redis can't be read: {stored!r}")
                continue
            self.equal(f"register of {user} in Redis", register, self.registers[user])
            self.equal(f"offset of the register of {user}", int(stored.get("at", -1)), self.register_records[user].offset)
        self._ends(client, now)
        if client.hgetall(f"{prefix}:meta") == {}:
            self.complain("no meta in Redis")
        known = {self.workspace.redis_key(user, kind) for user in users for kind in ("roles", "user")}
        for key in client.scan_iter(f"{prefix}:{{*", count=1000):
            if key not in known:
                self.complain(f"{key} in Redis is of nobody")


def acquit(workspace, alive=(), supervised=(), timeout=120, **more):
    """Waits for the dust to settle, judges, and fails with the first complaints. Returns what was counted."""
    settle(workspace, alive, supervised, timeout)
    judge = Judge(workspace, **more)
    wrong = judge.judge()
    shown = "\n  ".join(wrong[:20])
    assert not wrong, f"{len(wrong)} complaints:\n  {shown}"
    return judge.counts
