"""waymark grant, revoke, delegate as far as they need neither Kafka nor Redis."""
import os
import pty
import subprocess

import pytest
from conftest import COMMAND, waymark


def grant(workspace, *words, stdin=""):
    return waymark("grant", *words, "-C", workspace, "--yes", stdin=stdin)


def test_the_event_that_would_be_sent(workspace):
    done = grant(workspace, "u1", "member", "--reason", "exam", "--until", "30d", "--by", "jane", "--delegation",
                 "--dry-run")
    assert (done.code, done.err) == (0, "")
    (sent,) = done.json
    assert (sent["type"], sent["subject"], sent["source"]) == ("role.assignment.requested", "u1", "/waymark/requests")
    assert sent["data"].pop("until") > sent["time"]
    assert sent["data"] == {"role": "member", "action": "add", "delegation": "holders", "by": "jane", "reason": "exam"}
    other = waymark("revoke", "u1", "member", "-C", workspace, "--reason", "gone", "--dry-run").json[0]
    assert other["data"]["action"] == "remove" and other["data"]["by"] and other["id"] != sent["id"]


def test_the_event_is_what_the_core_takes(workspace):
    sent = grant(workspace, "u1", "member", "--reason", "exam", "--dry-run").out
    (played,) = [line for line in waymark("simulate", workspace, "-", "--users", "-", stdin=sent).json]
    assert played["effective"] == ["member"]
    (given,) = played["register"]["roles"]["member"]["grants"].values()
    assert given["by"]["reason"] == "exam"


@pytest.mark.parametrize("words, code, said", [
    (["u1", "member"], 2, "--reason is missing"),
    (["u1", "member", "--reason", " "], 2, "--reason must be text"),
    (["u1", "member", "--reason", "x" * 1001], 2, "at most 1000 bytes"),
    (["u1", "membr", "--reason", "r"], 1, "did you mean 'member'?) [ROLE_UNKNOWN]"),
    (["u1", "Member", "--reason", "r"], 2, "no name of a role"),
    (["a\x01", "member", "--reason", "r"], 2, "no user id"),
    (["u1", "member", "--reason", "r", "--until", "2020-01-01T00:00:00Z"], 2, "a time ahead"),
    (["u1", "member", "--reason", "r", "--until", "soon"], 2, "a duration from now"),
    (["u1", "member", "--reason", "r", "--timeout", "5"], 2, "no duration"),
    (["u1", "member", "--reason", "r", "--by", ""], 2, "--by"),
    (["member", "--reason", "r"], 2, "a user or a role?"),
    (["--reason", "r"], 2, "USER ROLE is missing"),
    (["member", "--reason", "r", "--all", "--group", "g"], 2, "one of them"),
    (["u1", "member", "--reason", "r", "--all"], 2, "one of them"),
    (["member", "--reason", "r", "--include-subordinates", "--group", "g"], 2, "--include-subordinates goes with"),
    (["member", "--reason", "r", "--all", "--org-unit-type", "d"], 2, "--org-unit-type goes with --org-unit"),
    (["u1", "member", "--reason", "r", "--file", "-"], 2, "--file says who"),
    (["member", "--reason", "r", "--file", "/nowhere"], 2, "/nowhere"),
])
def test_wrong_usage_is_told_before_anything_is_sent(workspace, words, code, said):
    done = grant(workspace, *words)
    assert done.code == code and said in done.err and done.out == ""


def test_who_can_not_check_the_role_says_so(workspace):
    (workspace / "broken.yaml").write_text("role: x\nlabl: X\n")
    done = grant(workspace, "u1", "membr", "--reason", "r", "--dry-run")
    assert done.code == 0 and "only the worker checks the roles" in done.err and len(done.json) == 1


def test_a_revocation_has_no_end(workspace):
    assert "unknown option '--until'" in waymark("revoke", "u1", "member", "-C", workspace, "--until", "1d").err


@pytest.mark.parametrize("text, count", [
    ("u1\nu2\n", 2),
    ("\ufeffu1,member\r\n\r\n u2 , member \r\n", 2),
    ("user;role\n\nu1;member\nu2;\n", 2),
    ("reason,user,until,role\nr,u1,,\n\"say \"\"hi\"\", ok\",\"u,2\",30d,member\n", 2),
    ('{"user":"u1"}\n{"user":"u2","role":"member","until":"2099-01-01T00:00:00Z","reason":null}\n', 2),
])
def test_files_of_requests(workspace, text, count):
    done = grant(workspace, "member", "--file", "-", "--reason", "r", "--dry-run", stdin=text)
    assert (done.code, done.err, done.out) == (0, "", f"{count} requests to send\n")


