"""waymark replay plan without servers: events and registers from files."""
import json
import pathlib

import jsonschema
import pytest

from conftest import AUTOMATION, event, lines, waymark

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "schemas" / "plan.schema.json").read_text())
LEAVE = """\
automation: leave
trigger: journey.milestone.failed
tasks:
  - { name: Take it, sequence: 10, type: change-role, role: member, action: remove }
  - { name: Tell, sequence: 20, type: notify, channel: mail, title: Gone, message: "{{ user.name }}" }
"""


@pytest.fixture
def place(workspace):
    (workspace / "leave.yaml").write_text(LEAVE + "---\nchannel: mail\n")
    return workspace


def live(place, events):
    """The registers that a live run of these events leaves."""
    users = place.parent / "users.jsonl"
    assert waymark("simulate", place, "-", "--users", users, stdin=lines(*events)).code == 0
    return users


def plan(place, events, users=None, *more):
    source, path = place.parent / "events.jsonl", place.parent / "plan.json"
    source.write_text(lines(*events))
    if users is None:
        users = place.parent / "nobody.jsonl"
        users.write_text("")
    done = waymark("replay", "plan", "-C", place, "--input", source, "--users", users, "--output", path, "--json", *more)
    assert done.code == 0, done.err
    jsonschema.validate(json.loads(path.read_text()), SCHEMA)
    return done


def of(done, kind):
    return [line for line in done.json if line["kind"] == kind]


def failed(number, **changes):
    return event(number, type="journey.milestone.failed", **changes)


def test_a_replay_of_what_was_decided_changes_nothing(place):
    events = [event(1), event(2, subject="u2"), failed(3, subject="u2")]
    done = plan(place, events, live(place, events))
    total = of(done, "plan")[0]
    assert (total["changes"], total["added"], total["removed"]) == (0, 0, 0)
    assert of(done, "tasks") == [
        {"kind": "tasks", "automation": "join", "role": "member", "added": 0, "removed": 0, "unchanged": 1,
         "superseded": 1, "failed": 0, "skipped": 0},
        {"kind": "tasks", "automation": "leave", "role": "member", "added": 0, "removed": 0, "unchanged": 1,
         "superseded": 0, "failed": 0, "skipped": 0}]
    assert not of(done, "user")


def test_what_a_new_rule_would_give_is_told_by_role_and_user(place):
    events = [event(1), event(2, subject="u2"), event(3, subject="u3", data={"milestone": "other"})]
    users = live(place, events)
    (place / "join.yaml").write_text(AUTOMATION.replace("  data.milestone: joined", "  data.milestone: other"))
    done = plan(place, events, users)
    assert of(done, "user") == [{"kind": "user", "user": "u3", "before": [], "after": ["member"]}]
    assert of(done, "roles") == [{"kind": "roles", "role": "member", "users-gaining": 1, "users-losing": 0}]
    assert of(done, "tasks")[0]["added"] == 1


def test_a_newer_decision_stands(place):
    users = live(place, [event(1), failed(5)])
    done = plan(place, [event(1)], users)
    assert of(done, "tasks")[0]["superseded"] == 1 and of(done, "plan")[0]["changes"] == 0


def test_notifications_and_failures_are_told(place):
    done = plan(place, [failed(1)])
    assert of(done, "failures") == [{"kind": "failures", "automation": "leave", "code": "TEMPLATE_FAILED", "failed": 1,
                                     "example": "'user.name' is absent"}]
    users = place.parent / "named.jsonl"
    users.write_text('{"v":1,"user":"u1","home":0,"profile":{"clock":[1,"/hr","p","",0],"status":"active",'
                     '"name":"Ann"},"cleared":null,"roles":{},"ran":{},"recent":""}\n')
    done = plan(place, [failed(1)], users)
    assert of(done, "notifications") == [{"kind": "notifications", "automation": "leave", "channel": "mail",
                                          "sent-with-notify": 1, "too-old": 0, "not-sent": 0}]
    assert of(done, "plan")[0]["notifications"] == 1


