"""Events once more, on real Kafka and Redis: plan, apply, what becomes of it, and a process that is killed on its way."""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import random
import re
import subprocess
import time

import jsonschema

from load import structured
from waymark_testlib.process import wait_until
from waymark_testlib.worker import build_folder, waymark

SCHEMAS = pathlib.Path(__file__).parents[2] / "schemas"
CONTROL = json.loads((SCHEMAS / "control.schema.json").read_text())
PLAN = json.loads((SCHEMAS / "plan.schema.json").read_text())
RULES = """
role: member
---
role: guest
---
channel: mail
---
automation: join
trigger: journey.started
tasks:
  - {name: Give, sequence: 10, type: change-role, role: member, action: add}
  - {name: Tell, sequence: 20, type: notify, channel: mail, to: a@b.example, title: t, message: m}
---
automation: broken
trigger: journey.completed
tasks: [{name: Tell, sequence: 10, type: notify, channel: mail, title: t, message: "{{ user.name }}"}]
---
automation: leave
trigger: journey.abandoned
tasks: [{name: Take, sequence: 10, type: change-role, role: member, action: remove}]
"""
VISIT = """
---
automation: visit
trigger: journey.started
when: { data.guest: true }
tasks: [{name: Give, sequence: 10, type: change-role, role: guest, action: add}]
"""
KILLS = int(os.environ.get("WAYMARK_REPLAY_KILLS", "4"))
SEED = int(os.environ.get("WAYMARK_REPLAY_SEED", "7"))


class Desk:
    def __init__(self, workspace, sender):
        self.workspace, self.sender = workspace, sender
        self.events = 0
        self.plan_file = workspace.logs / "plan.json"

    def call(self, *words, code=0):
        done = waymark(*words, "-C", self.workspace.folder)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def send(self, count, users=20, guest=False):
        dice = random.Random(count)
        for _ in range(count):
            self.events += 1
            kind = "journey.abandoned" if dice.random() < 0.2 else "journey.started"
            user = f"u{dice.randrange(users)}"
            value = structured(self.events, kind, user, {"guest": guest}, at=time.time())
            self.sender.of_user(self.workspace.events, user, value)
        self.sender.flush()
        wait_until(lambda: self.workspace.lag() == 0, what="the worker to take them up")

    def plan(self, *more):
        done = self.call("replay", "plan", "--topic", self.workspace.events, "--from", "0", "--to", "0s", "--output",
                         self.plan_file, "--json", *more)
        jsonschema.validate(json.loads(self.plan_file.read_text()), PLAN)
        return json.loads(done.stdout.splitlines()[-1])

    def apply(self, *more, code=0):
        return self.call("replay", "apply", self.plan_file, "--reason", "a drill", "--by", "jane", "--yes", "--json",
                         *more, code=code)

    def registers(self):
        """As Redis has them when it has all that the log has."""
        wait_until(lambda: waymark("verify", "-C", self.workspace.folder).returncode == 0, interval=0.2,
                   what="Redis to be what the log says")
        client = self.workspace.redis.client()
        found = {}
        for key in client.scan_iter(f"{self.workspace.prefix}:*:user", count=1000):
            register = json.loads(client.hget(key, "register"))
            found[register["user"]] = {name: register[name] for name in ("profile", "roles", "cleared")}
        return found

    def outcomes(self, run):
        return [outcome["data"] for outcome in map(json.loads, (record.value for record in
                self.workspace.broker.read(self.workspace.topic["outcomes"]))) if outcome["data"]["run"] == run]

    def copies(self):
        return self.workspace.broker.read(self.workspace.topic["replay"])

    def notifications(self):
        return len(self.workspace.broker.read(self.workspace.topic["notifications"]))


def of_another_cluster(plan):
    """The plan as it would have been made there, with its digest."""
    plan["cluster"] = "elsewhere"
    del plan["digest"]
    members = (json.dumps(name) + ":" + json.dumps(value, separators=(",", ":")) + "," for name, value in plan.items())
    return json.dumps({**plan, "digest": hashlib.sha256(("{" + "".join(members)).encode()).hexdigest()})


