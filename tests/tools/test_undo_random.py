"""Undo against a world in which the automation never was: the same events, simulated without it."""
import json
import random

import pytest

from conftest import event, lines, waymark

ROLES = ["red", "green", "blue", "grey"]
CATALOGUE = "".join(f"role: {role}\n---\n" for role in ROLES[:3]) + "role: grey\nstatus: archived\n---\n"


def automation(name, *tasks):
    rows = "".join(f"  - {{ name: n, sequence: {number}, type: change-role, role: {role}, action: {action} }}\n"
                   for number, (role, action) in enumerate(tasks, 1))
    return f"automation: {name}\ntrigger: journey.{name}\ntasks:\n{rows}---\n"


OTHERS = automation("other", ("red", "add"), ("green", "add")) + automation("swap", ("blue", "add"), ("red", "remove"))
GIVES = automation("wrong", ("red", "add"), ("blue", "add"))
TAKES = automation("wrong", ("red", "remove"), ("green", "remove"))


def world(dice, count=150, users=10, late=False):
    """Events, a request now and then; by their times, or as they come when many are late."""
    seconds = list(range(count))
    if late:
        dice.shuffle(seconds)
    for number, second in enumerate(seconds):
        user, at = f"u{dice.randrange(users)}", f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z"
        if dice.random() < 0.2:
            data = {"role": dice.choice(ROLES[:3]), "action": dice.choice(["add", "add", "remove"])}
            yield event(number, type="role.assignment.requested", subject=user, time=at, data=data)
        else:
            yield event(number, type=f"journey.{dice.choice(['other', 'swap', 'wrong', 'wrong'])}", subject=user, time=at,
                        data={})


def roles_of(place, name, documents, events):
    folder = place / name
    folder.mkdir()
    (folder / "waymark.yaml").write_text("")
    (folder / "rules.yaml").write_text(documents)
    done = waymark("simulate", folder, "-", "--users", place / f"{name}.users", "--outcomes", place / f"{name}.outcomes",
                   stdin=lines(*events))
    assert done.code == 0, done.err
    rows = map(json.loads, (place / f"{name}.users").read_text().splitlines())
    return {row["user"]: set(row["effective"]) for row in rows}


SECOND = "2" * 12


def of_second(row):
    """Every third event is of a second version of the automation: its outcomes and grants are made to say so."""
    return row["type"] == "journey.wrong" and int(row["id"][1:]) % 3 == 0


def tell_versions(place, events):
    second = {row["id"] for row in events if of_second(row)}
    for name in ("with.users", "with.outcomes"):
        rows = [json.loads(line) for line in (place / name).read_text().splitlines()]
        for row in rows:
            if row.get("data", {}).get("automation") == "wrong" and row["data"]["event"]["id"] in second:
                row["data"]["version"] = SECOND
            for role in row.get("register", {"roles": {}})["roles"].values():
                grant = role["grants"].get("automation/wrong")
                if grant and grant["clock"] and grant["clock"][2] in second:
                    grant["by"]["version"] = SECOND
        (place / name).write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))


def plan(place, *more):
    done = waymark("undo", "plan", "-C", place / "with", "--automation", "wrong", "--users", place / "with.users",
                   "--outcomes", place / "with.outcomes", "--json", *more)
    assert done.code == 0, done.err
    return done.json


@pytest.mark.parametrize("seed", range(8))
def test_who_keeps_what_is_who_would_have_it_without_the_automation(tmp_path, seed):
    events = list(world(random.Random(seed), late=seed % 2 == 1))
    now = roles_of(tmp_path, "with", CATALOGUE + OTHERS + GIVES, events)
    never = roles_of(tmp_path, "without", CATALOGUE + OTHERS, events)
    rows = plan(tmp_path, "--output", tmp_path / "plan")
    after = dict(now)
    for row in rows:
        if row["kind"] == "user":
            assert set(row["before"]) == now[row["user"]]
            after[row["user"]] = set(row["after"])
    assert after == {user: never.get(user, set()) for user in now}

    # and so it comes out when the withdrawals are sent, also twice
    taken = [json.loads(line) for line in (tmp_path / "plan").read_text().splitlines()[1:-1]]
    for number, row in enumerate(taken * 2):
        moment = row["clock"][0] + 1
        events.append(event(1, id=f"undo-{number}", source="/waymark/requests", type="role.grant.withdrawn",
                            subject=row["user"], data={"role": row["role"], "source": "automation/wrong"},
                            time=f"2026-01-01T00:{moment // 60000000 % 60:02}:{moment // 1000000 % 60:02}.000001Z"))
    assert roles_of(tmp_path, "undone", CATALOGUE + OTHERS + GIVES, events) == after


@pytest.mark.parametrize("seed", range(8))
def test_what_is_given_back_is_what_it_took(tmp_path, seed):
    events = list(world(random.Random(100 + seed), late=seed % 2 == 1))
    now = roles_of(tmp_path, "with", CATALOGUE + OTHERS + TAKES, events)
    never = roles_of(tmp_path, "without", CATALOGUE + OTHERS, events)
    plan(tmp_path, "--give-back", tmp_path / "back")
    back = [json.loads(line) for line in (tmp_path / "back").read_text().splitlines()]
    for row in back:
        assert row["role"] not in now[row["user"]]
        now[row["user"]].add(row["role"])
    assert back and now == {user: never.get(user, set()) for user in now}


@pytest.mark.parametrize("seed", range(8))
def test_one_version_is_undone_as_if_it_had_never_been(tmp_path, seed):
    events = list(world(random.Random(200 + seed), late=seed % 2 == 1))
    now = roles_of(tmp_path, "with", CATALOGUE + OTHERS + GIVES, events)
    never = roles_of(tmp_path, "without", CATALOGUE + OTHERS + GIVES, [row for row in events if not of_second(row)])
    tell_versions(tmp_path, events)
    rows = plan(tmp_path, "--version", SECOND)
    after = {**now, **{row["user"]: set(row["after"]) for row in rows if row["kind"] == "user"}}
    assert after == {user: never.get(user, set()) for user in now}
    assert any(row["kind"] == "left" for row in rows)


@pytest.mark.parametrize("seed", range(8))
def test_what_one_version_took_is_given_back(tmp_path, seed):
    events = list(world(random.Random(300 + seed), late=seed % 2 == 1))
    now = roles_of(tmp_path, "with", CATALOGUE + OTHERS + TAKES, events)
    never = roles_of(tmp_path, "without", CATALOGUE + OTHERS + TAKES, [row for row in events if not of_second(row)])
    tell_versions(tmp_path, events)
    plan(tmp_path, "--version", SECOND, "--give-back", tmp_path / "back")
    for row in map(json.loads, (tmp_path / "back").read_text().splitlines()):
        assert row["role"] not in now[row["user"]]
        now[row["user"]].add(row["role"])
    assert now == {user: never.get(user, set()) for user in now}
