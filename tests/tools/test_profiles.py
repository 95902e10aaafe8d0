"""Profiles in the register, by `waymark simulate`: contract 4, 7 and 8 sentence by sentence, and hostile profiles."""
import itertools
import json

import pytest
from conftest import event, lines, waymark

CATALOGUE = """\
role: member
label: Member
---
role: partners-only
label: Partners
type: partner
portals: [p]
assigned-when: [{all: true}]
---
role: lead
label: Lead
assigned-when: [{manager-of-anyone: true}]
---
role: near-ann
label: Near Ann
assigned-when: [{user: ann, include-subordinates: true}]
---
role: below-emea
label: Below EMEA
assigned-when: [{org-unit: emea, org-unit-type: d, include-subordinates: true}]
---
role: in-emea
label: In EMEA
assigned-when: [{org-unit: emea}]
---
role: in-group
label: In a group
assigned-when: [{group: g}]
---
role: gold
label: Gold
assigned-when: [{when: {user.attributes.tier: gold}}]
---
automation: join
trigger: journey.milestone.achieved
repeat: once-per-user
tasks: [{name: Join, sequence: 10, type: change-role, role: member, action: add}]
"""


@pytest.fixture
def play(tmp_path):
    """play(events..., settings) → outcomes and users by id."""
    folder = tmp_path / "ws"
    folder.mkdir()
    (folder / "catalogue.yaml").write_text(CATALOGUE)

    def go(*events, settings=""):
        (folder / "waymark.yaml").write_text(settings)
        done = waymark("simulate", folder, "-", "--outcomes", tmp_path / "o", "--users", tmp_path / "u",
                       stdin=lines(*events))
        assert done.code == 0, done.err
        outcomes, users = [[json.loads(line) for line in (tmp_path / name).read_text().split("\n")[:-1]] for name in "ou"]
        return outcomes, {user["user"]: user for user in users}

    return go


def updated(number=1, user="u1", **data):
    return event(number, type="directory.user.updated", subject=user, source="/hr", data={"status": "active", **data})


def deleted(number, user="u1", **more):
    return event(number, type="directory.user.deleted", subject=user, source="/hr", **{"data": None, **more})


def profile(users, user="u1"):
    found = dict(users[user]["register"]["profile"])
    found.pop("clock")
    return found


FULL = {"status": "suspended", "type": "partner", "name": "N", "email": "e@x",
        "org-units": {"d": ["acme", "emea"], "e": []}, "groups": ["b", "a", "b", ""], "portals": ["p"],
        "accounts": ["acme", "sub"], "manager": "m", "managers": ["top", "m"], "manager-of-anyone": False,
        "attributes": {"n": 1, "deep": {"list": [1, None, {"x": True}]}, "": "empty name", "ünï": "✓"}}


def test_the_whole_profile_is_kept_as_it_came(play):
    _, users = play(updated(**FULL))
    assert profile(users) == FULL


def test_a_new_profile_takes_the_place_of_the_whole_old_one(play):
    _, users = play(updated(1, **FULL), updated(2, name="M"))
    assert profile(users) == {"status": "active", "name": "M"}


def test_null_is_absent_and_unknown_fields_do_no_harm(play):
    outcomes, users = play(updated(name=None, groups=None, unknown={"a": 1}, **{"org-units": {"d": None, "e": ["x"]}}))
    assert outcomes == []
    found = profile(users)
    found.pop("unknown", None)  # kept or ignored
    assert found == {"status": "active", "org-units": {"e": ["x"]}}


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1), (2, 1, 2)])
def test_the_profile_with_the_larger_time_stands(play, numbers):
    _, users = play(*(updated(number, name=f"of {number}") for number in numbers))
    assert profile(users)["name"] == "of 2"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 1, 0)])
def test_of_one_time_source_and_id_decide_by_bytes(play, order):
    time = "2026-01-01T00:00:00Z"
    events = [{**updated(name="x"), "time": time, "source": source, "id": id} for source, id in
              (("/a", "z"), ("/b", "1"), ("/b", "\u00e9"))]
    for number, each in enumerate(events):
        each["data"] = {"status": "active", "name": str(number)}
    _, users = play(*(events[i] for i in order))
    assert profile(users)["name"] == str(max(order))


WRONG = [
    ({"status": None}, "/data/status"), ({"status": "deleted"}, "/data/status"), ({"status": "Active"}, "/data/status"),
    ({"status": 1}, "/data/status"), ({"type": "robot"}, "/data/type"), ({"name": 5}, "/data/name"),
    ({"email": ["a"]}, "/data/email"), ({"manager": {}}, "/data/manager"), ({"managers": "m"}, "/data/managers"),
    ({"managers": ["a", 1]}, "/data/managers/1"), ({"groups": {"g": 1}}, "/data/groups"),
    ({"groups": [["g"]]}, "/data/groups/0"), ({"portals": [None]}, "/data/portals/0"),
    ({"accounts": "a"}, "/data/accounts"), ({"org-units": []}, "/data/org-units"),
    ({"org-units": {"d": "emea"}}, "/data/org-units/d"), ({"org-units": {"a/b": [1]}}, "/data/org-units/a~1b/0"),
    ({"manager-of-anyone": "true"}, "/data/manager-of-anyone"), ({"attributes": []}, "/data/attributes"),
]


