"""A worker seen from outside: what it counts is what stands on the topics; probes; status; a listener under attack."""
import collections
import html.parser
import json
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import jsonschema

from load import structured
from waymark_testlib.process import free_ports, wait_until
from waymark_testlib.worker import waymark

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "deploy" / "guide" / "metrics.md").read_text()
SCHEMA = json.loads((ROOT / "schemas" / "status.schema.json").read_text())
RULES = """
role: member
---
channel: mail
---
automation: join
trigger: journey.milestone.achieved
when: { data.milestone: joined }
tasks:
  - { name: Give, sequence: 10, type: change-role, role: member, action: add }
  - { name: Tell the manager, sequence: 20, type: notify, channel: mail, to: manager, title: Hi, message: Hi }
---
automation: leave
trigger: journey.milestone.achieved
when: { data.milestone: left, data.score: { at-least: 5 } }
tasks: [{ name: Take, sequence: 10, type: change-role, role: member, action: remove }]
"""

RESULTS = ["failed", "changed", "unchanged", "superseded", "requested", "skipped", "suppressed", "held"]
SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')


class Outside:
    """The HTTP side of a worker."""

    def __init__(self, worker):
        line = worker.wait_said("serves metrics and health")[-1]
        self.url = "http://" + line.split("address=")[1].strip()

    def get(self, path, patience=60):
        """Who has too many connections already is turned away: what an attack has left is gone within seconds."""
        until = time.monotonic() + patience
        while True:
            try:
                return self.get_once(path)
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def get_once(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        """(name, ((label, value), ...)) -> number"""
        status, text = self.get("/metrics")
        assert status == 200
        found = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = SAMPLE.match(line).groups()
            key = (name, tuple(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels or "")))
            assert key not in found, f"{key} stands there twice"
            found[key] = float(value)
        return found

    def by(self, name, label):
        return collections.Counter({dict(labels).get(label): int(value) for (found, labels), value in self.metrics().items()
                                    if found == name})


