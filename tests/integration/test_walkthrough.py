"""The operations guide, chapter "A day of operations", done line by line by somebody who has read nothing else: against
real Kafka, Redis and Prometheus, with the workers of this folder."""
import datetime
import itertools
import json
import os
import threading
import time

import pytest

import guide
import prometheus
from checker import settle
from load import structured
from waymark_testlib.process import free_ports, wait_until
from waymark_testlib.worker import waymark

RULES = """
role: member
---
role: certified-partner
status: inactive
---
role: expert-partner
---
automation: join
trigger: journey.started
tasks: [{name: Give, sequence: 10, type: change-role, role: member, action: add}]
---
automation: certified-partner
trigger: journey.milestone.achieved
when: {data.milestone: certified}
tasks: [{name: Grant the certified role, sequence: 10, type: change-role, role: certified-partner, action: add}]
"""
EXPERT = """
---
automation: expert-partner
trigger: journey.milestone.achieved
when: {data.milestone: expert}
tasks:
  - {name: Grant the expert role, sequence: 10, type: change-role, role: expert-partner, action: add}
  - {name: Say so, sequence: 20, type: notify, channel: mail, to: desk@acme.example, title: Expert, message: Hello}
---
channel: mail
"""
OFFER = """
---
automation: summer-offer
trigger: journey.phase.entered
tasks:
  - {name: Grant the certified role, sequence: 10, type: change-role, role: certified-partner, action: add}
  - {name: Take the member role, sequence: 20, type: change-role, role: member, action: remove}
"""
PARTITIONS = 4


class Site:
    """A group of workers, who writes to its topics, and an operator who follows the guide."""

    def __init__(self, make_workspace, workers, sender):
        self.ports = free_ports(PARTITIONS)
        self.workspace = make_workspace(RULES, http={"listen": f"127.0.0.1:{self.ports[0]}"})
        self.sender, self.start_worker = sender, workers
        self.spare = []  # workspaces of hosts whose worker does not run
        self.numbers = itertools.count(1)
        self.sent = threading.Lock()
        self.tuesday = last_tuesday()
        self.last_week()
        self.running = {"worker-1": workers(self.workspace, "worker-1")}
        places = {"journey.milestones": self.workspace.events, "2026-11-17": self.tuesday.isoformat()}
        self.operator = guide.Operator("operations.md", "A day of operations", places, self.run)

    def run(self, words):
        if words[0] == "systemctl":
            return 0, getattr(self, words[1])()
        done = waymark(*words[1:], cwd=self.workspace.logs, env={**os.environ, "WAYMARK_WORKSPACE": str(self.workspace.folder)})
        return done.returncode, done.stdout + done.stderr

    # --- what systemd does on these hosts ---

    def reload(self):
        for worker in self.running.values():
            worker.reload_and_wait()
        return ""

    def start(self):
        while self.spare:
            workspace = self.spare.pop()
            name = workspace.settings["instance"]
            self.running[name] = self.start_worker(workspace, name, ready=False)
        return ""

    def stop(self):
        for name in [name for name in self.running if name != "worker-1"]:
            assert self.running.pop(name).terminate()[0] == 0
        return ""

    def more_hosts(self):
        for number, port in enumerate(self.ports[1:], start=2):
            other = self.workspace.other_instance(f"worker-{number}")
            other.settings["http"]["listen"] = f"127.0.0.1:{port}"
            other.write_settings()
            self.spare.append(other)

    # --- what journeys do ---

    def send(self, user, type="journey.started", at=None, **data):
        at = time.time() if at is None else at
        with self.sent:
            self.sender.of_user(self.workspace.events, user, structured(next(self.numbers), type, user, data, at=at),
                                timestamp=int(at * 1000))

    def last_week(self):
        """Nobody minds them yet: the automation for experts comes later."""
        for days, users in ((-1, ["monday"]), (0, ["early", "late", "taken"]), (1, ["wednesday"])):
            for user in users:
                self.milestone(user, "expert", at=noon(self.tuesday) + 86400 * days)
        self.sender.flush()

    def milestone(self, user, name, at=None):
        self.send(user, "journey.milestone.achieved", at, journey="onboarding", milestone=name)

    def holders(self, role, users):
        client = self.workspace.redis.client()
        return [user for user in users if role in self.workspace.roles(user, client)]

    def live(self):
        """How many partitions each worker that answers decides, most last; one that starts says nothing of it yet."""
        done = [waymark("status", "--url", f"http://127.0.0.1:{port}", "--json", "-C", self.workspace.folder)
                for port in self.ports]
        statuses = [json.loads(one.stdout) for one in done if one.returncode in (0, 1)]
        return sorted(status.get("partitions", {}).get("live", 0) for status in statuses)


def last_tuesday():
    """With a Wednesday behind it that is over."""
    day = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=2)
    return day - datetime.timedelta(days=(day.weekday() - 1) % 7)


def noon(day):
    return datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.timezone.utc).timestamp()


class Stream:
    """Somebody new joins all the time, until the block ends."""

    def __init__(self, site, name):
        self.site, self.name, self.users, self.over = site, name, [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.02):
            self.users.append(f"{self.name}-{len(self.users)}")
            self.site.send(self.users[-1])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def all_have(self, role):
        return len(self.site.holders(role, self.users)) == len(self.users) > 0


@pytest.fixture
def site(make_workspace, workers, sender):
    return Site(make_workspace, workers, sender)


@pytest.fixture
def watcher(site, tmp_path):
    if not prometheus.is_there():
        pytest.skip("no prometheus: run tools/setup --tests")
    watcher = prometheus.Prometheus(tmp_path / "prometheus", [f"127.0.0.1:{site.ports[0]}"]).start()
    yield watcher
    watcher.stop()


