"""What is shipped: the wheel holds the three packages whole, and the locks pin what pyproject.toml asks for."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import auditor

ROOT = Path(__file__).parents[1]
PACKAGES = ("auditor", "checks", "reports")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--quiet", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def run_auditor(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``auditor`` as installed from the wheel, started in ``folder``."""
    return subprocess.run(
        [sys.executable, str(installed / "bin/auditor"), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def locked(lock: str) -> dict[str, str]:
    """Name and version of every package in a lock file."""
    found = re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_the_wheel_holds_the_three_packages_whole_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == ours
    assert "auditor/collect/linux.sh" in held


def test_the_wheel_says_its_licence_and_its_python(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    text = archive.read(metadata).decode()
    assert "License-Expression: Apache-2.0" in text
    assert "Requires-Python: >=3.11" in text


def test_one_version_is_told_everywhere(wheel: Path) -> None:
    assert auditor.__version__ == PROJECT["project"]["version"]
    assert f"-{auditor.__version__}-" in wheel.name


def test_installed_elsewhere_it_lists_its_checks(installed: Path, tmp_path: Path) -> None:
    done = run_auditor(installed, tmp_path, "checks")
    assert done.returncode == 0, done.stderr
    assert "privileged-container" in done.stdout


def test_a_folder_of_the_same_name_where_it_is_started_is_not_taken_for_the_checks(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks/__init__.py").write_text("")
    done = run_auditor(installed, tmp_path, "checks")
    assert "privileged-container" in done.stdout


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked_at_a_version_that_it_allows(lock: str) -> None:
    groups = PROJECT["dependency-groups"]
    wanted = [*PROJECT["project"]["dependencies"], *groups["build"]]
    wanted += groups["dev"] if "dev" in lock else []
    versions = locked(lock)
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{name} is not in {lock}: bash tests/lock"
        assert requirement.specifier.contains(versions[name], prereleases=True), f"{name}: bash tests/lock"


def test_what_the_code_imports_is_what_it_depends_on() -> None:
    declared = {canonicalize_name(Requirement(each).name) for each in PROJECT["project"]["dependencies"]}
    providers = packages_distributions()
    imported = {
        name.split(".")[0]
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in imports(ast.parse(path.read_text()))
    }
    foreign = imported - set(sys.stdlib_module_names) - set(PACKAGES)
    optional = {"keyring"}  # an extra
    undeclared = {
        name
        for name in foreign - optional
        if not declared & set(map(canonicalize_name, providers.get(name, [])))
    }
    assert undeclared == set()


def test_every_extra_that_people_are_told_to_install_is_one() -> None:
    told = [*(ROOT / "auditor").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {
        name for path in told for name in re.findall(r"docker-host-auditor\[([\w,-]+)\]", path.read_text())
    }
    assert named
    assert named <= PROJECT["project"]["optional-dependencies"].keys()


def imports(tree: ast.Module) -> Iterator[str]:
    """The modules that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_what_is_tested_is_what_is_shipped() -> None:
    running, testing = map(locked, LOCKS)
    assert running.items() <= testing.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes_and_no_lock_names_where_it_came_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    for package in re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in package
    assert "://" not in text
