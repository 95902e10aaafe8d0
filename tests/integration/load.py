"""A workspace that uses much of the language, and a stream of events that meets all of it, hostile ones too."""
import datetime
import json
import random
import threading
import time

from waymark_testlib.kafka import Sender, home

RULES = """
role: member
label: Member
---
role: expert
label: Expert
---
role: trial
label: Trial
---
role: retired
label: Retired
status: archived
---
role: root
label: Root
kind: administrator
---
channel: mail
---
automation: a-member
description: The way in and out.
owner: jane@acme.example
trigger: journey.milestone.achieved
when: {data.milestone: joined}
tasks:
  - {name: Grant member, sequence: 10, type: change-role, role: member, action: add}
  - {name: Grant what is retired, sequence: 20, type: change-role, role: retired, action: add}
  - {name: Say so, sequence: 30, type: notify, channel: mail, title: Welcome, message: "{{ data.milestone }} by {{ event.id }}: {{ user.roles }}"}
---
automation: b-leaver
trigger: [journey.milestone.failed, journey.abandoned]
tasks:
  - {name: Take member, sequence: 1, type: change-role, role: member, action: remove}
  - {name: Take expert, sequence: 2, type: change-role, role: expert, action: remove}
---
automation: c-expert
trigger: journey.milestone.*
when:
  data.score: {at-least: 80}
  user.roles: {has: member}
  not: {data.milestone: joined}
tasks:
  - {name: Grant expert, sequence: 1, type: change-role, role: expert, action: add, expires-after: 365d}
  - {name: Say it with a score, sequence: 2, type: notify, channel: mail, title: Expert, message: "{{ data.score }} {{ data.note }}", on-failure: stop}
  - {name: Grant trial, sequence: 3, type: change-role, role: trial, action: add}
---
automation: d-once
trigger: journey.completed
repeat: once-per-journey
tasks:
  - {name: Grant trial, sequence: 1, type: change-role, role: trial, action: add}
---
automation: e-outsider
trigger: other.*
tasks:
  - {name: Not allowed, sequence: 1, type: change-role, role: member, action: add}
  - {name: Nobody there, sequence: 2, type: notify, channel: pigeon, title: Hello, message: Hello}
  - {name: Protected, sequence: 3, type: change-role, role: root, action: add}
"""

# The same, and what people, the directory and control decide. Settings: BASELINE.
BASELINE = "guest"
LIVES = RULES + """
---
role: guest
---
role: season
delegation: holders
assigned-when: [{group: summer}]
---
role: staff
activate: at-sign-in
assigned-when: [{group: staff}]
---
role: north
type: employee
assigned-when: [{org-unit: north, include-subordinates: true}, {when: {user.attributes.tier: gold}}]
---
automation: f-season
trigger: journey.phase.entered
tasks:
  - {name: Grant season, sequence: 5, type: change-role, role: season, action: add, expires-after: 30d}
  - {name: Say so, sequence: 6, type: notify, channel: mail, title: Season, message: "{{ user.roles }}"}
---
automation: g-quiet
enabled: false
trigger: [journey.phase.entered, journey.completed]
tasks:
  - {name: Take season, sequence: 5, type: change-role, role: season, action: remove}
"""
GIVEN = ["member", "expert", "season", "season", "guest", "staff", "north", "root", "nobody-knows"]
SWITCHES = [("automation", "f-season"), ("automation", "g-quiet"), ("role", "season")]

TYPES = ["journey.milestone.achieved"] * 6 + ["journey.milestone.failed"] * 2 + [
    "journey.abandoned", "journey.completed", "journey.phase.entered", "other.thing", "nobody.listens"]


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def structured(id, type="journey.milestone.achieved", user=None, data=None, at=None, source="/journeys", **more):
    event = {"specversion": "1.0", "id": str(id), "source": source, "type": type, "subject": user, "data": data,
             "time": None if at is None else at if isinstance(at, str) else rfc3339(at), **more}
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode()


