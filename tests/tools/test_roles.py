"""waymark roles: the distribution of roles, and what a role is."""
import json
import time

import pytest
from conftest import event, lines, waymark

MORE = """\
role: staff
label: Staff
description: Everybody inside.
assigned-when:
  - group: staff
  - when: { user.attributes.tier: gold }
---
role: retired
label: Retired
status: archived
---
role: root
label: Root
kind: administrator
managed: true
---
automation: leave
trigger: journey.abandoned
description: Who leaves is none.
tasks:
  - { name: Take it, sequence: 5, type: change-role, role: member, action: remove }
---
test: joining makes a member
when: { type: journey.milestone.achieved, data: { milestone: joined } }
then: { roles: [member] }
"""

EVENTS = [event(number, type="directory.user.updated", subject=f"u{number}", data={"status": "active", "groups": ["staff"]})
          for number in range(1, 10)] + [
    event(10, type="directory.user.updated", subject="u10", data={"status": "suspended"}),
    event(11, subject="u1"), event(12, subject="u2"),
    event(13, type="role.assignment.requested", subject="u2", data={"role": "member", "action": "add"}),
    event(14, type="role.assignment.requested", subject="u10", data={"role": "member", "action": "remove"}),
]


@pytest.fixture
def full(workspace):
    (workspace / "more.yaml").write_text(MORE)
    return workspace


@pytest.fixture
def played(full):
    done = waymark("simulate", full, "-", "--users", "-", stdin=lines(*EVENTS))
    assert done.code == 0, done.err
    return done.out


def changes(*rows):
    """(days ago, role, gained) as records."""
    now = time.time()
    return lines(*({"specversion": "1.0", "id": f"c{number}", "source": "/waymark", "subject": f"u{number}",
                    "type": "dev.waymark.role.changed.v1",
                    "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - days * 86400)),
                    "data": {"role": role, "effective": gained, "cause": "task"}}
                   for number, (days, role, gained) in enumerate(rows)))


def test_the_catalogue_alone(full):
    done = waymark("roles", "--offline", "-C", full)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["ROLE", "member", "retired", "root", "staff"]
    assert waymark("roles", "list", "--offline", "-C", full).out == done.out
    assert "effective" not in waymark("roles", "--offline", "-C", full, "--json").json[0]


def test_holders_by_source(full, played):
    rows = {row["role"]: row for row in waymark("roles", "-C", full, "--register", "-", "--json", stdin=played).json}
    counts = {name: [row[key] for key in ("effective", "automation", "manual", "derived")] for name, row in rows.items()}
    assert counts == {"member": [2, 2, 1, 0], "staff": [9, 0, 0, 9], "retired": [0, 0, 0, 0], "root": [0, 0, 0, 0]}
    assert rows["staff"]["active-users"] == 9 and rows["staff"]["nearly-everybody"]
    assert not rows["member"]["nearly-everybody"] and not rows["member"]["nobody"]
    assert rows["root"]["nobody"] and not rows["retired"]["nobody"]


def test_the_distribution_for_people(full, played, tmp_path):
    (tmp_path / "c.jsonl").write_text(changes((0.5, "member", True), (2, "member", True), (3, "member", False),
                                              (8, "member", True), (0.1, "gone", True)))
    done = waymark("roles", "-C", full, "--register", "-", "--changes", tmp_path / "c.jsonl", stdin=played)
    assert done.code == 0, done.err
    rows = {line.split()[0]: line for line in done.out.splitlines() if line}
    assert rows["member"].split()[4:] == ["2", "2", "1", "0", "+1", "-0", "+2", "-1"]
    assert rows["staff"].endswith("nearly everybody (100 %)") and rows["root"].rstrip().endswith("nobody")
    assert "9 active users" in done.out


def test_what_can_not_be_reached_is_left_out(full):
    (full / "waymark.yaml").write_text('redis: { address: "/nowhere/r" }\nkafka: { bootstrap: "127.0.0.1:1" }\n')
    done = waymark("roles", "-C", full)
    assert done.code == 3 and "/nowhere/r" in done.err and "127.0.0.1:1" in done.err
    assert "member" in done.out and "–" in done.out


def test_an_empty_catalogue(tmp_path):
    (tmp_path / "waymark.yaml").write_text("")
    done = waymark("roles", "--offline", "-C", tmp_path)
    assert done.code == 0 and "The catalogue is empty." in done.out


def test_show(full):
    done = waymark("roles", "show", "member", "-C", full)
    assert done.code == 0, done.err
    for part in ("member  Member", "kind        portal", "roles.yaml:1:1", "given by\n  automation join, task 10 Make a member",
                 "on journey.milestone.achieved, when", 'data.milestone is "joined"',
                 "taken by\n  automation leave, task 5 Take it\n    Who leaves is none.\n    on journey.abandoned, always",
                 "tested by\n  joining makes a member"):
        assert part in done.out, (part, done.out)
    done = waymark("roles", "show", "staff", "-C", full)
    assert "assigned when\n  directory group staff\n  or profiles where user.attributes.tier is" in done.out
    assert "No automation gives it." in done.out
    (full / "late.yaml").write_text("role: late\nlabel: L\nactivate: at-sign-in\nassigned-when: [{ all: true }]\n")
    assert waymark("roles", "show", "late", "-C", full).out.count("activate    at-sign-in") == 1
    assert "It is protected" in waymark("roles", "show", "root", "-C", full).out


def test_show_json_and_count(full, played):
    (role,) = waymark("roles", "show", "member", "-C", full, "--json", "--count", "--register", "-", stdin=played).json
    assert role["given-by"] == [{"automation": "join", "sequence": 10, "task": "Make a member", "enabled": True}]
    assert [row["automation"] for row in role["taken-by"]] == ["leave"]
    assert (role["holders"], role["users"], role["tests"]) == (2, 10, ["joining makes a member"])
    done = waymark("roles", "show", "root", "-C", full, "--register", "-", stdin=played)
    assert "0 of 10 users have it in force" in done.out


@pytest.mark.parametrize("arguments", [["show"], ["show", "membre"], ["show", "member", "x"], ["lsit"], ["list", "member"],
                                       ["show", "member", "--offline"], ["--count"]])
def test_wrong_usage(full, arguments):
    done = waymark("roles", *arguments, "-C", full)
    assert done.code == 2 and done.err and done.out == ""


def test_lines_that_are_no_register(full, played):
    done = waymark("roles", "-C", full, "--register", "-", stdin="nonsense\n" + played)
    assert done.code == 1 and "line 1" in done.err and "member" in done.out


def test_registers_are_of_users_once(full, played):
    assert len({json.loads(line)["user"] for line in played.splitlines()}) == 10