def test_a_day_of_operations(site, watcher):
    a_failing_automation(site, watcher)
    last_tuesday_again(site)
    a_wrong_automation(site)
    redis_made_anew(site)
    one_worker_four_and_back(site)
    assert site.operator.lines == [], "the guide says more"


def a_failing_automation(site, watcher):
    users = []

    def fires():
        """Failures come as long as nobody does anything."""
        users.append(f"partner-{len(users)}")
        site.milestone(users[-1], "certified")
        site.sender.flush()
        return watcher.firing("WaymarkAutomationFails")

    (labels,) = wait_until(fires, 240, 0.3, what="the alert")
    assert (labels["automation"], labels["severity"]) == ("certified-partner", "warning")
    wait_until(lambda: site.workspace.lag() == 0, what="every event to be decided")

    assert "ROLE_INACTIVE" in site.operator.does("waymark failures stats")
    listed = site.operator.does("waymark failures list")
    assert all(f" {user} " in listed for user in users) and not site.holders("certified-partner", users)
    site.workspace.write(RULES.replace("status: inactive", "status: active"))
    site.operator.does("waymark lint")
    site.operator.does("systemctl reload")
    said = site.operator.does("waymark redrive")
    assert not site.holders("certified-partner", users), f"a dry run gave roles\n{said}"
    site.operator.does("waymark redrive")
    wait_until(lambda: site.holders("certified-partner", users) == users, what="everybody's role")
    said = site.operator.does("waymark who certified-partner")
    assert all(user in said for user in users)
    wait_until(lambda: not watcher.firing("WaymarkAutomationFails"), 120, 0.3, what="the alert to end")


def last_tuesday_again(site):
    site.workspace.write(RULES.replace("status: inactive", "status: active") + EXPERT)
    site.reload()
    # A newer decision: it was taken from him after Tuesday.
    done = waymark("revoke", "taken", "expert-partner", "--yes", "--reason", "he left", "-C", site.workspace.folder)
    assert done.returncode == 0, done.stderr

    said = site.operator.does("waymark replay plan")
    assert "early" in said and "late" in said and "monday" not in said and "wednesday" not in said
    everybody = ["monday", "early", "late", "taken", "wednesday"]
    assert not site.holders("expert-partner", everybody), "a plan gave roles"
    site.operator.does("waymark replay apply")
    assert "done" in site.operator.does("waymark replay status")
    wait_until(lambda: site.holders("expert-partner", everybody) == ["early", "late"], what="Tuesday's experts")
    assert not site.workspace.broker.read(site.workspace.topic["notifications"]), "a replay has told somebody"


def a_wrong_automation(site):
    guests = ["guest-1", "guest-2", "guest-3"]
    for user in guests:
        site.send(user)
    site.sender.flush()
    wait_until(lambda: site.holders("member", guests) == guests, what="the members")
    site.workspace.write(RULES.replace("status: inactive", "status: active") + EXPERT + OFFER)
    site.reload()
    for user in [*guests, "partner-0"]:
        site.send(user, "journey.phase.entered")
    site.sender.flush()
    wait_until(lambda: site.holders("certified-partner", guests) == guests and not site.holders("member", guests),
               what="the damage")

    site.operator.does("waymark automations off")
    said = site.operator.does("waymark undo plan")
    assert all(user in said for user in guests)
    assert site.holders("certified-partner", guests) == guests, "a plan took roles"
    site.operator.does("waymark undo apply")
    site.operator.does("waymark grant")
    wait_until(lambda: not site.holders("certified-partner", guests) and site.holders("member", guests) == guests,
               what="what was before")
    assert site.holders("certified-partner", ["partner-0"]), "he had it from somebody else too"


def redis_made_anew(site):
    client = site.workspace.redis.client()
    with Stream(site, "reader") as stream:
        wait_until(lambda: site.holders("member", stream.users[:1]), what="the stream to come through")
        client.srem(site.workspace.redis_key("early", "roles"), "expert-partner")
        client.sadd(site.workspace.redis_key("late", "roles"), "root")
        assert "early" in site.operator.does("waymark verify", code=1)
        before = len(stream.users)
        site.operator.does("waymark rebuild")
        assert site.workspace.roles("early") >= {"expert-partner"} and "root" not in site.workspace.roles("late")
        wait_until(lambda: len(stream.users) > before, what="events beside it")
        site.operator.does("waymark verify")
    site.sender.flush()
    wait_until(lambda: stream.all_have("member"), what="everybody who came meanwhile")


def one_worker_four_and_back(site):
    site.more_hosts()
    with Stream(site, "scaler") as stream:
        site.operator.does("systemctl start")
        wait_until(lambda: site.live() == [1] * PARTITIONS, 120, 0.2, what="each worker to have a partition")
        assert "ready" in site.operator.does("waymark status")
        came = len(stream.users)
        wait_until(lambda: len(stream.users) > came + 20 and site.holders("member", stream.users[came:came + 20]),
                   what="events to be decided by four")
        site.operator.does("systemctl stop")
        wait_until(lambda: site.live() == [PARTITIONS], 120, 0.2, what="one worker to have all partitions")
        assert "ready" in site.operator.does("waymark status")
    site.sender.flush()
    wait_until(lambda: site.workspace.lag() == 0 and stream.all_have("member"), what="everybody's role")
    settle(site.workspace)
    executions = [json.loads(record.value)["data"] for record in
                  site.workspace.broker.read(site.workspace.topic["outcomes"])]
    joined = [one for one in executions if one.get("automation") == "join"]
    assert len({one["event"]["id"] for one in joined}) == len(joined), "an event was decided twice"
    assert not [one for one in joined if one["tasks"][0]["result"] != "changed"]
