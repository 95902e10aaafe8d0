"""The page of answers shows what the commands print: its examples are run on the sample workspace."""
import re

import pytest
from conftest import ROOT, SAMPLE, waymark

PAGE = ROOT / "deploy" / "guide" / "answers.md"
CHANGES = ROOT / "tests" / "fixtures" / "answers" / "changes.jsonl"  # of the sample's events, from a worker on Kafka

SHOWN = re.findall(r"^```console\n\$ (.*)\n((?:.*\n)*?)```$", PAGE.read_text(), re.M)


@pytest.fixture(scope="module")
def registers(tmp_path_factory):
    done = waymark("simulate", SAMPLE, SAMPLE / "events.jsonl", "--users", "-")
    path = tmp_path_factory.mktemp("answers") / "users.jsonl"
    path.write_text(done.out)
    return path


def sources(words, registers):
    """Files stand in for Redis and Kafka."""
    files = {"why": ["--register", registers], "who": ["--register", registers], "history": ["--changes", CHANGES],
             "roles": ["--register", registers, "--changes", CHANGES]}
    return [] if words[:2] == ["roles", "show"] else files.get(words[0], [])


def timeless(words, text):
    """What the calendar will change: a grant of the sample ends in 2027."""
    return [line for line in text.splitlines() if words != ["roles"] or not line.startswith("certified-partner")]


@pytest.mark.parametrize("command, expected", SHOWN, ids=[command for command, _ in SHOWN])
def test_the_examples_are_what_the_commands_print(command, expected, registers):
    words = command.split()[1:]
    done = waymark(*words, *sources(words, registers), cwd=SAMPLE)
    assert done.code in (0, 1), done.err
    assert timeless(words, done.out) == timeless(words, expected)


def test_every_question_has_an_example():
    assert {command.split()[1] for command, _ in SHOWN} == {"why", "who", "history", "roles", "uses"}