def test_a_replay_of_everything_changes_nothing_and_tells_nobody(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    workers(desk.workspace)
    desk.send(400)
    before, told = desk.registers(), desk.notifications()
    total = desk.plan()
    assert (total["read"], total["selected"], total["changes"], total["failed"]) == (400, 400, 0, 0)
    refused = desk.call("replay", "plan", "--topic", desk.workspace.events, "--from", "0", "--output", "x", code=2)
    assert "--to is missing" in refused.stderr and "The topic ends now at offset" in refused.stderr
    outside = ("--topic", desk.workspace.events, "--from", "0", "--to", "9", "--partition", "4", "--output", "x")
    assert "has the partitions 0 to 3" in desk.call("replay", "plan", *outside, code=2).stderr

    done = json.loads(desk.apply("--run", "all", "--rate", "max").stdout)
    assert (done["sent"], done["changed"], done["suppressed"]) == (400, 0, total["notifications"])
    assert desk.registers() == before and desk.notifications() == told
    outcomes = desk.outcomes("all")
    live = {json.dumps(outcome["origin"]) for outcome in desk.outcomes("live")}
    assert {json.dumps(outcome["origin"]) for outcome in outcomes} == live and len(outcomes) == done["executions"]

    assert "a name is never used twice" in desk.apply("--run", "all", code=1).stderr
    sender.of_user(desk.workspace.events, "u1", structured(9999, "journey.completed", "u1", {}, at=time.time()))
    sender.flush()
    wait_until(lambda: desk.workspace.lag() == 0, what="the worker to take it up")
    total = desk.plan()
    assert (total["failed"], total["failed-first"], desk.plan("--automation", "join")["failed-first"]) == (1, 1, 0)
    assert [desk.plan(*more)["failed-first"] for more in (["--user", "u1"], ["--user", "u2"], ["--type", "journey.started"],
                                                          ["--type", "journey.c*"])] == [1, 0, 0, 1]
    assert "is taken by a replay of another plan" in desk.apply("--run", "all", code=1).stderr
    runs = [json.loads(line) for line in desk.call("replay", "list", "--json").stdout.splitlines()]
    assert [(run["run"], run["state"], run["sent"], run["by"]) for run in runs] == [("all", "done", 400, "jane")]
    for record in desk.workspace.broker.read(desk.workspace.topic["control"]):
        if record.key != b"partitions":
            jsonschema.validate(json.loads(record.value), CONTROL)


def test_a_new_automation_for_old_events_and_plans_that_fit_no_more(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    worker = workers(desk.workspace)
    desk.send(60, guest=True)
    desk.plan()
    desk.workspace.write(RULES + VISIT)
    worker.reload()
    assert "plan again" in desk.apply("--run", "old", code=1).stderr
    total = desk.plan("--automation", "visit", "--user", "u3")
    assert total["changes"] == 1 and total["users-gaining"] == 1
    assert "more than --max-changes" in desk.apply("--run", "few", "--max-changes", "0", code=1).stderr
    tampered = json.loads(desk.plan_file.read_text())
    tampered["filter"]["users"] = ["u4"]
    good = desk.plan_file.read_text()
    desk.plan_file.write_text(json.dumps(tampered))
    assert "was changed after it was made" in desk.apply(code=1).stderr
    desk.plan_file.write_text(of_another_cluster(json.loads(good)))
    assert "another Kafka cluster (elsewhere," in desk.apply(code=1).stderr
    desk.plan_file.write_text(json.dumps(json.loads(good), indent=1))  # laid out anew: the same plan

    worker.wait_said("reloaded")
    done = json.loads(desk.apply("--run", "visit-once").stdout)
    assert done["changed"] == 1
    wait_until(lambda: "guest" in desk.workspace.roles("u3"), what="the role in Redis")
    assert {outcome["automation"] for outcome in desk.outcomes("visit-once")} == {"visit"}
    assert [user for user in desk.registers() if "guest" in desk.workspace.roles(user)] == ["u3"]


def test_a_run_is_paused_resumed_and_cancelled(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    workers(desk.workspace)
    desk.send(3000)
    desk.plan()
    process = subprocess.Popen(
        [build_folder() / "waymark", "replay", "apply", desk.plan_file, "--reason", "r", "--run", "slow", "--yes",
         "--rate", "40/s", "-C", desk.workspace.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: len(desk.copies()) > 0, what="the first copies")
        say = ("--reason", "a drill", "--yes")
        desk.call("replay", "pause", "slow", *say)
        state = lambda: json.loads(desk.call("replay", "status", "slow", "--json").stdout)  # noqa: E731
        assert state()["state"] == "paused"
        counts = []
        wait_until(lambda: counts.append(len(desk.copies())) or counts[-3:] == 3 * counts[-1:], interval=0.7,
                   what="it to rest")
        desk.call("replay", "resume", "slow", *say)
        wait_until(lambda: len(desk.copies()) > counts[-1], what="it to go on")
        desk.call("replay", "cancel", "slow", *say)
        out, err = process.communicate(timeout=90)
        assert process.returncode == 1 and "was cancelled after" in err, (out, err)
        assert state()["state"] == "cancelled" and len(desk.copies()) < 3000
        assert "is cancelled" in desk.apply("--run", "slow", code=1).stderr
    finally:
        process.kill()
        process.wait()


def test_a_run_that_is_killed_goes_on_to_the_record(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    workers(desk.workspace)
    count = max(1500, 250 * KILLS)
    desk.send(count)
    before = desk.registers()
    desk.plan()
    dice, reached = random.Random(SEED), 0
    ends = lambda: sum(desk.workspace.broker.ends(desk.workspace.topic["replay"]).values())  # noqa: E731
    command = [build_folder() / "waymark", "replay", "apply", desk.plan_file, "--reason", "r", "--run", "hurt", "--yes",
               "--rate", "40", "-C", desk.workspace.folder]
    for kill in range(KILLS):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if kill % 3 != 2:  # else anywhere, also before it has sent anything
            wait_until(lambda: process.poll() is not None or ends() > reached, interval=0.01, what="it to send something")
        time.sleep(dice.uniform(0, 0.2))
        process.kill()
        process.wait()
        reached = ends()
    done = json.loads(desk.apply("--run", "hurt", "--rate", "max").stdout)
    assert done["sent"] == count and done["resumed"]
    assert done["executions"] == count, "what the workers made of it before the kills counts too"
    origins = [(record.header("wm-origin-partition"), record.header("wm-origin-offset")) for record in desk.copies()]
    assert len(origins) == len(set(origins)) == count, "each exactly once"
    assert desk.registers() == before


def test_a_run_is_stopped_and_taken_over(make_workspace, workers, sender):
    desk = Desk(make_workspace(RULES), sender)
    workers(desk.workspace)
    desk.send(300)
    desk.plan()
    command = [build_folder() / "waymark", "replay", "apply", desk.plan_file, "--reason", "r", "--run", "held", "--yes",
               "--rate", "5", "-C", desk.workspace.folder]

    def begin(stderr=subprocess.PIPE):
        before = len(desk.copies())
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        wait_until(lambda: len(desk.copies()) > before, 30, what="it to send something")
        return process

    first = begin()
    first.terminate()
    out, err = first.communicate(timeout=30)
    assert first.returncode == 1 and " of 300 were sent; the same command goes on there" in err, (out, err)

    screen, terminal = pty.openpty()
    os.set_blocking(screen, False)
    heard = []

    def shown():
        with contextlib.suppress(OSError):  # nothing more just now
            while heard.append(os.read(screen, 4096)) or heard[-1]:
                pass
        return b"".join(heard)

    second = begin(terminal)
    wait_until(lambda: re.search(rb" of 300, [\d.]+/s, \d+:\d\d left, live lag ", shown()), 30, what="a line of progress")
    done = json.loads(desk.apply("--run", "held", "--rate", "max").stdout)
    assert second.wait(60) == 1
    assert b"another process has taken the run 'held' over" in shown(), shown()
    drawn = [line for line in shown().split(b"\r") if line.startswith(b"\x1b[Kreplaying")]
    assert drawn and max(map(len, drawn)) < 80 + len(b"\x1b[K"), "a line that is longer than the terminal can't be drawn over"
    assert (done["sent"], done["executions"], len(desk.copies())) == (300, 300, 300)
    os.close(screen)
    os.close(terminal)


def test_what_retention_has_taken_is_told_and_not_replayed(make_workspace, sender, broker):
    desk = Desk(make_workspace(RULES), sender)
    for number in range(40):
        sender.raw(desk.workspace.events, structured(number, "journey.started", f"u{number}", {}), b"", [], number % 4)
    sender.flush()
    desk.plan()
    broker.delete_records(desk.workspace.events, {0: 3, 1: 10})
    assert "retention has deleted records of the plan: partition 0 begins at 3 now" in desk.apply(code=1).stderr

    def ranges(*words):
        said = desk.call("replay", "plan", "--topic", desk.workspace.events, "--output", desk.plan_file, "--json", *words)
        return [(line["from"], line["to"], line["deleted"], line["cut"]) for line in map(json.loads, said.stdout.splitlines())
                if line["kind"] == "range"]

    assert ranges("--from", "0", "--to", "0s") == [(3, 10, 3, False), (10, 10, 10, False), (0, 10, 0, False), (0, 10, 0, False)]
    assert [cut for *_, cut in ranges("--from", "365d", "--to", "0s")] == [True, True, False, False]
    assert ranges("--from", "1", "--to", "5", "--partition", "0") == [(3, 5, 2, False)]
    gone = desk.call("replay", "plan", "--topic", desk.workspace.events, "--from", "0", "--to", "9", "--partition", "1", "--output",
                     desk.plan_file)
    assert "Nothing to play again" in gone.stdout and "changes nothing" not in gone.stdout
