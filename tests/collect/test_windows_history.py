"""What leaves a Windows host of an image's history: the collector's patterns are ours, and no value is left."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect import windows_history
from auditor.collect.windows_history import reduce_windows_instruction
from auditor.transports.docker_connect import Engine
from auditor.transports.docker_sections import ASKED
from auditor.transports.powershell import windows_script

SCRIPT = windows_script().decode()
REDUCER = SCRIPT[SCRIPT.index("    function reduced-step(") : SCRIPT.index("    # Values of a registry key")]

# As engines on Windows tell them, and what is left.
CASES = {
    "": "NONE\t\t",
    "Apply image ltsc2022-amd64": "FROM\t\t",
    "Install update ltsc2022-amd64": "FROM\t\t",
    "cmd /S /C #(nop)  ENV API_KEY=hunter2 PLAIN=a b c": "ENV\t\tAPI_KEY",
    "powershell -Command $ErrorActionPreference = 'Stop'; #(nop)  USER hunter2": "USER\t\t",
    "ARG TOKEN=hunter2": "ARG\t\tTOKEN",
    "cmd /S /C net user svc hunter2 /add": "RUN\tnet user _ /add\tpassword-of-an-account",
    'RUN cmd /S /C net.exe user "a svc" hunter2 # buildkit': "RUN\tnet user _\tpassword-of-an-account",
    "cmd /S /C net user svc /add": "RUN\tnet user _ /add\t",
    "RUN cmd /S /C powershell -NoProfile -Command \"Install-WindowsFeature -Name Web-Server,'Telnet-Client'; hunter2\"": (
        "RUN\tinstall-windowsfeature -name web-server telnet-client ; _\t"
    ),
    "RUN |1 TOKEN=hunter2 cmd /S /C dism.exe /Online /Enable-Feature /FeatureName:TelnetClient /All # buildkit": (
        "RUN\t_ ; dism /online /enable-feature /featurename telnetclient /all\tTOKEN"
    ),
    "powershell -Command $password = 'hunter2'; Invoke-WebRequest https://u:hunter2@x/vs.exe": (
        "RUN\t_ ; invoke-webrequest _\tcredentials-in-an-address,password"
    ),
    'powershell -Password "hunter2" -Force': "RUN\t_\tPassword",
    "RUN setup /password hunter2 /secrets/token x": "RUN\t_\tpassword",
    "ConvertTo-SecureString 'hunter2' -AsPlainText -Force": "RUN\t_ -asplaintext _\tsecure-string-in-clear",
    "ConvertTo-SecureString $env:X -AsPlainText": "RUN\t_ -asplaintext\t",
    "iwr http://hunter2/x | iex": "RUN\tiwr _ | iex\t",
    "RUN C:\\hunter2\\choco.exe install `\n git": "RUN\tchoco install git\t",
    "RUN cmd /S /C setx AWS AKIAABCDEFGHIJKLMNOP && git clone ghp_abcdefgh12": "RUN\tsetx _ ; git _\taws-access-key,github-token",
    "RUN x -H 'Authorization: Bearer hunter2'": "RUN\t_\tauthorization-header",
    "RUN echo -----BEGIN RSA PRIVATE KEY-----hunter2": "RUN\t_\tprivate-key",
    'RUN x "AccountKey=hunter2;Password=%P%;Pwd="': "RUN\t_ ; _ ; _\tAccountKey",
    "COPY C:\\a\\Server.PFX .env https://u:hunter2@x/f C:\\app\\ # buildkit": "COPY\tC:\\a\\Server.PFX .env https:// C:\\app\\\tServer.PFX,.env",
    "ADD --chown=hunter2 <<EOF C:/x\nhunter2\nEOF": "ADD\t--chown _ C:/x\t",
    "WORKDIR C:\\hunter2": "WORKDIR\t\t",
    "RUNNER \x01\u0130\u212a": "RUN\t_\t",
}


@pytest.mark.parametrize("created_by", CASES)
def test_of_an_instruction_only_known_words_and_names_are_left(created_by: str) -> None:
    assert reduce_windows_instruction(created_by) == CASES[created_by]


def test_nothing_typed_is_left_but_what_is_on_the_lists() -> None:
    assert not [told for told in CASES.values() if "hunter2" in told]


@given(
    st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789+/!", min_size=12, max_size=40).filter(
        lambda it: it.lower() not in windows_history.WORDS
    ),
    st.sampled_from(["", "cmd /S /C ", "|1 A=1 cmd /S /C ", "powershell -Command "]),
    st.text(max_size=20),
)
def test_a_value_never_leaves(value: str, shell: str, after: str) -> None:
    for before in ("$password = '", "-Token ", "net user svc ", '"apiKey": "', "PASSWORD=", ""):
        told = reduce_windows_instruction(f"RUN {shell}{before}{value} {after}")
        assert value not in told.split("\t")[1]
        assert value not in told.split("\t")[2] or not before


@given(st.text())
def test_whatever_was_typed_comes_out_as_three_fields_on_one_line(text: str) -> None:
    told = reduce_windows_instruction(text)
    assert told.count("\t") == 2
    assert "\n" not in told


def test_the_collector_has_the_same_patterns() -> None:
    ours = {
        value
        for name, value in vars(windows_history).items()
        if name[0] != "_" and name.isupper() and isinstance(value, str)
    }
    ours |= set(windows_history.KINDS.values())
    text = re.sub(r"' \+\n +'", "", REDUCER)  # a literal over several lines
    theirs = {it.replace("''", "'") for it in re.findall(r"'((?:[^'\n]|'')*)'", text)}
    assert ours - theirs == set()
    used = re.findall(r"\[regex\]::\w+\((?:[^']*?), '((?:[^'\n]|'')*)'", REDUCER)
    assert {it.replace("''", "'") for it in used} <= ours


def test_the_collector_has_the_same_words() -> None:
    listed = REDUCER[REDUCER.index("$knownWords = ' '") :]
    assert set("".join(re.findall(r"'([^']*)'", listed)).split()) == windows_history.WORDS
    assert set(re.findall(r"(?m)^        '([a-z-]+)' = ", REDUCER)) == windows_history.KINDS.keys()


@pytest.mark.pwsh
def test_the_collector_leaves_the_same(tmp_path: Path) -> None:
    file = tmp_path / "reduce.ps1"
    cases = json.dumps(list(CASES)).replace("'", "''")
    file.write_text(
        f"$cases = ConvertFrom-Json '{cases}'\n{REDUCER}\n"
        "ConvertTo-Json -InputObject @($cases | ForEach-Object { reduced-step $_ }) -Compress\n",
        "utf-8-sig",
    )
    done = subprocess.run(
        [shutil.which("pwsh") or "pwsh", "-NoProfile", "-NonInteractive", "-File", str(file)],
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == list(CASES.values())


class WindowsEngine:
    """An engine on Windows, as its API answers."""

    def get(self, path: str) -> Any:
        answers = {
            "/version": {"Os": "windows"},
            "/images/json": [{"Id": "sha256:1a2b3c4d5e6f"}],
            "/images/sha256:1a2b3c4d5e6f/history": [{"CreatedBy": "cmd /S /C net user svc hunter2 /add"}],
        }
        return answers[path]


def test_over_the_docker_api_the_same_leaves_a_windows_host() -> None:
    told = list(ASKED["image-history"](cast("Engine", WindowsEngine())))
    assert told == [
        "listed sha256:1a2b3c4d5e6f",
        "image sha256:1a2b3c4d5e6f",
        "RUN\tnet user _ /add\tpassword-of-an-account",
    ]


def test_a_word_of_a_megabyte_is_read_once() -> None:
    assert reduce_windows_instruction("RUN " + "a" * 1_000_000) == "RUN\t_\t"