def switch(kind, name, value):
    """Key and value of a record for the control topic; None forgets what was said."""
    subject = f"{kind}/{name}"
    if value is None:
        return subject.encode(), None
    type, data = {"automation": ("dev.waymark.automation.switched.v1", {"state": "on" if value else "off"}),
                  "role": ("dev.waymark.role.archived.v1", {"archived": value})}[kind]
    return subject.encode(), structured(f"{subject}-{time.time()}", type, subject, {kind: name, **data, "reason": "a drill"},
                                        time.time(), "/waymark")


def binary(id, type="journey.milestone.achieved", user=None, at=None, source="/journeys"):
    """The headers; the data is the value."""
    attributes = {"specversion": "1.0", "id": str(id), "source": source, "type": type, "subject": user,
                  "time": None if at is None else rfc3339(at)}
    return [("content-type", b"application/json")] + [
        (f"ce_{name}", value.encode()) for name, value in attributes.items() if value is not None]


class Load:
    """Sends events from a seed, at a rate, in a thread of its own, until it is told to stop.

    `lives`: profiles, sign-ins and requests too, switches on control and grants that end soon, for a workspace of LIVES.
    "steady": no roles are archived, and no grants end soon. "calm": nothing is said on control besides."""

    def __init__(self, workspace, seed, rate=500, users=150, poison=0.01, lives=False):
        self.workspace, self.rate, self.poison, self.lives = workspace, rate, poison, lives
        self.switched = 0.0
        self.random = random.Random(seed)
        self.users = [f"user-{number}" for number in range(users - 3)] + ["größe", "{brace}%7B", "漢字 {"]
        # Only these are deleted. They never complete a journey: whether that ran before or after leaves no trace by itself.
        self.leavers = self.users[::10] if lives else ()
        self.sender = Sender(workspace.broker, workspace.partitions)
        self.count = 0
        self.recent = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.stopping = threading.Event()
        self.failure = None

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        """Everything that was sent is in Kafka when this returns."""
        self.stopping.set()
        self.thread.join(60)
        if self.failure:
            raise self.failure
        self.sender.flush()
        return self.count

    def _run(self):
        try:
            began = time.monotonic()
            sent = 0
            while not self.stopping.is_set():
                due = int((time.monotonic() - began) * self.rate) - sent
                self.send(due)
                sent += due
                time.sleep(0.02)
        except Exception as error:  # shown by stop(), in the thread of the test
            self.failure = error

    def send(self, count):
        for _ in range(count):
            self._one()
        return self

    def _one(self):
        dice, topic = self.random, self.workspace.events
        self.count += 1
        number, user = self.count, dice.choice(self.users)
        if dice.random() < self.poison:
            return self._hostile(topic, number, user)
        if self.lives:
            if self.due_to_switch(time.monotonic()):
                self.switch()
            if dice.random() < 0.3:
                return self.by_others(number, user)
        if self.recent and dice.random() < 0.03:
            return self.sender.of_user(topic, *dice.choice(self.recent))
        data = {"journey": dice.choice(["onboarding", "sales"]), "milestone": dice.choice(["joined", "certified", "x"]),
                "score": dice.choice([10, 79, 80, 99, "80", None]), "enrollment": dice.choice([None, number % 7])}
        if dice.random() < 0.5:
            data["note"] = dice.choice(["fine", "", "größer", ["a", 1]])
        if dice.random() < 0.03:
            data["enrollment"] = dice.choice(["7", True, 7.5, {}])
        at = time.time() - dice.choice([0, 0, 0, 0, 1, 60, 90000, 400 * 86400])
        if dice.random() < 0.02:
            user = None
        type = dice.choice(TYPES)
        if user in self.leavers and type == "journey.completed":
            type = "journey.abandoned"
        if dice.random() < 0.3:
            record = json.dumps(data).encode(), binary(number, type, user, at)
        else:
            record = structured(number, type, user, data, at), [("content-type", b"application/cloudevents+json")]
        if user is None:
            return self.sender.raw(topic, record[0], f"key-{number}".encode(), record[1], number % self.workspace.partitions)
        self.sender.of_user(topic, user, *record)
        self.recent = self.recent[-200:] + [(user, *record)]
        return None

    def due_to_switch(self, now):
        return self.lives != "calm" and now - self.switched > 1.5

    def switch(self):
        self.switched = time.monotonic()
        switches = [each for each in SWITCHES if self.lives is True or each[0] == "automation"]
        key, value = switch(*self.random.choice(switches), self.random.choice([True, False, True, False, None]))
        if self.random.random() < 0.1:
            value = self.random.randbytes(20)
        self.sender.raw(self.workspace.topic["control"], value, key, (), 0)

    def by_others(self, number, user):
        """What the directory and people say."""
        dice, at = self.random, time.time() - self.random.choice([0, 0, 0, 0, 1, 60, 90000])
        ends = dice.choice([None, None, rfc3339(time.time() + dice.choice([86400] if self.lives in ("calm", "steady") else [-1, 1.5, 4, 86400]))])
        role = dice.choice(GIVEN)
        kind, type, data = dice.choice([
            ("directory", "directory.user.updated", self.profile()), ("directory", "directory.user.updated", self.profile()),
            ("directory", "directory.user.signed-in", None),
            ("directory", "directory.user.deleted" if user in self.leavers else "directory.user.signed-in", None),
            ("requests", "role.assignment.requested", {"role": role, "action": dice.choice(["add", "add", "remove"]), "by": "jane",
                                                       "until": ends, "delegation": dice.choice([None, "none", "holders"])}),
            ("requests", "role.assignment.requested", {"role": role, "action": "add", "until": ends}),
            ("requests", "role.delegation.requested", {"role": role, "to": dice.choice(self.users), "until": ends}),
            ("requests", "role.delegation.requested", {"role": "season", "to": dice.choice(self.users), "reason": "on leave"}),
            ("requests", "role.grant.withdrawn", {"role": role, "source": dice.choice(["manual", "automation/f-season",
                                                                                       "automation/baseline"])}),
        ])
        id = number if dice.random() < 0.97 else dice.randrange(number)
        if dice.random() < self.poison:
            data = {"status": "asleep", "role": 5}
        value = structured(id, type, user, data, at, dice.choice(["/people", "/journeys"]))
        self.sender.of_user(self.workspace.topic[kind], user, value, [("content-type", b"application/cloudevents+json")])

    def profile(self):
        dice = self.random
        profile = {"status": dice.choice(["active"] * 9 + ["suspended"]), "name": "Ann", "groups": dice.sample(["summer", "staff", "x"], 2),
                   "type": dice.choice(["employee", "partner"]), "org-units": {"division": ["acme", "north", "oslo"][:dice.randint(1, 3)]},
                   "attributes": {"tier": dice.choice(["gold", "tin"])}}
        return {name: value for name, value in profile.items() if name == "status" or dice.random() < 0.8}

    def _hostile(self, topic, number, user):
        dice, partitions = self.random, self.workspace.partitions
        good = structured(number, user=user, data={"milestone": "joined"})
        choice = dice.randrange(7)
        key, headers, partition = user.encode(), [], home(user, partitions)
        if choice == 0:
            value = dice.randbytes(dice.randrange(300))
            headers = [("x", dice.randbytes(20))]
        elif choice == 1:
            value = good[:dice.randrange(1, len(good))]
        elif choice == 2:
            value = None
        elif choice == 3:
            value, partition = good, (partition + 1) % partitions
        elif choice == 4:
            value = b"[" * dice.randrange(1, 2000)
        elif choice == 5:
            value = structured(number, "directory.user.deleted", user)
        else:
            value, key = structured(number, user=user, at=time.time() + 3600), None
        self.sender.raw(topic, value, key, headers, partition)