class Page(html.parser.HTMLParser):
    """Complains about tags that do not close, and about anything that comes from elsewhere."""
    VOID = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(text)
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "img", "iframe", "object"), tag
        for name, value in attributes:
            assert not name.startswith("on"), name
            assert name not in ("src", "action") and not (name == "href" and ":" in value), (name, value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


class Attack:
    """Connections that say nothing, too much, or rubbish, for as long as it goes on."""

    def __init__(self, url):
        host, port = url[len("http://"):].split(":")
        self.address, self.over, self.dialled = (host, int(port)), False, 0
        self.threads = [threading.Thread(target=self.run, args=(words,), daemon=True) for words in (
            b"", b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 100000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
            b"\x00\xff\r\n\r\n" * 1000, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 10000)]

    def run(self, words):
        held = collections.deque(maxlen=60)
        while not self.over:
            try:
                held.append(socket.create_connection(self.address, timeout=0.2))
                self.dialled += 1
                held[-1].sendall(words)
            except OSError:
                pass
            time.sleep(0.002)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()


def send(workspace, sender, count):
    """Events of every fate; returns how many records."""
    for i in range(count):
        user = f"u{i % 50}"
        data = {"milestone": "joined" if i % 3 else "left"}
        if i % 2:
            data["score"] = i % 10
        sender.of_user(workspace.events, user, structured(i, user=user, data=data, at=time.time()))
    for i in range(20):
        twin = structured("twin", user="u1", data={"milestone": "joined"}, at=time.time())
        sender.of_user(workspace.events, "u1", twin)
        sender.of_user(workspace.events, "u1", b"{}")
        sender.of_user(workspace.events, "u1", structured(f"n{i}", "journey.nobody.listens", "u1", {}, at=time.time()))
        sender.of_user(workspace.topic["directory"], "u1", structured(f"l{i}", "directory.later", "u1", at=time.time()))
        sender.raw(workspace.events, None, b"u1")
    sender.of_user(workspace.topic["requests"], "u2", structured(
        "request", "role.assignment.requested", "u2", {"role": "nothing", "action": "add"}, at=time.time()))
    sender.flush()
    return count + 101


def test_what_is_counted_is_what_stands_on_the_topics(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    outside = Outside(worker)
    wait_until(lambda: outside.get("/readyz")[0] == 200, what="the worker to say it is ready")
    with Attack(outside.url) as attack:
        sent = send(workspace, sender, 6000)
        wait_until(lambda: workspace.lag() == 0, what="everything to be read")
    assert attack.dialled > 50
    wait_until(lambda: outside.by("waymark_lag_records", "").total() == 0 and
               outside.by("waymark_events_total", "fate").total() == sent, what="the counters to be up to date")

    failures = [json.loads(record.value) for record in broker.read(workspace.topic["failures"])]
    expected = collections.Counter(one["data"]["task"]["code"] if "task" in one["data"] else one["data"]["code"] for one in failures)
    assert +outside.by("waymark_failures_total", "code") == expected
    assert expected["RECIPIENT_UNKNOWN"] > 1000 and expected["EVENT_INVALID"] == 20 and expected["ROLE_UNKNOWN"] == 1
    assert outside.by("waymark_dead_letters_total", "").total() == len(broker.read(workspace.dlq())) == 20

    tasks = collections.Counter()
    for record in broker.read(workspace.topic["outcomes"]):
        data = json.loads(record.value)["data"]
        for task in data["tasks"]:
            tasks[(("automation", data.get("automation", "manual")), ("type", task["type"]), ("result", task["result"]))] += 1
    counted = {labels: int(value) for (name, labels), value in outside.metrics().items() if name == "waymark_tasks_total"}
    assert +collections.Counter(counted) == tasks

    fates = outside.by("waymark_events_total", "fate")
    assert (fates["rejected"], fates["empty"], fates["ignored"]) == (20, 20, 20)
    assert fates["duplicate"] == 19
    assert fates["nothing"] + fates["decided"] == sent - 79
    assert outside.by("waymark_role_changes_total", "cause").total() == len(broker.read(workspace.topic["changes"]))
    unknown = outside.by("waymark_automation_unknown_total", "automation")
    assert unknown["leave"] == 1000, "no score: the index has found it, it could not tell"
    assert unknown["join"] == 0

    numbers = outside.metrics()
    decided = sum(value for (name, labels), value in numbers.items() if name == "waymark_commit_latency_seconds_count")
    assert fates["decided"] <= decided <= sent
    assert numbers[("waymark_redis_latency_seconds_count", ())] > 1000
    assert numbers[("waymark_partitions", (("state", "live"),))] == 4
    assert numbers[("waymark_transactions_total", (("result", "committed"),))] > 0
    text = outside.get("/metrics")[1]
    assert not re.search(r"\bu1\b", text), "a user id"
    families = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    assert families == set(re.findall(r"^\| `((?:waymark|process)_[a-z_]+)` \|", GUIDE, re.M)), "the guide names each"
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr

    page = Page(outside.get("/")[1]).text
    assert "worker-1" in page and workspace.events in page
    assert any(code in page for code in expected), "which one came last is chance"
    assert not re.search(r"\bu1\b", page), "a user id"

    told = waymark("status", "--url", outside.url, "--json")
    assert told.returncode == 0, told.stderr
    status = json.loads(told.stdout)
    jsonschema.validate(status, SCHEMA)
    assert status["from"] == "worker" and status["events"]["read"] == sent
    assert status["failures"][0]["code"] in expected
    people = waymark("status", "--url", outside.url)
    assert people.returncode == 0 and "ready" in people.stdout and any(code in people.stdout for code in expected)
    assert "\\x0a" not in people.stdout, "a line that does not end"
    assert status["codes"] == expected and sum(status["times"]["redis-latency"]["counts"]) > 1000

    top = waymark("top", outside.url, "--once", "--every", "1.5")
    assert top.returncode == 0, top.stdout + top.stderr
    rows = [line.split() for line in top.stdout.splitlines()]
    assert ["worker-1", "ready", "4", "0", "0", "0", "0", "0", "0"] in rows, "everything is done: all rates are 0"
    assert all([code, "0", str(count)] in rows for code, count in expected.items())
    assert ["in", "all", *[str(status["tasks"][result]) for result in RESULTS]] in rows
    assert [workspace.events, "0", "0", "–", "live", "worker-1"] in rows and "ALARM" not in top.stdout


def test_probes_and_status_say_when_redis_is_away(make_workspace, workers, own_redis):
    port, = free_ports(1)
    taken = socket.create_server(("127.0.0.1", port))
    workspace = make_workspace(RULES, redis=own_redis, http={"listen": f"127.0.0.1:{port}"})
    worker = workers(workspace)
    assert worker.lines("does not serve metrics and health, and tries again.*in use"), "it works all the same"
    wait_until(lambda: own_redis.client().hget(f"{workspace.prefix}:meta", "ready") == "1", what="Redis to be told")
    told = waymark("status", "-C", workspace.folder)
    assert told.returncode == 0 and "this is what Redis knows" in told.stderr and "worker-1" in told.stdout
    taken.close()
    outside = Outside(worker)
    assert outside.get("/startupz") == (200, "ok\n")
    wait_until(lambda: outside.get("/readyz") == (200, "ok\n"), what="the worker to say it is ready")
    told = waymark("status", "-C", workspace.folder)
    assert told.returncode == 0 and told.stderr == "" and "4 live" in told.stdout

    own_redis.kill()
    wait_until(lambda: outside.get("/readyz")[0] == 503, what="the worker not to be ready")
    assert "[-]redis failed: " in outside.get("/readyz")[1]
    assert outside.get("/livez") == (200, "ok\n")
    wait_until(lambda: outside.by("waymark_paused", "reason")["redis"] == 1, what="the pause to be told")
    told = waymark("status", "-C", workspace.folder, "--json")
    assert told.returncode == 1, "not ready is bad news"
    status = json.loads(told.stdout)
    jsonschema.validate(status, SCHEMA)
    assert status["paused"] == "redis" and not status["ready"]
    top = waymark("top", "-C", workspace.folder, "--once")
    assert top.returncode == 1 and "paused: redis" in top.stdout and "redis: can't be reached, or refuses" in top.stdout

    own_redis.restart()
    wait_until(lambda: outside.get("/readyz")[0] == 200, what="the worker to be ready again")
    numbers = outside.metrics()
    assert numbers[("waymark_paused", (("reason", "redis"),))] == 0
    assert numbers[("waymark_pauses_total", (("reason", "redis"),))] == 1
    assert worker.terminate()[0] == 0
    told = waymark("status", "-C", workspace.folder, "--json")
    assert told.returncode == 1 and json.loads(told.stdout)["from"] == "redis"
    own_redis.kill()
    assert waymark("status", "-C", workspace.folder).returncode == 3


def test_reloads_are_counted_and_a_new_automation_begins_at_zero(make_workspace, workers):
    workspace = make_workspace(RULES)
    worker = workers(workspace)
    outside = Outside(worker)
    workspace.write("automation: [")
    worker.reload()
    worker.wait_said("reload refused")
    wait_until(lambda: "reload was refused" in outside.get("/")[1], what="the page to tell")
    assert "refused, the workspace before it counts on" in waymark("status", "--url", outside.url).stdout
    assert "its last reload was refused" in waymark("top", outside.url, "--once").stdout
    workspace.write(RULES + """
---
automation: later
trigger: journey.started
tasks: [{ name: Give, sequence: 10, type: change-role, role: member, action: add }]
""")
    worker.reload()
    worker.wait_said("reloaded")
    wait_until(lambda: outside.by("waymark_reloads_total", "result") == {"taken": 1, "refused": 1}, what="both to be counted")
    labels = (("automation", "later"), ("type", "change-role"), ("result", "failed"))
    assert outside.metrics()[("waymark_tasks_total", labels)] == 0
