"""waymark simulate: contract 12 sentence by sentence, and files that nobody would send."""
import json
import pathlib
import shutil

import pytest
from conftest import AUTOMATION, ROOT, event, lines, waymark

CASES = sorted(path.parent for path in (ROOT / "tests/fixtures/simulate").glob("*/events.jsonl"))


def simulate(workspace, events, *more):
    """Outcomes and users of these lines."""
    done = waymark("simulate", workspace, "-", "--outcomes", workspace.parent / "outcomes", "--users",
                   workspace.parent / "users", *more, stdin=events)
    assert done.code == 0, done.err
    return [[json.loads(line) for line in (workspace.parent / name).read_text().splitlines()]
            for name in ("outcomes", "users")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, tmp_path):
    """A case is a workspace, events, and exactly what must come out."""
    done = waymark("simulate", case, case / "events.jsonl", "--outcomes", tmp_path / "o", "--users", tmp_path / "u")
    assert done.code == 0, done.err
    for name, got in (("outcomes.jsonl", tmp_path / "o"), ("users.jsonl", tmp_path / "u")):
        expected = [json.loads(line) for line in (case / name).read_text().splitlines()]
        found = [json.loads(line) for line in got.read_text().splitlines()]
        assert found == expected


def test_there_are_cases():
    assert len(CASES) >= 5


def test_origin_and_run(workspace):
    outcomes, users = simulate(workspace, "\n" + lines(event(1)))
    (outcome,) = outcomes
    assert outcome["id"] == "live:simulate/0/1:join"
    assert outcome["data"]["run"] == "live"
    assert outcome["data"]["origin"] == {"topic": "simulate", "partition": 0, "offset": 1}
    (user,) = users
    assert user["user"] == "u1" and user["effective"] == ["member"] and user["register"]["home"] == 0
    assert list(user) == ["user", "effective", "register"]


def test_blank_lines_are_counted_and_keep_their_number(workspace):
    done = waymark("simulate", workspace, "-", "--json", stdin="\n  \n\t\r\n" + lines(event(1)) + "\n")
    assert done.json[0]["data"]["origin"]["offset"] == 3
    assert done.json[-1]["blank"] == 4 and done.json[-1]["events"] == 1


def test_a_missing_time_is_the_time_before(workspace):
    untimed = dict(time=None)
    outcomes, _ = simulate(workspace, lines(event(1, **untimed), event(2, subject="u2", time="2026-05-01T00:00:00Z"),
                                            event(3, subject="u3", **untimed)))
    assert [outcome["time"] for outcome in outcomes] == ["1970-01-01T00:00:00Z", "2026-05-01T00:00:00Z",
                                                         "2026-05-01T00:00:00Z"]


def test_the_future_topics_and_age_do_not_matter(workspace):
    outcomes, users = simulate(workspace, lines(
        event(1, time="2999-01-01T00:00:00Z"),
        event(2, type="directory.user.updated", time="1980-01-01T00:00:00Z", data={"status": "active"}),
        event(3, type="role.assignment.requested", subject="u2", data={"role": "member", "action": "add"})))
    assert [outcome["id"].split(":")[-1] for outcome in outcomes] == ["join", "manual"]
    assert [user["user"] for user in users] == ["u1", "u2"]


def test_lockouts_are_counted(workspace):
    happened = lines(event(1), event(2, type="role.assignment.requested", data={"role": "member", "action": "remove"}))
    done = waymark("simulate", workspace, "-", "--json", stdin=happened)
    assert done.json[-1]["lockouts"] == 1 and done.json[1]["data"]["tasks"][0]["lockout"] is True
    assert "1 removal left a user without any role" in waymark("simulate", workspace, "-", stdin=happened).out
    assert "left a user" not in waymark("simulate", workspace, "-", stdin=lines(event(1))).out


def test_a_delegation_is_followed_by_what_it_asks_for(workspace):
    (workspace / "roles.yaml").write_text("role: member\ndelegation: holders\n")
    happened = lines(event(1), event(2, type="role.delegation.requested", data={"role": "member", "to": "u2"}))
    done = waymark("simulate", workspace, "-", "--json", stdin=happened)
    assert [line["id"] for line in done.json[:-1]] == [
        "live:simulate/0/0:join", "live:simulate/0/1:delegation", "live:simulate/0/1:manual"]
    assert done.json[2]["subject"] == "u2" and done.json[-1]["events"] == 2 and done.json[-1]["users"] == 2


