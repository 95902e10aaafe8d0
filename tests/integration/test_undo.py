"""What one automation gave, taken back, on real Kafka and Redis: exactly that, once, and nothing that is newer."""
import json
import pathlib
import subprocess
import time

import jsonschema

from load import structured
from waymark_testlib.process import wait_until
from waymark_testlib.worker import build_folder, waymark

SCHEMAS = pathlib.Path(__file__).parents[2] / "schemas"
PLAN = json.loads((SCHEMAS / "undo-plan.schema.json").read_text())
RULES = """
role: member
---
role: guest
---
role: gold
---
channel: mail
---
automation: wrong
trigger: journey.started
tasks:
  - {name: Give, sequence: 10, type: change-role, role: member, action: add}
  - {name: Take, sequence: 20, type: change-role, role: guest, action: remove}
---
automation: right
trigger: journey.completed
tasks:
  - {name: Give, sequence: 10, type: change-role, role: member, action: add}
  - {name: Tell, sequence: 20, type: notify, channel: mail, to: a@b.example, title: t, message: m}
"""


class Desk:
    def __init__(self, workspace, sender):
        self.workspace, self.sender = workspace, sender
        self.events = 0
        self.plan_file, self.back_file = workspace.logs / "plan.jsonl", workspace.logs / "back.jsonl"

    def call(self, *words, code=0):
        done = waymark(*words, "-C", self.workspace.folder)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def send(self, type, *users, topic=None, data=None):
        for user in users:
            self.events += 1
            value = structured(self.events, type, user, data or {}, at=time.time())
            self.sender.of_user(topic or self.workspace.events, user, value)
        self.sender.flush()

    def by_hand(self, role, *users):
        self.send("role.assignment.requested", *users, topic=self.workspace.topic["requests"],
                  data={"role": role, "action": "add", "reason": "exam on paper"})

    def settle(self):
        """Everything is decided, and Redis has it."""
        wait_until(lambda: self.workspace.lag() == 0, what="the worker to take all up")
        wait_until(lambda: waymark("verify", "-C", self.workspace.folder).returncode == 0, interval=0.2,
                   what="Redis to be what the log says")

    def plan(self, *more):
        done = self.call("undo", "plan", "--automation", "wrong", "--output", self.plan_file, "--json", *more)
        for line in self.plan_file.read_text().splitlines():
            jsonschema.validate(json.loads(line), PLAN)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def apply(self, *more, code=0):
        done = self.call("undo", "apply", self.plan_file, "--reason", "a wrong rule", "--by", "jane", "--yes", "--json",
                         "--timeout", "60s", *more, code=code)
        return {row["user"]: row["result"] for row in map(json.loads, done.stdout.splitlines())}, done.stderr

    def roles(self, *users):
        client = self.workspace.redis.client()
        return {user: sorted(self.workspace.roles(user, client)) for user in users}

    def grant(self, user, role="member", source="automation/wrong"):
        register = json.loads(self.workspace.redis.client().hget(self.workspace.redis_key(user, "user"), "register"))
        return register["roles"][role]["grants"][source]

    def count(self, topic):
        return len(self.workspace.broker.read(self.workspace.topic[topic]))


def of(rows, kind):
    return [{key: value for key, value in row.items() if key != "kind"} for row in rows if row["kind"] == kind]


