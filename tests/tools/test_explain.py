"""waymark explain: who takes an event, and why the others do not."""
import json

import pytest
from conftest import AUTOMATION, event, lines, waymark

MORE = """\
automation: sleepy
enabled: false
trigger: journey.*
tasks:
  - { name: Never, sequence: 1, type: change-role, role: member, action: remove }
---
automation: other-trigger
trigger: [journey.started, shop.*]
tasks:
  - { name: Never, sequence: 1, type: change-role, role: member, action: remove }
---
automation: picky
trigger: journey.milestone.achieved
when:
  data.milestone: { in: [joined, left] }
  data.score: { at-least: 80 }
  any:
    - data.tier: gold
    - not: { user.roles: { has: member } }
tasks:
  - { name: Take it, sequence: 1, type: change-role, role: member, action: remove }
---
automation: strict
trigger: journey.milestone.achieved
when:
  data.milestone: left
tasks:
  - { name: Never, sequence: 1, type: change-role, role: member, action: remove }
"""


@pytest.fixture
def full(workspace):
    (workspace / "more.yaml").write_text(MORE)
    return workspace


def explain(folder, one, *more):
    return waymark("explain", folder, "-", *more, stdin=one if isinstance(one, str) else json.dumps(one))


def test_verdicts(full):
    done = explain(full, event(1), "--json")
    assert done.code == 0
    verdicts = {line["automation"]: line["verdict"] for line in done.json}
    assert verdicts == {"join": "takes", "sleepy": "off", "other-trigger": "trigger", "picky": "cannot-tell",
                        "strict": "condition"}
    assert [line["automation"] for line in done.json] == sorted(verdicts)


def test_conditions_are_answered_one_by_one(full):
    done = explain(full, event(1), "--json")
    when = next(line for line in done.json if line["automation"] == "picky")["when"]
    milestone, score, either = when["all"]
    assert when["answer"] == "cannot tell"
    assert milestone == {"answer": "yes", "path": "data.milestone", "found": "joined",
                         "tests": [{"operator": "in", "operand": ["joined", "left"], "answer": "yes"}]}
    assert score["answer"] == "cannot tell" and "found" not in score
    assert either["answer"] == "yes"
    assert [child["answer"] for child in either["any"]] == ["cannot tell", "yes"]


def test_people_read_a_tree(full):
    done = explain(full, event(1, data={"milestone": "joined", "score": "85"}))
    assert done.code == 0
    assert "join takes it" in done.out and "Make a member" in done.out and "changed" in done.out
    assert "sleepy does not take it: it is switched off" in done.out
    assert "AUTOMATION     WAITS FOR\nother-trigger  journey.started, shop.*\n" in done.out
    assert 'cannot tell  data.score at-least 80  (found "85", which can\'t be compared)' in done.out
    assert '    no           data.milestone is "left"  (found "joined")' in done.out
    assert "+ member" in done.out


def test_a_register_is_the_state_before(full, tmp_path):
    played = waymark("simulate", full, "-", "--users", "-", stdin=lines(event(1)))
    (tmp_path / "line.json").write_text(played.out)
    (tmp_path / "register.json").write_text(json.dumps(played.json[0]["register"]))
    for name in ("line.json", "register.json"):
        done = explain(full, event(2), "--json", "--user", tmp_path / name)
        assert done.code == 0
        join = next(line for line in done.json if line["automation"] == "join")
        assert join["execution"]["data"]["tasks"][0]["result"] == "unchanged"
        done = explain(full, event(1), "--json", "--user", tmp_path / name)
        assert {line["automation"]: line["verdict"] for line in done.json}["join"] == "duplicate"
    assert explain(full, event(2, subject="u2"), "--user", tmp_path / "line.json").code == 2


def test_an_automation_that_ran(workspace, tmp_path):
    (workspace / "join.yaml").write_text(AUTOMATION + "repeat: once-per-user\n")
    played = waymark("simulate", workspace, "-", "--users", "-", stdin=lines(event(1)))
    (tmp_path / "u").write_text(played.out)
    done = explain(workspace, event(2), "--user", tmp_path / "u")
    assert done.code == 0 and "has run already" in done.out and "ALREADY_RAN" in done.out


def test_a_rejected_event_is_bad_news(workspace):
    done = explain(workspace, event(1, id=5))
    assert done.code == 1 and "EVENT_INVALID" in done.out and "/id" in done.out
    done = explain(workspace, event(1, id=5), "--json")
    assert done.code == 1 and done.json[0]["code"] == "EVENT_INVALID" and done.json[0]["pointer"] == "/id"
    assert explain(workspace, "nonsense").code == 1


def test_an_event_may_stand_on_many_lines(workspace):
    assert explain(workspace, json.dumps(event(1), indent=2)).code == 0
    assert explain(workspace, lines(event(1), event(2))).code == 2


def test_profiles_and_requests(workspace):
    done = explain(workspace, event(1, type="role.assignment.requested", data={"role": "member", "action": "add"}))
    assert done.code == 0 and "add member" in done.out and "changed" in done.out
    done = explain(workspace, event(1, type="directory.user.updated", data={"status": "active"}))
    assert done.code == 0 and "profile" in done.out


def test_an_event_without_a_user(workspace):
    done = explain(workspace, event(1, subject=None))
    assert done.code == 0 and "USER_MISSING" in done.out


def test_bad_files(workspace, tmp_path):
    assert waymark("explain", workspace, tmp_path).code == 2
    assert waymark("explain", workspace, tmp_path / "nothing").code == 2
    assert explain(workspace, "").code == 2
    (tmp_path / "r").write_text('{"v":1}')
    assert explain(workspace, event(1), "--user", tmp_path / "r").code == 2
    (workspace / "bad.yaml").write_text("automation: [")
    assert explain(workspace, event(1)).code == 1


def test_the_workspace_may_be_named_by_option(workspace):
    done = waymark("explain", "-", "-C", workspace, "--json", stdin=json.dumps(event(1)))
    assert done.code == 0 and done.json[0]["automation"] == "join"
