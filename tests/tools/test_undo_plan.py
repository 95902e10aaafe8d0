"""waymark undo plan without servers: registers and outcomes from files; and what apply refuses before it asks anybody."""
import copy
import json
import pathlib
import random

import jsonschema
import pytest

from conftest import event, lines, waymark

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "schemas" / "undo-plan.schema.json").read_text())
RULES = """\
role: member
label: Member
---
role: gold
label: Gold
---
role: staff
label: Staff
assigned-when: [{ group: crew }]
---
automation: join
trigger: journey.started
tasks:
  - { name: Give member, sequence: 10, type: change-role, role: member, action: add }
  - { name: Give gold, sequence: 20, type: change-role, role: gold, action: add }
---
automation: crew
trigger: journey.phase.entered
tasks: [{ name: Give, sequence: 10, type: change-role, role: staff, action: add }]
---
automation: other
trigger: journey.completed
tasks: [{ name: Give, sequence: 10, type: change-role, role: member, action: add, expires-after: 36500d }]
---
automation: short
trigger: journey.phase.completed
tasks: [{ name: Give, sequence: 10, type: change-role, role: member, action: add, expires-after: 1d }]
---
automation: leave
trigger: journey.abandoned
tasks: [{ name: Take, sequence: 10, type: change-role, role: member, action: remove }]
"""
JOIN, OTHER, LEAVE, SHORT, CREW = ("journey.started", "journey.completed", "journey.abandoned",
                                   "journey.phase.completed", "journey.phase.entered")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "waymark.yaml").write_text("")
    (tmp_path / "ws" / "rules.yaml").write_text(RULES)
    return tmp_path


def by_hand(number, user, role="member", action="add"):
    return event(number, type="role.assignment.requested", subject=user, data={"role": role, "action": action})


def play(place, *events):
    """What a live run of these events leaves: registers by user, and outcomes."""
    done = waymark("simulate", place / "ws", "-", "--users", place / "users.jsonl", "--outcomes", place / "outcomes.jsonl",
                   stdin=lines(*events))
    assert done.code == 0, done.err


def plan(place, automation, *more, outcomes=True, code=0):
    if outcomes:
        more = ("--outcomes", place / "outcomes.jsonl", *more)
    done = waymark("undo", "plan", "-C", place / "ws", "--automation", automation, "--users", place / "users.jsonl",
                   "--output", place / "plan.jsonl", "--json", *more)
    assert done.code == code, done.err
    if code == 0:
        for line in (place / "plan.jsonl").read_text().splitlines():
            jsonschema.validate(json.loads(line), SCHEMA)
    return done


def of(done, kind):
    return [{key: value for key, value in line.items() if key != "kind"} for line in done.json if line["kind"] == kind]


def total(done):
    return of(done, "plan")[0]


def planned(place):
    """(user, role) of what the plan would take back."""
    rows = [json.loads(line) for line in (place / "plan.jsonl").read_text().splitlines()]
    return [(row["user"], row["role"]) for row in rows[1:-1]]


def edit(path, change):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        change(row)
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))


def test_what_others_gave_stays_and_who_loses_is_told(place):
    play(place, event(1, type=JOIN), event(2, type=JOIN, subject="u2"), event(3, type=OTHER, subject="u2"),
         by_hand(4, "u1", "gold"), event(5, type=OTHER, subject="u4"), by_hand(6, "u5"),
         event(7, type="directory.user.updated", subject="u6", data={"status": "suspended"}),
         event(8, type="directory.user.updated", subject="u7", data={"status": "active", "groups": ["crew"]}),
         event(9, type=CREW, subject="u7"), event(10, type=JOIN, subject="u9"))
    done = plan(place, "join")
    assert planned(place) == [("u1", "gold"), ("u1", "member"), ("u2", "gold"), ("u2", "member"), ("u9", "gold"),
                              ("u9", "member")]
    assert of(done, "roles") == [
        {"role": "gold", "taken-back": 3, "users-losing": 2, "users-keeping": 1, "not-in-force": 0, "users-gaining": 0},
        {"role": "member", "taken-back": 3, "users-losing": 2, "users-keeping": 1, "not-in-force": 0, "users-gaining": 0}]
    assert of(done, "user") == [{"user": "u1", "before": ["gold", "member"], "after": ["gold"]},
                                {"user": "u2", "before": ["gold", "member"], "after": ["member"]},
                                {"user": "u9", "before": ["gold", "member"], "after": []}]
    assert (total(done)["users"], total(done)["grants"], total(done)["lockouts"]) == (3, 6, 1)
    # a criterion keeps the role in force
    assert of(plan(place, "crew"), "roles") == [{"role": "staff", "taken-back": 1, "users-losing": 0, "users-keeping": 1,
                                                 "not-in-force": 0, "users-gaining": 0}]


