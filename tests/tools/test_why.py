"""waymark why: because of what a user holds a role, or what took it and what would give it."""
import json

import pytest
from conftest import event, lines, waymark

RULES = """\
automation: join
description: Who has joined is a member.
owner: jane@acme.example
trigger: journey.milestone.achieved
when:
  data.milestone: joined
tasks:
  - name: Make a member
    sequence: 10
    description: Agreed with sales.
    type: change-role
    role: member
    action: add
---
automation: leave
description: Who leaves is none.
trigger: journey.abandoned
tasks:
  - { name: Take the badge, sequence: 20, type: change-role, role: member, action: remove }
---
automation: trial
trigger: journey.started
tasks:
  - { name: Try it, sequence: 1, type: change-role, role: member, action: add, expires-after: 30d }
"""

ROLES = """\
role: member
label: Member
description: Sees the pages of members.
---
role: staff
label: Staff
assigned-when:
  - group: staff
  - org-unit: emea
    include-subordinates: true
  - when: { user.attributes.tier: gold }
---
role: greeter
label: Greeter
activate: at-sign-in
assigned-when:
  - all: true
---
role: root
label: Root
kind: administrator
"""

PROFILE = {"status": "active", "type": "partner", "name": "Ada"}
FAR = "2099-01-01T00:00:00Z"


def profile(number, **fields):
    return event(number, type="directory.user.updated", data={**PROFILE, **fields})


def request(number, action="add", role="member", **data):
    return event(number, type="role.assignment.requested", data={"role": role, "action": action, **data})


@pytest.fixture
def rules(workspace):
    (workspace / "join.yaml").write_text(RULES)
    (workspace / "roles.yaml").write_text(ROLES)
    return workspace


@pytest.fixture
def why(rules, tmp_path):
    """why(events, role) plays the events and asks; the workspace may be changed in between."""

    def ask(events, role="member", *more, before=None, user="u1"):
        played = waymark("simulate", rules, "-", "--users", "-", stdin=lines(*events))
        assert played.code == 0, played.err
        if before:
            before()
        return waymark("why", user, role, "-C", rules, "--register", "-", *more, stdin=played.out)

    ask.folder = rules
    return ask


def edit(folder, name, old, new):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def test_an_automation_gave_it(why):
    done = why([profile(1), event(2)])
    assert done.code == 0, done.err
    for part in ("u1  Ada  active, partner", "member  Member  Sees the pages of members.",
                 "yes, the user holds the role since 2026-01-01 00:00:02", "automation join", "Who has joined is a member.",
                 "owner     jane@acme.example", "as the workspace has it", "task      10 Make a member",
                 "Agreed with sales.", "event     e2 from /t, 2026-01-01 00:00:02",
                 "record    simulate, partition 0, offset 1", "until     it has no end",
                 "what would take it away", "automation leave, task 20 Take the badge", "on journey.abandoned, always",
                 "waymark revoke u1 member"):
        assert part in done.out, (part, done.out)
    assert "what would give it" not in done.out


def test_json_tells_the_same(why):
    (answer,) = why([profile(1), event(2)], "member", "--json").json
    assert answer["held"] and answer["assigned"] and not answer["derived"] and "until" not in answer
    (grant,) = answer["because"]
    assert grant["source"] == "automation/join" and grant["task"] == "Make a member" and grant["sequence"] == 10
    assert grant["version"] == grant["workspace-version"]
    assert grant["event"] == {"source": "/t", "id": "e2", "time": "2026-01-01T00:00:02Z"}
    assert grant["origin"] == {"topic": "simulate", "partition": 0, "offset": 1}
    assert [(row["automation"], row["sequence"]) for row in answer["takes"]] == [("leave", 20)]


def test_the_automation_has_changed_since(why):
    done = why([event(2)], before=lambda: edit(why.folder, "join.yaml", "Make a member", "Make one"))
    assert done.code == 0 and "the workspace has another one by now" in done.out


def test_the_automation_is_gone(why):
    done = why([event(2)], before=lambda: edit(why.folder, "join.yaml", "automation: join", "automation: other"))
    assert done.code == 0 and "the workspace has no automation of this name any more" in done.out


def test_somebody_asked_for_it(why):
    done = why([request(2, by="boss@acme.example", reason="by phone", until=FAR)])
    assert done.code == 0
    assert "an assignment by hand" in done.out and "asked by  boss@acme.example" in done.out
    assert "reason    by phone" in done.out and "until     2099-01-01 00:00:00, in " in done.out
    assert "its end, 2099-01-01 00:00:00" in done.out


