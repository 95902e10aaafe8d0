"""The documents against the programs: their examples are linted, their commands and tables compared."""
import ast
import json
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml
from conftest import COMMAND, ROOT, SAMPLE, waymark

GUIDE = ROOT / "deploy" / "guide"
SETTINGS = ROOT / "deploy" / "settings" / "waymark.yaml"
README = ROOT / "README.md"
LANGUAGE = GUIDE / "language.md"
OPERATIONS = GUIDE / "operations.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", SAMPLE / "README.md", *sorted(GUIDE.glob("*.md"))]
MANUALS = sorted((ROOT / "deploy" / "man").iterdir())
WORKER = pathlib.Path(COMMAND).with_name("waymarkd")


def blocks(page, kind):
    """The fenced blocks of one kind, as they stand there."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def table(page, heading):
    """The rows below the table whose first line begins with 'heading', each a list of cells."""
    lines = page.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(heading))
    rows = []
    for line in lines[start + 2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    assert rows
    return rows


def names(cell):
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


# --- examples ---

def documents(page):
    """Its YAML examples as files: conditions alone become an automation."""
    for number, block in enumerate(blocks(page, "yaml")):
        if block.startswith("when:"):
            block = (f"automation: example-{number}\ntrigger: journey.started\n{block}tasks:\n"
                     "  - { name: n, sequence: 1, type: notify, channel: partner-mail, title: t, message: m }\n")
        yield f"example-{number}.yaml", block


ROLES_OF_OTHERS = "role: new-partner\nlabel: New partner\n"  # named in a condition only


def test_examples_of_the_language_lint_clean(tmp_path):
    found = dict(documents(LANGUAGE))
    assert len(found) == 4  # automation, conditions, role, channel
    for name, text in found.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "others.yaml").write_text(ROLES_OF_OTHERS)
    done = waymark("lint", tmp_path, "--strict")
    assert (done.code, done.err) == (0, "")


def test_the_example_of_the_readme_lints_clean(tmp_path):
    ((name, text),) = documents(README)
    (tmp_path / name).write_text(text)
    (tmp_path / "others.yaml").write_text("role: certified-partner\nlabel: L\n---\nchannel: partner-mail\n")
    done = waymark("lint", tmp_path, "--strict")
    assert (done.code, done.err) == (0, "")


def test_the_automation_of_the_readme_takes_its_event(tmp_path):
    ((name, text),) = documents(README)
    (event,) = blocks(README, "json")
    (tmp_path / name).write_text(text)
    (tmp_path / "others.yaml").write_text("role: certified-partner\nlabel: L\n---\nchannel: partner-mail\n")
    done = waymark("simulate", tmp_path, "-", "--json", stdin=json.dumps(json.loads(event)) + "\n")
    assert [task["result"] for task in done.json[0]["data"]["tasks"]] == ["changed", "requested"]


def test_the_example_of_the_manual_lints_clean(tmp_path):
    manual = (ROOT / "deploy" / "man" / "waymark-workspace.5").read_text()
    example = re.search(r"^\.Sh EXAMPLES\n\.Bd -literal\n(.*?)^\.Ed$", manual, re.M | re.S).group(1)
    (tmp_path / "example.yaml").write_text(example)
    done = waymark("lint", tmp_path, "--strict")
    assert (done.code, done.err) == (0, "")


def test_the_finding_that_is_shown_is_what_lint_says(tmp_path):
    shown = re.search(r"^automations/welcome.yaml:7:19: .*$", LANGUAGE.read_text(), re.M).group()
    (tmp_path / "automations").mkdir()
    (tmp_path / "automations" / "welcome.yaml").write_text(
        "automation: welcome\n# 2\n# 3\n# 4\ntrigger: journey.started\nwhen:\n  data.milestone: [a, b]\ntasks:\n"
        "  - { name: n, sequence: 1, type: notify, channel: c, title: t, message: m }\n---\nchannel: c\n")
    done = waymark("lint", ".", cwd=tmp_path)
    assert done.code == 1
    assert done.err.replace("./", "") == shown + "\n"


# --- commands ---

def listed():
    """name -> sentence, from the help."""
    rows = re.findall(r"^  (\S+) +(\S.*)$", waymark("--help").out, re.M)
    assert len(rows) > 5
    return dict(rows)


def test_the_table_of_commands_is_the_help():
    rows = table(README, "| command | does |")
    assert [names(usage)[0].split()[1] for usage, _ in rows] == list(listed())
    for usage, sentence in rows:
        words = names(usage)[0].split()
        assert sentence.split(";")[0].split(",")[0].split(" (")[0] in listed()[words[1]], sentence
        shown = re.search(r"^Usage: (.*) \[OPTIONS\]$", waymark(words[1], "--help").out, re.M).group(1)
        assert shown.replace("automation|role|channel|test", "KIND") == names(usage)[0]


def calls():
    """(page, words) of each call of the command that stands in backquotes or in a block."""
    for page in PAGES:
        for line in [*"".join(blocks(page, "(?:sh)?")).splitlines(), *names(page.read_text())]:
            for call in re.split(r"[|;]|&&", line.split("  #")[0]):
                words = call.split()
                if words[:1] == ["waymark"] and len(words) > 1 and not line.startswith("20"):
                    yield page, words


def test_commands_and_options_that_are_named_exist():
    known, seen = listed(), 0
    for page, words in calls():
        if words[1].startswith("-"):
            assert words[1] in ("--help", "--version", "-C"), (page, words)
            continue
        assert words[1] in known, (page, words)
        text = waymark(words[1], "--help").out
        for word in words[2:]:
            if word.startswith("-") and word != "-":
                assert re.search(rf"(^|[ ,]){word}\b", text), (page, words)
        seen += 1
    assert seen > 15


def test_the_commands_of_the_readme_do_what_it_says(tmp_path):
    sh = next(block for block in blocks(README, "sh") if "waymark new" in block)
    for line in sh.splitlines():
        if not re.match(r"(waymark|sed) ", line):
            continue
        command = line.split("  #")[0].replace("-C my-workspace", f"-C {tmp_path}/my-workspace")
        done = subprocess.run(["sh", "-c", f'waymark() {{ "{COMMAND}" "$@"; }}; {command}'], cwd=ROOT, text=True,
                              capture_output=True, timeout=60)
        assert done.returncode == 0 and done.stdout, (line, done.stderr)


def test_scripts_and_presets_that_are_named_exist():
    presets = {row["name"] for row in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
    for page in PAGES:
        text = page.read_text()
        for script in re.findall(r"(?<![\w/.])tools/[a-z]+(?![\w/.])", text):
            assert (ROOT / script).exists(), (page, script)
        for preset in re.findall(r"--preset (\w+)", text):
            assert preset in presets, (page, preset)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_every_page_of_the_guide_is_linked_from_the_readme():
    for page in GUIDE.glob("*.md"):
        assert f"]({page.relative_to(ROOT)})" in README.read_text(), page


# --- tables ---

def test_exit_codes_of_the_command_are_those_of_the_help():
    sentence = re.search(r"^Exit codes: (.*)$", waymark("--help").out, re.M).group(1)
    assert sentence in re.sub(r"\s+", " ", README.read_text())


def test_exit_codes_of_the_worker_are_those_of_its_help():
    said = subprocess.run([WORKER, "--help"], capture_output=True, text=True, timeout=20).stdout
    codes = re.findall(r"\b(\d+) [a-z]", re.search(r"Exit codes: (.*)", said).group(1))
    assert [row[0] for row in table(OPERATIONS, "| exit |")] == codes
    manual = (ROOT / "deploy" / "man" / "waymarkd.8").read_text()
    assert re.findall(r"^\.It (\d+)$", manual, re.M) == codes


def test_operators_are_those_of_the_schema():
    schema = json.loads((ROOT / "schemas" / "automation.schema.json").read_text())
    known = list(schema["definitions"]["test"]["anyOf"][1]["properties"])
    told = [name for row in table(LANGUAGE, "| operator |") for name in names(row[0])]
    assert sorted(told) == sorted(known)
    manual = (ROOT / "deploy" / "man" / "waymark-workspace.5").read_text()
    section = re.search(r"^\.Sh CONDITIONS$(.*?)^\.Sh", manual, re.M | re.S).group(1)
    told = [name for line in re.findall(r"^\.It Ic (.*)$", section, re.M) for name in line.split(" , ")]
    assert sorted(told) == sorted(known)


def test_results_are_those_of_the_schema():
    schema = json.loads((ROOT / "schemas" / "outcome.schema.json").read_text())
    known = schema["definitions"]["task"]["properties"]["result"]["enum"]
    assert sorted(names(row[0])[0] for row in table(LANGUAGE, "| result |")) == sorted(known)


def test_codes_that_are_named_exist():
    known = set(re.findall(r"^WM_CODE\((\w+),", (ROOT / "core" / "codes.def").read_text(), re.M))
    for page in PAGES:
        for code in re.findall(r"[`\[]([A-Z]+(?:_[A-Z]+)+)[`\]]", page.read_text()):
            assert code in known | {"WAYMARK_WORKSPACE"}, (page, code)


def test_lines_of_the_log_are_those_of_the_worker():
    sources = "".join(path.read_text() for path in (ROOT / "worker").glob("*.c"))
    for row in table(OPERATIONS, "| line |"):
        for line in names(row[0]):
            assert f'"{line}"' in sources, line


# --- settings ---

def settings():
    """name -> default, from the table of the worker."""
    text = (ROOT / "worker" / "settings.def").read_text()
    rows = re.findall(r'^SETTING\(("[^"]+"), "[^"]+",\s+("(?:[^"\\]|\\.)*"),', text, re.M)
    assert len(rows) == text.count("SETTING(\"")
    return {ast.literal_eval(name): yaml.safe_load(ast.literal_eval(fallback)) for name, fallback in rows}


def flat(mapping, known, prefix=""):
    for key, value in mapping.items():
        if prefix + key in known:
            yield prefix + key, value
        else:
            yield from flat(value, known, f"{prefix}{key}.")


def test_the_settings_file_names_every_setting_with_its_default():
    known = settings()
    assert list(flat(yaml.safe_load(SETTINGS.read_text()), known)) == list(known.items())


def test_the_settings_file_is_valid():
    done = waymark("lint", SETTINGS.parent)
    assert done.code == 0
    assert re.findall(r"\[([A-Z_]+)\]$", done.err, re.M) == ["NOTHING_TO_DO"]  # there is nothing else in its folder
    schema = json.loads((ROOT / "schemas" / "settings.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(SETTINGS.read_text()), schema)


def test_what_the_settings_file_offers_in_comments_is_valid(tmp_path):
    text = re.sub(r"^  properties: \{\}.*$", "  properties:", SETTINGS.read_text(), flags=re.M)
    text = re.sub(r"^  #   ([a-z.]+: )", r"    \1", text, flags=re.M)
    text = text.replace('instance: ""', 'instance: "${INSTANCE}"')
    (tmp_path / "waymark.yaml").write_text(text)
    done = waymark("lint", tmp_path, env={"KAFKA_PASSWORD": "x", "INSTANCE": "one"})
    assert len(yaml.safe_load(text)["kafka"]["properties"]) == 4
    assert re.findall(r"\[([A-Z_]+)\]$", done.err, re.M) == ["NOTHING_TO_DO"]


@pytest.mark.parametrize("source", ["kafka_consumer.c", "kafka_producer.c"])
def test_no_property_that_a_user_may_set_is_overruled(source, tmp_path):
    text = (ROOT / "worker" / source).read_text()
    own = [name for part in re.findall(r"setting_pair own\[\] = \{(.*?)\};", text, re.S)
           for name in re.findall(r'"([a-z]+(?:\.[a-z]+)+)", ', part)]
    assert len(own) >= 5
    (tmp_path / "waymark.yaml").write_text(yaml.safe_dump({"kafka": {"properties": {name: "1" for name in own}}}))
    done = waymark("lint", tmp_path)
    assert set(re.findall(r"'([^']+)' can't be set as a property", done.err)) == set(own)


def test_the_guide_names_what_properties_overrule():
    text = (ROOT / "worker" / "kafka_handle.c").read_text()
    defaults = re.search(r"setting_pair defaults\[\] = \{(.*?)\};", text, re.S).group(1)
    told = re.search(r"overrules what Waymark would choose:(.*?)\n\n", OPERATIONS.read_text(), re.S).group(1)
    assert set(re.findall(r'\{"([a-z.]+)", ', defaults)) == set(names(told))


def test_the_manual_names_every_setting_with_its_default():
    manual = (ROOT / "deploy" / "man" / "waymark-workspace.5").read_text()
    section = re.search(r"^\.Sh SETTINGS$(.*?)^\.Sh", manual, re.M | re.S).group(1)
    told = re.findall(r"^\.It Ic (\S+)(?: : Li (.*))?$", section, re.M)
    assert {name: yaml.safe_load(value.replace("\\(dq", '"') or '""') for name, value in told} == settings()


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_manuals_are_clean(page):
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], capture_output=True, text=True)
    assert done.stdout == "" and done.returncode == 0


# --- sources ---

def test_tests_that_hold_a_sentence_of_the_sources_exist():
    held = 0
    for line in (GUIDE / "sources.md").read_text().splitlines():
        if not line.startswith("|") or line.startswith("| ---") or line.startswith("| the source"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 3 and all(cells), line
        for name in names(cells[2]):
            path = name if name.startswith("deploy/") else f"tests/{name}"
            assert (ROOT / path).exists(), (line, path)
            held += 1
        assert names(cells[2]) or cells[2] in ("not ours", "not yet"), line
    assert held > 50