def test_the_words_for_people(place):
    play(place, event(1, type=JOIN), by_hand(2, "u2"), event(3, type=LEAVE, subject="u2"))
    said = waymark("undo", "-C", place / "ws", "--automation", "join", "--users", place / "users.jsonl").out
    assert "2 assignments of 1 user would be taken back, of 2 registers looked at. 2 roles would be lost, 0 kept" in said
    assert "1 user would have no role in force any more" in said and "no plan was kept: --output FILE" in said
    assert "was not looked at" in said and "'join' is on and goes on giving" in said
    said = waymark("undo", "-C", place / "ws", "--automation", "leave", "--users", place / "users.jsonl", "--outcomes",
                   place / "outcomes.jsonl", "--give-back", place / "back.jsonl").out
    assert "Its removals took 1 role, of which 1 can be given back by hand" in said and "waymark grant --file" in said
    said = waymark("undo", "-C", place / "ws", "--automation", "jion", "--users", place / "users.jsonl").out
    assert "did you mean 'join'?" in said


def test_versions_runs_times_and_users_are_told_apart(place):
    play(place, *(event(n, type=JOIN, subject=f"u{n}") for n in range(1, 6)))
    version = json.loads((place / "users.jsonl").read_text().splitlines()[0])["register"]["roles"]["gold"]["grants"][
        "automation/join"]["by"]["version"]

    def older(row):
        for role in row["register"]["roles"].values():
            by = role["grants"]["automation/join"]["by"]
            if row["user"] == "u2":
                by["version"] = "0" * 12
            if row["user"] == "u3":
                by["run"] = "spring"
    edit(place / "users.jsonl", older)

    def users(*more):
        plan(place, "join", *more, outcomes=False)
        return sorted({user for user, _ in planned(place)})
    assert users("--version", "0" * 12) == ["u2"] and users("--version", version) == ["u1", "u3", "u4", "u5"]
    assert users("--run", "spring") == ["u3"] and users("--run", "live") == ["u1", "u2", "u4", "u5"]
    assert users("--from", "2026-01-01T00:00:04Z") == ["u4", "u5"]
    assert users("--from", "2026-01-01T00:00:02Z", "--to", "2026-01-01T00:00:03Z") == ["u2", "u3"]
    assert users("--to", "2026-01-01") == ["u1", "u2", "u3", "u4", "u5"] and users("--to", "2025-12-31") == []
    (place / "names").write_text("u5\n\nu1\n")
    assert users("--user", "u4") == ["u4"] and users("--user", f"@{place / 'names'}", "--run", "live") == ["u1", "u5"]
    done = plan(place, "join", "--version", version, outcomes=False)
    assert of(done, "versions") == [{"version": "0" * 12, "run": "live", "grants": 2, "meant": 0},
                                    {"version": version, "run": "live", "grants": 6, "meant": 6},
                                    {"version": version, "run": "spring", "grants": 2, "meant": 2}]


def test_what_an_older_version_gave_rightly_and_a_newer_one_renewed_stays(place):
    play(place, event(1, type=JOIN), event(2, type=JOIN), event(3, type=JOIN, subject="u2"), by_hand(4, "u3"),
         event(5, type=JOIN, subject="u3"), event(6, type=LEAVE, subject="u3"), event(7, type=JOIN, subject="u3"))
    right = json.loads((place / "outcomes.jsonl").read_text().splitlines()[0])["data"]["version"]

    def renewed(row):
        if row["data"]["event"]["id"] in ("e1", "e5"):
            row["data"]["version"] = "0" * 12
    edit(place / "outcomes.jsonl", renewed)  # u1 was given it rightly before; u3 too, but that was removed
    done = plan(place, "join", "--version", right)
    assert planned(place) == [("u2", "gold"), ("u2", "member"), ("u3", "member")]
    assert [(row["user"], row["role"], row["other"][2], row["other-version"]) for row in of(done, "left")] == [
        ("u1", "gold", "e1", "0" * 12), ("u1", "member", "e1", "0" * 12), ("u3", "gold", "e5", "0" * 12)]
    assert (total(done)["left"], total(done)["users"]) == (3, 2)
    plan(place, "join", "--version", right, "--also-renewed")
    assert len(planned(place)) == 6


