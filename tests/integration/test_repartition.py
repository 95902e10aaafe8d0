"""From two partitions to four, by the procedure of the guide: drain, new topics, rehome. Roles, memory and the audit
trail come along, and what is not as planned is refused before anything is touched."""
import json
import random
import shutil
import subprocess
import time

import pytest

import guide
from checker import settle
from load import structured
from waymark_testlib.kafka import Sender, home
from waymark_testlib.process import wait_until
from waymark_testlib.worker import build_folder, waymark

RULES = """
role: member
---
role: expert
---
role: trial
---
role: guest
---
role: staff
assigned-when: [{group: staff}]
---
automation: join
trigger: journey.started
tasks:
  - {name: Give, sequence: 10, type: change-role, role: member, action: add}
  - {name: Try, sequence: 20, type: change-role, role: trial, action: add, expires-after: 300d}
---
automation: leave
trigger: journey.abandoned
tasks: [{name: Take, sequence: 10, type: change-role, role: member, action: remove}]
---
automation: grow
trigger: journey.completed
tasks: [{name: Give, sequence: 10, type: change-role, role: expert, action: add}]
"""
USERS = [f"u{number}" for number in range(40)]


class Desk:
    """An operator with a workspace of two partitions, who has a plan."""

    def __init__(self, make_workspace, broker):
        self.workspace = make_workspace(RULES, partitions=2)
        self.broker = broker
        self.old_users = self.workspace.topic["users"]
        self.sender = Sender(broker, 2)
        self.numbers = {}

    def send(self, user, type, number=None):
        number = number or len(self.numbers) + 1
        self.numbers[number] = user
        self.sender.of_user(self.workspace.events, user, structured(number, type, user, {}, at=time.time()))
        return number

    def fill(self):
        for user in USERS:
            self.send(user, "journey.started")
        for user in USERS[30:]:
            self.send(user, "journey.abandoned")
        for user in USERS[:12]:
            self.directory(user, groups=["staff"])
        self.sender.flush()
        self.grant(USERS[3], "guest")
        self.grant(USERS[4], "guest")
        settle(self.workspace)

    def directory(self, user, **profile):
        event = {"specversion": "1.0", "id": f"d-{user}", "source": "/hr", "type": "directory.user.updated",
                 "subject": user, "data": {"status": "active", **profile}}
        self.sender.of_user(self.workspace.topic["directory"], user, json.dumps(event).encode())

    def grant(self, user, role, *more):
        done = waymark("grant", user, role, *more, "--yes", "--reason", "asked for", "-C", self.workspace.folder)
        assert done.returncode == 0, done.stdout + done.stderr

    def roles(self):
        return {user: self.workspace.roles(user) for user in USERS}

    def plan(self, folder=None):
        """Writes the settings as they are to be: a number and a name."""
        self.workspace.topic["users"] = f"{self.old_users}-4"
        self.workspace.settings["topics"]["users"] = self.workspace.topic["users"]
        self.workspace.settings["kafka"]["partitions"] = self.workspace.partitions = 4
        here, self.workspace.folder = self.workspace.folder, folder or self.workspace.folder
        self.workspace.write_settings()
        self.workspace.folder = here
        self.sender.partitions = 4

    def take_back(self):
        self.workspace.topic["users"] = self.workspace.settings["topics"]["users"] = self.old_users
        self.workspace.settings["kafka"]["partitions"] = self.workspace.partitions = 2
        self.workspace.write_settings()
        self.sender.partitions = 2

    def rehome(self, *words, code=0):
        words = words or ("--yes", "--reason", "more workers")
        done = waymark("topics", "rehome", "--from", self.old_users, *words, "-C", self.workspace.folder, "--json")
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        return {line["what"]: (line["state"], line["text"]) for line in map(json.loads, done.stdout.splitlines())}, done.stderr

    def is_killed(self, seconds, *words):
        """So much later, unless it is done by then."""
        process = subprocess.Popen([build_folder() / "waymark", "topics", "rehome", "--from", self.old_users, *words, "-C",
                                    self.workspace.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert process.wait(seconds) in (0, 3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def registers(self, topic):
        newest = {}
        for record in self.broker.read(topic):
            if not record.key.startswith(b"\0"):
                newest[record.key.decode()] = (record.partition, json.loads(record.value))
        return newest

    def lost(self, user):
        changes = [json.loads(record.value) for record in self.broker.read(self.workspace.topic["changes"])
                   if record.key.decode() == user]
        return {change["data"]["role"] for change in changes if not change["data"]["effective"]}

    def results(self):
        return [(record.key.decode(), task["result"]) for record in self.broker.read(self.workspace.topic["outcomes"])
                for task in json.loads(record.value)["data"]["tasks"]]


@pytest.fixture
def desk(make_workspace, broker):
    return Desk(make_workspace, broker)


def operator_of(desk, next_settings):
    def command(words):
        if words[0] == "cp":
            (shutil.copytree if words[1] == "-r" else shutil.copy)(*words[-2:])
            return 0, ""
        done = waymark(*words[1:])
        return done.returncode, done.stdout + done.stderr

    places = {"waymark.users": desk.old_users, "/etc/waymark-16": next_settings, "/etc/waymark": desk.workspace.folder}
    return guide.Operator("deployment.md", "Changing the number of partitions", places, command)


def test_two_partitions_become_four_and_nobody_notices(desk, workers):
    """The procedure of the guide, line by line."""
    worker = workers(desk.workspace)
    next_settings = desk.workspace.folder.with_name("workspace-16")
    operator = operator_of(desk, next_settings)
    desk.fill()
    operator.does("cp -r")
    desk.plan(next_settings)
    desk.grant("u20", "guest", "--until", "6s")
    ends = time.time() + 6
    assert worker.terminate()[0] == 0
    before, registers = desk.roles(), desk.registers(desk.old_users)
    assert before["u3"] == {"member", "trial", "guest", "staff"} and before["u35"] == {"trial"}

    counts = desk.broker.topics()
    movers = [user for user in USERS if home(user, 4) != home(user, 2)]
    said = operator.does("waymark topics rehome --from waymark.users --dry-run")
    assert f"40 registers to copy, {len(movers)} of them to another partition" in said and movers
    assert "2 partitions, will have 4" in said and "nothing was done" in said
    assert desk.broker.topics() == counts, "a dry run has changed something"
    said = operator.does("waymark topics rehome --from waymark.users --yes")
    assert "40 registers, 40 of them written now" in said and "done: start the workers" in said
    copies = desk.registers(desk.workspace.topic["users"])
    for user, (partition, register) in copies.items():
        assert partition == register["home"] == home(user, 4)
        assert {**register, "home": home(user, 2)} == registers[user][1]
    assert copies.keys() == set(USERS) and desk.registers(desk.old_users) == registers
    assert desk.roles() == before, "applications see roles all the time"
    time.sleep(max(0.0, ends - time.time()))
    before["u20"].discard("guest")  # what ended while no worker was there
    operator.does("cp /etc/waymark-16")
    operator.does("waymark topics check")
    workers(desk.workspace)
    settle(desk.workspace)
    wait_until(lambda: desk.roles() == before, what="the roles of before")
    operator.does("waymark verify")
    assert not operator.lines
    assert desk.lost("u20") == {"guest"}, "an end is in the audit trail"

    mover = next(user for user in USERS[:10] if user in movers)
    told = len(desk.results())
    desk.sender = Sender(desk.broker, 4)  # a producer that knows the new partitions
    desk.send(mover, "journey.started", number=USERS.index(mover) + 1)  # this event was decided before the switch
    for user in USERS:
        desk.send(user, "journey.completed", number=1000 + USERS.index(user))
    desk.sender.flush()
    settle(desk.workspace)
    assert len(desk.results()) == told + len(USERS), "an event of before was not recognised"
    assert desk.roles() == {user: roles | {"expert"} for user, roles in before.items()}
    assert not desk.broker.read(desk.workspace.topic["failures"], desk.workspace.dlq())
    history = waymark("history", mover, "--json", "-C", desk.workspace.folder)
    gained = [json.loads(line)["role"] for line in history.stdout.splitlines()]
    assert gained[-1] == "expert" and {"member", "trial"} <= set(gained), history.stdout
    assert "done already" in desk.rehome()[1]


def test_what_is_not_as_planned_is_refused_and_all_can_be_left_as_it_is(desk, workers):
    worker = workers(desk.workspace)
    desk.fill()
    before = desk.roles()
    assert "no" in desk.rehome("--dry-run", code=1)[1], "topics.users has no other name"
    desk.plan()
    lines, _ = desk.rehome(code=1)
    assert lines[f"group {desk.workspace.group}"][0] == "wrong"
    assert worker.terminate()[0] == 0

    desk.sender.partitions = 2
    desk.send(USERS[0], "journey.completed")
    desk.sender.flush()
    lines, _ = desk.rehome(code=1)
    state, text = lines[desk.workspace.events]
    assert state == "wrong" and "1 record" in text and "come to the end" in text
    assert desk.workspace.topic["users"] not in desk.broker.topics()

    desk.take_back()
    worker = workers(desk.workspace)
    settle(desk.workspace)
    assert desk.roles() == {**before, USERS[0]: before[USERS[0]] | {"expert"}}, "nothing had happened"
    assert worker.terminate()[0] == 0

    # Somebody else has written into the topic that the registers are to go to.
    desk.plan()
    desk.broker.create_topics([desk.workspace.topic["users"]], 4, cleanup_policy="compact")
    desk.sender.of_user(desk.workspace.topic["users"], "stranger", b"{}")
    desk.sender.flush()
    assert "never used" in desk.rehome(code=1)[1]
    assert desk.broker.topics()[desk.workspace.events] == 2


def test_it_goes_on_after_a_kill_and_leaves_what_came_too_early(desk, workers):
    """Half of the copies are there, the journey builder gave his topic partitions too soon, Redis is empty, and the
    command is killed again and again."""
    seed = random.randrange(10 ** 6)
    dice = random.Random(seed)
    print("seed", seed)
    worker = workers(desk.workspace)
    desk.fill()
    before = desk.roles()
    assert worker.terminate()[0] == 0
    mover = next(user for user in USERS if home(user, 4) != home(user, 2))
    stays = next(user for user in USERS if home(user, 4) == home(user, 2))
    for user in (mover, stays):
        desk.send(user, "journey.completed")
    desk.sender.flush()
    desk.broker.add_partitions(desk.workspace.events, 4)
    desk.plan()
    lines, _ = desk.rehome(code=1)
    assert "2 records" in lines[desk.workspace.events][1] and "1 of users who get another home" in lines[desk.workspace.events][1]

    leave = ("--leave-undecided", "--yes", "--reason", "the topic grew by mistake")
    made = waymark("topics", "create", "--yes", "-C", desk.workspace.folder)
    assert made.returncode == 1, "the other topics have two partitions still"
    for user, (_, register) in list(desk.registers(desk.old_users).items())[:17]:
        copy = json.dumps({**register, "home": home(user, 4)}, separators=(",", ":"), ensure_ascii=False)
        desk.sender.of_user(desk.workspace.topic["users"], user, copy.encode())
    desk.sender.flush()
    for key in desk.workspace.redis.client().scan_iter(f"{desk.workspace.prefix}:*"):
        desk.workspace.redis.client().delete(key)
    for _ in range(4):
        desk.is_killed(dice.uniform(0.2, 2), *leave)
    lines, said = desk.rehome(*leave)
    assert "done" in said
    assert desk.registers(desk.workspace.topic["users"]).keys() == desk.registers(desk.old_users).keys() == set(USERS)
    desk.sender = Sender(desk.broker, 4)  # a producer that knows the new partitions
    workers(desk.workspace)
    settle(desk.workspace)
    assert desk.roles() == {**before, stays: before[stays] | {"expert"}}
    (failure,) = desk.broker.read(desk.workspace.topic["failures"])
    data = json.loads(failure.value)["data"]
    assert data["code"] == "EVENT_MISROUTED" and failure.key.decode() == mover

    # The dead letter is sent again, to where it belongs now.
    (dead,) = desk.broker.read(desk.workspace.dlq())
    file = desk.workspace.logs / "again.jsonl"
    file.write_bytes(dead.value + b"\n")
    sent = waymark("send", file, "-C", desk.workspace.folder)
    assert sent.returncode == 0, sent.stderr
    settle(desk.workspace)
    assert desk.workspace.roles(mover) == before[mover] | {"expert"}
