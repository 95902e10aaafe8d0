"""waymark(1) comes from the same rows as --help."""
import shutil
import subprocess

import pytest
from conftest import waymark


def test_the_page_names_every_command_and_option():
    page = waymark("help", "--man").out
    listed = [line.split()[0] for line in waymark("--help").out.splitlines() if line.startswith("  ")]
    assert listed
    for name in listed:
        assert ".SS waymark " + name.replace("-", "\\-") in page
        for line in waymark(name, "--help").out.split("Options")[-1].splitlines():
            for word in line.split():
                if word.startswith("--") and word not in ("--help", "--version"):
                    assert "\\-\\-" + word[2:].replace("-", "\\-") in page, word


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
def test_the_page_is_clean():
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=waymark("help", "--man").out, capture_output=True,
                          text=True)
    assert done.stdout == "" and done.returncode == 0