@pytest.mark.parametrize("more, users", [
    (["--user", "u2"], ["u2"]),
    (["--type", "journey.milestone.failed"], []),
    (["--type", "journey.milestone.failed,journey.*"], ["u1", "u2", "u3"]),
    (["--where", "data.score: { at-least: 50 }"], ["u1"]),
    (["--where", "{ any: [{ data.score: 60 }, { event.id: e2 }] }"], ["u1", "u2"]),
    (["--automation", "join"], ["u1", "u2", "u3"]),
    (["--automation", "leave"], []),
])
def test_filters(place, more, users):
    events = [event(1, data={"milestone": "joined", "score": 60}), event(2, subject="u2"), event(3, subject="u3"),
              failed(4, subject="u4")]
    assert [line["user"] for line in of(plan(place, events, None, *more), "user")] == users


def test_users_from_a_file(place):
    names = place.parent / "names"
    names.write_text("u3\n\nu2\n")
    events = [event(n, subject=f"u{n}") for n in range(1, 5)]
    done = plan(place, events, None, "--user", f"@{names}")
    assert [line["user"] for line in of(done, "user")] == ["u2", "u3"]
    assert json.loads((place.parent / "plan.json").read_text())["filter"]["users"] == ["u2", "u3"]


def test_files_of_other_editors(place):
    names, source = place.parent / "names", place.parent / "windows.jsonl"
    names.write_bytes(b"\xef\xbb\xbfu1\r\nu3")
    source.write_bytes(b"\xef\xbb\xbf" + lines(*[event(n, subject=f"u{n}") for n in range(1, 4)]).replace("\n", "\r\n").encode())
    (place.parent / "none").write_text("")
    done = waymark("replay", "plan", "-C", place, "--input", source, "--users", place.parent / "none", "--output",
                   place.parent / "p", "--user", f"@{names}", "--json")
    assert done.code == 0, done.err
    assert [line["user"] for line in of(done, "user")] == ["u1", "u3"] and of(done, "plan")[0]["rejected"] == 0


def test_lines_of_a_dump_that_are_rejected_are_told(place):
    done = plan(place, [event(1), "{", event(2, id=None), event(3)])
    assert of(done, "plan")[0]["rejected"] == 2
    assert "events.jsonl:2: rejected: " in done.err and "events.jsonl:3: rejected: 'id' is missing" in done.err
    done = plan(place, ["{"] * 12)
    assert done.err.count(": rejected: ") == 10 and done.err.count("more of them are not told") == 1


def test_what_changes_is_not_said_to_change_nothing(place):
    source, nobody = place.parent / "e.jsonl", place.parent / "nobody"
    source.write_text(lines(event(1)))
    nobody.write_text("")
    words = ["replay", "plan", "-C", place, "--input", source, "--users", nobody, "--output", place.parent / "p"]
    said = waymark(*words).out
    assert "1 users gain a role" in said and "changes nothing" not in said and "comes of other rules" in said
    assert "Nothing to play again: no automation takes any" in waymark(*words, "--user", "u9").out
    source.write_text("")
    assert "Nothing to play again: no record stands" in waymark(*words).out


def test_the_same_event_twice_is_one_decision(place):
    assert of(plan(place, [event(1), event(1)]), "plan")[0]["duplicates"] == 1


def test_what_the_topic_forbids_is_not_let_in_by_a_replay(place):
    request = event(1, type="role.assignment.requested", data={"role": "member", "action": "add"})
    done = plan(place, [request, event(2, subject="u2")], None, "--topic", "journey.milestones")
    total = of(done, "plan")[0]
    assert (total["rejected"], total["selected"]) == (1, 1)
    assert [line["user"] for line in of(done, "user")] == ["u2"]
    assert of(plan(place, [request], None, "--topic", "waymark.requests"), "plan")[0]["added"] == 1