def test_a_removal_names_who_took_it_and_what_has_to_be_newer(why):
    done = why([event(2), event(3, type="journey.abandoned")])
    assert done.code == 1
    for part in ("no, the user does not hold the role", "what took it",
                 "2026-01-01 00:00:03  automation leave removed it: no grant by an older event counts", "Who leaves is none.",
                 "20 Take the badge", "what would give it", "automation join, task 10 Make a member",
                 'data.milestone is "joined"', "must be newer than the removal by e3 from /t, 2026-01-01 00:00:03",
                 "automation trial, task 1 Try it, for 30 days",
                 "waymark grant u1 member"):
        assert part in done.out, (part, done.out)


def test_json_of_a_removal(why):
    (answer,) = why([event(2), event(3, type="journey.abandoned")], "member", "--json").json
    assert not answer["held"] and answer["because"] == []
    assert answer["newer-than"] == [1767225603000000, "/t", "e3", "leave", 20]
    (taken,) = answer["taken-by"]
    assert (taken["way"], taken["automation"], taken["sequence"]) == ("removed", "leave", 20)
    assert {row["automation"] for row in answer["gives"]} == {"join", "trial"}


def test_a_request_took_it(why):
    done = why([event(2), request(3, "remove")])
    assert done.code == 1 and "a request by hand removed it: no grant by an older event counts" in done.out


def test_it_ended_by_itself(why):
    done = why([event(2, type="journey.started")])
    assert done.code == 1
    assert "2026-01-31 00:00:02  it ended by itself; it had been given by" in done.out
    assert "automation trial" in done.out and ", over for " in done.out


def test_the_directory_deleted_the_user(why):
    done = why([profile(1), event(2), event(3, type="directory.user.deleted", data=None)])
    assert done.code == 1
    assert "2026-01-01 00:00:03  the directory deleted the user: every role ended" in done.out
    assert "the user is not active but deleted [USER_INACTIVE]" in done.out


def test_what_took_it_before_is_told_of_one_who_holds_it(why):
    done = why([event(2), event(3, type="journey.abandoned"), event(4)])
    assert done.code == 0 and "what took it before" in done.out and "automation leave removed it" in done.out


def test_two_sources_are_both_told(why):
    done = why([event(2), request(3, by="boss")])
    assert done.code == 0 and "automation join" in done.out and "an assignment by hand" in done.out


@pytest.mark.parametrize("fields, evidence", [
    ({"groups": ["staff"]}, 'user.groups is ["staff"]'),
    ({"org-units": {"division": ["acme", "emea", "dach"]}}, 'user.org-units.division is ["acme","emea","dach"]'),
    ({"attributes": {"tier": "gold"}}, 'user.attributes.tier is "gold"  (now yes: found "gold")'),
])
def test_a_criterion_and_the_field_that_satisfies_it(why, fields, evidence):
    done = why([profile(1, **fields)], "staff")
    assert done.code == 0 and evidence in done.out, done.out
    assert "profile   e1 from /t, 2026-01-01 00:00:01" in done.out
    assert done.out.split("what would take")[0].count("  criterion ") == 1
    assert "a profile for which none of its criteria holds; a removal does not [STILL_DERIVED]" in done.out


def test_no_criterion_and_what_is_missing(why):
    done = why([profile(1, groups=["sales"])], "staff")
    assert done.code == 1
    for part in ('no        user.groups is ["sales"]', "no        user.org-units is absent",
                 'user.attributes.tier is "gold"  (now cannot tell: it is absent)'):
        assert part in done.out, (part, done.out)
    (answer,) = why([profile(1, groups=["sales"])], "staff", "--json").json
    assert [(row["criterion"], row["holds"], row.get("found")) for row in answer["criteria"]] == [
        ("group", False, ["sales"]), ("org-unit", False, None), ("when", False, None)]


def test_without_a_profile_nothing_is_derived(why):
    done = why([event(2)], "staff")
    assert done.code == 1 and "there is no profile: the directory has said nothing of this user" in done.out


def test_a_derived_role_waits_for_a_sign_in(why):
    done = why([profile(1)], "greeter")
    assert done.code == 1 and "yet: it begins with the next sign-in" in done.out
    assert "a sign-in: the role begins with the first one" in done.out
    done = why([profile(1), event(2, type="directory.user.signed-in", data=None)], "greeter")
    assert done.code == 0 and "sign-in   e2 from /t" in done.out


