"""Contract 2: help, versions, suggestions, exit codes."""
import subprocess

import pytest
from conftest import COMMAND, SAMPLE, waymark

NAMES = ["dev", "new", "lint", "simulate", "explain", "test", "diff", "check-event", "send", "topics", "user",
         "why", "who", "history", "roles", "uses", "automations", "grant", "revoke", "delegate", "directory", "verify",
         "failures", "redrive", "event", "replay", "undo", "status", "top", "rebuild", "doctor",
         "help"]


def test_help_lists_every_command():
    done = waymark("--help")
    assert done.code == 0 and done.err == ""
    listed = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(NAMES)
    assert waymark("help").out == done.out
    assert waymark("-h").out == done.out


def test_version_is_said_everywhere():
    said = waymark("--version")
    assert said.code == 0 and said.out.startswith("waymark ")
    for name in NAMES:
        assert waymark(name, "--version").out == said.out


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_has_two_ways(name):
    done = waymark(name, "--help")
    assert done.code == 0 and done.err == ""
    assert f"waymark {name}" in done.out
    assert waymark("help", name).out == done.out
    assert waymark("--help", name).out == done.out


def test_nothing_to_do_is_wrong_usage():
    done = waymark()
    assert done.code == 2 and done.out == "" and "--help" in done.err


@pytest.mark.parametrize("word, meant", [("lnit", "lint"), ("simulat", "simulate"), ("exlpain", "explain")])
def test_an_unknown_command_gets_a_suggestion(word, meant):
    for call in ([word], ["help", word]):
        done = waymark(*call)
        assert done.code == 2 and done.out == ""
        assert f"unknown command '{word}'" in done.err and f"did you mean '{meant}'?" in done.err


def test_a_far_word_gets_no_suggestion():
    done = waymark("xylophone")
    assert done.code == 2 and "did you mean" not in done.err


def test_an_unknown_option_gets_a_suggestion():
    done = waymark("lint", "--strcit")
    assert done.code == 2 and "'--strcit'" in done.err and "did you mean '--strict'?" in done.err
    done = waymark("lint", "-x")
    assert done.code == 2 and "'-x'" in done.err


def test_a_word_of_a_choice_gets_a_suggestion():
    done = waymark("new", "automaton", "x", "-C", "/nowhere")
    assert done.code == 2 and "did you mean 'automation'?" in done.err


@pytest.mark.parametrize("call", [
    ["simulate"], ["simulate", "a", "b", "c"], ["explain"], ["check-event"], ["lint", "a", "b"], ["new", "role"],
    ["simulate", "dir", "file", "--outcomes"], ["lint", "--strict=yes"], ["topics", "burn"], ["user"],
])
def test_wrong_usage_is_exit_two_and_silent_on_stdout(call):
    done = waymark(*call)
    assert done.code == 2 and done.out == "" and "Try 'waymark" in done.err


def test_options_may_stand_anywhere(workspace):
    for call in (["lint", workspace, "--json"], ["lint", "--json", workspace], ["lint", "--json", "--", workspace],
                 ["-C", workspace, "lint", "--json"], ["lint", "-C", workspace, "--json"],
                 ["lint", f"-C{workspace}", "--json"], ["lint", f"--workspace={workspace}", "--json"]):
        done = waymark(*call)
        assert (done.code, done.out, done.err) == (0, "", ""), call


def test_the_workspace_is_found(workspace, tmp_path):
    below = workspace / "deep" / "er"
    below.mkdir(parents=True)
    assert waymark("lint", cwd=below).code == 0
    assert waymark("lint", cwd="/", env={"WAYMARK_WORKSPACE": str(workspace)}).code == 0
    assert waymark("lint", cwd="/").code == 2
    # a DIR argument wins over -C, which wins over the environment
    assert waymark("lint", workspace, "-C", "/nowhere", env={"WAYMARK_WORKSPACE": "/nowhere"}).code == 0
    assert waymark("lint", "-C", workspace, env={"WAYMARK_WORKSPACE": "/nowhere"}).code == 0


def test_a_full_disk_is_told(workspace):
    with open("/dev/full", "w") as full:
        done = subprocess.run([COMMAND, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=20)
    assert done.returncode != 0 and b"standard output" in done.stderr


def test_no_colours_outside_a_terminal():
    done = waymark("simulate", SAMPLE, SAMPLE / "events.jsonl", env={"TERM": "xterm"})
    assert "\033" not in done.out


@pytest.mark.parametrize("words, said", [
    ((), "--from is missing"),
    (("--from", "waymark.users"), "--reason is missing"),
    (("--from", "a", "--rate", "5"), "--rate"),
])
def test_rehome_says_what_it_needs(tmp_path, words, said):
    (tmp_path / "waymark.yaml").write_text("instance: t\ntopics: {users: waymark.users-16}\n")
    done = waymark("topics", "rehome", *words, "-C", tmp_path)
    assert done.code == 2 and said in done.err and done.out == ""


def test_the_registers_need_another_topic(tmp_path):
    (tmp_path / "waymark.yaml").write_text("instance: t\n")
    done = waymark("topics", "rehome", "--from", "waymark.users", "--dry-run", "-C", tmp_path)
    assert done.code == 1 and "another name" in done.err


def test_only_rehome_has_the_options_of_rehome(tmp_path):
    (tmp_path / "waymark.yaml").write_text("instance: t\n")
    done = waymark("topics", "create", "--from", "waymark.users", "-C", tmp_path)
    assert done.code == 2 and "topics create: it has no option '--from'" in done.err
