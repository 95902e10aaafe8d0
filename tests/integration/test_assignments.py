"""Manual assignments: what the command sends, and what it says came of it, on real Kafka and Redis."""
import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from load import structured
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark

RULES = """
role: member
---
role: extra
---
role: shared
delegation: holders
---
role: partner-desk
type: partner
---
role: root
kind: administrator
---
role: by-group
assigned-when: [{group: staff}]
---
automation: join
trigger: journey.started
tasks: [{name: Give, sequence: 10, type: change-role, role: member, action: add}]
---
automation: leave
trigger: journey.abandoned
tasks: [{name: Take, sequence: 20, type: change-role, role: member, action: remove}]
"""


@pytest.fixture
def desk(make_workspace, workers, sender):
    """A worker at work, and somebody who asks it for things."""
    return Desk(make_workspace(RULES), workers, sender)


class Desk:
    def __init__(self, workspace, workers, sender):
        self.workspace, self.sender = workspace, sender
        self.worker = workers(workspace)
        self.numbers = iter(range(1, 10000))

    def call(self, *words, folder=None):
        """(exit code, stdout, stderr)"""
        done = waymark(*words, "-C", folder or self.workspace.folder, "--yes")
        return done.returncode, done.stdout, done.stderr

    def ask(self, *words):
        """(exit code, JSON lines) of a call with a reason."""
        code, out, err = self.call(*words, "--reason", "because", "--by", "jane", "--json")
        assert out or code, err
        return code, [json.loads(line) for line in out.splitlines()]

    def event(self, type, user, data=None, at=None, topic=None):
        at = at or datetime.now(timezone.utc)
        value = structured(next(self.numbers), type, user, data or {}, at=at.timestamp())
        self.sender.of_user(topic or self.workspace.events, user, value)
        self.sender.flush()

    def people(self, profiles):
        """Sends them all, then waits for each."""
        client = self.workspace.redis.client()
        for user, profile in profiles.items():
            self.event("directory.user.updated", user, {"status": "active", **profile},
                       topic=self.workspace.topic["directory"])
        for user in profiles:
            key = self.workspace.redis_key(user, "user")
            wait_until(lambda: '"profile":{' in (client.hget(key, "register") or ""), what=f"the profile of {user}")

    def person(self, user, **profile):
        self.people({user: profile})

    def roles(self, user):
        return self.workspace.roles(user)

    def wait_roles(self, user, *roles):
        wait_until(lambda: self.roles(user) == set(roles), what=f"{user} to hold {roles}")


def test_grant_and_revoke_say_what_came_of_them(desk):
    code, out, err = desk.call("grant", "u1", "member", "--reason", "exam on paper")
    assert (code, out) == (0, "changed: u1 holds member now\n"), err
    desk.wait_roles("u1", "member")
    code, (answer,) = desk.ask("grant", "u1", "member")
    assert (code, answer["result"], answer["effective"]) == (0, "unchanged", True)

    code, (answer,) = desk.ask("revoke", "u1", "member")
    assert (code, answer["result"], answer["lockout"]) == (0, "changed", True)
    desk.wait_roles("u1")
    code, out, _ = desk.call("revoke", "u1", "member", "--reason", "again")
    assert code == 0 and out.startswith("unchanged: u1 had no assignment of member")


def test_what_can_not_be_is_bad_news_with_its_code(desk):
    code, out, _ = desk.call("grant", "u1", "root", "--reason", "no")
    assert code == 1 and "failed: 'root' was not granted" in out and "[ROLE_PROTECTED]" in out
    desk.person("u2", status="suspended")
    assert [answer["code"] for answer in desk.ask("grant", "u2", "member")[1]] == ["USER_INACTIVE"]

    desk.event("journey.abandoned", "u3", at=datetime.now(timezone.utc) + timedelta(minutes=3))
    wait_until(lambda: desk.workspace.lag() == 0, what="the removal")
    code, out, _ = desk.call("grant", "u3", "member", "--reason", "too early")
    assert code == 1 and out.startswith("superseded:") and "automation 'leave', task 20" in out

    wrong = desk.workspace.other_instance("wrong")
    wrong.settings["kafka"]["partitioner"] = "fnv1a"
    wrong.write_settings()
    users = [f"w{number}" for number in range(6)]
    (wrong.folder / "people.csv").write_text("user\n" + "".join(f"{user}\n" for user in users))
    code, out, _ = desk.call("grant", "member", "--file", wrong.folder / "people.csv", "--reason", "astray",
                             folder=wrong.folder)
    assert code == 1 and "[EVENT_MISROUTED]" in out and "rejected" in out