def test_a_request_tells_what_would_have_lasted_longer(workspace):
    def asks(number, until=None, **more):
        return event(number, type="role.assignment.requested", time=f"2026-11-21T10:00:{number:02}Z",
                     data={"role": "member", "action": "add", "until": until, **more})

    outcomes, _ = simulate(workspace, lines(
        asks(1, by="jane"), asks(2, "2026-12-24T00:00:00Z", by="u2"), asks(3, "2026-12-25T00:00:00Z"),
        asks(4, "2026-11-21T10:00:05Z"), asks(6, "2026-11-22T00:00:00Z"), asks(7)))
    told = [outcome["data"]["tasks"][0].get("replaces") for outcome in outcomes]
    assert [None if each is None else (each["clock"][2], each.get("until"), each.get("by")) for each in told] == [
        None, ("e1", None, "jane"), None, ("e3", "2026-12-25T00:00:00Z", None), None, None]
    _, (user,) = simulate(workspace, lines(asks(1), asks(2, "2026-12-24T00:00:00Z")))
    assert list(user["register"]["roles"]["member"]["grants"]) == ["manual"]


def test_a_withdrawal_takes_what_the_version_gave_that_it_names(workspace):
    _, (user,) = simulate(workspace, lines(event(1)))
    version = user["register"]["roles"]["member"]["grants"]["automation/join"]["by"]["version"]

    def withdraw(number, version):
        return event(number, type="role.grant.withdrawn", time=f"2026-11-21T10:00:{number:02}Z",
                     data={"role": "member", "source": "automation/join", "version": version})

    outcomes, (user,) = simulate(workspace, lines(event(1), withdraw(11, "0" * 12), withdraw(12, version)))
    tasks = [outcome["data"]["tasks"][0] for outcome in outcomes[1:]]
    assert [task["result"] for task in tasks] == ["superseded", "changed"] and tasks[0]["stands"][2] == "e1"
    assert user["effective"] == [] and user["register"]["roles"]["member"]["grants"]["automation/join"]["taken"][2] == "e12"
    outcomes, _ = simulate(workspace, lines(event(1), withdraw(11, None)))
    assert outcomes[1]["data"]["tasks"][0]["result"] == "changed"


def test_rejections_stand_among_the_outcomes_in_order(workspace):
    outcomes, _ = simulate(workspace, lines("not json", event(1), event(2, specversion="0.3"), event(3, subject="u2")))
    assert [outcome["id"] for outcome in outcomes] == ["live:simulate/0/0", "live:simulate/0/1:join",
                                                       "live:simulate/0/2", "live:simulate/0/3:join"]
    assert [outcome["data"].get("code") for outcome in outcomes] == ["EVENT_INVALID", None, "EVENT_INVALID", None]


def test_duplicates_are_silent_and_counted(workspace):
    done = waymark("simulate", workspace, "-", "--json", stdin=lines(event(1), event(1)))
    assert len(done.json) == 2 and done.json[-1]["duplicates"] == 1


def test_users_are_in_the_order_of_their_bytes(workspace):
    names = ["b", "ä", "a", "Z", "𝄞", "a1"]
    _, users = simulate(workspace, lines(*(event(i, subject=name) for i, name in enumerate(names))))
    assert [user["user"] for user in users] == sorted(names, key=lambda name: name.encode())


def test_effective_is_at_the_time_of_the_last_event(workspace):
    (workspace / "join.yaml").write_text(AUTOMATION + "    expires-after: 1h\n")
    first = event(1, time="2026-01-01T00:00:00Z")
    _, users = simulate(workspace, lines(first, event(2, subject="u2", time="2026-01-01T00:59:59Z")))
    assert [user["effective"] for user in users] == [["member"], ["member"]]
    _, users = simulate(workspace, lines(first, event(2, subject="u2", time="2026-01-01T01:00:00Z")))
    assert [user["effective"] for user in users] == [[], ["member"]]


def test_a_last_line_without_newline_counts(workspace):
    outcomes, _ = simulate(workspace, lines(event(1)) + json.dumps(event(2, subject="u2")))
    assert len(outcomes) == 2


def test_dashes_are_stdin_and_stdout(workspace):
    done = waymark("simulate", workspace, "-", "--outcomes", "-", "--users", "-", stdin=lines(event(1)))
    assert done.code == 0 and len(done.json) == 2
    assert done.json[0]["data"]["automation"] == "join" and done.json[1]["user"] == "u1"
    done = waymark("simulate", workspace, "-", "--users", "-", stdin=lines(event(1)))
    assert [line["user"] for line in done.json] == ["u1"]


def test_a_table_for_people(workspace):
    done = waymark("simulate", workspace, "-", stdin=lines(event(1), event(1), "junk\x1b[31m", event(2, subject="ü")) + "\n")
    assert done.code == 0
    head, *rows = done.out.splitlines()
    assert head.split()[:3] == ["TIME", "USER", "RESULT"]
    assert "Make a member" in rows[0] and "changed" in rows[0]
    assert "EVENT_INVALID" in rows[1] and "\x1b" not in done.out
    assert "4 events: 1 duplicate, 1 rejected" in done.out and "1 blank line" in done.out
    assert "outcomes: 2 changed" in done.out and "users: 2" in done.out


