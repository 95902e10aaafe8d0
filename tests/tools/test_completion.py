"""Completion as the shells do it: each script is given lines, and offers what may stand there."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import COMMAND, SAMPLE, waymark

SHELLS = ("bash", "zsh", "fish")
BASH = """\
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
compopt() { :; }
_waymark waymark
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = "source $argv[1]; complete -C $argv[2]"
# A zsh on a terminal of its own; what it would list, it writes instead.
ZSH = """\
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; stty -echo; autoload -U compinit; compinit -u -d $2/dump"
zpty -w z 'compadd() { [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]] && { builtin compadd "$@"; return }
  local -a got; builtin compadd -A got "$@"; (( $#got )) && print -rl -- OFFER:$^got; builtin compadd "$@" }'
zpty -w z 'finish() { zle complete-word; print -r -- THE-END; exit }; zle -N finish; bindkey "^T" finish'
zpty -w z ". $1; print READY"
while zpty -r z line; do [[ $line == *READY* && $line != *print* ]] && break; done
zpty -w -n z "$3"$'\\024'
while zpty -r z line; do print -r -- $line; [[ $line == *THE-END* ]] && break; done
zpty -d z
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        done = waymark("help", "--completion", shell)
        assert (done.code, done.err) == (0, "")
        (folder / shell).write_text(done.out)
    return folder


def call(words, cwd=None):
    environment = {key: value for key, value in os.environ.items() if key != "WAYMARK_WORKSPACE"}
    environment["PATH"] = f"{pathlib.Path(COMMAND).parent}:{environment['PATH']}"
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, cwd=cwd, env=environment)
    assert done.stderr == "", done.stderr
    return done.stdout


def offered(shell, scripts, line, cwd=None):
    """What the shell offers for the last word of 'line'."""
    script = str(scripts / shell)
    if shell == "bash":
        words = re.sub("=", " = ", line).split(" ") if "=" in line else line.split(" ")
        return set(call(["bash", "--norc", "-c", BASH, "bash", script, *words], cwd).split())
    if shell == "zsh":
        return set(re.findall(r"OFFER:([^\r\n]*)", call(["zsh", "-f", "-c", ZSH, "zsh", script, scripts, line], cwd)))
    words = [offer.split("\t")[0] for offer in call(["fish", "--no-config", "-c", FISH, script, line], cwd).splitlines()]
    return {word.split("=", 1)[1] if word.startswith("--") and word.count("=") and "=" in line else word
            for word in words}


def commands():
    return {line.split()[0] for line in waymark("--help").out.splitlines() if line.startswith("  ")}


@pytest.fixture(params=SHELLS)
def ask(request, scripts):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param}")
    return lambda line, cwd=SAMPLE: offered(request.param, scripts, line, cwd)


def test_the_script_is_one_that_the_shell_can_read(scripts):
    for shell in SHELLS:
        if shutil.which(shell):
            assert call([shell, "-n", str(scripts / shell)]) == ""


def test_commands_are_offered(ask):
    assert ask("waymark ") >= commands()
    assert ask("waymark li") == {"lint"}
    assert ask("waymark -C . help to") == {"topics", "top"}


def test_options_of_the_command_are_offered(ask):
    assert ask("waymark lint --st") == {"--strict"}
    assert ask("waymark lint --str") == {"--strict"}
    assert "--json" not in ask("waymark dev --")
    assert ask("waymark -C . topics create --reas") in ({"--reason"}, {"--reason="})


def test_words_of_choices_are_offered(ask):
    assert ask("waymark topics ") == {"create", "check", "rehome"}
    assert ask("waymark new ro") == {"role"}
    assert ask("waymark new role ") == set()
    assert ask("waymark automations --json o") == {"on", "off"}
    assert ask("waymark lint --format ") == {"text", "json", "sarif", "github"}
    assert ask("waymark lint --format=sa") == {"sarif"}
    assert ask("waymark help --completion z") == {"zsh"}


def test_names_of_the_workspace_are_offered(ask):
    assert "certified-partner" in ask("waymark who cert")
    assert "certified-partner" in ask("waymark why ann cert")
    assert ask("waymark why cert") == set()
    assert "certificate-expired" in ask("waymark automations off ")
    assert "certified-partner" in ask(f"waymark -C {SAMPLE} who ce", "/")
    assert "certified-partner" in ask(f"waymark who -C {SAMPLE} ce", "/")
    assert ask("waymark who ", "/") == set()


def test_files_and_folders_are_offered(ask):
    assert {name.rstrip("/") for name in ask("waymark lint cata")} == {"catalogue"}
    assert "events.jsonl" not in ask("waymark lint ")
    assert ask("waymark send events.") == {"events.jsonl"}
    assert ask("waymark simulate events.") == {"events.jsonl"}  # the folder may be left out
    assert ask("waymark simulate . --users events.") == {"events.jsonl"}


def test_every_option_is_in_every_script(scripts):
    for command in commands():
        text = waymark(command, "--help").out
        for option in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", text, re.M):
            for shell in SHELLS:
                script = (scripts / shell).read_text()
                shown = f"-l {option}" if shell == "fish" else f"--{option}"
                assert re.search(re.escape(shown) + r"(?![a-z-])", script), (command, option, shell)


def test_another_shell_is_wrong_usage():
    done = waymark("help", "--completion", "fihs")
    assert (done.code, done.out) == (2, "") and "did you mean 'fish'?" in done.err
    assert waymark("help", "--completion", "tcsh").code == 2
    assert waymark("help", "lint", "--completion", "bash").code == 2
