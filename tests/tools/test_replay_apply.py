"""waymark replay apply and its sisters, as far as they go without servers: what they refuse before they ask Kafka."""
import json

import pytest

from conftest import event, lines, waymark


@pytest.fixture
def plan(workspace):
    """A plan of one event out of a file, made without servers."""
    (workspace / "waymark.yaml").write_text('kafka: { bootstrap: "127.0.0.1:1" }\nredis: { address: "127.0.0.1:1" }\n')
    for name, text in (("e", lines(event(1))), ("u", "")):
        (workspace / name).write_text(text)
    path = workspace / "plan.json"
    assert waymark("replay", "plan", "--input", "e", "--users", "u", "--output", path, cwd=workspace).code == 0
    return path


def apply(plan, *more):
    return waymark("replay", "apply", plan, "--reason", "r", "--yes", *more, cwd=plan.parent)


def change(plan, **members):
    value = {**json.loads(plan.read_text()), **members}
    plan.write_text(json.dumps({name: part for name, part in value.items() if part is not None}))


@pytest.mark.parametrize("members", [{"workspace": "0" * 12}, {"counts": {}}, {"ranges": [1]}, {"filter": {"users": [1]}},
                                     {"digest": "0" * 64}, {"digest": None}, {"more": 1}])
def test_a_plan_that_was_changed_is_refused(plan, members):
    change(plan, **members)
    done = apply(plan)
    assert done.code == 1 and "was changed after it was made" in done.err


def test_a_plan_that_was_laid_out_anew_is_the_same_plan(plan):
    plan.write_text(json.dumps(json.loads(plan.read_text()), indent=2))
    done = apply(plan)
    assert done.code == 3 and "brokers can't be reached" in done.err


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"v":1}', "\x00", '{"v":1,"v":1}'])
def test_garbage_is_no_plan(plan, text):
    plan.write_text(text)
    done = apply(plan)
    assert done.code in (1, 2) and "plan" in done.err, done.err


@pytest.mark.parametrize("arguments, said", [
    (["apply"], "PLAN is missing"),
    (["apply", "plan.json"], "--reason is missing"),
    (["apply", "plan.json", "--reason", " "], "--reason is missing"),
    (["apply", "plan.json", "--reason", "r", "--run", "live"], "no name of a run"),
    (["apply", "plan.json", "--reason", "r", "--run", "Last Tuesday"], "no name of a run"),
    (["apply", "plan.json", "--reason", "r", "--rate", "fast"], "--rate needs a number"),
    (["apply", "plan.json", "--reason", "r", "--rate", "0"], "--rate needs a number"),
    (["apply", "plan.json", "--reason", "r", "--max-changes", "-1"], "--max-changes needs a number"),
    (["apply", "plan.json", "--reason", "r", "--max-changes", "1.5"], "--max-changes needs a number"),
    (["apply", "plan.json", "--reason", "r", "--max-changes", "5/s"], "--max-changes needs a number"),
    (["apply", "plan.json", "--reason", "r", "--rate", "0x10"], "--rate needs a number"),
    (["apply", "plan.json", "--reason", "\udcff"], "must be text of at most"),
    (["apply", "plan.json", "--reason", "r" * 4097], "must be text of at most"),
    (["pause", "run", "--reason", "r" * 4097], "must be text of at most"),
    (["apply", "plan.json", "--topic", "t"], "it has no option '--topic'"),
    (["apply", "missing.json", "--reason", "r"], "missing.json"),
    (["pause", "run"], "--reason is missing"),
    (["status"], "RUN is missing"),
    (["list", "more"], "one argument too many"),
    (["plan", "--rate", "5"], "it has no option '--rate'"),
])
def test_mistakes_are_told(plan, arguments, said):
    done = waymark("replay", *arguments, cwd=plan.parent)
    assert done.code == 2 and said in done.err, done.err


@pytest.mark.parametrize("arguments", [["list"], ["status", "r"], ["cancel", "r", "--reason", "r", "--yes"]])
def test_without_kafka_it_says_so(plan, arguments):
    done = waymark("replay", *arguments, cwd=plan.parent)
    assert done.code == 3 and "KAFKA_FAILED" in done.err
