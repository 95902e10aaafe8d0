"""waymark failures from files of records, and how redrive and event want to be called."""
import json

import pytest

from conftest import waymark


def failure(offset, code="ROLE_INACTIVE", user="u1", automation="join", role="member", time="2026-01-01T10:00:00Z",
            run="live", sequence=10):
    return {"specversion": "1.0", "id": f"{run}:t/0/{offset}:{automation}:{sequence}", "source": "/waymark",
            "type": "dev.waymark.task.failed.v1", "datacontenttype": "application/json", "subject": user, "time": time,
            "data": {"run": run, "automation": automation, "event": {"source": "/t", "id": f"e{offset}", "type": "a.b",
                                                                     "time": time},
                     "origin": {"topic": "t", "partition": 0, "offset": offset},
                     "task": {"sequence": sequence, "name": "Make", "type": "change-role", "role": role, "action": "add",
                              "result": "failed", "code": code, "message": f"role '{role}' is inactive"}}}


def rejected(offset, code="EVENT_INVALID", user=None, time="2026-01-01T12:00:00Z"):
    return {"specversion": "1.0", "id": f"live:t/0/{offset}", "source": "/waymark", "type": "dev.waymark.event.rejected.v1",
            "datacontenttype": "application/json", **({"subject": user} if user else {}), "time": time,
            "data": {"run": "live", "code": code, "reason": "json", "message": "bad \x1b[31m event",
                     "origin": {"topic": "t", "partition": 0, "offset": offset}, "size": 3, "sha256": "00"}}


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "failures.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in (
        failure(1), failure(2, user="u2"), failure(3, user="u2", automation="leave", role="guest", code="ROLE_UNKNOWN",
                                                   time="2026-01-02T10:00:00Z"), rejected(4))))
    return path


def ids(done):
    assert done.code == 0, done.err
    return [one["id"] for one in done.json]


@pytest.mark.parametrize("options, found", [
    ([], "1234"),
    (["--code", "ROLE_INACTIVE"], "12"),
    (["--automation", "leave"], "3"),
    (["--role", "member"], "12"),
    (["--user", "u2"], "23"),
    (["--user", "u2", "--code", "ROLE_INACTIVE"], "2"),
    (["--rejected"], "4"),
    (["--failed"], "123"),
    (["--since", "2026-01-01T12:00:00Z"], "34"),
    (["--until", "2026-01-01"], "124"),
    (["--since", "2026-01-02", "--until", "2026-01-02"], "3"),
    (["--limit", "2"], "12"),
    (["--automation", "nobody"], ""),
])
def test_filters(records, options, found):
    done = waymark("failures", "list", "--failures", records, "--json", *options)
    assert [one.split("/")[2].split(":")[0] for one in ids(done)] == list(found)


def test_rows_are_made_safe(records):
    done = waymark("failures", "--failures", records)
    assert done.code == 0
    rows = done.out.splitlines()
    assert rows[0].split() == ["TIME", "CODE", "USER", "FAILED", "ID", "MESSAGE"]
    assert "ROLE_INACTIVE" in rows[1] and "join, task 10 Make" in rows[1] and "live:t/0/1:join:10" in rows[1]
    assert "rejected event" in done.out and "bad \\x1b[31m event" in done.out and "\x1b" not in done.out


def test_exit_code_is_asked_for(records):
    assert waymark("failures", "--failures", records, "--exit-code").code == 1
    assert waymark("failures", "stats", "--failures", records, "--exit-code").code == 1
    assert waymark("failures", "--failures", records, "--exit-code", "--code", "USER_MISSING").code == 0


def test_stats(records):
    done = waymark("failures", "stats", "--failures", records, "--json")
    assert done.code == 0, done.err
    counts = {(one["by"], one.get("name")): one["count"] for one in done.json}
    assert counts[("code", "ROLE_INACTIVE")] == 2 and counts[("code", "EVENT_INVALID")] == 1
    assert counts[("automation", "join")] == 2 and counts[("automation", "(rejected)")] == 1
    assert counts[("role", "member")] == 2 and counts[("role", "guest")] == 1
    assert sorted(count for (by, _), count in counts.items() if by == "user") == [1, 2]
    assert counts[("day", "2026-01-01")] == 3 and counts[("hour", "2026-01-01T10")] == 2
    everything = done.json[0]
    assert everything == {"by": "all", "count": 4, "users": 2, "first": "2026-01-01T10:00:00Z",
                          "last": "2026-01-02T10:00:00Z"}
    text = waymark("failures", "stats", "--failures", records).out
    assert text.startswith("4 failures of 2 users, from 2026-01-01 10:00:00 to 2026-01-02 10:00:00\n")