def test_a_removal_takes_what_automations_gave_too_and_says_so(desk):
    desk.person("u1", groups=["staff"])
    desk.event("journey.started", "u1")
    desk.wait_roles("u1", "member", "by-group")
    assert desk.ask("grant", "u1", "member", "--until", "30d")[1][0]["result"] == "unchanged"
    code, (answer,) = desk.ask("revoke", "u1", "member")
    assert (code, answer["result"], answer["dropped"]) == (0, "changed", ["automation/join"])
    assert "lockout" not in answer
    code, out, _ = desk.call("revoke", "u1", "by-group", "--reason", "it stays")
    assert code == 0 and "STILL_DERIVED" in out


def test_no_worker_is_said_and_the_request_waits_for_one(desk):
    desk.worker.terminate()
    code, out, err = desk.call("grant", "u1", "member", "--reason", "later", "--timeout", "1s")
    assert code == 3 and out == "" and "will be decided" in err
    code, (answer,) = desk.ask("grant", "u1", "extra", "--no-wait")
    assert (code, answer["result"]) == (0, "sent")
    desk.worker.start_ready()
    desk.wait_roles("u1", "member", "extra")


def test_many_at_once(desk):
    desk.people({f"p{number:02}": {"type": "partner" if number % 3 else "employee", "manager": "p00",
                                   "org-units": {"division": ["acme", "emea" if number % 2 else "apac"]}}
                 for number in range(30)})
    code, (preview,) = desk.ask("grant", "partner-desk", "--org-unit", "acme", "--include-subordinates", "--dry-run")
    assert code == 0 and (preview["matched"], preview["requests"], preview["holding"]) == (30, 20, 0)
    assert preview["left-out"] == {"ROLE_TYPE_MISMATCH": 10} and preview["first"][0] == "p01"
    code, out, err = desk.call("grant", "partner-desk", "--org-unit", "acme", "--include-subordinates", "--reason", "all")
    assert code == 0 and "20 requests: 20 changed" in out, err
    holders = {f"p{number:02}" for number in range(30) if number % 3}
    wait_until(lambda: all(desk.roles(user) for user in holders), what="the roles")
    assert not desk.roles("p00") and not desk.roles("p03")

    code, (preview,) = desk.ask("revoke", "partner-desk", "--org-unit", "emea", "--org-unit-type", "division", "--dry-run")
    assert (preview["matched"], preview["requests"]) == (15, 10)
    code, answers = desk.ask("revoke", "partner-desk", "--reports-of", "p00")
    assert code == 0 and {answer["user"] for answer in answers} == holders
    assert {answer["result"] for answer in answers} == {"changed"}

    code, answers = desk.ask("grant", "p00", "extra", "--include-subordinates")
    assert code == 0 and len(answers) == 30, "a user and his direct reports"