def test_what_its_removals_took_and_a_file_that_gives_it_back(place):
    play(place, by_hand(1, "hand"), event(2, type=OTHER, subject="long"), event(3, type=SHORT, subject="short"),
         by_hand(4, "again"), by_hand(5, "twice"), by_hand(6, "both"), event(7, type=OTHER, subject="both"),
         *(event(10 + n, type=LEAVE, subject=user) for n, user in enumerate(
             ["hand", "long", "short", "again", "twice", "both", "nobody"])),
         by_hand(20, "again"), by_hand(21, "twice", action="remove"))
    back = place / "back.jsonl"
    done = plan(place, "leave", "--give-back", back)
    losses = {row["user"]: (row["give-back"], row.get("given-by"), row.get("until", "")[:4]) for row in of(done, "loss")}
    assert losses == {"hand": (True, "manual", ""), "long": (True, "automation/other", "2125"),
                      "both": (True, "automation/other, manual", ""), "short": (False, "automation/short", "2026"),
                      "again": (False, None, ""), "twice": (False, None, "")}
    assert {row["user"]: row["why"] for row in of(done, "loss") if not row["give-back"]} == {
        "short": "it would have ended by now", "again": "assigned again", "twice": "another removal stands"}
    assert total(done)["removals"] == 6 and total(done)["give-back"] == 3 and total(done)["grants"] == 0
    rows = [json.loads(line) for line in back.read_text().splitlines()]
    assert [(row["user"], row["role"], "until" in row) for row in rows] == [
        ("both", "member", False), ("hand", "member", False), ("long", "member", True)]
    assert "whether it was to end is not known" in rows[1]["reason"] and "undo of automation 'leave'" in rows[2]["reason"]
    done = waymark("grant", "--file", back, "--reason", "given back", "--dry-run", "-C", place / "ws",
                   env={"HOME": str(place)})
    assert (done.code, done.out) == (0, "3 requests to send\n"), done.err


def test_what_it_gave_and_took_itself_is_not_given_back(place):
    (place / "ws" / "rules.yaml").write_text(RULES.replace(
        "tasks: [{ name: Take, sequence: 10, type: change-role, role: member, action: remove }]",
        "tasks:\n  - { name: Take, sequence: 10, type: change-role, role: member, action: remove }\n"
        "  - { name: Give, sequence: 20, type: change-role, role: gold, action: add }").replace(
        "trigger: journey.abandoned", "trigger: [journey.abandoned, journey.paused]") + """\
---
automation: swing
trigger: [journey.a, journey.b]
tasks:
  - { name: Give, sequence: 10, type: change-role, role: member, action: add }
  - { name: Take, sequence: 20, type: change-role, role: member, action: remove }
""")
    play(place, event(1, type="journey.a"), by_hand(2, "u2"), event(3, type="journey.a", subject="u2"))
    done = plan(place, "swing")
    assert {row["user"]: (row["give-back"], row["why"]) for row in of(done, "loss")} == {
        "u1": (False, "not assigned without it either"), "u2": (True, "to be given back")}


def test_where_the_log_begins_later_the_removal_itself_tells(place):
    play(place, by_hand(1, "u1"), event(2, type=LEAVE))
    outcomes = place / "outcomes.jsonl"
    outcomes.write_text(outcomes.read_text().splitlines()[-1] + "\n")
    (row,) = of(plan(place, "leave"), "loss")
    assert (row["give-back"], row["given-by"], row["until-unknown"]) == (True, "manual", True)


