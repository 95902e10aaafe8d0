"""TLS, SASL and the ACLs of the guide: each program works with the rights that it is given there, and with no others."""
import functools
import json
import os
import re
import time

import pytest
from confluent_kafka import KafkaError, Producer

import guide
from checker import settle
from guarded import GuardedBroker
from load import structured
from waymark_testlib.kafka import home
from waymark_testlib.process import wait_until
from waymark_testlib.worker import Worker, waymark
from waymark_testlib.workspace import Workspace

RULES = """
role: member
---
role: expert
status: inactive
---
automation: join
trigger: journey.started
tasks: [{name: Give, sequence: 10, type: change-role, role: member, action: add}]
---
automation: grow
trigger: journey.completed
tasks: [{name: Give, sequence: 10, type: change-role, role: expert, action: add}]
"""
USERS = ("waymark", "installer", "operator", "journeys")
OWN = ("users", "outcomes", "changes", "failures", "notifications", "control", "directory", "requests", "replay")


class Site:
    def __init__(self, folder, broker, redis):
        self.broker, self.folders = broker, {}
        names = {name: f"waymark.{name}" for name in OWN}
        self.workspace = Workspace(folder, broker, redis, documents=RULES,
                                   kafka={"bootstrap": broker.clients, "group": "waymark"},
                                   topics={"events": ["journey.milestones"], **names})
        self.workspace.topic, self.workspace.inputs = names, ["journey.milestones"]
        for line in guide.commands("deployment.md", "Who may do what"):
            broker.allow(line)
        for user in USERS:
            self.folders[user] = self.workspace.other_instance(user)
            properties = self.folders[user].settings["kafka"]["properties"] = broker.properties_of(user)
            if user == "waymark":  # the others' come from the environment
                secret = self.workspace.logs / "kafka-password"
                secret.write_text(broker.password(user) + "\n")
                properties["sasl.password"] = f"${{file:{secret}}}"
            self.folders[user].write_settings()

    def environment(self, user):
        return {} if user == "waymark" else {"KAFKA_PASSWORD": self.broker.password(user)}

    def call(self, user, *words, code=0):
        done = waymark(*words, "-C", self.folders[user].folder, env={**os.environ, **self.environment(user)},
                       cwd=self.workspace.logs)
        assert done.returncode in (code if isinstance(code, tuple) else (code,)), f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def producer(self, user):
        properties = self.broker.properties_of(user)
        return Producer({"log_level": 0, "bootstrap.servers": self.broker.clients, **properties,
                         "sasl.password": self.broker.password(user), "message.timeout.ms": 20000})

    def refused(self, user, topic):
        """Why a record of this user is not taken; None: it is."""
        said = []
        producer = self.producer(user)
        producer.produce(topic, b"x", b"x", on_delivery=lambda error, _: said.append(error))
        producer.flush(30)
        return said[0] and said[0].code()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    broker = GuardedBroker(tmp_path_factory.mktemp("guarded"), USERS).start()
    yield broker
    broker.stop()


def test_every_program_works_with_the_rights_of_the_guide(guarded, tmp_path, redis):
    site = Site(tmp_path, guarded, redis)
    site.call("installer", "topics", "create", "--yes")
    site.call("installer", "topics", "check")
    worker = Worker(site.folders["waymark"], "guarded", site.environment("waymark"))
    try:
        worker.start_ready(60)
        assert not worker.lines("(?i)authoriz")
        journeys = site.producer("journeys")
        for number, (user, type) in enumerate([("u1", "journey.started"), ("u2", "journey.started"),
                                               ("u3", "journey.completed")], start=1):
            journeys.produce("journey.milestones", structured(number, type, user, {}, at=time.time()), user.encode(),
                             partition=home(user, 4))
        journeys.produce("journey.milestones", b"no event", b"u1", partition=home("u1", 4))
        assert journeys.flush(30) == 0
        settle(site.workspace)
        assert site.workspace.roles("u1") == {"member"}
        what_operators_do(site)
        settle(site.workspace)
    finally:
        worker.end()
    more_partitions(site)
    nobody_does_more(site)


def what_operators_do(site):
    def operator(*words, code=0):
        return site.call("operator", *words, code=code)

    reason = ("--yes", "--reason", "a drill")
    assert "EVENT_INVALID" in operator("failures", "list") and "ROLE_INACTIVE" in operator("failures", "stats")
    operator("event", "/journeys", "1")
    operator("history", "u1")
    operator("verify")
    said = operator("doctor", code=(0, 1))
    assert "uthoriz" not in said and re.search(r"User:operator may not write on waymark\.\w+.*: a worker must", said), said
    worker = functools.partial(site.call, "waymark", "doctor", code=(0, 1))
    assert "this user needs describe on the cluster" in worker()
    site.broker.allow("kafka-acls --add --allow-principal User:waymark --operation Describe --cluster")
    said = worker()
    assert "User:waymark may do all that a worker does" in said, said
    operator("grant", "u2", "member", *reason)
    operator("automations", "off", "grow", *reason)
    operator("automations", "on", "grow", *reason)
    assert "on" in operator("automations")
    operator("redrive", "--automation", "grow", "--since", "1h", *reason, code=1)  # it fails again: inactive
    operator("replay", "plan", "--topic", "journey.milestones", "--from", "0", "--to", "0s", "--output", "plan.json")
    operator("replay", "apply", "plan.json", "--run", "drill", *reason)
    operator("replay", "list")
    operator("undo", "plan", "--automation", "join", "--output", "undo.jsonl")
    operator("undo", "apply", "undo.jsonl", *reason)
    wait_until(lambda: site.workspace.roles("u1") == set(), what="the undo")
    assert site.workspace.roles("u2") == {"member"}, "given by hand too"
    people = site.workspace.logs / "people.jsonl"
    people.write_text(json.dumps({"id": "u9", "status": "active"}) + "\n")
    operator("directory", "import", people, "--yes")


def more_partitions(site):
    for user in ("installer", "operator"):
        settings = site.folders[user].settings
        settings["kafka"]["partitions"], settings["topics"]["users"] = 8, "waymark.users-8"
        site.folders[user].write_settings()
    rehome = ("topics", "rehome", "--from", "waymark.users", "--yes", "--reason", "more workers")
    said = site.call("operator", *rehome, code=1)
    assert "can't be given 8 partitions" in said and "nothing was done" in said
    assert "waymark.users-8" not in site.broker.topics()
    site.call("installer", *rehome)
    site.call("installer", "topics", "check")


def nobody_does_more(site):
    for user, topic in (("journeys", "waymark.requests"), ("journeys", "waymark.users"), ("operator", "waymark.users"),
                        ("operator", "journey.milestones"), ("waymark", "waymark.directory"),
                        ("waymark", "journey.milestones"), ("waymark", "waymark.control")):
        assert site.refused(user, topic) == KafkaError.TOPIC_AUTHORIZATION_FAILED, (user, topic)
    said = site.call("journeys", "topics", "check", code=1)
    assert said.count("can't be looked at: Broker: Topic authorization failed") > 5 and "anew" not in said, said
    site.folders["operator"].settings["kafka"]["properties"]["ssl.ca.location"] = "/etc/ssl/certs/ca-certificates.crt"
    site.folders["operator"].write_settings()
    said = site.call("operator", "history", "u1", code=3)
    assert "ertificate" in said or "SSL" in said, said