@pytest.mark.parametrize("change, fields, code, sentence", [
    (None, {"status": "suspended"}, "USER_INACTIVE", "the user is not active but suspended"),
    ("status: archived", {}, "ROLE_ARCHIVED", "the role is archived"),
    ("status: inactive", {}, "ROLE_INACTIVE", "the role is switched off for now"),
    ("type: employee", {}, "ROLE_TYPE_MISMATCH", "for users of type employee, this one is of type partner"),
    ("portals: [inside]", {"portals": ["outside"]}, "ROLE_PORTAL_MISMATCH", 'user.portals is ["outside"]'),
])
def test_gates_keep_an_assigned_role_from_being_in_force(why, change, fields, code, sentence):
    before = change and (lambda: edit(why.folder, "roles.yaml", "label: Member\n", f"label: Member\n{change}\n"))
    events = [profile(1), event(2), profile(3, **fields)]
    done = why(events, before=before)
    assert done.code == 1
    assert "no, the role is assigned but not in force: " in done.out and sentence in done.out and f"[{code}]" in done.out
    assert "what would bring it into force" in done.out


def test_a_gate_stands_before_all_that_would_give_it(why):
    done = why([profile(1, status="suspended")])
    assert done.code == 1 and "Nothing can for now: the user is not active but suspended [USER_INACTIVE]" in done.out
    (answer,) = why([profile(1, status="suspended")], "member", "--json").json
    assert answer["code"] == "USER_INACTIVE"


def test_a_holder_may_hand_it_on(why):
    edit(why.folder, "roles.yaml", "label: Member\n", "label: Member\ndelegation: holders\n")
    done = why([profile(1)])
    assert done.code == 1 and "waymark delegate GIVER member --to u1" in done.out


def test_another_holder_handed_it_on(why):
    edit(why.folder, "roles.yaml", "label: Member\n", "label: Member\ndelegation: holders\n")
    handed = event(3, type="role.delegation.requested", subject="u2", data={"role": "member", "to": "u1"})
    done = why([event(2, subject="u2"), handed])
    assert done.code == 0 and "another holder handed it on" in done.out and "giver     u2" in done.out


def test_a_criterion_that_goes_by_time_has_an_end(why):
    edit(why.folder, "roles.yaml", "user.attributes.tier: gold", "user.attributes.came: { within: 2d }")
    events = [profile(1, attributes={"came": "2026-01-01T00:00:00Z"})]
    done = why(events, "staff", "--at", "2026-01-01T12:00:00Z")
    assert done.code == 0 and ", until 2026-01-03 00:00:00" in done.out and "its end, 2026-01-03 00:00:00" in done.out
    assert why(events, "staff", "--at", "2026-01-04").code == 1
    (answer,) = why(events, "staff", "--at", "2026-01-01T12:00:00Z", "--json").json
    assert answer["until"].startswith("2026-01-03T00:00:00")


def test_every_gate_that_is_shut_is_named(why):
    edit(why.folder, "roles.yaml", "description: Sees the pages of members.", "status: inactive\ntype: guest")
    done = why([profile(3, status="suspended")])
    way = done.out.split("First it needs\n")[1].splitlines()
    assert [line.strip() for line in way[:3]] == [
        "the directory saying that the user is active", "and 'status: active' in the catalogue",
        "and another type in the user's profile"]


def test_a_role_that_is_protected_by_now_is_not_revoked(why):
    done = why([event(2)], before=lambda: edit(why.folder, "roles.yaml", "label: Member", "label: Member\nmanaged: true"))
    assert done.code == 0 and "waymark revoke" not in done.out and "[ROLE_PROTECTED]" in done.out


def test_a_request_for_who_is_not_known_where_users_are_closed(why):
    with open(why.folder / "waymark.yaml", "a") as settings:
        settings.write("users: closed\n")
    done = why([profile(1)], user="u2")
    assert "waymark grant u2 member --reason …\n    but it fails: the user has no profile" in done.out


def test_any_newer_profile_takes_what_begins_at_a_sign_in(why):
    done = why([profile(1), event(2, type="directory.user.signed-in", data=None)], "greeter")
    assert done.code == 0 and "any newer profile: then it begins again with the next sign-in" in done.out


def test_a_removal_of_a_derived_role_did_not_take_it(why):
    done = why([profile(1, groups=["staff"]), request(2, "remove", "staff")], "staff")
    assert done.code == 0 and "what took it before\n" in done.out and "removed it: no grant by an older" in done.out


def test_one_source_was_taken_back(why):
    taken = event(9, type="role.grant.withdrawn", data={"role": "member", "source": "automation/join"})
    done = why([event(2), taken])
    assert done.code == 1 and "a request by hand took back what automation/join had given" in done.out
    assert done.out.count("by an event after the withdrawal by e9 from /t, 2026-01-01 00:00:09; older") == 1
    done = why([event(2), event(9, type="role.grant.withdrawn", data={"role": "member", "source": "manual"})])
    assert done.code == 0 and "a request by hand took back what was given by hand: no older" in done.out


def test_commands_are_quoted_for_a_shell(why):
    done = why([profile(1)], user="it's {u}")
    assert "waymark grant 'it'\\''s {u}' member --reason …" in done.out


