"""
The installer for Windows, as far as it can be judged without Windows.

It is parsed, and everything it may call is on a list, as of the collector (``tests/powershell.py``). What it matches and
whom it lets in is tried with the texts themselves. What nobody here can act out: that the Task Scheduler starts the task,
that Windows keeps what the access lists say, and that the service restarts.
"""

import re

import pytest

from auditor.certificates.session_windows import BOOT, install_script
from auditor.facts.sddl import parse
from tests.powershell import (
    AUTOMATIC,
    assigned,
    called,
    code,
    computed,
    methods,
    newer_than_5_1,
    nodes,
    own_functions,
    parameters,
    parsed,
    said,
    types,
    verbs_that_change,
)

SCRIPT = install_script().decode()

READS: dict[str, set[str]] = {
    "ForEach-Object": set(),
    "Get-ChildItem": {"LiteralPath", "Directory", "Filter"},
    "Get-CimInstance": {"ClassName"},
    "Get-Date": set(),
    "Get-Item": {"LiteralPath", "Force"},
    "Get-ScheduledTask": {"TaskName"},
    "Get-Service": {"Name"},
    "Get-WinEvent": {"FilterHashtable", "MaxEvents"},
    "Select-Object": {"Last"},
    "Test-Path": {"LiteralPath"},
    "Where-Object": set(),
}
"""Cmdlets that read, and the parameters they are given."""

CHANGES: dict[str, set[str]] = {
    "New-Object": set(),
    "New-ScheduledTaskAction": {"Execute", "Argument"},  # this and the next three: in memory
    "New-ScheduledTaskPrincipal": {"UserId", "LogonType", "RunLevel"},
    "New-ScheduledTaskSettingsSet": {"StartWhenAvailable", "AllowStartIfOnBatteries", "DontStopIfGoingOnBatteries"},
    "New-ScheduledTaskTrigger": {"Once", "At", "AtStartup"},
    "Register-ScheduledTask": {"TaskName", "Action", "Trigger", "Principal", "Settings", "Force"},
    "Remove-Item": {"LiteralPath", "Recurse", "Force"},
    "Restart-Service": {"Name"},
    "Unregister-ScheduledTask": {"Confirm"},
}  # fmt: skip
"""Cmdlets that change, or look as if they did."""

TYPES = {
    "Convert", "NullString", "System.IO.Directory", "System.IO.File", "System.IO.Path", "System.Security.AccessControl.DirectorySecurity",
    "System.Security.Principal.SecurityIdentifier", "System.Text.Encoding", "System.Text.UTF8Encoding", "byte", "int", "string",
}  # fmt: skip

STATICS = {
    "Convert::FromBase64String", "Convert::ToBase64String", "System.IO.Directory::CreateDirectory", "System.IO.Directory::Move",
    "System.IO.Directory::SetAccessControl", "System.IO.File::GetAccessControl", "System.IO.File::Move", "System.IO.File::ReadAllBytes",
    "System.IO.File::ReadAllText", "System.IO.File::Replace", "System.IO.File::WriteAllBytes", "System.IO.File::WriteAllText",
    "System.IO.Path::GetDirectoryName",
}  # fmt: skip

METHODS = {
    "AddSeconds",
    "GetAccessRules",
    "GetBytes",
    "SetSecurityDescriptorSddlForm",
    "Split",
    "Trim",
    "TrimEnd",
}

REMOVED = {"$config", "$new", "$work", '"$place\\backup"', '"$work\\server-key.pem"', "$_.FullName"}
"""All that ``drop`` is ever given: what we made, and a daemon.json that was not there before."""


@pytest.mark.parametrize("text", [SCRIPT, BOOT], ids=["install.ps1", "bootstrap"])
def test_it_parses_is_plain_ascii_and_runs_on_5_1(text: str) -> None:
    assert not parsed(text).root_node.has_error
    assert text.isascii()
    assert not newer_than_5_1(text)


def test_only_listed_cmdlets_are_called_with_listed_parameters() -> None:
    listed = READS | CHANGES
    for name, given in parameters(SCRIPT):
        assert given <= listed[name], name
    assert {name for name, _ in called(SCRIPT)} == listed.keys()
    assert verbs_that_change(SCRIPT) == CHANGES.keys()


def test_only_listed_types_and_methods_are_used() -> None:
    statics, others = methods(SCRIPT)
    assert (types(SCRIPT) - TYPES, statics - STATICS, others - METHODS) == (set(), set(), set())


