"""A failing automation is seen, mended, and redriven; a dead letter is shown as it is; on real Kafka and Redis."""
import json
import re

from load import structured
from waymark_testlib.kafka import Sender, home
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark, waymark_waits

RULES = """
role: badge
status: {status}
---
role: star
status: {status}
---
role: member
---
channel: mail
---
automation: join
trigger: journey.milestone.achieved
when: {{ data.milestone: joined }}
repeat: once-per-user
tasks:
  - {{name: Make a member, sequence: 10, type: change-role, role: member, action: add}}
  - {{name: Give the badge, sequence: 20, type: change-role, role: badge, action: add}}
  - {{name: Give the star, sequence: 30, type: change-role, role: star, action: add}}
---
automation: zeal
trigger: journey.milestone.achieved
when: {{ data.milestone: joined }}
tasks:
  - {{name: Take the member role, sequence: 10, type: notify, channel: mail, title: Hello, message: "{{{{ user.name }}}}"}}
"""
JOINED = {"journey": "onboarding", "milestone": "joined"}


def ask(workspace, *arguments, code=0):
    done = waymark(*arguments, "-C", workspace.folder)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def rows(workspace, *arguments, code=0):
    return [json.loads(line) for line in ask(workspace, *arguments, "--json", code=code).stdout.splitlines()]


def decided(workspace, count):
    wait_until(lambda: len(rows(workspace, "failures")) == count, what=f"{count} failures")


def test_failed_tasks_are_found_and_run_again(make_workspace, workers, sender, broker):
    workspace = make_workspace(RULES.format(status="inactive"))
    worker = workers(workspace)
    users = [f"u{n}" for n in range(3)]
    for number, user in enumerate(users):
        sender.of_user(workspace.events, user, structured(number, user=user, data=JOINED), [("x-kept", b"yes")])
    sender.raw(workspace.events, b'{"bad\x1b[31m', b"u0", [("ce-like", b"\x00\x01")], home("u0", 4))
    sender.flush()
    decided(workspace, 10)

    found = rows(workspace, "failures", "list", "--code", "ROLE_INACTIVE", "--automation", "join", "--role", "badge", "--since", "5m")
    assert sorted(one["user"] for one in found) == users and {one["role"] for one in found} == {"badge"}
    assert {one["sequence"] for one in found} == {20}
    stats = {(one["by"], one.get("name")): one["count"] for one in rows(workspace, "failures", "stats")}
    assert stats[("code", "ROLE_INACTIVE")] == 6 and stats[("code", "TEMPLATE_FAILED")] == 3
    assert stats[("code", "EVENT_INVALID")] == 1 and stats[("all", None)] == 10
    ask(workspace, "failures", "--code", "ROLE_INACTIVE", "--exit-code", code=1)
    followed = ask(workspace, "failures", "list", "--follow", "--limit", "10")
    assert followed.stdout.count("live:") == 10

    # one of them with the event that it is about, and the dead letter as it came
    (shown,) = rows(workspace, "failures", "show", found[0]["id"])
    assert shown["failure"]["data"]["task"]["code"] == "ROLE_INACTIVE"
    assert json.loads(shown["record"]["value"])["subject"] == found[0]["user"]
    assert "\\x0a" not in ask(workspace, "failures", "show", found[0]["id"]).stdout.splitlines()[0]
    (dead,) = rows(workspace, "failures", "--rejected")
    (shown,) = rows(workspace, "failures", "show", dead["id"])
    assert shown["record"]["topic"] == workspace.dlq() and shown["record"]["value"] == '{"bad\x1b[31m'
    assert {"name": "ce-like", "value": "\x00\x01"} in shown["record"]["headers"]
    text = ask(workspace, "failures", "show", dead["id"]).stdout
    assert '{"bad\\x1b[31m' in text and "\x1b" not in text
    refused = ask(workspace, "redrive", dead["id"], "--reason", "r", "--yes", code=1)
    assert "is a rejected event" in refused.stderr and f"redrive --edit {dead['id']}" in refused.stderr
    assert "--edit mends one" in ask(workspace, "redrive", "--code", "EVENT_INVALID", "--reason", "r", "--yes", code=1).stderr

    # nothing is mended yet: it fails again, and the new failure stands for the old one
    redriven = rows(workspace, "redrive", found[0]["id"], "--reason", "too early", "--yes", code=1)
    assert [(one["result"], one["code"]) for one in redriven] == [("failed", "ROLE_INACTIVE")]
    refused = ask(workspace, "redrive", "--id", found[0]["id"], "--reason", "again", "--yes", code=1)
    assert "redriven before" in refused.stderr
    (shown,) = rows(workspace, "failures", "show", found[0]["id"])
    assert [(one["run"], one["reason"]) for one in shown["redriven"]] == [(redriven[0]["run"], "too early")]
    assert f"in {redriven[0]['run']} by " in ask(workspace, "failures", "show", found[0]["id"]).stdout
    assert rows(workspace, "failures", "show", found[1]["id"])[0]["redriven"] == []

    # the role is mended
    workspace.write(RULES.format(status="active"))
    worker.reload_and_wait()
    planned = rows(workspace, "redrive", "--code", "ROLE_INACTIVE", "--dry-run")
    assert [one["state"] for one in planned] == ["ready"] * 6
    assert not any(workspace.roles(user) - {"member"} for user in users)
    before = broker.ends(workspace.topic["replay"])
    redriven = rows(workspace, "redrive", "--code", "ROLE_INACTIVE", "--reason", "the badge is back", "--yes")
    assert sorted((one["user"], one["sequence"], one["result"]) for one in redriven) == [
        (user, sequence, "changed") for user in users for sequence in (20, 30)]
    for user in users:
        wait_until(lambda: workspace.roles(user) == {"member", "badge", "star"}, what="badge and star")

    # what was sent says what it is, and is the event as it came
    sent = [record for record in broker.read(workspace.topic["replay"])]
    assert len(sent) == 7 and sum(broker.ends(workspace.topic["replay"]).values()) - sum(before.values()) == 6
    last = sent[-1]
    assert last.header("wm-automation") == b"join" and last.header("wm-sequence") in (b"20", b"30")
    assert last.header("x-kept") == b"yes" and last.header("wm-notify") == b"false"
    assert re.fullmatch(rb"redrive-\d{14}-[0-9a-f]{6}", last.header("wm-run"))
    outcomes = [json.loads(record.value)["data"] for record in broker.read(workspace.topic["outcomes"])]
    again = [one for one in outcomes if one["run"] == redriven[0]["run"]]
    assert sorted([task["sequence"] for task in one["tasks"]] for one in again) == [[20]] * 3 + [[30]] * 3

    # twice is refused, but for --again, which changes nothing
    refused = ask(workspace, "redrive", "--code", "ROLE_INACTIVE", "--reason", "twice", "--yes", code=1)
    assert "redriven before" in refused.stderr
    redriven = rows(workspace, "redrive", "--code", "ROLE_INACTIVE", "--reason", "twice", "--yes", "--again")
    assert {one["result"] for one in redriven} == {"unchanged"}

    # a failure whose automation does not take the event any more
    (first, *_) = rows(workspace, "failures", "--code", "TEMPLATE_FAILED")
    workspace.write(RULES.format(status="active").replace("automation: zeal", "automation: zeal\nenabled: false"))
    worker.reload_and_wait()
    done = ask(workspace, "redrive", first["id"], "--reason", "off", "--yes", "--notify", code=1)
    assert "did not run" in done.stdout and "enabled: false" in done.stdout