@pytest.mark.parametrize("line, code, said", [
    ("u1,membr", 1, "did you mean 'member'"),
    ("u1", 2, "no role is named for 'u1'"),
    (",member", 2, "no user id"),
    ('"u1,member', 2, "a quoted cell that does not end"),
    ('"u1"x,member', 2, "not quoted right"),
    ("u1,member,1d,r,more", 2, "more values than"),
    ("u1,member,yesterday", 2, "'until' must be a time ahead"),
    ('{"user":"u1","role":"member","rôle":"x"}', 2, "only user, role, until and reason are known"),
    ('{"user":1}', 2, "a text is needed in 'user'"),
    ('{"user":"u1","role":"member"', 2, "ends too early"),
    ("[1]", 2, "an object is needed"),
    ("u1,member", 2, "stdin:2: "),
    (f"u1,member,,{'r' * 1001}", 2, "the reason is too long"),
])
def test_every_mistake_of_a_file_has_its_line_and_nothing_is_sent(workspace, line, code, said):
    before, behind = "u0,member", "u2,member"
    if line[0] in "{[" or said == "stdin:2: ":
        before, behind = ('{"user":"u0","role":"member"}',) * 2
    done = grant(workspace, "--file", "-", "--reason", "r", stdin=f"{before}\n{line}\n{behind}\n")
    assert done.code == code and done.out == ""
    first, last = done.err.splitlines()
    assert said in first and first.startswith("waymark: stdin:2: ")
    assert last == "waymark: nothing was sent: 1 of the lines can't be used"


def test_a_file_needs_reasons(workspace):
    done = grant(workspace, "--file", "-", stdin="u0,member,,why\nu1,member\n")
    assert done.code == 2 and "stdin:2: no reason is given" in done.err
    assert grant(workspace, "--file", "-", "--dry-run", stdin="u0,member,,why\n").code == 0
    assert "names nobody" in grant(workspace, "--file", "-", stdin="\n").err


def test_kafka_away(workspace):
    (workspace / "waymark.yaml").write_text('kafka: { bootstrap: "127.0.0.1:1" }\n')
    done = grant(workspace, "u1", "member", "--reason", "r")
    assert done.code == 3 and done.err and done.out == ""


def test_redis_away(workspace):
    (workspace / "waymark.yaml").write_text('redis: { address: "/nowhere/redis" }\n')
    done = grant(workspace, "member", "--all", "--reason", "r")
    assert done.code == 3 and done.err and done.out == ""


@pytest.mark.parametrize("words, code, said", [
    (["u1", "member", "--reason", "r"], 2, "--to is missing"),
    (["u1", "member", "--reason", "r", "--to", "a\x01"], 2, "no user id"),
    (["u1", "member", "--to", "u2"], 2, "--reason is missing"),
    (["u1", "membr", "--to", "u2", "--reason", "r"], 1, "did you mean 'member'"),
    (["u1", "--to", "u2", "--reason", "r"], 2, "ROLE is missing"),
    (["u1", "member", "--to", "u2", "--reason", "r", "--by", "x"], 2, "unknown option '--by'"),
])
def test_a_delegation_names_giver_role_and_receiver(workspace, words, code, said):
    done = waymark("delegate", *words, "-C", workspace, "--yes")
    assert done.code == code and said in done.err and done.out == ""


def on_a_terminal(typed, *words):
    """(exit code, what is on the screen) of a call with somebody before it."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    called = subprocess.Popen([COMMAND, *map(str, words)], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen = b""
    while True:
        try:
            screen += os.read(ours, 65536)
        except OSError:  # nobody on the other side any more
            break
    os.close(ours)
    return called.wait(timeout=240), screen.decode()


def test_on_a_terminal_it_asks_and_no_means_no(workspace):
    code, screen = on_a_terminal("n\n", "grant", "u1", "member", "-C", workspace, "--reason", "r")
    assert code == 1 and "Grant 'member' to 'u1'? [y/N]" in screen and "nothing was sent" in screen
    code, screen = on_a_terminal("\n", "revoke", "u1", "member", "-C", workspace, "--reason", "r")
    assert code == 1 and "Revoke 'member' from 'u1'? [y/N]" in screen
    code, screen = on_a_terminal("\n", "delegate", "u1", "member", "--to", "u2", "-C", workspace, "--reason", "r")
    assert code == 1 and "Hand 'member' on from 'u1' to 'u2'? [y/N]" in screen
