"""waymark who: everybody who holds a role."""
import json
import shutil

import pytest
from conftest import event, lines, waymark

ROLES = """\
role: member
label: Member
---
role: staff
label: Staff
assigned-when:
  - group: staff
---
role: nobodys
label: Nobody's
"""

EVENTS = [
    event(1, type="directory.user.updated", subject="u1",
          data={"status": "active", "type": "partner", "groups": ["staff", "a"], "org-units": {"d": ["acme", "emea"]}}),
    event(2, type="directory.user.updated", subject="u2", data={"status": "active", "type": "employee"}),
    event(3, subject="u1"),
    event(4, type="role.assignment.requested", subject="u2", data={"role": "member", "action": "add"}),
    event(5, type="role.assignment.requested", subject="u3",
          data={"role": "member", "action": "add", "until": "2099-01-01T00:00:00Z", "by": "boss"}),
    event(6, type="directory.user.updated", subject="u4", data={"status": "suspended"}),
    event(7, subject="u5"),
    event(8, type="directory.user.updated", subject="u5", data={"status": "suspended"}),
]


@pytest.fixture
def rules(workspace):
    (workspace / "roles.yaml").write_text(ROLES)
    return workspace


@pytest.fixture
def played(rules):
    done = waymark("simulate", rules, "-", "--users", "-", stdin=lines(*EVENTS))
    assert done.code == 0, done.err
    return done.out


@pytest.fixture
def who(rules, played):
    return lambda *more, stdin=None: waymark("who", *more, "-C", rules, "--register", "-",
                                             stdin=played if stdin is None else stdin)


def test_a_row_for_each_holder_and_a_summary_beside_it(who):
    done = who("member")
    assert done.code == 0
    rows = [line.split("  ") for line in done.out.splitlines()]
    assert rows[0][0] == "USER" and {row[0] for row in rows[1:]} == {"u1", "u2", "u3"}
    assert "automation join, event e3" in done.out and "by boss" in done.out and "2099-01-01 00:00:00" in done.out
    assert "3 of 5 users hold 'member'" in done.err and "1 more has it, but not in force" in done.err


@pytest.mark.parametrize("filters, users", [
    (["--source", "automation/join"], {"u1"}), (["--source", "manual"], {"u2", "u3"}), (["--source", "derived"], set()),
    (["--type", "partner"], {"u1"}), (["--org-unit", "acme"], {"u1"}), (["--org-unit", "d"], set()),
    (["--group", "a"], {"u1"}), (["--ending-within", "36500d"], {"u3"}), (["--ending-within", "7d"], set()),
    (["--type", "employee", "--source", "manual"], {"u2"}),
])
def test_filters(who, filters, users):
    done = who("member", "--json", *filters)
    assert {row["user"] for row in done.json} == users
    assert done.code == (0 if users else 1)


def test_json(who):
    rows = {row["user"]: row for row in who("member", "--json").json}
    assert rows["u1"] == {"user": "u1", "role": "member", "since": "2026-01-01T00:00:03Z", "sources": ["automation/join"]}
    assert rows["u3"]["until"] == "2099-01-01T00:00:00Z" and rows["u3"]["sources"] == ["manual"]
    assert who("staff", "--json").json == [
        {"user": "u1", "role": "staff", "since": "2026-01-01T00:00:01Z", "sources": ["derived"]}]


def test_a_limit(who):
    done = who("member", "--json", "--limit", "2")
    assert done.code == 0 and len(done.json) == 2 and "the first 2 users" in done.err
    assert "there are more" not in who("member", "--limit", "3").err


def test_nobody_is_bad_news(who):
    done = who("nobodys")
    assert done.code == 1 and done.out == "" and "0 of 5 users hold" in done.err


@pytest.mark.parametrize("arguments", [["membre"], ["member", "--limit", "0"], ["member", "--limit", "x"],
                                       ["member", "--source", "join"], ["member", "--type", "partnr"], ["member", "--ending-within", "soon"], []])
def test_wrong_usage(who, arguments):
    done = who(*arguments)
    assert done.code == 2 and done.err and done.out == ""


def test_lines_that_are_no_register_are_told_and_passed_over(who, played):
    done = who("member", "--json", stdin="nonsense\n" + played + "{}\n")
    assert done.code == 1 and len(done.json) == 3
    assert "line 1" in done.err and "line 7" in done.err


# --- Redis ---

needs_redis = pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")


@pytest.fixture
def filled(rules, played, redis):
    """The same users in Redis."""
    for line in played.splitlines():
        answer = json.loads(line)
        user = answer["user"].replace("%", "%25").replace("{", "%7B").replace("}", "%7D")
        redis("HSET", f"wm:{{{user}}}:user", "gen", "1", "at", "1", "register", json.dumps(answer["register"]))
        if answer["effective"]:
            redis("SADD", f"wm:{{{user}}}:roles", *answer["effective"])
    (rules / "waymark.yaml").write_text(f'redis: {{ address: "{redis.socket}" }}\n')
    return rules


@needs_redis
def test_redis_says_who(filled):
    done = waymark("who", "member", "-C", filled, "--json")
    assert done.code == 0, done.err
    assert {row["user"] for row in done.json} == {"u1", "u2", "u3"} and "3 of 5" in done.err


@needs_redis
def test_what_is_no_register_in_redis_is_told_and_passed_over(filled, redis):
    redis("SET", "wm:{text}:user", "x")
    redis("HSET", "wm:{bad}:user", "gen", "1", "at", "1", "register", "nonsense member")
    redis("HSET", "wm:{u9}:user", "gen", "1", "at", "1", "register", redis("HGET", "wm:{u1}:user", "register").stdout)
    redis("HSET", "wm:{\x1b[31m}:user", "gen", "1", "at", "1", "register", "{}")
    done = waymark("who", "member", "-C", filled, "--json")
    assert done.code == 1 and {row["user"] for row in done.json} == {"u1", "u2", "u3"}
    for part in ("the key holds no hash", "'bad' is passed over", "'u9' is passed over", "names no user id"):
        assert part in done.err, done.err
    assert "\x1b" not in done.err
    assert waymark("roles", "-C", filled, "--register", "/dev/null").code == 0


@needs_redis
def test_why_and_user_read_redis_too(filled, redis):
    done = waymark("why", "u1", "member", "-C", filled)
    assert done.code == 0 and "automation join" in done.out and "But Redis" not in done.out
    redis("SREM", "wm:{u1}:roles", "member")
    done = waymark("why", "u1", "member", "-C", filled)
    assert done.code == 0 and "But Redis does not have the role" in done.out
    assert "active, partner, 2026-01-01 00:00:01 (e1 from /t)" in waymark("user", "u1", "-C", filled).out
    redis("HSET", "wm:{u1}:user", "register", "nonsense")
    assert waymark("why", "u1", "member", "-C", filled).code == 1


def test_redis_away(rules):
    (rules / "waymark.yaml").write_text('redis: { address: "/nowhere/redis" }\n')
    done = waymark("who", "member", "-C", rules)
    assert done.code == 3 and done.err and done.out == ""
