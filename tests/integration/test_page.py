"""The worker's page as a person meets it: in a real browser, by day, at night, on a telephone, while Redis is away."""
import collections
import contextlib
import json
import re
import time
import urllib.request

import confluent_kafka
import pytest

from load import structured
from waymark_testlib.browser import Browser
from waymark_testlib.process import wait_until

RULES = """
role: member
---
channel: mail
---
automation: welcome
trigger: journey.milestone.achieved
tasks:
  - { name: Give, sequence: 10, type: change-role, role: member, action: add }
  - { name: Tell the manager, sequence: 20, type: notify, channel: mail, to: manager, title: Hi, message: "{{ data.note }}" }
"""
HOSTILE = ['<script>document.title="stolen"</script>', '"><img src=x onerror=alert(1)>', "</td></table><h1>ready</h1>",
           "<svg/onload=alert(1)>", "&lt;b&gt;"]

TABLES = """
const cell = each => each.innerText.trim();
return [...document.querySelectorAll('table')].map(table => [
  table.querySelector('caption') ? cell(table.querySelector('caption')) : '',
  [...table.rows].map(row => [...row.cells].map(cell))]);
"""
CONTRASTS = """
const numbers = color => color.match(/[\\d.]+/g).map(Number);
const light = color => {
  const [r, g, b] = numbers(color).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const canvas = document.documentElement.appendChild(document.createElement('i'));
canvas.style.background = 'Canvas';
const bottom = getComputedStyle(canvas).backgroundColor;
canvas.remove();
const behind = each => {
  for (; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor, alpha = numbers(color)[3];
    if (alpha === undefined || alpha === 1) return color;
    if (alpha !== 0) throw new Error(`half of a background: ${color}`);
  }
  return bottom;
};
const found = [];
for (const each of document.body.querySelectorAll('*')) {
  if (![...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
  const [a, b] = [light(getComputedStyle(each).color), light(behind(each))];
  found.push([each.innerText, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
}
return [light(bottom), found];
"""
WIDTHS = """
const right = each => each.getBoundingClientRect().right;
return [document.documentElement.scrollWidth, innerWidth,
        Math.max(...[...document.body.querySelectorAll('*')].map(right))];
"""
ACCESS = """
const all = what => [...document.querySelectorAll(what)];
return {
  language: document.documentElement.lang,
  headings: all('h1,h2,h3,h4').map(each => each.tagName + ' ' + each.innerText),
  landmarks: all('main').length,
  unscoped: all('th:not([scope])').map(each => each.innerText),
  headless: all('table').filter(each => !each.querySelector('th') || !each.caption).length,
  nameless: all('a').filter(each => !each.innerText.trim()).length,
  foreign: all('script,img,svg,iframe,object,embed,base,form').length +
           all('*').filter(each => [...each.attributes].some(one => one.name.startsWith('on'))).length,
};
"""


class Shown:
    """A worker's page in a browser, and what its status.json says."""

    def __init__(self, browser, worker):
        self.browser = browser
        self.url = "http://" + worker.wait_said("serves metrics and health")[-1].split("address=")[1].strip()

    def status(self):
        with urllib.request.urlopen(self.url + "/status.json", timeout=30) as answer:
            return json.load(answer)

    def tables(self):
        return {caption: rows for caption, rows in self.browser.ask(TABLES)}

    def says(self, *words):
        text = self.browser.text()
        return text if all(word in text for word in words) else None

    def agrees(self):
        """Whether the page, whenever it was loaded, shows what status.json says now."""
        tables, status = self.tables(), self.status()
        return (tables.get("Lag by partition", [None])[1:] == [
                    [lag["topic"], str(lag["partition"]), lag["state"], str(lag.get("lag", "?"))] for lag in status["lags"]] and
                tables.get("Since it was started") == counts(status) and
                [[row[0], row[1].split("\n")[0], *row[2:]] for row in tables.get("Last failures", [None])[1:]] == [
                    [re.sub(r"\.\d+", "", one["time"]), one["code"], one.get("automation", "(event rejected)"),
                     str(one.get("sequence", "")), one["origin"]] for one in status["failures"]])


def counts(status):
    events, tasks = status["events"], status["tasks"]
    return [
        ["events read", str(events["read"])],
        ["events decided", str(events["decided"])],
        ["events that no automation takes", str(events["nothing"])],
        ["events of kinds that are ignored", str(events["ignored"])],
        ["events without a value", str(events["empty"])],
        ["duplicates", str(events["duplicate"])],
        ["rejected events", str(events["rejected"])],
        *[[f"tasks {name}", str(count)] for name, count in tasks.items() if count or name == "failed"],
        ["removals that left no role", str(status["lockouts"])],
    ]


@pytest.fixture
def browser(tmp_path):
    with Browser(tmp_path / "browser") as browser:
        yield browser


def hostile(workspace, sender):
    """A failed task for each hostile user, id, text; and a rejected event. Returns how many records."""
    for i, text in enumerate(HOSTILE):
        event = structured(f"{text}{i}", user=text, data={"milestone": text, "note": text}, at=time.time())
        sender.of_user(workspace.events, text, event)
        sender.of_user(workspace.events, text, json.dumps({"id": text, "type": text}).encode())
    sender.flush()
    return 2 * len(HOSTILE)