def test_stats_of_many_users_and_automations(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps(failure(n, user=f"u{n % 1500}", automation=f"a{n % 300}")) + "\n"
                            for n in range(3000)))
    done = waymark("failures", "stats", "--failures", path, "--json")
    assert done.json[0]["users"] == 1500
    assert sorted(one["count"] for one in done.json if one["by"] == "automation") == [10] * 300
    assert [one["count"] for one in done.json if one["by"] == "user"] == [2] * 10, "those with the most"


def test_show_tells_everything_of_one(records):
    done = waymark("failures", "show", "live:t/0/3:leave:10", "--failures", records, "--json")
    assert done.code == 0 and done.json[0]["failure"]["data"]["task"]["code"] == "ROLE_UNKNOWN"
    done = waymark("failures", "show", "t/0/4", "--failures", records)
    assert done.code == 0 and "EVENT_INVALID" in done.out and "\x1b" not in done.out


def test_show_says_when_there_is_none(records):
    done = waymark("failures", "show", "live:t/0/9", "--failures", records)
    assert done.code == 1 and done.out == "" and "no failure 'live:t/0/9'" in done.err


def test_records_that_are_no_failures_are_told(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"id":1}\nnot json\n' + json.dumps(failure(1)) + "\n" + '{"type":"dev.waymark.task.failed.v1"}\n')
    done = waymark("failures", "--failures", path, "--json")
    assert done.code == 1 and len(done.json) == 1
    assert [line.split(" ")[1] for line in done.err.splitlines()] == [f"{path}:{n}" for n in (1, 2, 4)]


@pytest.mark.parametrize("call, said", [
    (["list", "--code", "ROLE_INACTIV"], "did you mean 'ROLE_INACTIVE'"),
    (["list", "--rejected", "--failed"], "don't go together"),
    (["list", "--since", "1h", "--until", "2h"], "later than"),
    (["list", "--since", "soon"], "no moment"),
    (["list", "--limit", "0"], "--limit"),
    (["list", "--automation", "A"], "no name"),
    (["list", "--follow"], "--failures"),
    (["list", "x"], "one argument too many"),
    (["show"], "ID is missing"),
    (["show", "x", "--code", "ROLE_INACTIVE"], "no option '--code'"),
    (["stats", "--limit", "3"], "no option '--limit'"),
    (["lst"], "list"),
])
def test_wrong_usage(records, call, said):
    done = waymark("failures", *call, "--failures", records)
    assert done.code == 2 and done.out == "" and said in done.err


@pytest.mark.parametrize("call, said", [
    ([], "which failures?"),
    (["--until", "1h", "--reason", "r"], "which failures?"),
    (["--id", "", "--reason", "r", "--yes"], "is empty"),
    (["--id", "live:t/0/1:a:10,", "--reason", "r", "--yes"], "is empty"),
    (["", "--since", "2h", "--reason", "r", "--yes"], "is empty"),
    (["--code", "ROLE_INACTIVE"], "--reason is missing"),
    (["--code", "ROLE_INACTIV", "--reason", "r"], "did you mean 'ROLE_INACTIVE'"),
    (["live:t/0/1:a:10"], "--reason is missing"),
    (["--user", "u", "--reason", " "], "says something"),
    (["--user", "u", "--reason", "x" * 1001], "at most 1000 bytes"),
    (["--user", "u", "--reason", "r", "--timeout", "soon"], "no duration"),
    (["--user", "u", "--reason", "r", "--by", "a\nb"], "--by"),
    (["--user", "u", "--reason", "r", "--failures", "f"], "--failures"),
    (["--edit", "x", "--reason", "r", "--code", "ROLE_INACTIVE"], "only --reason"),
    (["--edit", "x", "--reason", "r", "--again"], "only --reason"),
    (["--edit", "x", "--reason", "r", "y"], "only --reason"),
    (["--edit", "x"], "--reason is missing"),
])
def test_wrong_usage_of_redrive(workspace, call, said):
    done = waymark("redrive", "-C", workspace, *call)
    assert done.code == 2 and done.out == "" and said in done.err


def test_redrive_says_that_kafka_is_away(workspace):
    (workspace / "waymark.yaml").write_text('kafka: { bootstrap: "127.0.0.1:1" }\n')
    done = waymark("redrive", "-C", workspace, "--code", "ROLE_INACTIVE", "--reason", "r", "--yes")
    assert done.code == 3 and done.out == "" and "brokers can't be reached" in done.err


@pytest.mark.parametrize("call, said", [
    (["/s"], "ID"),
    (["", "e"], "neither is empty"),
    (["/s", "e", "--since", "1h", "--until", "2h"], "later than"),
    (["/s", "e", "--since", "soon"], "no moment"),
])
def test_wrong_usage_of_event(workspace, call, said):
    done = waymark("event", "-C", workspace, *call)
    assert done.code == 2 and done.out == "" and said in done.err