def test_a_command_is_named_never_computed_but_for_the_steps_and_dockerd() -> None:
    assert sorted(computed(SCRIPT)) == ['& "step-$Step"', "& $program --validate --config-file $config 2>&1"]
    assert set(re.findall(r"[\w.]+\.exe", code(SCRIPT))) == {"powershell.exe"}
    assert [said(node) for node in nodes(SCRIPT, "redirection", "redirections")] == ["2>&1"]


def test_every_function_of_its_own_is_used_and_no_variable_of_powershells_own_assigned() -> None:
    calls = {said(node.children[0]) for node in nodes(SCRIPT, "command")}
    steps = {"step-inspect", "step-install", "step-confirm", "step-rollback", "step-state"}
    assert own_functions(SCRIPT) - calls - steps == set()
    assert set(assigned(SCRIPT)) & (AUTOMATIC - {"null"}) == set()


def test_nothing_is_removed_but_what_it_made() -> None:
    dropped = {
        " ".join(said(child) for child in node.children[1:]).strip()
        for node in nodes(SCRIPT, "command")
        if said(node.children[0]) == "drop"
    }
    assert dropped == REMOVED
    assert [said(node) for name, node in called(SCRIPT) if name == "Remove-Item"] == [
        "Remove-Item -LiteralPath $path -Recurse -Force"
    ]


def test_what_the_task_runs_is_the_kept_script_without_arguments_and_parses() -> None:
    (command,) = re.findall(r'(?m)^    \$command = "(.*)"$', SCRIPT)
    assert not parsed(command).root_node.has_error
    assert command.count("ReadAllText('$work\\install.ps1')") == 1
    assert methods(command)[0] == {"ScriptBlock::Create", "System.IO.File::ReadAllText"}
    assert "param([string]$Step = 'rollback', [string[]]$Words = @(), [string]$Data = '')" in SCRIPT


def test_folders_are_closed_to_all_but_the_system_and_the_administrators() -> None:
    (text,) = re.findall(r"(?m)^\$closed = '(.*)'$", SCRIPT)
    assert text.startswith("O:BAG:SYD:P"), "protected: nothing is inherited"
    descriptor = parse(text)
    assert descriptor.protected
    alone = {"S-1-5-18", "S-1-5-32-544"}
    for each in (descriptor, descriptor.inherited_by("file"), descriptor.inherited_by("folder")):
        assert each.granted("file").keys() == alone
    assert set(re.findall(r"'(S-1-[\d-]+)'", re.findall(r"(?m)^\$allowed = .*$", SCRIPT)[0])) == alone


@pytest.mark.parametrize(
    ("line", "is_engine"),
    [
        (r'"C:\Program Files\docker\dockerd.exe" --run-service', True),
        (r"C:\docker\dockerd.exe --run-service -H npipe://", True),
        (r"C:\docker\DOCKERD", True),
        (r"C:\docker\notdockerd.exe", False),
        (r"C:\docker\dockerd.exe.bak", False),
        (r'"C:\Program Files\Docker\com.docker.service"', False),
    ],
)
def test_the_engines_service_is_known_by_its_program(line: str, is_engine: bool) -> None:
    (pattern,) = re.findall(r"\$_\.PathName -match '(.*)' \}", SCRIPT)
    assert bool(re.search(pattern, line, re.IGNORECASE)) is is_engine


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (r'"C:\a b\dockerd.exe" --config-file "D:\my conf\d.json"', r"D:\my conf\d.json"),
        (r"dockerd.exe --config-file=D:\d.json --run-service", r"D:\d.json"),
        (r"dockerd.exe --data-root D:\docker", r"D:\docker\config\daemon.json"),
        (r'dockerd.exe -g "D:\a b"', r"D:\a b\config\daemon.json"),
        (r"dockerd.exe --run-service", r"C:\ProgramData\docker\config\daemon.json"),
    ],
)
def test_the_configuration_is_found_as_the_daemon_finds_it(line: str, path: str) -> None:
    by_file, by_root = re.findall(r"\$line -match '(\(\?:[^']*)'", SCRIPT)
    if found := re.search(by_file, line, re.IGNORECASE):
        assert found[1].strip('"') == path
        return
    root = re.search(by_root, line, re.IGNORECASE)
    assert (root[1].strip('"') if root else r"C:\ProgramData\docker") + r"\config\daemon.json" == path