@pytest.mark.parametrize("data, pointer", WRONG, ids=[pointer + json.dumps(data) for data, pointer in WRONG])
def test_wrong_types_and_words_are_located(play, data, pointer):
    outcomes, users = play(updated(1, name="before"), updated(2, **{"status": "active", **data}))
    (rejection,) = outcomes
    assert rejection["data"]["code"] == "EVENT_INVALID" and rejection["data"]["pointer"] == pointer
    assert profile(users)["name"] == "before", "what is rejected changes nothing"


def test_no_data_and_no_user(play):
    outcomes, users = play({**updated(1), "data": None}, {**updated(2), "data": []}, {**updated(3), "subject": None},
                           deleted(4, user=None), {**updated(5), "subject": "a\u0085"}, {**updated(6), "subject": ""})
    assert [o["data"]["code"] for o in outcomes] == ["EVENT_INVALID"] * 6 and users == {}


def test_a_profile_may_name_its_user_in_the_data(play):
    _, users = play({**updated(1, user="u1"), "subject": None, "data": {"status": "active", "user": "u7"}})
    assert list(users) == ["u7"]


# --- deletion ---

def test_a_deletion_ends_everything_and_a_rehire_begins_anew(play):
    before = [updated(1, **{"manager-of-anyone": True}), event(2), event(3)]
    _, users = play(*before)
    assert users["u1"]["effective"] == ["lead", "member"]
    recent = users["u1"]["register"]["recent"]
    _, users = play(*before, deleted(4))
    register = users["u1"]["register"]
    assert users["u1"]["effective"] == [] and profile(users) == {"status": "deleted"} and register["ran"] == {}
    assert register["cleared"][1:3] == ["/hr", "e4"] and register["recent"] == recent and register["home"] == 0
    outcomes, users = play(*before, deleted(4), updated(5, name="Again"))
    assert users["u1"]["effective"] == [] and profile(users)["name"] == "Again"
    outcomes, users = play(*before, deleted(4), updated(5), event(6))
    assert users["u1"]["effective"] == ["member"], "'once-per-user' was forgotten"


def test_a_deletion_that_comes_late_takes_only_what_is_older(play):
    newer = [updated(5, name="New"), event(6)]
    _, users = play(*newer, deleted(4))
    assert profile(users)["name"] == "New" and users["u1"]["effective"] == ["member"]
    assert users["u1"]["register"]["cleared"][2] == "e4"
    _, users = play(event(2), *newer[:1], deleted(4))
    assert users["u1"]["effective"] == [], "the grant is older than the deletion"


def test_an_old_profile_does_not_bring_anybody_back(play):
    _, users = play(deleted(4), updated(3, name="Old"))
    assert profile(users) == {"status": "deleted"}


def test_a_deletion_needs_no_register_and_its_data_means_nothing(play):
    _, users = play(deleted(1, user="nobody", data={"status": 5}))
    assert profile(users, "nobody") == {"status": "deleted"} and users["nobody"]["effective"] == []


def test_profiles_and_deletions_in_any_order_come_to_the_same(play):
    events = [updated(1), deleted(3), updated(4, name="B"), deleted(5), updated(6, name="C")]
    for order in itertools.permutations(events):
        _, users = play(*order)
        assert profile(users) == {"status": "active", "name": "C"}
        assert users["u1"]["register"]["cleared"][2] == "e5"


# --- what status, type and portals do ---

@pytest.mark.parametrize("status", ["suspended", "inactive"])
def test_who_is_not_active_keeps_his_grants_and_gets_them_back(play, status):
    events = [updated(1), event(2), updated(3, status=status)]
    _, users = play(*events)
    assert users["u1"]["effective"] == [] and "member" in users["u1"]["register"]["roles"]
    _, users = play(*events, updated(4))
    assert users["u1"]["effective"] == ["member"]


def test_nothing_is_given_to_who_is_not_active(play):
    outcomes, _ = play(updated(1, status="suspended"), event(2), deleted(3), event(4))
    assert [o["data"]["tasks"][0]["code"] for o in outcomes] == ["USER_INACTIVE", "USER_INACTIVE"]


