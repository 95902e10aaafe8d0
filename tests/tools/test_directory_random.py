"""waymark directory import against tables that Python writes, damaged ones, a terminal, a model, and the schemas."""
import csv
import io
import json
import os
import pty
import random
import select

import jsonschema
import pytest
from conftest import COMMAND, ROOT, waymark

EVENT, PERSON = (json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text()) for name in ("event", "person"))
CHARACTERS = 'ab ,;\t|"\'\n\r\\/äß✓𝕏0:.'


def run(data, *more):
    done = waymark("directory", "import", "-", "--format", "csv", "--full", "--output", "-", *more, stdin=data)
    assert done.code in (0, 1), (data, done.err)
    return done


@pytest.mark.parametrize("seed", range(40))
def test_what_a_csv_writer_writes_is_read_back(seed):
    chance = random.Random(seed)
    separator = chance.choice(",;\t|")
    columns = ["id", "name", "email", """attributes."x 'y'.z\"""", "attributes.w"]
    chance.shuffle(columns)
    people = {}
    for number in range(chance.randint(1, 30)):
        texts = ["".join(chance.choice(CHARACTERS) for _ in range(chance.randint(0, 12))) for _ in range(4)]
        people[f"u{number}"] = dict(zip([column for column in columns if column != "id"], texts))
    table = io.StringIO()
    writer = csv.writer(table, delimiter=separator, quoting=csv.QUOTE_ALL,
                        lineterminator=chance.choice(["\n", "\r\n", "\r"]))
    writer.writerow(columns)
    for user, cells in people.items():
        writer.writerow([user if column == "id" else cells[column] for column in columns])
    done = run(table.getvalue().encode(), "--separator", separator)
    assert done.code == 0, done.err
    found = {}
    for line in done.out.split("\n")[:-1]:
        event = json.loads(line)
        data = event["data"]
        found[event["subject"]] = {"name": data.get("name", ""), "email": data.get("email", ""),
                                   "attributes.w": data.get("attributes", {}).get("w", ""),
                                   'attributes."x \'y\'.z"': data.get("attributes", {}).get("x 'y'.z", "")}
    assert found == people


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_an_answer_and_never_a_crash(seed):
    chance = random.Random(seed)
    data = bytearray(b'\xef\xbb\xbfid,name,manager,org-units.d,groups,attributes.n:number\r\n'
                     b'a,"A ""x""",,acme,"g;h",1\r\nb,B,a,acme/emea,g|h,2.5\r\nc,"C\r\nC",b,"acme/emea\\/x",,\r\n')
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data))
        what = chance.randrange(4)
        if what == 0:
            data[at] = chance.randrange(256)
        elif what == 1:
            del data[at:at + chance.randint(1, 9)]
        elif what == 2:
            data[at:at] = chance.choice([b'"', b",", b"\r", b"\n", b"\\", b"\0", b"\xff", b"a", b";" * 600])
        else:
            data += data[at:]
    done = run(bytes(data), *chance.choice([(), ("--skip-invalid",), ("--separator", ";")]))
    if done.code == 1:
        assert "error: " in done.err and done.out == ""
    for line in done.out.split("\n")[:-1]:
        assert json.loads(line)["data"]["status"] == "active"


