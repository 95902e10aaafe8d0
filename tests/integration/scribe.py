"""Writes what an honest worker would write, so that the judge can be tested against small lies.

Decisions come from the judge's own model: this proves how the judge reads and compares, not what it believes."""
import hashlib
import json
import struct
import time

import model
import order
from checker import control_word
from checker import BIRTH_KEY, CHANGED, EXECUTED, REJECTED, REQUESTED, TASK_FAILED
from load import rfc3339
from waymark_testlib.kafka import Sender, home


def create_topics(workspace):
    broker, topic = workspace.broker, workspace.topic
    inputs = [*workspace.inputs, topic["directory"], topic["requests"]]
    names = [*inputs, *(workspace.dlq(name) for name in inputs),
             *(topic[name] for name in ("users", "outcomes", "changes", "failures", "notifications"))]
    broker.create_topics(names, workspace.partitions)
    broker.create_topics([topic["control"]], 1)
    sender = Sender(broker, workspace.partitions)
    for partition in range(workspace.partitions):
        sender.raw(topic["users"], b'{"incarnation":"x"}', BIRTH_KEY, partition=partition)
    sender.flush()


class Scribe:
    def __init__(self, workspace):
        self.workspace, self.broker = workspace, workspace.broker
        self.written = self.catalogue = model.Catalogue(workspace.folder)
        self.kinds = {**{topic: "events" for topic in workspace.inputs}, workspace.topic["directory"]: "directory",
                      workspace.topic["requests"]: "requests"}
        self.model = model.Model(self.catalogue, workspace.partitions, self.kinds, int(time.time() * 1_000_000))
        self.sender = Sender(self.broker, workspace.partitions)
        self.registers, self.done = {}, set()

    def work(self):
        """What control says, then every input that is there, and what holders hand on by it."""
        self._follow()
        while self._inputs():
            self.sender.flush()
        self._redis()

    def _follow(self):
        words = self.broker.read(self.workspace.topic["control"])
        before, self.catalogue = self.catalogue, order.Epochs(self.written, words, control_word).last
        self.model.catalogue = self.catalogue
        now = int(time.time() * 1_000_000)
        for name, user in self.model.users.items():
            held, holds = (model.effective(user, each, now) for each in (before, self.catalogue))
            for role in held ^ holds:
                how = "gained" if role in holds else "lost"
                self._put("changes", name.encode(), home(name, self.workspace.partitions), f"catalogue:abc:{now}:{name}:{role}:{how}",
                          CHANGED, name, now, {"role": role, "effective": role in holds, "cause": "catalogue"})

    def _inputs(self):
        records = [record for record in self.broker.read(*self.kinds)
                   if (record.topic, record.partition, record.offset) not in self.done]
        for record in sorted(records, key=lambda record: record.timestamp):
            self.done.add((record.topic, record.partition, record.offset))
            fate = self.model.feed(record)
            if fate.kind == "rejected":
                self._rejected(record, fate)
            elif fate.kind == "decided":
                self._decided(record, fate)
        self.sender.flush()
        return records

    def _put(self, name, key, partition, id, type, subject, at, data, headers=()):
        body = {"specversion": "1.0", "id": id, "source": "/waymark", "type": type, "subject": subject,
                "time": None if at is None else rfc3339(at / 1_000_000), "data": data}
        self.sender.raw(self.workspace.topic[name], self._json(body), key, headers, partition)

    @staticmethod
    def _json(value):
        def pruned(value):
            if isinstance(value, dict):
                return {name: pruned(item) for name, item in value.items() if item is not None}
            return [pruned(item) for item in value] if isinstance(value, list) else value
        return json.dumps(pruned(value)).encode()

    def _headers(self, record, code, automation=None):
        group = self.workspace.group.encode()
        headers = [("__dlq.errors.topic", record.topic.encode()), ("__dlq.errors.partition", b"%d" % record.partition),
                   ("__dlq.errors.offset", b"%d" % record.offset), ("__dlq.errors.group", group),
                   ("__dlq.errors.message", b"because"), ("kafka_dlt-original-topic", record.topic.encode()),
                   ("kafka_dlt-original-partition", struct.pack(">i", record.partition)),
                   ("kafka_dlt-original-offset", struct.pack(">q", record.offset)),
                   ("kafka_dlt-original-timestamp", struct.pack(">q", record.timestamp)),
                   ("kafka_dlt-original-consumer-group", group), ("kafka_dlt-exception-message", b"because"),
                   ("wm-code", code.encode()), ("wm-run", b"live")]
        return headers + ([("wm-automation", automation.encode())] if automation else [])

    def _rejected(self, record, fate):
        origin = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        value = record.value or b""
        headers = self._headers(record, fate.code)
        self.sender.raw(self.workspace.dlq(record.topic), record.value, record.key, [*record.headers, *headers],
                        record.partition, record.timestamp)
        self._put("failures", record.key, record.partition, "live:{topic}/{partition}/{offset}".format(**origin), REJECTED,
                  None, record.timestamp * 1000,
                  {"code": fate.code, "reason": "word", "message": "because", "origin": origin, "run": "live",
                   "size": len(value), "sha256": hashlib.sha256(value).hexdigest()}, headers)

    def _task(self, task):
        told = {"sequence": task.sequence, "name": task.task.get("name"), "type": task.task["type"], "result": task.result,
                "code": task.code, "message": "because" if task.result == "failed" else None,
                "effective": task.effective, "lockout": task.lockout or None, "baseline": task.baseline, "dropped": sorted(task.dropped) or None}
        return {**told, **{name: task.task[name] for name in ("role", "action", "source", "to", "channel") if name in task.task}}

    def _decided(self, record, fate):
        event = fate.event
        key = event.user.encode() if event.user is not None else record.key
        origin = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        told = {"source": event.attributes["source"], "id": event.attributes["id"], "type": event.type,
                "time": rfc3339(event.time / 1_000_000)}
        for execution in fate.executions:
            id = f"live:{record.topic}/{record.partition}/{record.offset}:{execution.name}"
            data = {"run": "live", "automation": execution.automation,
                    "version": None if execution.automation is None else "0" * 12, "event": told, "origin": origin,
                    "owner": self.catalogue.automations.get(execution.automation, {}).get("owner")}
            common = key, record.partition
            self._put("outcomes", *common, id, EXECUTED, event.user, event.time,
                      {**data, "tasks": [self._task(task) for task in execution.tasks]})
            for task in execution.tasks:
                if task.result == "failed":
                    self._put("failures", *common, f"{id}:{task.sequence}", TASK_FAILED, event.user, event.time,
                              {**data, "task": self._task(task)}, self._headers(record, task.code, execution.automation))
                if task.notification:
                    self._put("notifications", *common, f"{id}:{task.sequence}", REQUESTED, event.user, event.time,
                              {**data, **task.notification})
        causes = {"directory.user.updated": "profile", "directory.user.deleted": "deletion", "directory.user.signed-in": "sign-in"}
        cause = causes.get(event.type, "request" if event.type in model.REQUEST_CHECKS else "task")
        locked_out = True if cause not in ("request", "task") and not fate.after else None
        for role in fate.before ^ fate.after:
            self._put("changes", key, record.partition, f"live:{record.topic}/{record.partition}/{record.offset}:{role}", CHANGED,
                      event.user, event.time, {"role": role, "effective": role in fate.after, "cause": cause, "origin": origin,
                       "lockout": locked_out if role in fate.before else None})
        for request in fate.sent:
            body = {"specversion": "1.0", "time": rfc3339(request.time / 1_000_000), "subject": request.user,
                    "data": request.data, **request.attributes}
            self.sender.of_user(self.workspace.topic["requests"], request.user, self._json(body))

        if event.user in self.model.users:
            self._register(self.model.users[event.user])

    def _register(self, user):
        roles = {name: {"removed": state["removed"],
                        "grants": {source: {**grant, "by": {**dict(zip(("topic", "partition", "offset"), grant["by"] or ())),
                                                            "delegation": grant.get("delegation")}}
                                   for source, grant in state["grants"].items()}} for name, state in user.roles.items()}
        signed_in = user.signed_in if model.clock_key(user.signed_in) > model.clock_key(user.cleared) else None
        profile = None if user.profile is None else {**user.profile, "clock": user.profile_clock}
        register = json.dumps({"v": 1, **user.register(self.workspace.partitions), "roles": roles, "profile": profile,
                               "signed-in": signed_in})
        if self.registers.get(user.id) != register:
            self.registers[user.id] = register
            self.sender.of_user(self.workspace.topic["users"], user.id, register.encode())

    def _redis(self, partitions=None):
        client, prefix = self.workspace.redis.client(), self.workspace.prefix
        now = int(time.time() * 1_000_000)
        progress, newest = {}, {}
        for record in self.broker.read(self.workspace.topic["users"]):
            if partitions is None or record.partition in partitions:
                progress[str(record.partition)] = record.offset + 1
                newest[record.key] = record
        newest.pop(BIRTH_KEY, None)
        for record in newest.values():
            user = record.key.decode()
            client.hset(self.workspace.redis_key(user, "user"),
                        mapping={"gen": 1, "at": record.offset, "register": record.value.decode()})
            roles = model.effective(self.model.users[user], self.catalogue, now)
            client.delete(self.workspace.redis_key(user, "roles"))
            if roles:
                client.sadd(self.workspace.redis_key(user, "roles"), *roles)
            ends = [state["grants"][source]["until"] for role, state in self.model.users[user].roles.items()
                    for source in self.model.users[user].live(role, now)]
            for end in filter(None, ends):
                client.zadd(f"{prefix}:ends", {user: end}, lt=True)
        client.hset(f"{prefix}:meta", "ready", 1)
        for partition, offset in progress.items():
            client.hset(f"{prefix}:progress", partition, offset)