def test_archived_roles_leave_everybody_and_come_back(desk):
    users = [f"p{number:02}" for number in range(40)]
    desk.people({user: {"groups": ["staff"]} for user in users})
    assert desk.ask("grant", "member", "--group", "staff")[0] == 0
    wait_until(lambda: all(desk.roles(user) == {"member", "by-group"} for user in users), what="the roles")

    code, out, err = desk.call("roles", "archive", "member", "by-group", "--reason", "r", "--dry-run")
    assert code == 0, err
    assert "archive 'member': 40 users would no longer have it" in out and "40 of them would be left without any" in out
    code, out, err = desk.call("roles", "archive", "member", "by-group", "--reason", "programme ended", "--by", "jane")
    assert code == 0 and "done" in out, err
    assert not any(desk.roles(user) for user in users), "the command has waited for that"
    assert [answer["code"] for answer in desk.ask("grant", "new", "member")[1]] == ["ROLE_ARCHIVED"]
    code, out, err = desk.call("grant", "member", "--all", "--reason", "nobody may")
    assert code == 1 and out == "" and "[ROLE_ARCHIVED]" in err
    code, out, _ = desk.call("roles", "archive", "member", "--reason", "again")
    assert code == 0 and out == "'member' is archived already\n"
    done = waymark("roles", "export", "member", "-C", desk.workspace.folder)
    exported = json.loads(done.stdout)
    assert exported["status"] == "archived" and exported["control"]["reason"] == "programme ended"

    preview = waymark("roles", "preview", desk.workspace.folder, "-C", desk.workspace.folder, "--json").stdout
    assert json.loads(preview.splitlines()[-1])["losses"] == 0, "what is archived at run time counts for both"
    code, out, err = desk.call("roles", "unarchive", "member", "by-group", "--reason", "back again")
    assert code == 0 and "unarchive 'member': 40 users would have it" in out, err
    assert all(desk.roles(user) == {"member", "by-group"} for user in users)
    code, out, err = desk.call("roles", "archive", "by-group", "--reason", "once more")
    assert code == 0 and all(desk.roles(user) == {"member"} for user in users), err
    code, out, err = desk.call("roles", "reset", "by-group", "member", "--reason", "as written")
    assert code == 0 and "reset 'by-group': 40 users would have it" in out and "reset 'member': 0 users" in out, err
    assert all(desk.roles(user) == {"member", "by-group"} for user in users)
    assert desk.call("roles", "reset", "member", "--reason", "r")[1] == "'member' is as its document says already\n"

    desk.worker.terminate()
    code, out, err = desk.call("roles", "archive", "member", "--reason", "nobody there", "--timeout", "1s")
    assert code == 3 and "the roles of 40 users are still those of before" in err


def test_a_holder_hands_a_role_on_when_he_may(desk):
    code, (answer,) = desk.ask("grant", "giver", "shared")
    assert (code, answer["result"]) == (0, "changed")
    for number in range(6):  # on several homes
        code, out, err = desk.call("delegate", "giver", "shared", "--to", f"d{number}", "--until", "14d", "--reason", "for me")
        assert (code, out) == (0, f"changed: d{number} holds shared now\n"), err
    desk.wait_roles("d0", "shared")
    assert desk.ask("grant", "d9", "shared")[0] == 0
    code, out, _ = desk.call("delegate", "giver", "shared", "--to", "d9", "--until", "14d", "--reason", "for me")
    assert code == 0 and out.startswith("unchanged: d9 held shared before"), "nobody takes it from him unseen"
    assert "it takes the place of an assignment by hand that had no end, asked for by 'jane'" in out
    code, out, _ = desk.call("delegate", "nobody", "shared", "--to", "x", "--reason", "r")
    assert code == 1 and out.startswith("failed: 'shared' was not delegated: ") and "[ROLE_NOT_HELD]" in out

    desk.ask("grant", "giver", "member")
    code, out, _ = desk.call("delegate", "giver", "member", "--to", "x", "--reason", "r")
    assert code == 1 and "[DELEGATION_NOT_ALLOWED]" in out
    assert desk.ask("grant", "giver", "member", "--delegation")[0] == 0
    assert desk.call("delegate", "giver", "member", "--to", "x", "--reason", "r")[0] == 0
    desk.person("away", status="suspended")
    code, out, _ = desk.call("delegate", "giver", "member", "--to", "away", "--reason", "r", "--json")
    (answer,) = map(json.loads, out.splitlines())
    assert code == 1 and (answer["to"], answer["result"], answer["code"]) == ("away", "failed", "USER_INACTIVE")