def on_a_terminal(answer, *arguments):
    """Exit code and what a terminal showed; 'answer' is typed at the question."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(COMMAND, [COMMAND, *map(str, arguments)])
    shown, typed = b"", False
    while select.select([terminal], [], [], 240)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
        if b"[y/N]" in shown and not typed:
            os.write(terminal, answer)
            typed = True
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


def test_on_a_terminal_it_asks_before_it_sends(tmp_path, workspace):
    (tmp_path / "people.csv").write_text("id\nu\n")
    code, shown = on_a_terminal(b"n\n", "directory", "import", tmp_path / "people.csv", "--full", "-C", workspace)
    assert code == 1 and "Send 1 events to waymark.directory on localhost:9092?" in shown and "nothing was sent" in shown


def test_on_a_terminal_a_bar_shows_how_far_it_is(tmp_path):
    rows = [f"user-{i},{'x' * 200},{f'user-{i // 7}' if i else ''}" for i in range(150000)]
    (tmp_path / "people.csv").write_text("id,name,manager\n" + "\n".join(rows))
    code, shown = on_a_terminal(b"", "directory", "import", tmp_path / "people.csv", "--full", "--dry-run")
    assert code == 0 and "150000 events would be sent" in shown
    assert "\r\x1b[Kreading [#" in shown and shown.rindex("\r\x1b[K") < shown.rindex("PEOPLE"), "the bar is gone at the end"


# --- against a model ---

def random_people(chance, size):
    """id → row; a manager always stands before, so there is no circle."""
    people = {}
    for number in range(size):
        people[f"u{number}"] = {"manager": f"u{chance.randrange(number)}" if number and chance.random() < 0.8 else None,
                                "unit": chance.choice([None, ["acme"], ["acme", "emea"], ["acme", "emea", "dach"]]),
                                "name": chance.choice([None, "A", "B"]), "status": chance.choice(["active", "suspended"])}
    return people


def profiles_of(people):
    """What contract 8 makes of them."""
    profiles = {}
    for user, row in people.items():
        chain, at = [], row["manager"]
        while at:
            chain.insert(0, at)
            at = people[at]["manager"]
        profiles[user] = {key: value for key, value in {
            "status": row["status"], "name": row["name"], "manager": row["manager"], "managers": chain,
            "org-units": {"d": row["unit"]} if row["unit"] else None,
            "manager-of-anyone": any(other["manager"] == user for other in people.values())}.items() if value}
    return profiles


def write_people(chance, people, folder):
    """As CSV or as JSON lines, the rows in any order."""
    rows = list(people.items())
    chance.shuffle(rows)
    if chance.random() < 0.5:
        path = folder / "people.csv"
        path.write_text("id,manager,org-units.d,name,status\n" + "".join(
            f"{user},{row['manager'] or ''},{'/'.join(row['unit'] or [])},{row['name'] or ''},{row['status']}\n"
            for user, row in rows))
    else:
        path = folder / "people.jsonl"
        path.write_text("".join(json.dumps({"id": user, "manager": row["manager"], "name": row["name"],
                                            "org-units": {"d": row["unit"]}, "status": row["status"]}) + "\n"
                                for user, row in rows))
    return path


@pytest.mark.parametrize("seed", range(12))
def test_imports_one_after_the_other_send_the_differences_of_a_model(seed, tmp_path, workspace):
    chance = random.Random(seed)
    people, known, history = {}, {}, ""
    registers = tmp_path / "registers.jsonl"
    registers.write_text("")
    for step in range(4):
        people = random_people(chance, chance.randint(1, 25)) if not people or chance.random() < 0.3 else dict(people)
        for user in chance.sample(sorted(people), min(3, len(people))):
            people[user] = {**people[user], **chance.choice([{"name": "C"}, {"unit": ["globex"]}, {"manager": None}])}
        path = write_people(chance, people, tmp_path)
        options = ["--against", registers, "--time", f"2026-01-01T00:00:0{step}Z", "--delete-missing", "--max-deletions",
                   "99", "--output", tmp_path / "events.jsonl"]
        done = waymark("directory", "import", path, *options)
        assert done.code == 0, done.err
        text = (tmp_path / "events.jsonl").read_text()
        events = [json.loads(line) for line in text.splitlines()]
        for event in events:
            jsonschema.validate(event, EVENT)
        then = profiles_of(people)
        assert {e["subject"]: e.get("data") for e in events} == {
            **{user: profile for user, profile in then.items() if known.get(user) != profile},
            **{user: None for user in known if user not in then}}
        history, known = history + text, then
        assert waymark("simulate", workspace, "-", "--users", registers, "--outcomes", tmp_path / "o", stdin=history).code == 0
        assert waymark("directory", "import", path, *options).code == 0
        assert (tmp_path / "events.jsonl").read_text() == "", "import twice is nothing"


LINES = [{"id": "u"}, {"id": "u", "status": None, "type": "", "name": "", "groups": [""], "org-units": {"d": None}},
         {"id": "u", "org-units": {"d": "x", "e": ["a", "b"]}, "attributes": {"": [None]}, "accounts": [], "manager": ""},
         {}, {"id": ""}, {"id": "a\u0085"}, {"id": 5}, {"id": "u", "status": ""}, {"id": "u", "status": "deleted"},
         {"id": "u", "type": "robot"}, {"id": "u", "nmae": "x"}, {"id": "u", "groups": "g"}, {"id": "u", "groups": [5]},
         {"id": "u", "accounts": [""]}, {"id": "u", "org-units": {"": "x"}}, {"id": "u", "org-units": {"d": ""}},
         {"id": "u", "org-units": {"d": []}}, {"id": "u", "org-units": {"d": ["a", ""]}}, {"id": "u", "org-units": []},
         {"id": "u", "attributes": []}, {"id": "u", "manager": "a\nb"}, {"id": "u", "managers": []}, []]


@pytest.mark.parametrize("line", LINES, ids=json.dumps)
def test_the_schema_of_a_line_is_what_the_import_takes(line):
    done = waymark("directory", "import", "-", "--format", "jsonl", "--full", "--output", "-", stdin=json.dumps(line))
    assert (done.code == 0) == jsonschema.Draft7Validator(PERSON).is_valid(line), done.err
