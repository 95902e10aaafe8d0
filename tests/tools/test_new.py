"""waymark new: templates that work as they are."""
import pytest
from conftest import waymark

CHANNEL = "channel: partner-mail\n"


@pytest.mark.parametrize("kind", ["automation", "role", "channel", "test"])
def test_a_template_lints_clean(kind, workspace):
    (workspace / "channels.yaml").write_text(CHANNEL)
    done = waymark("new", kind, "my-thing", "-C", workspace)
    path = workspace / f"{kind}s" / "my-thing.yaml"
    assert (done.code, done.out, done.err) == (0, f"{path}\n", "")
    assert path.read_text().startswith(f"{kind}: my-thing")
    done = waymark("lint", workspace, "--strict")
    assert (done.code, done.err) == (0, "")


def test_nothing_is_written_over(workspace):
    assert waymark("new", "role", "x", "-C", workspace).code == 0
    before = (workspace / "roles" / "x.yaml").read_text()
    done = waymark("new", "role", "x", "-C", workspace)
    assert done.code == 2 and "already" in done.err and done.out == ""
    assert (workspace / "roles" / "x.yaml").read_text() == before


@pytest.mark.parametrize("kind", ["automation", "role", "channel", "test"])
def test_a_name_is_not_made_twice(kind, workspace):
    """In another file than the one that would be written: two of a name make a workspace invalid."""
    assert waymark("new", kind, "mine", "-C", workspace).code == 0
    (workspace / f"{kind}s" / "mine.yaml").rename(workspace / "all.yaml")
    done = waymark("new", kind, "mine", "-C", workspace)
    assert done.code == 2 and f"'{workspace}/all.yaml'" in done.err and done.out == ""
    assert not (workspace / f"{kind}s" / "mine.yaml").exists()


@pytest.mark.parametrize("name", ["", "Big", "-x", "a b", "../x", "x" * 64, "ü"])
def test_names_are_checked(name, workspace):
    assert waymark("new", "role", "--", name, cwd=workspace).code == 2


def test_manual_is_no_automation(workspace):
    assert waymark("new", "automation", "manual", "-C", workspace).code == 2


def test_what_is_missing_is_said(tmp_path):
    """From nothing to a workspace that lints clean, by following the hints."""
    folder = tmp_path / "fresh"
    done = waymark("new", "automation", "certified", "-C", folder)
    assert done.code == 0 and "waymark new role" in done.err and "waymark new channel" in done.err
    assert waymark("lint", folder).code == 1
    for kind, name in (("role", "certified-partner"), ("channel", "partner-mail")):
        assert waymark("new", kind, name, "-C", folder).code == 0
    done = waymark("lint", folder, "--strict")
    assert (done.code, done.err) == (0, "")


def test_without_a_workspace():
    assert waymark("new", "role", "x", cwd="/").code == 2
