"""What an installation holds: the catalogue, the templates, and no stray top-level modules.

Four ways: a wheel used far away from the checkout, the same with the checkout
as current directory, an editable installation, and a wheel built from the
sdist.  The environments see the dependencies of the environment that runs the
tests, so that nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOOK = """
import importlib.util, json, sys
import pcproof
from pcproof import catalogue
from importlib import resources
def has(package):
    if not (resources.files(package) / "templates").is_dir():
        return []
    return sorted(p.name for p in (resources.files(package) / "templates").iterdir() if not p.name.startswith("__"))
print(json.dumps({
    "file": pcproof.__file__,
    "ids": list(catalogue.entries()),
    "derivations": list(__import__("pcproof.derivations").derivations.__path__),
    "kernel_templates": has("pcproof.kernels"),
    "report_templates": has("pcproof.report"),
    "stray": [n for n in ("derivations", "generated") if importlib.util.find_spec(n)],
}))
"""


def packages() -> list[str]:
    """Every folder of ``pcproof`` that holds Python files, as a package name, and the catalogue."""
    folders = {p.parent.relative_to(ROOT) for p in (ROOT / "pcproof").rglob("*.py")}
    return sorted([".".join(f.parts) for f in folders] + ["pcproof.derivations"])


def test_every_package_is_listed() -> None:
    with open(ROOT / "pyproject.toml", "rb") as f:
        listed = tomllib.load(f)["tool"]["setuptools"]["packages"]
    missing = [p for p in packages() if p not in listed]
    assert not missing, f"add {missing} to [tool.setuptools] packages in pyproject.toml"
    for p in packages():
        if p != "pcproof.derivations":
            assert (ROOT / Path(*p.split(".")) / "__init__.py").is_file(), f"{p} has no __init__.py"


def test_import_is_light() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import pcproof; s = time.perf_counter() - t;"
        "heavy = [m for m in ('torch', 'sympy', 'hypothesis', 'sklearn', 'jinja2') if m in sys.modules];"
        "print(s, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    seconds, heavy = done.stdout.split(maxsplit=1)
    assert heavy.strip() == "[]", f"import pcproof imports {heavy}"
    assert float(seconds) < 1.0


@dataclass
class Environment:
    """A virtual environment with one installation of pcproof."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def site(self) -> Path:
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.folder), "platbase": str(self.folder)}))

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        return subprocess.run(arguments, capture_output=True, text=True, cwd=cwd, env=env, check=False)

    def look(self, cwd: Path) -> dict[str, object]:
        """What is installed, seen from ``cwd``, with ``cwd`` on the path as ``python -m`` puts it."""
        done = self.run(str(self.bin / "python"), "-c", LOOK, cwd=cwd)
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found


def dependencies(folder: Path) -> Path:
    """What the environment of the tests has installed, as links, without pcproof itself."""
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "pcproof" not in path.name:
            (folder / path.name).symlink_to(path)
    return folder


def make_environment(folder: Path, *install: str) -> Environment:
    """A new environment with pcproof from ``install``; dependencies come from the environment of the tests."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    out = Environment(folder)
    (out.site / "dependencies.pth").write_text(f"{dependencies(folder / 'dependencies')}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(out.bin / "python"), "install", "-q", "--no-deps", "--no-index",
         "--no-build-isolation", "--force-reinstall", *install],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out


def build_wheel(source: Path, to: Path) -> Path:
    """A wheel of a source tree or an sdist."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation",
         "-w", str(to), str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = to.glob("*.whl")
    return wheel


def build_sdist(tree: Path, to: Path) -> Path:
    """An sdist, by the build backend that pyproject.toml names."""
    code = f"from setuptools.build_meta import build_sdist; build_sdist({str(to)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (sdist,) = to.glob("*.tar.gz")
    return sdist


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return make_environment(tmp_path_factory.mktemp("installed"), str(wheel))


def expected_ids() -> list[str]:
    from pcproof import catalogue

    return list(catalogue.entries())


def templates(package: str) -> list[str]:
    folder = ROOT / "pcproof" / package / "templates"
    return sorted(p.name for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []


def check(found: dict[str, object]) -> None:
    """The catalogue and the templates are there, nothing else is at the top level."""
    assert found["ids"] == expected_ids()
    assert found["kernel_templates"] == templates("kernels")
    assert found["report_templates"] == templates("report")


@pytest.mark.packaging
@pytest.mark.xdist_group("packaging")
class TestInstallations:
    def test_wheel_contents(self, wheel: Path) -> None:
        names = zipfile.ZipFile(wheel).namelist()
        top = {n.split("/")[0] for n in names}
        assert top == {"pcproof", next(n for n in top if n.endswith(".dist-info"))}
        assert "pcproof/py.typed" in names
        for f in (ROOT / "derivations").glob("*.py"):
            assert f"pcproof/derivations/{f.name}" in names
        assert any(n.endswith("/LICENSE") for n in names)

    def test_wheel_far_away(self, installed: Environment, tmp_path: Path) -> None:
        found = installed.look(tmp_path)
        check(found)
        assert found["stray"] == []
        assert Path(str(found["file"])).is_relative_to(installed.site)

    def test_wheel_with_the_checkout_as_current_directory(self, installed: Environment, tree: Path) -> None:
        found = installed.look(tree)
        check(found)
        done = installed.run(str(installed.bin / "python"), "-m", "pcproof", "list", "--json", cwd=tree)
        assert done.returncode == 0, done.stderr
        assert [e["id"] for e in json.loads(done.stdout)] == expected_ids()

    def test_editable(self, tree: Path, tmp_path: Path) -> None:
        environment = make_environment(tmp_path / "editable", "-e", str(tree))
        found = environment.look(tmp_path)
        check(found)
        assert found["stray"] == []
        assert Path(str(found["file"])).is_relative_to(tree)
        check(environment.look(tree))

    def test_sdist_to_wheel(self, tree: Path, tmp_path: Path) -> None:
        for name in ("sdist", "wheel", "away"):
            (tmp_path / name).mkdir()
        sdist = build_sdist(tree, tmp_path / "sdist")
        with tarfile.open(sdist) as archive:
            held = archive.getnames()
        assert any(n.endswith("/derivations/__init__.py") or "/derivations/" in n for n in held)
        wheel = build_wheel(sdist, tmp_path / "wheel")
        environment = make_environment(tmp_path / "environment", str(wheel))
        found = environment.look(tmp_path / "away")
        check(found)
        assert found["stray"] == []

    def test_command_and_module_agree(self, installed: Environment, tmp_path: Path) -> None:
        by_name = installed.run(str(installed.bin / "pcproof"), "list", cwd=tmp_path)
        by_module = installed.run(str(installed.bin / "python"), "-m", "pcproof", "list", cwd=tmp_path)
        assert (by_name.returncode, by_name.stdout) == (by_module.returncode, by_module.stdout)
        assert by_name.returncode == 0
