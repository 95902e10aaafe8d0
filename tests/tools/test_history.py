"""waymark history: what a user gained and lost, and what he held on any day."""
import json

import pytest
from conftest import waymark


def change(number, effective=True, role="member", user="u1", cause="task", day=None, **data):
    """A change on the day 'number' of January."""
    time = f"2026-01-{day or number:02}T10:00:00Z"
    clock = [1767225600000000 + number * 86400000000, "/t", f"e{number}", "join" if cause == "task" else "", 10]
    base = {"role": role, "effective": effective, "cause": cause}
    if cause in ("task", "request", "profile", "deletion"):
        base |= {"run": "live", "clock": clock, "event": {"source": "/t", "id": f"e{number}", "type": "journey.started",
                                                          "time": time},
                 "origin": {"topic": "events", "partition": 0, "offset": number}}
    return {"specversion": "1.0", "id": f"c{number}:{role}:{effective}", "source": "/waymark",
            "type": "dev.waymark.role.changed.v1", "subject": user, "time": time, "data": {**base, **data}}


CHANGES = [
    change(2), change(3, role="staff", cause="profile"), change(4, False, cause="request"), change(5, user="u2"),
    change(6, cause="catalogue", catalogue="abcdef012345"),
    change(8, False, cause="expiry"), change(8, False, cause="expiry"),
    change(9, False, role="staff", cause="deletion", lockout=True),
]


@pytest.fixture
def history(workspace):
    def ask(*more, changes=CHANGES):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in changes)
        return waymark("history", *more, "-C", workspace, "--changes", "-", stdin=text)

    return ask


def test_every_change_with_its_reason(history):
    done = history("u1")
    assert done.code == 0, done.err
    assert done.out == """\
TIME                 CHANGE  ROLE    BECAUSE OF
2026-01-02 10:00:00  gained  member  automation join, task 10 Make a member, event e2 from /t, 2026-01-03 00:00:00
2026-01-03 10:00:00  gained  staff   the profile changed, event e3 from /t, 2026-01-04 00:00:00
2026-01-04 10:00:00  lost    member  a request by hand, event e4 from /t, 2026-01-05 00:00:00
2026-01-06 10:00:00  gained  member  the catalogue changed (now abcdef012345)
2026-01-08 10:00:00  lost    member  by time: a grant ended, or a criterion turned
2026-01-09 10:00:00  lost    staff   the directory deleted the user, event e9 from /t, 2026-01-10 00:00:00; no role was left
"""


def test_a_request_tells_who_asked_and_why(history):
    asked = change(4, False, cause="request", by="jane", reason="left")
    assert "a request by hand by jane (left), event e4" in history("u1", changes=[asked]).out
    (row,) = history("u1", "--json", changes=[asked]).json
    assert row["by"] == "jane" and row["reason"] == "left"


def test_a_role_that_did_not_change_is_named(history):
    done = history("u1", "guest")
    assert done.code == 1 and "role 'guest' of 'u1' never changed\n" in done.err


def test_a_repetition_is_told_once_but_a_return_is_told_again(history):
    gained, lost = change(1, cause="catalogue"), change(2, False, cause="catalogue")
    done = history("u1", "--json", changes=[gained, gained, lost, lost, gained, lost])
    assert [row["effective"] for row in done.json] == [True, False, True, False]


def test_one_role_and_a_time(history):
    assert [row["role"] for row in history("u1", "staff", "--json").json] == ["staff", "staff"]
    done = history("u1", "--json", "--since", "2026-01-04", "--until", "2026-01-06")
    assert [row["at"][:10] for row in done.json] == ["2026-01-04", "2026-01-06"]
    done = history("u1", "--json", "--since", "2026-01-04T10:00:01Z", "--until", "2026-01-06T09:59:59Z")
    assert done.code == 1 and done.out == ""


@pytest.mark.parametrize("day, roles", [
    ("2026-01-01", []), ("2026-01-02", ["member"]), ("2026-01-03", ["member", "staff"]), ("2026-01-04", ["staff"]),
    ("2026-01-07", ["member", "staff"]), ("2026-01-08T09:59:59Z", ["member", "staff"]), ("2026-01-08T10:00:00Z", ["staff"]),
    ("2026-01-09", []), ("1s", []),
])
def test_what_he_held_on_a_day(history, day, roles):
    done = history("u1", "--on", day, "--json")
    assert [row["role"] for row in done.json] == roles
    assert done.code == (0 if roles else 1)


def test_a_day_for_people(history):
    done = history("u1", "member", "--on", "2026-01-03")
    assert done.code == 0
    assert "ROLE    SINCE                BECAUSE OF" in done.out and "member  2026-01-02 10:00:00  automation join" in done.out
    done = history("u1", "member", "--on", "2026-01-05")
    assert done.code == 1 and "'u1' held no 'member' at 2026-01-05 23:59:59" in done.err


def test_nothing_to_tell(history):
    done = history("nobody")
    assert done.code == 1 and done.out == "" and "no role of 'nobody' changed" in done.err


def test_records_that_are_no_change_are_told_and_passed_over(history):
    done = history("u1", "--json", changes=["nonsense", "{}", change(2), {**change(3), "data": {"role": "x"}}, "5"])
    assert done.code == 1 and len(done.json) == 1
    assert done.err.count("is passed over") == 4 and "-:1 is passed over" in done.err


def test_strangers_do_not_play_with_the_terminal(history):
    done = history("u1", changes=[change(2, role="\u001b[31m")])
    assert "\x1b" not in done.out and "\\x1b[31m" in done.out


@pytest.mark.parametrize("arguments", [["u1", "--on", "yesterday"], ["u1", "--on", "2026-13-01"],
                                       ["u1", "--on", "2026-01-01", "--since", "1d"],
                                       ["u1", "--since", "2026-01-02", "--until", "2026-01-01"], ["\x07"], []])
def test_wrong_usage(history, arguments):
    done = history(*arguments)
    assert done.code == 2 and done.err and done.out == ""