def test_warnings_and_errors_do_not_stop_it(workspace):
    (workspace / "join.yaml").write_text(AUTOMATION.replace("role: member", "role: nobody"))
    done = waymark("simulate", workspace, "-", "--outcomes", "-", stdin=lines(event(1)))
    assert done.code == 0 and "[ROLE_UNKNOWN]" in done.err
    assert done.json[0]["data"]["tasks"][0]["code"] == "ROLE_UNKNOWN"


def test_an_invalid_workspace_runs_nothing(workspace, tmp_path):
    (workspace / "bad.yaml").write_text("automation: [")
    done = waymark("simulate", workspace, "-", "--outcomes", tmp_path / "o", stdin=lines(event(1)))
    assert done.code == 1 and "invalid" in done.err and done.out == ""
    assert not (tmp_path / "o").exists()


def test_the_workspace_is_found_as_by_other_commands(workspace, tmp_path):
    """Contract 2: -C, else WAYMARK_WORKSPACE, else upwards; a DIR argument wins."""
    (tmp_path / "events").write_text(lines(event(1)))
    (workspace / "below").mkdir()
    call = ("simulate", tmp_path / "events", "--outcomes", "-")
    elsewhere = {"WAYMARK_WORKSPACE": str(tmp_path / "nothing")}
    for done in (waymark(*call, "-C", workspace, env=elsewhere), waymark(*call, cwd=workspace / "below"),
                 waymark(*call, env={"WAYMARK_WORKSPACE": str(workspace)}),
                 waymark("simulate", workspace, *call[1:], "-C", tmp_path / "nothing", env=elsewhere)):
        assert done.code == 0 and done.json[0]["data"]["automation"] == "join", done.err
    assert waymark("simulate", "-C", workspace).code == 2
    assert waymark(*call, cwd="/").code == 2


def test_what_is_no_file_is_wrong_usage(workspace, tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        done = waymark("simulate", workspace, path)
        assert done.code == 2 and str(path) in done.err
    done = waymark("simulate", workspace, "-", "--outcomes", tmp_path, stdin=lines(event(1)))
    assert done.code == 2
    assert waymark("simulate", tmp_path / "nothing", "-").code == 2


def test_nothing_in_it(workspace):
    outcomes, users = simulate(workspace, "")
    assert (outcomes, users) == ([], [])


def test_hostile_lines_are_one_rejection_each(workspace):
    deep = '{"specversion":"1.0","id":"d","source":"/t","type":"t","data":' + "[" * 40 + "]" * 40 + "}"
    hostile = [b"\x00\xff\xfe", b"{", b"[]", b"null", b"5", b'"x"', deep.encode(), b"\xc3\x28", b"{" * 100000,
               json.dumps(event(1, data={"a": "x" * 600000})).encode(), b'{"a":1,"a":2}', b"x" * 3000000]
    done = waymark("simulate", workspace, "-", "--json", stdin=b"\n".join(hostile) + b"\n" + lines(event(9)).encode())
    assert done.code == 0
    *outcomes, summary = done.json
    assert summary["rejected"] == len(hostile)
    codes = [outcome["data"].get("code") for outcome in outcomes]
    assert codes == ["EVENT_INVALID"] * 6 + ["EVENT_DEPTH"] + ["EVENT_INVALID", "EVENT_DEPTH", "EVENT_OVERSIZE",
                                                               "EVENT_INVALID", "EVENT_OVERSIZE", None]


def test_the_size_limit_is_exact(workspace):
    """limits.event-bytes counts the bytes of the line, nothing else."""
    (workspace / "waymark.yaml").write_text("limits: { event-bytes: 1024 }\n")
    bare = len(json.dumps(event(1, data={"a": ""})))
    fits, over = (json.dumps(event(1, data={"a": "x" * (1024 - bare + more)})) for more in (0, 1))
    for fitting in (lines(fits), lines(fits).replace("\n", "\r\n"), fits):
        assert simulate(workspace, fitting)[0] == []
    outcomes, _ = simulate(workspace, lines(over))
    assert outcomes[0]["data"]["code"] == "EVENT_OVERSIZE" and outcomes[0]["data"]["size"] == 1025
    assert "1025 bytes" in outcomes[0]["data"]["message"] and "1024" in outcomes[0]["data"]["message"]


def test_the_same_file_gives_the_same_bytes(workspace):
    events = lines(*(event(i, subject=f"u{i % 7}") for i in range(50)))
    calls = [waymark("simulate", workspace, "-", "--outcomes", "-", "--users", "-", stdin=events).out for _ in "ab"]
    assert calls[0] == calls[1] != ""


def test_messages_are_cut_between_characters(workspace):
    (workspace / "any.yaml").write_text("automation: any\ntrigger: '*'\ntasks:\n"
                                        "  - {name: t, sequence: 1, type: change-role, role: member, action: add}\n")
    outcomes, _ = simulate(workspace, lines(event(1, type="é" * 512), event(2, type="x" + "é" * 511)))
    for outcome in outcomes:
        message = outcome["data"]["tasks"][0]["message"]
        assert len(message) > 200 and set(message[20:]) == {"é"}