def test_what_the_wrong_automation_gave_is_taken_back_and_what_it_took_given_back(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    workers(desk.workspace)
    desk.by_hand("member", "hand")
    desk.by_hand("guest", "lost", "kept")
    desk.by_hand("gold", "lost")
    desk.settle()
    desk.send("journey.completed", "both", "other")
    desk.send("journey.started", "alone", "hand", "both", "lost")
    desk.settle()
    desk.call("automations", "off", "wrong", "--reason", "gives too much", "--yes")
    before = {"alone": ["member"], "hand": ["member"], "both": ["member"], "other": ["member"], "kept": ["guest"],
              "lost": ["gold", "member"]}
    assert desk.roles(*before) == before
    told = desk.count("notifications")
    assert told == 2

    rows = desk.plan("--give-back", desk.back_file)
    assert of(rows, "roles") == [{"role": "member", "taken-back": 4, "users-losing": 2, "users-keeping": 2,
                                  "not-in-force": 0, "users-gaining": 0}]
    assert of(rows, "user") == [{"user": "alone", "before": ["member"], "after": []},
                                {"user": "lost", "before": ["gold", "member"], "after": ["gold"]}]
    assert [(row["user"], row["role"], row["given-by"], row["give-back"]) for row in of(rows, "loss")] == [
        ("lost", "guest", "manual", True)]
    total = of(rows, "plan")[0]
    assert (total["grants"], total["lockouts"], total["registers"]) == (4, 1, 6)
    (desk.workspace.logs / "nothing").write_text("")  # without outcomes the audit trail tells
    assert [(row["user"], row["role"], row["given-by"], row["until-unknown"]) for row in of(desk.plan(
        "--outcomes", desk.workspace.logs / "nothing"), "loss")] == [("lost", "guest", "manual", True)]
    assert desk.roles(*before) == before and "more than --max-changes" in desk.apply("--max-changes", "1", code=1)[1]

    asked = desk.count("requests")
    results, _ = desk.apply()
    assert results == {"alone": "changed", "hand": "unchanged", "both": "unchanged", "lost": "changed"}
    assert desk.count("requests") == asked + 4
    asks = [json.loads(record.value) for record in desk.workspace.broker.read(desk.workspace.topic["requests"])]
    assert {ask["data"]["version"] for ask in asks if ask["type"] == "role.grant.withdrawn"} == {
        desk.grant("both")["by"]["version"]}
    desk.settle()
    after = {**before, "alone": [], "lost": ["gold"]}
    assert desk.roles(*before) == after
    clock = desk.grant("both")["clock"]
    assert desk.grant("both")["taken"][:2] == [clock[0] + 1, "/waymark/requests"]

    why = desk.call("why", "alone", "member", code=1).stdout
    assert "took back what automation/wrong had given" in why
    last = [json.loads(line) for line in desk.call("history", "alone", "--json").stdout.splitlines()][-1]
    assert (last["effective"], last["cause"], last["by"], last["reason"]) == (False, "request", "jane", "a wrong rule")

    results, said = desk.apply()  # once more: nothing is left
    assert results == {} and "4 of 4 assignments are gone already" in said and desk.count("requests") == asked + 4
    assert of(desk.plan(), "plan")[0]["grants"] == 0

    desk.call("grant", "--file", desk.back_file, "--reason", "taken by mistake", "--yes", "--timeout", "60s")
    desk.settle()
    assert desk.roles(*before) == {**after, "lost": ["gold", "guest"]}
    assert desk.count("notifications") == told


def test_what_was_given_again_stays_wherever_it_is_on_its_way(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    worker = workers(desk.workspace)
    desk.send("journey.started", "again", "late", "gone")
    desk.settle()
    assert of(desk.plan(), "plan")[0]["grants"] == 3
    desk.send("journey.started", "again")
    desk.settle()
    first = desk.grant("again")["clock"]

    # The worker is away: Redis does not know yet that 'late' was given it once more.
    assert worker.terminate()[0] == 0
    desk.send("journey.started", "late")
    results, said = desk.apply("--no-wait", code=1)
    assert results == {"gone": "sent", "late": "sent"}
    assert "'again' was given 'member' again since the plan was made: it stays" in said
    workers(desk.workspace, "later")
    desk.settle()
    assert desk.roles("again", "late", "gone") == {"again": ["member"], "late": ["member"], "gone": []}
    assert desk.grant("again")["clock"] == first and "taken" not in desk.grant("again")
    results, _ = desk.apply(code=1)
    assert results == {} and desk.roles("again", "late") == {"again": ["member"], "late": ["member"]}


def test_versions_are_told_apart_and_another_workspace_needs_another_plan(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    worker = workers(desk.workspace)
    desk.send("journey.started", "renewed", "old", "user-7")
    desk.settle()
    old = desk.grant("old")["by"]["version"]
    desk.plan()
    desk.workspace.write(RULES.replace("trigger: journey.started", "trigger: [journey.started, journey.paused]"))
    worker.reload_and_wait()
    assert "the workspace is another one than that of the plan" in desk.apply(code=1)[1]
    desk.send("journey.paused", "renewed", "new")
    desk.settle()
    new = desk.grant("new")["by"]["version"]
    assert new != old and desk.grant("renewed")["by"]["version"] == new

    # 'renewed' had it by the old version too, rightly: only who has it by the new one alone loses it
    rows = desk.plan("--version", new)
    assert [(row["user"], row["version"], row["other-version"]) for row in of(rows, "left")] == [("renewed", new, old)]
    assert [row["user"] for row in of(rows, "user")] == ["new"]
    rows = desk.plan("--version", old)
    assert [row["user"] for row in of(rows, "user")] == ["old", "user-7"]
    assert desk.apply()[0] == {"old": "changed", "user-7": "changed"}
    desk.settle()
    assert desk.roles("renewed", "new", "old", "user-7") == {"renewed": ["member"], "new": ["member"], "old": [],
                                                             "user-7": []}
    desk.plan("--version", new, "--also-renewed", "--user", "renewed")
    words = ("undo", "apply", desk.plan_file, "--reason", "r", "--yes", "--timeout", "60s")
    register = desk.workspace.redis_key("renewed", "user")
    desk.workspace.redis.client().rename(register, f"{register}-away")
    assert "1 user of the plan has no readable register" in desk.call(*words, code=1).stderr
    desk.workspace.redis.client().rename(f"{register}-away", register)
    assert desk.call(*words).stdout == "changed: renewed has no assignment of member any more: the user has no role in force now (lockout)\n"


def test_an_undo_that_is_killed_goes_on(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    workers(desk.workspace)
    users = [f"u{n}" for n in range(300)]
    desk.by_hand("member", *users[::3])
    desk.send("journey.started", *users)
    desk.settle()
    assert of(desk.plan(), "plan")[0]["users-losing"] == 200
    sent = lambda: sum(desk.workspace.broker.ends(desk.workspace.topic["requests"]).values())  # noqa: E731
    begun = sent()
    process = subprocess.Popen([build_folder() / "waymark", "undo", "apply", desk.plan_file, "--reason", "r", "--yes", "--rate",
                                "10", "-C", desk.workspace.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: sent() > begun, interval=0.001, what="the first withdrawals")
    finally:
        process.kill()
        process.communicate()
    assert sent() < begun + len(users)
    results, _ = desk.apply()
    assert results and set(results.values()) <= {"changed", "unchanged"}
    desk.settle()
    assert desk.roles(*users) == {user: ["member"] if n % 3 == 0 else [] for n, user in enumerate(users)}
    assert desk.apply()[0] == {}
    for user in users[:20]:
        grant = desk.grant(user)
        assert grant["taken"][0] == grant["clock"][0] + 1