def test_grants_that_ended_or_were_taken_back_before_are_no_part_of_it(place):
    play(place, event(1, type=SHORT), event(2, type=SHORT, subject="u2"),
         event(3, type="role.grant.withdrawn", subject="u2", data={"role": "member", "source": "automation/short"}))
    done = plan(place, "short")
    assert planned(place) == [] and total(done)["ended"] == 2


def test_what_the_worker_would_refuse_is_left_out(place):
    play(place, event(1, type=JOIN), event(2, type=JOIN, subject="u2"))
    (place / "ws" / "rules.yaml").write_text(RULES.replace("label: Gold", "label: Gold\nkind: system"))
    done = plan(place, "join")
    assert planned(place) == [("u1", "member"), ("u2", "member")]
    (failure,) = of(done, "failures")
    assert (failure["role"], failure["code"], failure["failed"]) == ("gold", "ROLE_PROTECTED", 2)


def test_who_would_be_left_without_a_role_is_given_the_baseline(place):
    (place / "ws" / "waymark.yaml").write_text("baseline: staff\n")
    play(place, event(1, type=JOIN))
    done = plan(place, "join")
    assert of(done, "user") == [{"user": "u1", "before": ["gold", "member"], "after": ["staff"]}]
    assert total(done)["users-gaining"] == 1 and total(done)["lockouts"] == 0


def test_lists_have_a_limit(place):
    play(place, *(event(n, type=JOIN, subject=f"u{n}") for n in range(1, 30)))
    said = waymark("undo", "-C", place / "ws", "--automation", "join", "--users", place / "users.jsonl").out
    assert "and 9 more (--limit 0 shows all)" in said
    assert len(of(plan(place, "join", "--limit", "3"), "user")) == 3


@pytest.mark.parametrize("words, said", [
    ([], "--automation is missing"),
    (["--automation", "A b"], "no name of an automation"),
    (["--automation", "join", "--version", "3f9c"], "12 hex digits"),
    (["--automation", "join", "--run", "Live!"], "neither 'live' nor"),
    (["--automation", "join", "--from", "soon"], "no moment"),
    (["--automation", "join", "--from", "2026-02-01", "--to", "2026-01-01"], "--from is after --to"),
    (["--automation", "join", "--user", "@/nonexistent"], "/nonexistent"),
    (["--automation", "join", "--limit", "many"], "--limit needs a number"),
    (["--automation", "join", "--give-back", "x"], "give --outcomes too"),
    (["--automation", "join", "--reason", "x"], "has no option '--reason'"),
    (["--automation", "manual"], "'waymark revoke' takes them back"),
    (["--automation", "join", "--output", "-"], "--output needs a file"),
    (["--automation", "join", "--output", "users.jsonl"], "it would be overwritten"),
    (["--automation", "join", "--outcomes", "users.jsonl", "--give-back", "users.jsonl"], "it would be overwritten"),
])
def test_wrong_usage(place, words, said):
    play(place, event(1, type=JOIN))
    done = waymark("undo", "plan", "-C", place / "ws", "--users", place / "users.jsonl", *words, cwd=place)
    assert done.code == 2 and said in done.err, done.err


def apply(place, *more):
    return waymark("undo", "apply", place / "plan.jsonl", "-C", place / "ws", *more)


def test_apply_refuses_a_plan_that_was_changed_or_is_none(place):
    play(place, event(1, type=JOIN), event(2, type=JOIN, subject="u2"))
    plan(place, "join")
    good = (place / "plan.jsonl").read_text()
    assert apply(place).code == 2 and "--reason is missing" in apply(place).err
    rows = good.splitlines(keepends=True)
    for changed in ["".join(rows[:2] + rows[3:]), "".join([rows[0], rows[2], rows[1], *rows[3:]]),
                    good.replace("u2", "u3"), good.replace('"lose":4', '"lose":0')]:
        (place / "plan.jsonl").write_text(changed)
        done = apply(place, "--reason", "x")
        assert done.code in (1, 2) and ("was changed after it was made" in done.err or "stand by user" in done.err)
    for none, said in [("", "before its digest"), ("".join(rows[:-1]), "before its digest"), ("{}\n", "does not begin"),
                       ("[1]\n", "not an object"), ("{\n", "line 1"), (good + rows[1], "nothing comes behind"),
                       (rows[0] + '{"user":"u1"}\n', "a user, a role and a clock")]:
        (place / "plan.jsonl").write_text(none)
        done = apply(place, "--reason", "x")
        assert done.code == 2 and said in done.err and "is no plan of 'waymark undo plan'" in done.err, (none, done.err)
    assert waymark("undo", "apply", place / "missing", "-C", place / "ws", "--reason", "x").code == 2


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "1e12"])
def test_a_rate_is_a_number(place, rate):
    play(place, event(1, type=JOIN))
    plan(place, "join")
    done = apply(place, "--reason", "x", "--rate", rate)
    assert done.code == 2 and "--rate needs a number above 0" in done.err


