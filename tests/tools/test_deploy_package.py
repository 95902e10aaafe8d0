"""The Debian package: what stands in it, what dpkg makes of it, and that what it installs runs."""
import gzip
import os
import pathlib
import re
import subprocess

import pytest
import yaml
from conftest import COMMAND, ROOT

BUILD = pathlib.Path(COMMAND).parent
pytestmark = pytest.mark.skipif(not (BUILD / "CPackConfig.cmake").exists(), reason="no build folder")


def run(*words, **more):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=100, **more)


def fine(*words, **more):
    done = run(*words, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb")
    fine("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder)
    (found,) = folder.glob("*.deb")
    return found


@pytest.fixture(scope="module")
def root(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    fine("dpkg-deb", "-x", package, folder)
    return folder


def field(package, name):
    return fine("dpkg-deb", "-f", package, name).strip()


def test_its_name_says_what_it_is(package):
    version = field(package, "Version")
    architecture = fine("dpkg", "--print-architecture").strip()
    assert package.name == f"waymark_{version}_{architecture}.deb"
    assert re.fullmatch(r"[^<]+ <[^@>]+@[^@>]+\.[a-z]+>", field(package, "Maintainer"))


def test_it_needs_the_libraries_that_the_programs_name(package, root):
    needed = set()
    for program in ("waymark", "waymarkd"):
        needed |= set(re.findall(r"NEEDED +(\S+)\.so", fine("objdump", "-p", root / "usr" / "bin" / program)))
    depends = field(package, "Depends")
    for library in needed - {"libm", "libpthread"}:
        name = {"libc": "libc6", "libyaml-0": "libyaml-0-2"}.get(library, library)
        assert re.search(rf"(^|, ){re.escape(name)}[\d.]*( \(|,|$)", depends), (library, depends)
    assert len(needed) > 5 and "redis" in field(package, "Suggests")


def test_the_worker_takes_its_memory_from_jemalloc(root):
    """Nothing calls it by name, so a linker that leaves out what seems unused would leave it out."""
    program = root / "usr" / "bin" / "waymarkd"
    libraries = re.findall(r"NEEDED +(\S+)", fine("objdump", "-p", program))
    assert libraries.index("libjemalloc.so.2") < libraries.index("libc.so.6")


def test_everything_is_where_it_belongs(root):
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    wanted = {"usr/bin/waymark", "usr/bin/waymarkd", "usr/lib/systemd/system/waymarkd.service",
              "etc/waymark/waymark.yaml", "usr/share/doc/waymark/copyright", "usr/share/doc/waymark/changelog.gz",
              "usr/share/man/man1/waymark.1.gz", "usr/share/man/man5/waymark-workspace.5.gz",
              "usr/share/man/man8/waymarkd.8.gz", "usr/share/bash-completion/completions/waymark",
              "usr/share/zsh/vendor-completions/_waymark", "usr/share/fish/vendor_completions.d/waymark.fish"}
    for source, target in (("schemas", "usr/share/waymark/schemas"), ("deploy/sample", "usr/share/waymark/sample"),
                           ("deploy/guide", "usr/share/doc/waymark/guide"), ("deploy/prometheus", "usr/share/waymark/prometheus"),
                           ("deploy/grafana", "usr/share/waymark/grafana")):
        wanted |= {f"{target}/{path.relative_to(ROOT / source)}" for path in (ROOT / source).rglob("*")
                   if path.is_file() and (source != "schemas" or path.suffix == ".json")}
    assert wanted <= there
    folders = {name.split("/")[0] for name in there}
    assert folders == {"etc", "usr"}


def test_nothing_belongs_to_anybody_else(package):
    rows = fine("dpkg-deb", "-c", package).splitlines()
    assert len(rows) > 40
    for row in rows:
        mode, owner, *_ = row.split()
        assert owner == "root/root" and mode[5] == mode[8] == "-", row  # nobody else may write
        assert mode[0] == "d" or ("x" in mode) == ("/usr/bin/" in row), row


def test_what_debian_asks_of_files(root):
    for page in (root / "usr" / "share" / "man").rglob("*.gz"):
        assert gzip.decompress(page.read_bytes()).decode().startswith("."), page
    change = gzip.decompress((root / "usr/share/doc/waymark/changelog.gz").read_bytes()).decode()
    assert re.match(r"waymark \([\d.]+\) \w+; urgency=\w+\n\n  \* .*\n\n -- .+ <.+>  \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\n$",
                    change)
    assert "/usr/share/common-licenses/Apache-2.0" in (root / "usr/share/doc/waymark/copyright").read_text()
    for program in ("waymark", "waymarkd"):
        assert ".debug_info" not in fine("objdump", "-h", root / "usr" / "bin" / program)


def test_the_programs_run_from_where_they_are_installed(root):
    version = re.search(r"project\(waymark VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    for program in ("waymark", "waymarkd"):
        assert fine(root / "usr" / "bin" / program, "--version").strip() == f"{program} {version}"
    lint = run(root / "usr/bin/waymark", "lint", root / "usr/share/waymark/sample")
    assert (lint.returncode, lint.stderr) == (0, "")
    assert run(root / "usr/bin/waymarkd", "--check", root / "etc/waymark").returncode == 0


def test_the_settings_are_the_administrators(package, root):
    assert fine("dpkg-deb", "-I", package, "conffiles").split() == ["/etc/waymark/waymark.yaml"]
    assert yaml.safe_load((root / "etc/waymark/waymark.yaml").read_text())["kafka"]["group"] == "waymark"


def test_the_scripts_are_shell(package, tmp_path):
    fine("dpkg-deb", "-e", package, tmp_path)
    for name in ("postinst", "prerm", "postrm"):
        assert os.access(tmp_path / name, os.X_OK)
        fine("sh", "-n", tmp_path / name)


def test_lintian_finds_nothing(package):
    done = run("lintian", "--no-cfg", "--allow-root", "--fail-on", "error,warning", package)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="dpkg must be root")
def test_dpkg_installs_keeps_and_purges(package, tmp_path):
    folder = tmp_path / "root"
    (folder / "var/lib/dpkg/updates").mkdir(parents=True)
    (folder / "var/lib/dpkg/info").mkdir()
    (folder / "var/lib/dpkg/status").write_text("")
    (folder / "var/log").mkdir()
    settings = folder / "etc/waymark/waymark.yaml"

    def dpkg(*words):
        fine("dpkg", f"--root={folder}", "--force-depends,script-chrootless", "--force-confold", *words,
             stdin=subprocess.DEVNULL)
        status = fine("dpkg-query", f"--admindir={folder}/var/lib/dpkg", "-W", "-f", "${db:Status-Status}\n")
        return status.strip()

    assert dpkg("-i", package) == "installed"
    assert (folder / "usr/bin/waymarkd").exists()
    settings.write_text("instance: mine\n")
    assert dpkg("-i", package) == "installed"  # an upgrade
    assert settings.read_text() == "instance: mine\n"
    assert dpkg("-r", "waymark") == "config-files"
    assert settings.exists() and not (folder / "usr/bin/waymarkd").exists()
    assert dpkg("-P", "waymark") in ("", "not-installed")
    assert not settings.exists()