def test_what_is_being_committed_is_waited_for(make_workspace, workers, sender, broker):
    """The broker shows the group's position before the outcomes that were committed with it."""
    workspace = make_workspace(RULES.format(status="active"))
    workers(workspace)
    other = structured("other", user="u1", data={"milestone": "left"})
    sender.of_user(workspace.events, "u1", other)
    sender.flush()
    source = json.loads(other)["source"]
    wait_until(lambda: rows(workspace, "event", source, "other")[0]["state"] == "nothing", what="the group to pass it")
    writer = Sender(broker, 4, **{"transactional.id": workspace.id})
    writer.producer.init_transactions(20)
    writer.producer.begin_transaction()
    writer.raw(workspace.topic["outcomes"], b"{}", b"u1", partition=home("u1", 4))
    writer.flush()
    assert waymark_waits("event", source, "other", "-C", workspace.folder, until=writer.producer.commit_transaction) == 0


def test_what_became_of_an_event(make_workspace, workers, sender):
    workspace = make_workspace(RULES.format(status="inactive"))
    worker = workers(workspace)
    other = structured("other", user="u1", data={"milestone": "left"})
    for value in (structured("joined", user="u1", data=JOINED), structured("joined", user="u1", data=JOINED), other):
        sender.of_user(workspace.events, "u1", value)
    sender.of_user(workspace.topic["directory"], "u1",
                   structured("known", "directory.user.updated", "u1", {"status": "active"}))
    sender.raw(workspace.events, structured("bad", user="u1", data=JOINED, specversion="9"), b"u1", [], home("u1", 4))
    sender.flush()
    decided(workspace, 4)
    source = json.loads(other)["source"]

    def event(id, *more):
        found = []

        def settled():
            found[:] = rows(workspace, "event", source, id, *more)
            return all(one["state"] != "waiting" for one in found)

        wait_until(settled, what="the group to pass them")
        return found

    first, second = event("joined")
    assert (first["state"], second["state"]) == ("decided", "duplicate")
    results = {one["data"]["automation"]: [task["result"] for task in one["data"]["tasks"]] for one in first["outcomes"]}
    assert results == {"join": ["changed", "failed", "failed"], "zeal": ["failed"]}
    text = ask(workspace, "event", source, "joined", "--topic", workspace.events, "--since", "5m").stdout
    assert "ROLE_INACTIVE" in text and "A duplicate" in text

    (nothing,) = event("other")
    assert nothing["state"] == "nothing" and nothing["user"] == "u1"
    assert {one["automation"]: one["verdict"] for one in nothing["explain"]} == {"join": "condition", "zeal": "condition"}
    assert "does not take it: a condition does not hold" in ask(workspace, "event", source, "other").stdout

    (known,) = event("known")
    assert known["state"] == "no-outcome"
    (bad,) = event("bad")
    assert bad["state"] == "rejected" and bad["rejection"]["data"]["code"] == "EVENT_INVALID"
    assert bad["dead-letter"]["offset"] == 0
    told = ask(workspace, "event", source, "bad").stdout
    assert f"\ndead letter: {workspace.dlq()}/" in told and "\\x0a" not in told

    # the record of a redrive is one more place
    (failed,) = rows(workspace, "failures", "--automation", "join", "--role", "star")
    rows(workspace, "redrive", failed["id"], "--reason", "r", "--yes", code=1)
    again = [one for one in event("joined") if one["run"] != "live"]
    assert len(again) == 1 and again[0]["record"]["topic"] == workspace.topic["replay"]
    assert again[0]["state"] == "decided" and again[0]["origin"] == first["origin"]

    # nobody is at work
    worker.terminate()
    sender.of_user(workspace.events, "u1", structured("later", user="u1", data=JOINED))
    sender.flush()
    (later,) = rows(workspace, "event", source, "later")
    assert later["state"] == "waiting" and later["group-is-at"] == later["record"]["offset"]
    gone = ask(workspace, "event", source, "nobody-sent-it", "--since", "1h", code=1)
    assert "was found in that time" in gone.stderr
    ask(workspace, "event", source, "later", "--topic", "elsewhere", code=2)


