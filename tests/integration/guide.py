"""The commands of the guide, for tests that do what it says: taken from its pages, so that both can't drift apart."""
import pathlib
import re

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
