"""
The collector for Windows, as far as it can be judged without Windows.

It is parsed, and everything it may call is on a list: a cmdlet, parameter, type or method that is not here has to be
looked at (does it change anything? does Windows PowerShell 5.1 have it?) before it is added.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.collect.bundle import Bundle, load
from auditor.transports.powershell import BOOT, windows_script
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

SCRIPT = windows_script().decode()

READS: dict[str, set[str]] = {
    "ConvertFrom-Json": set(),
    "ConvertTo-Json": {"InputObject", "Depth", "Compress"},
    "ForEach-Object": set(),
    "Get-Acl": {"LiteralPath", "Audit"},
    "Get-AuthenticodeSignature": {"LiteralPath"},
    "Get-ChildItem": {"Path", "LiteralPath", "Recurse", "Depth", "Force", "File", "Directory", "ErrorAction"},
    "Get-CimInstance": {"Namespace", "ClassName", "Filter", "OperationTimeoutSec"},
    "Get-Command": {"Name", "ErrorAction"},
    "Get-Date": set(),
    "Get-Item": {"Path", "LiteralPath", "Force"},
    "Get-NetFirewallAddressFilter": {"PolicyStore"},
    "Get-NetFirewallApplicationFilter": {"PolicyStore"},
    "Get-NetFirewallInterfaceFilter": {"PolicyStore"},
    "Get-NetFirewallInterfaceTypeFilter": {"PolicyStore"},
    "Get-NetFirewallPortFilter": {"PolicyStore"},
    "Get-NetFirewallProfile": {"PolicyStore"},
    "Get-NetFirewallRule": {"PolicyStore", "Direction", "Enabled"},
    "Get-NetFirewallServiceFilter": {"PolicyStore"},
    "Get-NetTCPConnection": {"State", "ErrorAction"},
    "Get-WindowsFeature": set(),
    "Get-WindowsOptionalFeature": {"Online"},
    "Get-WinEvent": {"FilterHashtable", "MaxEvents", "ListLog"},
    "Join-Path": set(),
    "New-Object": set(),
    "Remove-TypeData": {"TypeName", "ErrorAction"},  # of this thread's own view of arrays
    "Select-Object": {"First", "Unique"},
    "Sort-Object": {"Unique", "Property"},
    "Test-ADServiceAccount": {"Identity"},
    "Test-Path": {"LiteralPath"},
    "Where-Object": set(),
}
"""Cmdlets and the parameters they are given. All of them read, or make something in memory."""

PROGRAMS = {"auditpol.exe", "docker.exe", "dockerd.exe", "nltest.exe", "sc.exe"}
"""Programs of which the script speaks; each is started by ``run``."""

ASKED = {
    "ps --all", "version --format", "info --format", "image ls", "image inspect", "container inspect", "network ls",
    "network inspect", "history --no-trunc", "/get /category:*", "sdshow $name", "/sc_query:$($computer.Domain)",
}  # fmt: skip
"""What these programs are told, and nothing else."""

TYPES = {
    "ADSI", "Base64FormattingOptions", "BitConverter", "Convert", "DateTime", "Guid", "IntPtr", "Math", "Microsoft.Win32.Registry",
    "PowerShell", "System.Diagnostics.Process", "System.Diagnostics.ProcessStartInfo", "System.Globalization.CultureInfo", "System.IO.Compression.CompressionMode",
    "System.IO.Compression.GZipStream", "System.IO.Directory", "System.IO.File", "System.IO.FileInfo", "System.IO.MemoryStream", "System.IO.Path",
    "System.Security.Cryptography.SHA256", "System.Security.Principal.NTAccount", "System.Security.Principal.SecurityIdentifier",
    "System.Security.Principal.WindowsBuiltInRole", "System.Security.Principal.WindowsIdentity", "System.Security.Principal.WindowsPrincipal",
    "System.Text.Encoding", "System.Threading.Thread", "System.Text.RegularExpressions.MatchEvaluator", "System.Text.StringBuilder", "System.Text.UTF8Encoding",
    "StringComparison", "UnauthorizedAccessException", "bool", "byte", "hashtable", "int", "long", "ordered", "pscustomobject", "regex", "string", "switch",
}  # fmt: skip

STATICS = {
    "BitConverter::ToString", "Convert::FromBase64String", "Convert::ToBase64String", "Guid::NewGuid", "Math::Min", "PowerShell::Create",
    "System.Diagnostics.Process::Start", "System.IO.Directory::Exists", "System.IO.Directory::GetAccessControl", "System.IO.Directory::EnumerateFiles", "System.IO.File::ReadAllBytes",
    "System.IO.Path::GetDirectoryName", "System.Security.Cryptography.SHA256::Create", "System.Security.Principal.WindowsIdentity::GetCurrent",
    "hashtable::Synchronized", "regex::IsMatch", "regex::Match", "regex::Matches", "regex::Replace", "regex::Split",
}  # fmt: skip

METHODS = {
    "AddArgument", "AddDays", "AddScript", "Append", "BeginInvoke", "BeginStop", "Close", "ComputeHash", "Contains", "ContainsKey",
    "EndInvoke", "GetBaseException", "GetBytes", "GetEnumerator", "GetPreamble", "GetSecurityDescriptorSddlForm", "GetString", "GetSubKeyNames", "GetType", "GetValue",
    "GetValueNames", "IndexOf", "Invoke", "InvokeMember", "IsInRole", "Kill", "MoveNext", "OpenSubKey", "ReadToEndAsync", "Remove", "Replace", "Split", "StartsWith", "Substring",
    "ToArray", "ToLowerInvariant", "ToString", "ToUniversalTime", "Translate", "Trim", "TrimEnd", "TrimStart", "WaitForExit", "WaitOne", "Write",
}  # fmt: skip


@pytest.mark.parametrize("text", [SCRIPT, BOOT], ids=["windows.ps1", "bootstrap"])
def test_it_parses(text: str) -> None:
    assert not parsed(text).root_node.has_error


@pytest.mark.parametrize("text", [SCRIPT, BOOT], ids=["windows.ps1", "bootstrap"])
def test_no_syntax_of_powershell_7(text: str) -> None:
    assert not newer_than_5_1(text)


@pytest.mark.parametrize("newer", ["$a ?? 1", "$a ? 1 : 2", "$a ??= 1", "one && two", "one || two"])
def test_syntax_of_powershell_7_would_be_seen(newer: str) -> None:
    assert newer_than_5_1(newer) or parsed(newer).root_node.has_error


def test_only_listed_cmdlets_are_called() -> None:
    assert {name for name, _ in called(SCRIPT)} - READS.keys() == set()


def test_only_listed_parameters_are_given() -> None:
    for name, given in parameters(SCRIPT):
        assert given <= READS[name], name


def test_every_function_of_its_own_that_is_called_exists_and_is_used() -> None:
    calls = {said(node.children[0]) for node in nodes(SCRIPT, "command")}
    for name in own_functions(SCRIPT):
        assert name in calls or name.startswith("section-"), name


def test_a_command_is_named_never_computed_but_for_the_sections() -> None:
    assert computed(SCRIPT) == ['& "section-$name"']


def test_only_listed_types_appear() -> None:
    assert types(SCRIPT) - TYPES == set()


def test_only_listed_methods_are_called() -> None:
    statics, others = methods(SCRIPT)
    assert statics - STATICS == set()
    assert others - METHODS == set()


def test_only_listed_programs_are_run_with_listed_words() -> None:
    assert set(re.findall(r"[\w.]+\.exe", code(SCRIPT))) <= PROGRAMS
    for words in ASKED:
        first, second = words.split(" ", 1) if " " in words else (words, "")
        assert first in SCRIPT
        assert second in SCRIPT
    engine = set(re.findall(r"ask-engine '([a-z]+)'(?:, '([a-z-]+)')?", SCRIPT)) | set(
        re.findall(r"inspect '([a-z]+)'()", SCRIPT)
    )
    asked = {f"{verb} {more}".strip() for verb, more in engine}
    assert asked == {
        "version --format",
        "info --format",
        "ps --all",
        "image ls",
        "network ls",
        "history --no-trunc",
        "container",
        "image",
        "network",
    }
    assert set(re.findall(r"run [\"$][^@\n]*@\(([^)]*)", SCRIPT)) == {
        '"/sc_query:$($computer.Domain', "'/get', '/category:*', '/r'", "'sdshow', $name", "'-H', $address",
    }  # fmt: skip


def test_nothing_is_redirected_into_a_file() -> None:
    assert not list(nodes(SCRIPT, "redirection", "redirections"))


def test_no_variable_of_powershells_own_is_assigned() -> None:
    assert set(assigned(SCRIPT)) & (AUTOMATIC - {"null"}) == set()


def test_no_alias_and_no_verb_that_changes_things() -> None:
    assert verbs_that_change(SCRIPT) == {"New-Object", "Remove-TypeData"}


def test_it_is_plain_ascii_so_that_no_encoding_can_change_it() -> None:
    assert SCRIPT.isascii()
    assert BOOT.isascii()


def test_every_section_says_what_it_reads() -> None:
    for match in re.finditer(r"(?m)^(.*)\n    function section-([a-z-]+) \{", SCRIPT):
        assert match[1].startswith("    # "), match[2]


def test_every_recorded_section_is_one_of_the_scripts() -> None:
    made = set(re.findall(r"(?m)^    function section-([a-z-]+) ", SCRIPT))
    for file in (Path(__file__).parents[1] / "recordings" / "windows").glob("*.bundle"):
        assert load(file.read_bytes()).sections.keys() == made, file.name


def test_the_bootstrap_fits_a_command_line_of_cmd() -> None:
    assert len(BOOT.encode("utf-16-le")) * 4 / 3 + 200 < 8191


# The patterns that blank secrets are ordinary regular expressions, so they can be tried here.
REDACTED = {
    '{"splunk-token":"abc","a":1}': '{"splunk-token":"***","a":1}',
    "http://user:pa%20ss@proxy:3128/": "http://***@proxy:3128/",
    "--log-opt=splunk-token=abc": "--log-opt=splunk-token=***",
    "Server=db;Password=p4ss;Pwd=x": "Server=db;Password=***;Pwd=***",
    '["credentialspec=file://web.json"]': '["credentialspec=file://web.json"]',
    r'["credentialspec=raw://{\"CmsPlugins\":[\"x\"]}"]': '["credentialspec=raw://***"]',
}


def patterns(function: str) -> list[tuple[str, str]]:
    """The .NET patterns and replacements of a function, as Python's."""
    body = SCRIPT[SCRIPT.index(f"function {function}(") :]
    body = body[: body.index("\n    }\n")]
    found = re.findall(r"\[regex\]::Replace\(\$text, '((?:[^']|'')*)', '([^']*)'\)", body)
    return [(pattern.replace("''", "'"), re.sub(r"\$(\d)", r"\\g<\1>", new)) for pattern, new in found]


