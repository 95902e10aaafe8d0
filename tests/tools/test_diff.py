"""waymark diff: what a change of the workspace would have done."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import AUTOMATION, COMMAND, ROLE, SAMPLE, event, lines, waymark

EVENTS = SAMPLE / "events.jsonl"


@pytest.fixture
def pair(workspace, tmp_path):
    """A workspace and a copy of it."""
    shutil.copytree(workspace, tmp_path / "new")
    return workspace, tmp_path / "new"


def rows(done, kind):
    return [{key: value for key, value in row.items() if key != "kind"} for row in done.json if row["kind"] == kind]


def diff(pair, *arguments, stdin="", **options):
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return waymark("diff", *pair, "--json", *words, *arguments, stdin=stdin)


def test_the_same_is_no_difference():
    done = waymark("diff", SAMPLE, SAMPLE, "--events", EVENTS, "--exit-code")
    assert (done.code, done.out, done.err) == (0, "22 events, 4 users: no difference\n", "")


def test_a_condition_that_is_narrower(pair):
    old, new = pair
    (new / "join.yaml").write_text(AUTOMATION.replace("milestone: joined", "milestone: joined\n  data.score: { above: 1 }"))
    events = lines(event(1, subject="a"), event(2, subject="b", data={"milestone": "joined", "score": 2}))
    done = diff(pair, stdin=events, events="-")
    assert done.code == 0
    assert rows(done, "user") == [{"user": "a", "gained": [], "lost": ["member"]}]
    assert rows(done, "role") == [{"role": "member", "gained": 0, "lost": 1}]
    assert rows(done, "automation") == [{"automation": "join", "added": 0, "removed": 1, "changed": 0, "same": 1}]
    assert rows(done, "summary") == [{"events": 2, "blank": 0, "rejected-old": 0, "rejected-new": 0, "users": 2,
                                      "users-gaining": 0, "users-losing": 1, "differs": True}]
    back = diff(pair[::-1], stdin=events, events="-")
    assert rows(back, "user") == [{"user": "a", "gained": ["member"], "lost": []}]
    assert rows(back, "automation") == [{"automation": "join", "added": 1, "removed": 0, "changed": 0, "same": 1}]


def test_a_role_that_may_not_be_handed_on_any_more(pair):
    old, new = pair
    (old / "roles.yaml").write_text(ROLE + "delegation: holders\n")
    hand_on = event(2, type="role.delegation.requested", data={"role": "member", "to": "u2"})
    done = diff(pair, stdin=lines(event(1), hand_on), events="-")
    assert rows(done, "user") == [{"user": "u2", "gained": [], "lost": ["member"]}]
    assert rows(done, "summary")[0]["events"] == 2


def test_a_task_that_fails_newly_and_no_longer(pair):
    old, new = pair
    (new / "roles.yaml").write_text(ROLE + "status: inactive\n")
    done = diff(pair, stdin=lines(event(1), event(2, subject="u2")), events="-")
    (failure,) = rows(done, "failure")
    assert "member" in failure.pop("example")
    assert failure == {"automation": "join", "sequence": 10, "code": "ROLE_INACTIVE", "newly": 2, "no-longer": 0}
    assert rows(done, "automation")[0]["changed"] == 2
    (failure,) = rows(diff(pair[::-1], stdin=lines(event(1)), events="-"), "failure")
    assert (failure["newly"], failure["no-longer"]) == (0, 1)


def test_notifications_more_and_fewer_and_other(pair):
    old, new = pair
    tell = "  - { name: Tell, sequence: 20, type: notify, channel: mail, title: T, message: M }\n"
    for folder in pair:
        (folder / "channel.yaml").write_text("channel: mail\n---\nchannel: chat\n")
    (old / "join.yaml").write_text(AUTOMATION + tell)
    (new / "join.yaml").write_text(AUTOMATION + tell.replace("M }", "N }") +
                                   tell.replace("mail", "chat").replace("20", "30"))
    done = diff(pair, stdin=lines(event(1)), events="-")
    assert rows(done, "channel") == [{"channel": "chat", "old": 0, "new": 1, "changed": 0},
                                     {"channel": "mail", "old": 1, "new": 1, "changed": 1}]


def test_the_catalogue_alone_over_registers(pair, tmp_path):
    """What 'simulate --users' wrote, and a register by itself; no events."""
    old, new = pair
    users = tmp_path / "users.jsonl"
    waymark("simulate", old, "-", "--users", users, stdin=lines(event(1), event(2, subject="u2")))
    second = json.loads(users.read_text().splitlines()[1])["register"]
    users.write_text(users.read_text().splitlines()[0] + "\n\n" + json.dumps(second) + "\n")
    (new / "roles.yaml").write_text(ROLE + "status: archived\n---\nrole: all\nlabel: All\nassigned-when: [{ all: true }]\n")
    done = diff(pair, users=users)
    assert rows(done, "user") == [{"user": user, "gained": [], "lost": ["member"]} for user in ("u1", "u2")]
    assert rows(done, "role") == [{"role": "member", "gained": 0, "lost": 2}]


def test_both_begin_with_the_same_registers(pair, tmp_path):
    users = tmp_path / "users.jsonl"
    waymark("simulate", pair[0], "-", "--users", users, stdin=lines(event(1)))
    done = diff(pair, "--exit-code", stdin=lines(event(1)), events="-", users=users)
    assert done.code == 0 and not rows(done, "automation")  # a duplicate for both
    (pair[1] / "roles.yaml").write_text(ROLE + "---\nrole: other\nlabel: Other\n")
    assert diff(pair, "--exit-code", stdin=lines(event(1)), events="-", users=users).code == 0


def test_settings_count(pair):
    (pair[1] / "waymark.yaml").write_text("users: closed\n")
    (failure,) = rows(diff(pair, stdin=lines(event(1)), events="-"), "failure")
    assert failure["code"] == "USER_UNKNOWN"
    (pair[1] / "waymark.yaml").write_text("limits: { event-bytes: 2000 }\n")
    large = event(1, data={"milestone": "joined", "filler": "x" * 2000})
    (summary,) = rows(diff(pair, stdin=lines(large), events="-"), "summary")
    assert (summary["rejected-old"], summary["rejected-new"], summary["differs"]) == (0, 1, True)


def test_the_exit_code_is_only_asked_for(pair):
    (pair[1] / "roles.yaml").write_text(ROLE + "status: inactive\n")
    events = lines(event(1))
    assert diff(pair, stdin=events, events="-").code == 0
    assert diff(pair, "--exit-code", stdin=events, events="-").code == 1


def test_the_first_users_are_shown(pair):
    (pair[1] / "roles.yaml").write_text(ROLE + "status: inactive\n")
    events = lines(*(event(1, subject=f"u{number:03}") for number in range(50)))
    shown = waymark("diff", *pair, "--events", "-", stdin=events).out
    assert shown.count("\nu0") == 20 and "and 30 more" in shown and "users who gain roles: 0, who lose roles: 50" in shown
    assert waymark("diff", *pair, "--events", "-", "--limit", "0", stdin=events).out.count("\nu0") == 50
    assert len(rows(diff(pair, stdin=events, events="-"), "user")) == 50
    assert len(rows(diff(pair, "--limit", "3", stdin=events, events="-"), "user")) == 3


def test_it_agrees_with_simulate(tmp_path):
    """What diff says of users is the difference of what simulate says of both sides."""
    new = tmp_path / "new"
    shutil.copytree(SAMPLE, new)
    path = new / "automations" / "certification.yaml"
    path.write_text(path.read_text().replace("at-least: 80", "at-least: 90").replace("milestone: expert", "milestone: x"))
    sides = []
    for side, folder in enumerate((SAMPLE, new)):
        waymark("simulate", folder, EVENTS, "--users", tmp_path / f"{side}.jsonl")
        sides.append({row["user"]: set(row["effective"]) for row in
                      map(json.loads, (tmp_path / f"{side}.jsonl").read_text().splitlines())})
    expected = [{"user": user, "gained": sorted(sides[1][user] - sides[0][user]),
                 "lost": sorted(sides[0][user] - sides[1][user])} for user in sorted(sides[0])
                if sides[0][user] != sides[1][user]]
    assert expected
    assert rows(diff((SAMPLE, new), events=EVENTS), "user") == expected


@pytest.mark.parametrize("words", [[], ["--events", "-", "--users", "-"], ["--events", "/nowhere"],
                                   ["--events", "-", "--limit", "x"], ["--events", "-", "--limit", "-1"]])
def test_wrong_usage(pair, words):
    assert waymark("diff", *pair, *words).code == 2


def test_what_is_no_register_is_told_with_its_line(pair, tmp_path):
    (tmp_path / "users.jsonl").write_text('\n{"v":1}\n')
    done = diff(pair, users=tmp_path / "users.jsonl")
    assert done.code == 2 and "users.jsonl:2:" in done.err


def test_an_invalid_side_is_told(pair):
    (pair[1] / "roles.yaml").write_text("rolle: x\n")
    done = diff(pair, stdin=lines(event(1)), events="-")
    assert done.code == 1 and done.out == "" and "new/roles.yaml" in done.err


def peak_kib(*words):
    """The most memory that a call had."""
    child = subprocess.Popen([COMMAND, *map(str, words)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return used.ru_maxrss


@pytest.mark.skipif(b"AddressSanitizer" in pathlib.Path(COMMAND).read_bytes(), reason="it keeps what is freed")
def test_memory_does_not_grow_with_the_events(pair, tmp_path):
    one, peaks = event(1, data={"milestone": "left", "filler": "x" * 1000}), []
    for count in (1000, 60000):
        path = tmp_path / f"{count}.jsonl"
        with path.open("w") as file:
            for number in range(count):
                one["id"], one["subject"] = f"e{number}", f"u{number % 10}"
                file.write(json.dumps(one) + "\n")
        peaks.append(peak_kib("diff", *pair, "--events", path))
    assert peaks[1] < peaks[0] + 8192, peaks