def test_users_closed_or_open(play):
    events = (event(1), updated(2), event(3), event(4, subject="u2"))
    outcomes, _ = play(*events, settings="users: closed\n")
    assert [o["data"]["tasks"][0].get("code") for o in outcomes] == ["USER_UNKNOWN", None, "USER_UNKNOWN"]
    outcomes, _ = play(*events, settings="users: open\n")
    assert [o["data"]["tasks"][0].get("code") for o in outcomes] == [None, "ALREADY_RAN", None]


@pytest.mark.parametrize("data, held", [
    ({}, []), ({"type": "partner"}, []), ({"portals": ["p"]}, ["partners-only"]),
    ({"type": "partner", "portals": ["q", "p"]}, ["partners-only"]), ({"type": "guest", "portals": ["p"]}, []),
    ({"manager-of-anyone": True}, ["lead"]), ({"manager-of-anyone": False}, []),
    ({"manager": "ann"}, ["near-ann"]), ({"managers": ["x", "ann"]}, ["near-ann"]), ({"managers": ["ann", "x"]}, []),
    ({"manager": "x", "managers": ["ann"]}, []), ({"manager": ""}, []), ({"managers": []}, []), ({"managers": [""]}, []),
    ({"org-units": {"d": ["acme", "emea"]}}, ["below-emea", "in-emea"]),
    ({"org-units": {"d": ["emea", "dach"]}}, ["below-emea"]), ({"org-units": {"e": ["emea"]}}, ["in-emea"]),
    ({"org-units": {"d": []}}, []), ({"org-units": {"": ["emea"]}}, ["in-emea"]), ({"org-units": {"d": ["EMEA"]}}, []),
    ({"groups": ["g"]}, ["in-group"]), ({"groups": ["g", "g"]}, ["in-group"]), ({"groups": ["g ", "G", ""]}, []),
    ({"attributes": {"tier": "gold"}}, ["gold"]), ({"attributes": {"tier": ["gold"]}}, []),
    ({"attributes": {"tier": None}}, []), ({"attributes": {"tier": {"gold": True}}}, []),
], ids=json.dumps)
def test_what_is_derived_from_a_profile(play, data, held):
    _, users = play(updated(1, **data))
    assert users["u1"]["effective"] == held


def test_a_user_himself_and_nobody_without_a_profile(play):
    _, users = play(updated(1, user="ann"), event(2, subject="u2"))
    assert users["ann"]["effective"] == ["near-ann"] and users["u2"]["effective"] == ["member"]


# --- hostile profiles ---

def test_large_profiles_within_the_limits_are_taken_and_beyond_them_rejected(play):
    fits = updated(1, groups=["g"] + [f"group-{i}" for i in range(25000)])
    long_chain = updated(2, user="u2", managers=[f"m{i}" for i in range(10000)] + ["ann"])
    beyond = updated(3, user="u3", groups=[f"group-{i}" for i in range(100000)])
    outcomes, users = play(fits, long_chain, beyond, settings="limits: { register-bytes: 900000 }\n")
    assert users["u1"]["effective"] == ["in-group"] and users["u2"]["effective"] == ["near-ann"]
    (rejection,) = outcomes
    assert rejection["data"]["code"] == "EVENT_OVERSIZE" and "u3" not in users


def test_a_user_who_has_no_room_for_roles_says_so(play):
    outcomes, users = play(updated(1, groups=[f"group-{i}" for i in range(1000)]), event(2),
                           settings="limits: { register-bytes: 4096 }\n")
    codes = [task["code"] for o in outcomes for task in o["data"].get("tasks", [o["data"]])]
    assert "USER_TOO_LARGE" in codes and users.get("u1", {}).get("effective", []) == []


def test_depth(play):
    def nested(depth):
        value = 1
        for _ in range(depth):
            value = [value]
        return value

    outcomes, users = play(updated(1, user="fits", attributes={"x": nested(29)}), updated(2, attributes={"x": nested(30)}))
    assert [o["data"]["code"] for o in outcomes] == ["EVENT_DEPTH"] and list(users) == ["fits"]


@pytest.mark.parametrize("text", [
    '{"status":"active","status":"active"}', '{"status":"active","name":"\\u0000"}', '{"status":"active","name":"\\ud800"}',
    '{"status":"active","attributes":{"a":1,"a":2}}', '{"status":"active","attributes":{"a":1e999}}', '{"status":NaN}',
])
def test_what_is_no_json(play, text):
    line = json.dumps({**updated(1), "data": "HERE"}).replace('"HERE"', text)
    outcomes, users = play(line)
    assert [o["data"]["code"] for o in outcomes] == ["EVENT_INVALID"] and users == {}


def test_odd_texts_are_texts(play):
    odd = ["\u2028", "\u202e", "'; DROP", "{{ user.name }}", "a\nb", "\x7f", "𝕏", "wm:{u1}:roles"]
    _, users = play(updated(1, name=odd[3], groups=odd, attributes={name: name for name in odd}))
    found = profile(users)
    assert found["groups"] == odd and found["attributes"] == {name: name for name in odd}