@contextlib.contextmanager
def half_sent(workspace, broker, partition):
    """An open transaction is lag: a partition that has some for as long as it takes."""
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": f"{workspace.id}-half",
                                         "transaction.timeout.ms": 600000})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(workspace.events, key=b"half", value=b"{}", partition=partition)
    producer.flush(60)
    yield
    producer.abort_transaction(60)


def see_the_markup(browser, workspace):
    text = browser.text()
    assert workspace.group in text
    for stranger in HOSTILE[2:]:
        assert stranger not in text, "no user id and no content of an event"
    assert browser.driver.title == "worker-1: ready – Waymark", "no script wrote it"
    found = browser.ask(ACCESS)
    assert found["foreign"] == 0 and found["language"] == "en" and found["landmarks"] == 1
    assert found["unscoped"] == [] and found["headless"] == 0 and found["nameless"] == 0
    assert found["headings"] == ["H1 Waymark worker worker-1: ready", "H2 Checks", "H2 Partitions", "H2 Last failures",
                                 "H2 Since it was started", "H2 Worker", "H2 Lag by partition"]


def see_the_colours(browser, dark):
    canvas, contrasts = browser.ask(CONTRASTS)
    assert canvas < 0.1 if dark else canvas > 0.9, "the page follows the reader's colours"
    assert len(contrasts) > 50 and [each for each in contrasts if each[1] < 4.5] == []


def see_the_width(browser, width):
    inside, window, right = browser.ask(WIDTHS)
    assert inside <= window == width and right <= width, (inside, window, right)


def test_a_person_sees_how_the_worker_is(make_workspace, workers, own_redis, broker, sender, browser, tmp_path):
    workspace = make_workspace(RULES, redis=own_redis, kafka={"group": f"{HOSTILE[0]}{HOSTILE[1]} {time.time_ns()}"})
    shown = Shown(browser, workers(workspace))
    wait_until(lambda: shown.status()["state"] == "ready", what="the worker to be ready")
    browser.open(shown.url + "/")
    wait_until(lambda: shown.says("Waymark worker worker-1: ready", "none since it was started", workspace.group),
               what="the page to show a worker without failures")

    sent = hostile(workspace, sender)
    with half_sent(workspace, broker, 3):
        wait_until(lambda: shown.status()["events"]["read"] == sent and shown.status()["lag"] > 0, what="all to be read")
        wait_until(shown.agrees, what="the page to show by itself what status.json says")
        lags = {(row[0], row[1]): int(row[3]) for row in shown.tables()["Lag by partition"][1:]}
        inputs = [workspace.events, *(workspace.topic[name] for name in ("directory", "requests", "replay"))]
        assert set(lags) == {(topic, str(partition)) for topic in inputs for partition in range(4)}, "every partition"
        assert [key for key, lag in lags.items() if lag] == [(workspace.events, "3")]
    failures = collections.Counter((row[1].split("\n")[0], row[2]) for row in shown.tables()["Last failures"][1:])
    assert failures == {("RECIPIENT_UNKNOWN", "welcome"): 5, ("EVENT_INVALID", "(event rejected)"): 5}

    browser.follow("keep it still")
    wait_until(lambda: shown.says("This page stays as it is", "Waymark worker worker-1: ready"), what="the still page")
    see_the_markup(browser, workspace)
    for dark in (False, True):
        for width in (1000, 360):
            browser.look(width=width, dark=dark, scripts=not dark)
            browser.open(shown.url + "/?still")
            browser.picture(tmp_path / f"{'dark' if dark else 'light'}-{width}.png")
            assert shown.says("Waymark worker worker-1: ready", "RECIPIENT_UNKNOWN", "welcome", workspace.events)
            see_the_colours(browser, dark)
            see_the_width(browser, width)
    browser.look()
    browser.follow("load it anew every five seconds")

    own_redis.kill()
    wait_until(lambda: shown.status().get("paused") == "redis", what="the worker to pause")
    browser.open(shown.url + "/")
    wait_until(lambda: shown.says("Waymark worker worker-1: not ready", "redis\tcan't be reached, or refuses",
                                  "Nothing is decided, because of: redis"), what="the page to tell of the pause")
    wait_until(lambda: browser.driver.title == "worker-1: not ready – Waymark", what="its title to tell, too")
    wait_until(shown.agrees, what="the page to show all the rest while Redis is away")
    browser.picture(tmp_path / "away.png")
    own_redis.restart()
    wait_until(lambda: shown.status()["state"] == "ready", what="the worker to go on")
    browser.open(shown.url + "/")
    wait_until(lambda: shown.says("Waymark worker worker-1: ready"), what="the page to tell that it goes on")

    for words, path in (("metrics", "/metrics"), ("readyz", "/readyz?verbose"), ("livez", "/livez"),
                        ("startupz", "/startupz"), ("status.json", "/status.json")):
        browser.open(shown.url + "/?still")
        browser.follow(words)
        wait_until(lambda: browser.driver.current_url == shown.url + path and browser.text(), what=f"{path} to open")
    asked = browser.requests()
    assert {url.removeprefix(shown.url) for url, _ in asked} == {
        "/", "/?still", "/metrics", "/readyz?verbose", "/livez", "/startupz", "/status.json"}, "nothing from elsewhere"
    assert {status for _, status in asked if status} == {200}
    assert browser.complaints() == []
