"""Users' own checks: found wherever they are, refused with file and line where they cannot be loaded."""

from pathlib import Path

import pytest

from auditor.check import Check
from auditor.cli.catalogue import all_checks
from auditor.errors import BadFile
from auditor.facts.containers import Container, Containers
from auditor.own_checks import load_own_checks
from auditor.testing import Outcome, judge
from checks.runtime.privileges import added_capability

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_checks"
HEAD = "from auditor.check import Finding, Findings, Severity, check\nfrom auditor.policy import Policy\n\n\n"
RULE = '''
@check(severity=Severity.LOW)
def {name}(policy: Policy) -> Findings:
    """
    All is well.

    Because.

    Remediation:
        Do.
    """
    yield Finding("it", {seen}, "b")
'''


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        path = tmp_path / "own" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "own"


def rule(name: str, seen: str = '"a"') -> str:
    return HEAD + RULE.format(name=name, seen=seen)


def load(path: Path) -> dict[str, Check[...]]:
    return load_own_checks(path, all_checks())


def test_the_example_loads_beside_ours_and_its_section_is_its_file() -> None:
    found = load(EXAMPLE)
    assert {item.section for item in found.values()} == {"naming"}
    judged = judge(found["image-without-version"], Containers((Container(image="nginx"),)))
    assert judged.outcome is Outcome.FAIL


def test_files_below_the_folder_count_with_or_without_an_init_and_tests_do_not(tmp_path: Path) -> None:
    own = folder(
        tmp_path,
        first=rule("first_seen"),
        team__deep__second=rule("second_seen", "SEEN").replace(
            "\n\n\n", "\nfrom ..tables import SEEN\n\n", 1
        ),
        team__tables='SEEN = "here"\n',
        test_first="raise RuntimeError",
        conftest="raise RuntimeError",
    )
    found = load(own)
    assert list(found) == ["first-seen", "second-seen"]
    assert found["second-seen"].section == "team"
    assert judge(found["second-seen"]).findings[0].observed == "here"


def test_a_folder_called_checks_does_not_hide_ours(tmp_path: Path) -> None:
    own = folder(tmp_path, one=rule("one_seen")).rename(tmp_path / "checks")
    assert list(load(own)) == ["one-seen"]
    assert "privileged-container" in all_checks()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def broken(:\n", r"bad\.py:1: is no valid Python"),
        ("import json\n\n1 / 0\n", r"bad\.py:3: cannot be loaded: ZeroDivisionError"),
        ("import no_such_module\n", r"bad\.py:1: cannot be loaded: ModuleNotFoundError: .*no_such_module"),
        ("import sys\nsys.exit(0)\n", r"bad\.py:2: cannot be loaded: SystemExit"),
        (HEAD + "@check(severity=Severity.LOW)\ndef silent(policy: Policy) -> Findings:\n    yield from ()\n",
         r"bad\.py:5: cannot be loaded: TypeError: silent: a check needs a docstring"),
        (rule("privileged_container"), r"bad\.py:\d+: there is a check 'privileged-container' already, in .*privileges\.py:\d+"),
        ("x = 1\n", "holds no check"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_is_said_with_file_and_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        load(folder(tmp_path, bad=text))


def test_two_own_checks_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"b\.py:\d+: there is a check 'same-name' already, in .*a\.py:"):
        load(folder(tmp_path, a=rule("same_name"), b=rule("same_name")))


def test_a_folder_or_file_that_python_cannot_name_is_refused(tmp_path: Path) -> None:
    own = folder(tmp_path, one=rule("one_seen"))
    (own / "one.py").rename(own / "my-checks.py")
    with pytest.raises(BadFile, match="'my-checks' is no name that Python can import"):
        load(own)
    with pytest.raises(BadFile, match="cannot be read as a folder of checks: No such file"):
        load(tmp_path / "nowhere")


def test_a_test_gives_facts_in_any_order_and_is_told_what_is_missing() -> None:
    judged = judge(added_capability, Containers((Container(cap_add=("SYS_ADMIN",)),)))
    assert judged.outcome is Outcome.FAIL
    with pytest.raises(TypeError, match="added-capability needs Containers"):
        judge(added_capability)
    with pytest.raises(TypeError, match="added-capability does not ask for str"):
        judge(added_capability, Containers(), "web")
    assert judge(added_capability, Containers()).reason == "no containers on this host"