def test_a_protected_role(why):
    done = why([profile(1)], "root")
    assert done.code == 1 and "the role is protected [ROLE_PROTECTED]" in done.out and "waymark grant" not in done.out


@pytest.mark.parametrize("old, new, sentence", [
    ("trigger: journey.milestone.achieved\n", "trigger: journey.milestone.achieved\nenabled: false\n",
     "but it is switched off"),
    ("trigger: journey.milestone.achieved\n", "trigger: shop.paid\n", "[ENTITY_NOT_ALLOWED]"),
    ("trigger: journey.milestone.achieved\n", "trigger: journey.milestone.achieved\nentity: order\n",
     "[ENTITY_NOT_ALLOWED]"),
])
def test_what_keeps_an_automation_from_giving_it(why, old, new, sentence):
    done = why([profile(1)], before=lambda: edit(why.folder, "join.yaml", old, new))
    assert done.code == 1 and sentence in done.out, done.out


def test_an_automation_that_runs_once_has_run(why):
    edit(why.folder, "join.yaml", "owner: jane@acme.example\n", "owner: jane@acme.example\nrepeat: once-per-user\n")
    done = why([event(2), event(3, type="journey.abandoned")])
    assert done.code == 1 and "but it has run for this user already, and runs once per user [ALREADY_RAN]" in done.out


def test_the_baseline_gave_it(why):
    (why.folder / "waymark.yaml").write_text("baseline: staff\n")
    done = why([event(2), event(3, type="journey.abandoned")], "staff")
    assert done.code == 0 and "automation baseline" in done.out and "the settings name a baseline" in done.out


def test_a_user_of_whom_nothing_is_known(why):
    done = why([event(2)], user="nobody")
    assert done.code == 1 and "a user of whom nothing is known" in done.out and "automation join" in done.out


def test_a_role_that_is_not_there(why):
    done = why([event(2)], "membre")
    assert done.code == 2 and "did you mean 'member'?" in done.err and done.out == ""


def test_a_role_that_only_the_register_knows(why):
    done = why([event(2)], before=lambda: edit(why.folder, "roles.yaml", "role: member\n", "role: guest\n"))
    assert done.code == 1
    assert "not in the catalogue" in done.out and "[ROLE_UNKNOWN]" in done.out and "automation join" in done.out


def test_texts_of_strangers_do_not_play_with_the_terminal(why):
    done = why([request(2, by="\u001b[31mred", reason="line\nbreak \u202eegnahc \u2066", role="member")])
    assert "\u202e" not in done.out and "\u2066" not in done.out and "\\xe2\\x80\\xaeegnahc" in done.out
    assert done.code == 0 and "\x1b" not in done.out and "\\x1b[31mred" in done.out and "line\\x0abreak" in done.out


def test_a_user_with_braces_and_percent(why):
    done = why([event(2, subject="a{b}%25 é")], user="a{b}%25 é")
    assert done.code == 0 and "waymark revoke 'a{b}%25 é' member" in done.out


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"v":1}', "nonsense", '{"register":5}'])
def test_a_file_that_is_no_register(rules, text):
    done = waymark("why", "u1", "member", "-C", rules, "--register", "-", stdin=text)
    assert done.code in (1, 2) and (done.code == 1) == (text == ""), (text, done.err)


def test_a_register_alone_and_one_that_is_pretty(why, rules, tmp_path):
    played = waymark("simulate", rules, "-", "--users", "-", stdin=lines(event(2)))
    register = json.loads(played.out)["register"]
    (tmp_path / "r.json").write_text(json.dumps(register, indent=2))
    assert waymark("why", "u1", "member", "-C", rules, "--register", tmp_path / "r.json").code == 0


def test_an_invalid_workspace_is_no_answer(rules):
    (rules / "bad.yaml").write_text("role: [")
    assert waymark("why", "u1", "member", "-C", rules, "--register", "-", stdin="").code == 2


def test_wrong_usage(rules):
    assert waymark("why", "u1", "-C", rules).code == 2
    assert waymark("why", "a\x07", "member", "-C", rules, "--register", "-").code == 2


def test_redis_away(rules):
    (rules / "waymark.yaml").write_text('redis: { address: "/nowhere/redis" }\n')
    done = waymark("why", "u1", "member", "-C", rules)
    assert done.code == 3 and done.err and done.out == ""


def test_a_sign_in_that_the_profile_has_overtaken(why):
    newer = profile(3)
    done = why([profile(1), event(2, type="directory.user.signed-in", data=None), newer], "greeter")
    assert done.code == 1
    assert "it begins with the next sign-in, because the profile is newer than the last one" in done.out