def test_a_rejected_event_is_mended(make_workspace, workers, sender, broker, tmp_path, monkeypatch):
    workspace = make_workspace(RULES.format(status="active"))
    workers(workspace)
    sender.raw(workspace.events, structured("e", user="u1", data=JOINED, specversion="9"), b"u1", [], home("u1", 4))
    attributes = [("ce_id", b"b"), ("ce_source", b"/journeys"), ("ce_type", b"journey.milestone.achieved"),
                  ("ce_subject", b"u2")]
    sender.raw(workspace.events, json.dumps(JOINED).encode(), b"u2", attributes, home("u2", 4))
    sender.flush()
    decided(workspace, 2)
    failed = {one["origin"]["partition"]: one["id"] for one in rows(workspace, "failures", "--rejected")}
    if home("u1", 4) == home("u2", 4):
        ids = [one["id"] for one in rows(workspace, "failures", "--rejected")]
    else:
        ids = [failed[home("u1", 4)], failed[home("u2", 4)]]
    editor = tmp_path / "an editor"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{editor}' --wait")

    def edit_with(*lines):
        editor.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
        editor.chmod(0o755)

    edit_with("exit 3")
    assert "without success" in ask(workspace, "redrive", "--edit", ids[0], "--reason", "r", "--yes", code=1).stderr
    edit_with('echo "{}" > "$2"')
    refused = ask(workspace, "redrive", "--edit", ids[0], "--reason", "r", "--yes", code=1)
    assert "would be rejected again" in refused.stderr and "stays in" in refused.stderr
    before = {path.name for path in tmp_path.glob("waymark-*.json")}
    edit_with("""sed -i 's/"9"/"1.0"/' "$2" """)
    ask(workspace, "redrive", "--edit", ids[0], "--reason", "the version", "--yes")
    edit_with("""sed -i 's/^{/{"specversion":"1.0",/' "$2" """)
    (sent,) = rows(workspace, "redrive", "--edit", ids[1], "--reason", "the version", "--yes")
    assert sent["sent"]["data"] == JOINED and sent["sent"]["wmcorrects"].startswith(f"{workspace.events}/")
    assert {path.name for path in tmp_path.glob("waymark-*.json")} == before, "a file is only kept for work that counts"
    for user in ("u1", "u2"):
        wait_until(lambda: workspace.roles(user) == {"member", "badge", "star"}, what="the roles")
    mended = [json.loads(record.value) for record in broker.read(workspace.events) if b"wmcorrects" in record.value]
    assert {event["id"] for event in mended} == {"e", "b"}
    (task,) = rows(workspace, "failures", "--user", "u1", "--failed")
    assert "is a failed task" in ask(workspace, "redrive", "--edit", task["id"], "--reason", "r", code=2).stderr
