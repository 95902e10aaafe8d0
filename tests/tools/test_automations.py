"""`waymark automations` as far as it needs no broker; tests/integration/test_control.py has the rest."""
import json

from conftest import AUTOMATION, event, lines, waymark

OFF = AUTOMATION.replace("automation: join", "automation: later") + "enabled: false\n"


def listed(workspace, *words):
    done = waymark("automations", "-C", workspace, "--offline", "--json", *words)
    assert done.code == 0, done.err
    return {line["automation"]: line for line in done.json}


def test_states_are_those_of_the_workspace(workspace):
    (workspace / "later.yaml").write_text(OFF)
    rows = listed(workspace)
    assert {name: (row["state"], row["from"], row["enabled"]) for name, row in rows.items()} == {
        "join": ("on", "workspace", True), "later": ("off", "workspace", False)}
    assert all(len(row["version"]) == 12 for row in rows.values())
    assert "runs" not in rows["join"]
    text = waymark("automations", "list", "-C", workspace, "--offline")
    assert "2 automations, 1 off" in text.out and "SAYS WHO" in text.out


def outcomes_of(workspace, tmp_path, *events):
    path = tmp_path / "outcomes.jsonl"
    done = waymark("simulate", workspace, "-", "--outcomes", path, stdin=lines(*events))
    assert done.code == 0, done.err
    return path


def test_results_are_counted_from_outcomes(workspace, tmp_path):
    path = outcomes_of(workspace, tmp_path, event(1), event(2), event(3, subject="u2"), event(4, data={"milestone": "x"}))
    row = listed(workspace, "--outcomes", path)["join"]
    assert (row["runs"], row["last"]) == (3, "2026-01-01T00:00:03Z")
    assert {name: count for name, count in row["results"].items() if count} == {"changed": 2, "unchanged": 1}
    assert listed(workspace, "--outcomes", path, "--since", "2026-01-01T00:00:03Z")["join"]["runs"] == 1
    assert listed(workspace, "--outcomes", path, "--since", "1h")["join"]["runs"] == 0
    text = waymark("automations", "-C", workspace, "--offline", "--outcomes", path)
    assert "2 changed, 1 unchanged" in text.out and "2026-01-01 00:00:03" in text.out


def test_what_is_no_outcome_is_passed_over(workspace, tmp_path):
    path = outcomes_of(workspace, tmp_path, event(1))
    path.write_text(path.read_text() + "garbage\n" + json.dumps({"type": "other"}) + "\n[]\n")
    done = waymark("automations", "-C", workspace, "--offline", "--json", "--outcomes", path)
    assert done.code == 0 and done.json[0]["runs"] == 1
    assert done.err.count("is passed over") == 1 and f"{path}:2" in done.err


def test_a_name_that_is_not_there_is_refused_with_a_hint(workspace):
    done = waymark("automations", "off", "jion", "-C", workspace, "--reason", "why", "--yes")
    assert done.code == 1
    assert done.err == "waymark: the workspace has no automation 'jion', did you mean 'join'\n"
    assert waymark("automations", "off", "\x1b[31m", "-C", workspace, "--reason", "why").err.count("\x1b") == 0


def test_a_reason_is_needed_and_looked_at(workspace):
    for reason in ([], ["--reason", " "], ["--reason", "x" * 5000]):
        done = waymark("automations", "off", "join", "-C", workspace, "--yes", *reason)
        assert done.code == 2 and "--reason" in done.err


def test_usage(workspace):
    assert waymark("automations", "on", "--reason", "x", "-C", workspace).code == 2
    assert "one argument too many: 'join'" in waymark("automations", "list", "join", "-C", workspace).err
    assert "no option '--reason'" in waymark("automations", "-C", workspace, "--reason", "x").err
    assert "no option '--since'" in waymark("automations", "off", "join", "-C", workspace, "--since", "1h").err
    done = waymark("automations", "-C", workspace, "--offline", "--since", "soon")
    assert done.code == 2 and "--since 'soon'" in done.err


def test_kafka_away_is_an_outside_problem(workspace):
    (workspace / "waymark.yaml").write_text(
        'instance: t\nkafka: {bootstrap: "127.0.0.1:1", group: g, partitions: 1}\ntopics: {events: [e]}\n')
    done = waymark("automations", "off", "join", "-C", workspace, "--reason", "why", "--yes")
    assert done.code == 3 and done.out == ""