def test_that_conditions_read_the_user_is_said(place):
    source = place.parent / "e.jsonl"
    source.write_text(lines(event(1)))
    arguments = ["replay", "plan", "-C", place, "--input", source, "--users", source, "--output", place.parent / "p"]
    arguments[7] = live(place, [event(1)])
    assert "this replay changes nothing" in waymark(*arguments).out
    (place / "join.yaml").write_text(AUTOMATION.replace("when:", "when:\n  user.status: active"))
    done = waymark(*arguments)
    assert "1 automation read 'user.'" in done.out and "changes nothing" not in done.out


@pytest.mark.parametrize("arguments, said", [
    (["--topic", "journey.milestones", "--output", "p"], "--from is missing"),
    (["--topic", "journey.milestones", "--from", "soon", "--output", "p"], "'soon' is no moment"),
    (["--topic", "other", "--from", "0", "--output", "p"], "is none of topics.events"),
    (["--topic", "journey.milestones", "--from", "2026-11-18", "--to", "2026-11-17", "--output", "p"], "--from is after --to"),
    (["--topic", "journey.milestones", "--from", "1d", "--to", "2d", "--output", "p"], "--from is after --to"),
    (["--topic", "journey.milestones", "--from", "7", "--to", "7", "--partition", "0", "--output", "p"], "is not before --to 7"),
    (["--from", "0", "--output", "p"], "--topic is missing"),
    (["--input", "e", "--users", "u", "--output", "-"], "--output needs a file"),
    (["--input", "e", "--users", "u", "--output", "e"], "'e' is what --input reads"),
    (["--input", "e", "--users", "u", "--output", "./u"], "'./u' is what --users reads"),
    (["--input", "e", "--users", "u", "--output", "e", "--user", "@e"], "it would be overwritten"),
    (["--input", "e", "--users", "u", "--output", "p", "--where", ""], "a condition of one line"),
    (["--input", "e", "--users", "u"], "--output is missing"),
    (["--input", "e", "--users", "u", "--from", "0", "--output", "p"], "takes no --from"),
    (["--input", "e", "--users", "u", "--output", "p", "--where", "data.x: { foo: 1 }"], "unknown operator 'foo'"),
    (["--input", "e", "--users", "u", "--output", "p", "--where", "user.status: active"], "only 'event.' and 'data.'"),
    (["--input", "e", "--users", "u", "--output", "p", "--type", "a,"], "names no event type"),
    (["--input", "e", "--users", "u", "--output", "p", "--limit", "x"], "--limit needs a number"),
    (["--input", "e", "--users", "u", "--output", "p", "--user", "@none"], "none"),
    (["--input", "missing", "--users", "u", "--output", "p"], "missing"),
])
def test_mistakes_are_told(place, arguments, said):
    for name in "eu":
        (place / name).write_text("")
    (place / "waymark.yaml").write_text('kafka: { bootstrap: "127.0.0.1:1" }\nredis: { address: "127.0.0.1:1" }\n')
    done = waymark("replay", "plan", *arguments, cwd=place)
    assert said in done.err and done.code in (2, 3), (done.code, done.err)
    assert not (place / "p").exists()


def test_an_automation_that_is_not_there(place):
    (place.parent / "e").write_text("")
    done = waymark("replay", "plan", "-C", place, "--input", place.parent / "e", "--users", place.parent / "e",
                   "--output", "p", "--automation", "joyn")
    assert done.code == 1 and "did you mean 'join'" in done.err


def test_what_a_request_takes_back_counts_as_removed(place):
    events = [event(1), event(2, type="role.grant.withdrawn", data={"role": "member", "source": "automation/join"})]
    (tasks,) = [row for row in of(plan(place, events), "tasks") if row["automation"] == "(by hand)"]
    assert (tasks["added"], tasks["removed"]) == (0, 1)


def test_a_limit_leaves_json_lines_json(place):
    done = plan(place, [event(n, subject=f"u{n}") for n in range(1, 4)], None, "--limit", "2")
    assert [line["user"] for line in of(done, "user")] == ["u1", "u2"]
