"""The commands of the guide, for tests that do what it says: taken from its pages, so that both can't drift apart."""
import pathlib
import re
import shlex

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "guide"


def chapter(page, heading):
    """The text below a heading '## ...', up to the next one of its kind."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", (GUIDE / page).read_text(), re.M | re.S)
    assert found, f"{page} has no chapter '{heading}'"
    return found.group(1)


def commands(page, heading):
    """The lines of the sh blocks there, without comments."""
    blocks = re.findall(r"^( *)```sh\n(.*?)^\1```$", chapter(page, heading), re.M | re.S)
    lines = [re.sub(r"\s+#.*$", "", line.strip()) for _, block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


class Operator:
    """Does what a chapter says, line by line. 'places' are words of the guide and what stands for them here; 'command'
    runs the words of a line and returns its exit code and what it said."""

    def __init__(self, page, heading, places, command):
        self.lines, self.places, self.command = commands(page, heading), places, command

    def does(self, beginning, code=0):
        """The next line, which has to begin like this."""
        line = self.lines.pop(0) if self.lines else ""
        assert line.startswith(beginning) and line, f"the guide goes on with '{line}', not with '{beginning}'"
        words = [self.place(word) for word in shlex.split(line)]
        got, said = self.command(words)
        assert got == code, f"{' '.join(words)}: exit {got}, not {code}\n{said}"
        return said

    def place(self, word):
        """A place that is a folder stands for what is below it too."""
        for shown, here in self.places.items():
            if word == shown or word.startswith(f"{shown}/"):
                return str(here) + word[len(shown):]
        return word