def change(number, user, effective, automation=None, role="member"):
    """A record of topics.changes: by a task of an automation, or by a request."""
    return {"specversion": "1.0", "id": f"live:t/0/{number}:{role}:{'gained' if effective else 'lost'}", "source": "/waymark",
            "type": "dev.waymark.role.changed.v1", "subject": user, "time": f"2026-01-01T00:00:{number:02}Z",
            "data": {"run": "live", "role": role, "effective": effective, "cause": "task" if automation else "request",
                     "clock": [1767225600000000 + number * 1000000, "/t", f"e{number}", automation or "",
                               10 if automation else 0]}}


def test_the_audit_trail_tells_what_outcomes_do_not_any_more(place):
    play(place, by_hand(1, "hand"), event(2, type=OTHER, subject="other"), by_hand(3, "known"),
         event(4, type=LEAVE, subject="hand"), event(5, type=LEAVE, subject="other"), event(6, type=LEAVE, subject="known"),
         event(7, type=LEAVE, subject="early"))
    outcomes = place / "outcomes.jsonl"
    outcomes.write_text("".join(row + "\n" for row in outcomes.read_text().splitlines() if '"known"' in row))
    (place / "changes.jsonl").write_text(lines(
        change(1, "hand", True), change(2, "other", True, "other"), change(3, "known", True), change(4, "hand", False, "leave"),
        change(5, "other", False, "leave"), change(6, "known", False, "leave"), change(7, "early", False, "leave"),
        change(8, "nobody", False, "leave"), change(9, "u9", False, "other")))
    done = plan(place, "leave", "--changes", place / "changes.jsonl", "--give-back", place / "back.jsonl")
    assert {row["user"]: (row["give-back"], row.get("given-by"), row.get("until-unknown")) for row in of(done, "loss")} == {
        "hand": (True, "manual", True), "other": (True, "automation/other", True), "known": (True, "manual", True),
        "early": (True, None, True), "nobody": (False, None, None)}
    assert total(done)["give-back"] == 4
    assert [json.loads(row)["user"] for row in (place / "back.jsonl").read_text().splitlines()] == [
        "early", "hand", "known", "other"]
    version = json.loads(outcomes.read_text().splitlines()[-1])["data"]["version"]
    done = plan(place, "leave", "--changes", place / "changes.jsonl", "--version", version)
    assert [row["user"] for row in of(done, "loss")] == ["known"]


def test_a_damaged_plan_is_refused_whatever_is_wrong_with_it(place):
    (place / "ws" / "waymark.yaml").write_text('kafka: { bootstrap: "127.0.0.1:1" }\nredis: { address: "127.0.0.1:1" }\n')
    play(place, event(1, type=JOIN), event(2, type=JOIN, subject="u2"))
    plan(place, "join")
    good, dice = (place / "plan.jsonl").read_bytes(), random.Random(5)
    for _ in range(60):
        at = dice.randrange(len(good) - 1)
        how = dice.choice([good[:at], good[:at] + good[at + 1:], good[:at] + bytes([dice.randrange(256)]) + good[at + 1:],
                           good[:at] + good[at:at + 40] + good[at:]])
        if how in (good, good[:-1]):
            continue
        (place / "plan.jsonl").write_bytes(how)
        assert apply(place, "--reason", "x").code in (1, 2), how
    (place / "plan.jsonl").write_bytes(good)
    done = apply(place, "--reason", "x")
    assert done.code == 3 and "brokers can't be reached" in done.err
