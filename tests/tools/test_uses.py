"""waymark uses: where a role, a channel or a field is named."""
import pytest
from conftest import waymark

MORE = """\
automation: tell
trigger: journey.*
when:
  data.score: { at-least: 5 }
  user.roles: { has-any: [guest, member] }
  any:
    - data.score: 3
    - not: { user.attributes.tier: gold }
tasks:
  - { name: Say it, sequence: 1, type: notify, channel: mail, title: "{{ data.score }}", message: "{{ user.attributes.tier }}" }
  - { name: Take it, sequence: 2, type: change-role, role: member, action: remove }
---
channel: mail
---
role: guest
label: Guest
assigned-when:
  - group: guests
  - when: { user.attributes.tier: silver }
---
test: telling is told
given: { roles: [guest] }
when: { type: journey.started, data: { score: 5 } }
then: { notifications: [{ channel: mail }] }
"""


@pytest.fixture
def full(workspace):
    (workspace / "more.yaml").write_text(MORE)
    (workspace / "waymark.yaml").write_text("baseline: guest\ntrust: { user-written: [data.note] }\n")
    return workspace


def found(folder, name):
    """(line of more.yaml or file, way) of each mention."""
    done = waymark("uses", name, "-C", folder, "--json")
    assert (done.code == 0) == bool(done.json), done.err
    return [(row["line"] if row["file"].endswith("more.yaml") else row["file"].split("/")[-1], row["way"])
            for row in done.json]


def test_a_role(full):
    assert sorted(found(full, "member"), key=str) == sorted(
        [("roles.yaml", "is"), ("join.yaml", "gives"), (5, "asks"), (11, "takes")], key=str)
    assert sorted(found(full, "guest"), key=str) == sorted(
        [(15, "is"), (5, "asks"), (22, "tests"), ("waymark.yaml", "sets")], key=str)


def test_a_channel(full):
    assert set(found(full, "mail")) == {(13, "is"), (10, "notifies"), (24, "tests")}


def test_a_field_and_what_is_below_it(full):
    assert found(full, "data.score") == [(4, "asks"), (7, "asks"), (10, "shows")]
    assert found(full, "user.attributes") == [(8, "asks"), (10, "shows"), (19, "derives")]
    assert found(full, "user.attributes") == found(full, "user.attributes.tier")
    assert found(full, "user.groups") == [(18, "derives")]
    assert found(full, "data.sco") == []
    assert found(full, "data.note") == [("waymark.yaml", "sets")]


def test_places_for_people(full):
    done = waymark("uses", "member", "-C", full)
    assert done.code == 0
    assert "more.yaml:5:" in done.out
    assert "automation tell, task 2 Take it" in done.out and "takes it" in done.out


def test_nothing(full):
    done = waymark("uses", "membre", "-C", full)
    assert done.code == 1 and "did you mean 'member'?" in done.err and done.out == ""
    assert "did you mean 'data.score'?" in waymark("uses", "data.scoer", "-C", full).err


def test_an_invalid_workspace_is_no_answer(full):
    (full / "bad.yaml").write_text("role: [")
    assert waymark("uses", "member", "-C", full).code == 2