def blanked(text: str) -> str:
    for pattern, new in patterns("redact"):
        text = re.sub(pattern, new, text)
    return text


@pytest.mark.parametrize("text", REDACTED)
def test_secrets_are_blanked_on_the_host(text: str) -> None:
    assert blanked(text) == REDACTED[text]


def run_stubbed(pwsh: str, folder: Path) -> Bundle:
    """The script itself, with what only Windows has replaced by stubs."""
    stubs = (Path(__file__).parent / "windows_stubs.ps1").read_text()
    file = folder / "stubbed.ps1"
    file.write_text(
        SCRIPT.replace("    # ---- what the sections share", f"{stubs}\n    # ---- what the sections share")
    )
    done = subprocess.run(
        [
            pwsh,
            "-NoProfile",
            "-NonInteractive",
            "-File",
            str(file),
            "-Sections",
            "windows-features,windows-eventlog,nothing-of-windows",
        ],
        capture_output=True,
        check=True,
    )
    return load(done.stdout)


@pytest.mark.pwsh
def test_it_runs_under_pwsh(tmp_path: Path) -> None:
    bundle = run_stubbed(shutil.which("pwsh") or "pwsh", tmp_path)
    assert bundle.complete
    assert bundle.read("windows-features") == b'{"source":"server","installed":["Containers"]}\n'
    assert bundle.read("windows-eventlog") == b'{"enabled":true,"max_bytes":20971520,"mode":0}\n'
    assert bundle.section("nothing-of-windows").why == "exit status 1: not a section of Windows hosts"
