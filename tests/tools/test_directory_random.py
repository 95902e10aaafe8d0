"""waymark directory import against tables that Python writes, damaged ones, and a terminal."""
import csv
import io
import json
import os
import pty
import random
import select

import pytest
from conftest import COMMAND, waymark

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
    while select.select([terminal], [], [], 30)[0]:
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
