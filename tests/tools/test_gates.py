"""Every gate between a user and a role, by cases as data: tests/fixtures/gates."""
import json

import pytest
import yaml
from conftest import ROOT, waymark

CASES = [json.loads(line) for line in (ROOT / "tests/fixtures/gates/cases.jsonl").read_text().splitlines()]
CLOCK = [1000000, "/t", "before", "", 0]


def write_workspace(folder, case, **criteria):
    documents = [{"automation": name, "entity": case.get("entity", "user-journey"),
                  "trigger": [case.get("type", "journey.started")], "when": {"data.do": name},
                  "tasks": [{"name": name, "sequence": 1, "type": "change-role", "role": "r", "action": name}]}
                 for name in ("add", "remove")]
    if case["role"] is not None:
        documents.append({"role": "r", **case["role"], **criteria})
    (folder / "waymark.yaml").write_text(f"users: {case.get('users', 'open')}\n")
    (folder / "rules.yaml").write_text(yaml.safe_dump_all(documents))


def register(case, granted=False, **profile):
    grants = {"manual": {"clock": CLOCK, "until": None, "by": {}}} if granted else {}
    return {"v": 1, "user": "u1", "home": 0, "cleared": None, "ran": {}, "recent": "",
            "profile": case["profile"] and {"clock": CLOCK, **case["profile"], **profile},
            "roles": {"r": {"removed": None, "grants": grants}} if granted else {}}


def ask(folder, case, action, by_request, **more):
    """The outcome of one task."""
    event = {"specversion": "1.0", "id": "now", "source": "/t", "subject": "u1", "time": "2026-01-01T00:00:00Z"}
    if by_request:
        event.update(type="role.assignment.requested", data={"role": "r", "action": action})
    else:
        event.update(type=case.get("type", "journey.started"), data={"do": action})
    (folder / "register.json").write_text(json.dumps(register(case, **more)))
    done = waymark("explain", folder, "-", "--user", folder / "register.json", "--json", stdin=json.dumps(event))
    assert done.code == 0, done.err
    (execution,) = [line["execution"] for line in done.json if "execution" in line]
    (task,) = execution["data"]["tasks"]
    return task


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_gate(case, tmp_path):
    write_workspace(tmp_path, case)
    for action in ("add", "remove"):
        for by_request in (False, True):
            wanted = case[action] if by_request else case.get("task", case[action])
            task = ask(tmp_path, case, action, by_request, granted=action == "remove")
            found = task["code"] if task["result"] == "failed" else task["result"]
            assert found == wanted, (action, by_request, task)
    assert ask(tmp_path, case, "add", True, granted=True)["effective"] == case["assigned"]
    if "derived" in case:
        write_workspace(tmp_path, case, **{"assigned-when": [{"group": "g"}]})
        task = ask(tmp_path, case, "add", True, groups=["g"])
        derived = case["derived"]
        assert task["effective"] == (derived or task["result"] == "changed")
        task = ask(tmp_path, case, "remove", True, granted=True, groups=["g"])
        assert task["effective"] == derived
        if task["result"] != "failed":
            assert task.get("code") == ("STILL_DERIVED" if derived else None)


def test_an_event_without_a_user(tmp_path):
    write_workspace(tmp_path, {"role": {}})
    for action in ("add", "remove"):
        event = {"specversion": "1.0", "id": "1", "source": "/t", "type": "journey.started", "data": {"do": action}}
        done = waymark("simulate", tmp_path, "-", "--json", stdin=json.dumps(event))
        (task,) = done.json[0]["data"]["tasks"]
        assert (task["result"], task["code"]) == ("failed", "USER_MISSING") and "effective" not in task
