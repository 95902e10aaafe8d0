"""Writes a workspace into a folder of its own, with topic names, group and Redis prefix that no other test has."""
import itertools
import json
import os
import pathlib

import yaml

from .worker import waymark

_numbers = itertools.count(1)

OUTPUTS = ("users", "outcomes", "changes", "failures", "notifications", "control")


class Workspace:
    def __init__(self, folder, broker, redis, partitions=4, inputs=("events",), documents="", **settings):
        self.folder = pathlib.Path(folder) / "workspace"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs = pathlib.Path(folder)
        self.broker, self.redis, self.partitions = broker, redis, partitions
        self.id = f"t{os.getpid()}-{next(_numbers)}"
        self.prefix = f"wm-{self.id}"
        self.inputs = [f"{self.id}.{name}" for name in inputs]
        self.topic = {name: f"{self.id}.{name}" for name in (*OUTPUTS, "directory", "requests", "replay")}
        self.settings = {
            "instance": "worker-1",
            "kafka": {"bootstrap": broker.bootstrap, "group": self.id, "partitions": partitions,
                      "properties": settings.pop("properties", {})},
            "topics": {"events": self.inputs, **self.topic},
            "redis": {"address": redis.address, "prefix": self.prefix},
            "http": {"listen": "127.0.0.1:0"},
            "log": {"level": "info"},
        }
        for key, value in settings.items():
            if isinstance(value, dict):
                self.settings.setdefault(key, {}).update(value)
            else:
                self.settings[key] = value
        self.write_settings()
        self.write(documents)

    @property
    def events(self):
        return self.inputs[0]

    @property
    def group(self):
        return self.settings["kafka"]["group"]

    def dlq(self, topic=None):
        return f"{topic or self.events}.dlq"

    def write_settings(self):
        text = yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True)
        (self.folder / "waymark.yaml").write_text(text)

    def write(self, documents, name="rules.yaml"):
        """Replaces a file in one step: a reload never sees half of it."""
        if not isinstance(documents, str):
            documents = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        fresh = self.folder / f".{name}.new"
        fresh.write_text(documents)
        fresh.rename(self.folder / name)

    def other_instance(self, name):
        """The same workspace for a second worker: another folder, another instance."""
        twin = object.__new__(Workspace)
        twin.__dict__.update(self.__dict__)
        twin.folder = self.folder.with_name(f"workspace-{name}")
        twin.folder.mkdir()
        for file in self.folder.glob("*.yaml"):
            (twin.folder / file.name).write_text(file.read_text())
        twin.settings = json.loads(json.dumps(self.settings))
        twin.settings["instance"] = name
        twin.write_settings()
        return twin

    def create_topics(self):
        done = waymark("topics", "create", "-C", self.folder, "--yes")
        assert done.returncode == 0, f"topics create: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return self

    def redis_key(self, user, kind):
        quoted = user.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")
        return f"{self.prefix}:{{{quoted}}}:{kind}"

    def roles(self, user, client=None):
        return (client or self.redis.client()).smembers(self.redis_key(user, "roles"))

    def lag(self):
        """Input records that the group has not committed yet."""
        topics = [*self.inputs, self.topic["directory"], self.topic["requests"]]
        ends = self.broker.ends(*topics)
        begins = self.broker.begins(*topics)
        committed = self.broker.committed(self.group, *topics)
        return sum(end - (begins[key] if committed[key] is None else committed[key]) for key, end in ends.items())
