"""waymark check-event: would an event be accepted?"""
import json

from conftest import event, lines, waymark


def check(text, *more, **options):
    return waymark("check-event", "-", *more, stdin=text if isinstance(text, str) else json.dumps(text), **options)


def test_a_good_event_outside_any_workspace():
    done = check(event(1), cwd="/")
    assert done.code == 0 and done.err == "" and "accepted" in done.out
    done = check(event(1), "--json", cwd="/")
    assert done.json == [{"line": 1, "accepted": True, "id": "e1", "type": "journey.milestone.achieved", "user": "u1"}]


def test_a_workspace_says_who_takes_it(workspace):
    done = check(event(1), "--json", "-C", workspace)
    assert done.json[0]["automations"] == ["join"]
    assert "trigger of join" in check(event(1), "-C", workspace).out
    assert "no automation takes this type" in check(event(1, type="shop.sold"), cwd=workspace).out


def test_what_is_wrong_and_where():
    done = check(event(1, id=5), "--json", cwd="/")
    assert done.code == 1
    (answer,) = done.json
    assert answer["accepted"] is False and answer["code"] == "EVENT_INVALID"
    assert answer["pointer"] == "/id" and answer["reason"] == "type" and answer["message"]
    done = check(event(1, id=5), cwd="/")
    assert done.code == 1 and "EVENT_INVALID (type) at /id" in done.out


def test_the_future_is_refused():
    done = check(event(1, time="2999-01-01T00:00:00Z"), "--json", cwd="/")
    assert done.code == 1 and done.json[0]["code"] == "EVENT_FUTURE"


def test_one_event_a_line():
    done = check(lines(event(1), "", "broken", event(2)), "--json", cwd="/")
    assert done.code == 1
    assert [(answer["line"], answer["accepted"]) for answer in done.json] == [(1, True), (3, False), (4, True)]


def test_one_event_on_many_lines():
    assert len(check(json.dumps(event(1), indent=2), "--json", cwd="/").json) == 1
    done = check(json.dumps(event(1), indent=2)[:-2], "--json", cwd="/")
    assert done.code == 1 and len(done.json) == 1


def test_bad_files(tmp_path):
    assert waymark("check-event", tmp_path, cwd="/").code == 2
    assert waymark("check-event", tmp_path / "nothing", cwd="/").code == 2
    assert check("", cwd="/").code == 2


def test_send_says_where_the_events_are_that_would_be_rejected(workspace, tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(lines(event(1), "", event(2, specversion=None)))
    done = waymark("send", file, "-C", workspace, "--yes")
    assert done.code == 1 and done.out == ""
    first, second = done.err.splitlines()
    assert first == f"{file}:3:1: error: 'specversion' is missing [EVENT_INVALID]"
    assert second == "waymark: nothing was sent: 1 of 2 events would be rejected"
