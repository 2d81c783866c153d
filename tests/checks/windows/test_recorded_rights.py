"""What the recorded Windows hosts must be told of rights and of who gets at the engine, written down by hand from what they are."""

from pathlib import Path

import pytest

from auditor.cli.catalogue import everything
from auditor.collect.bundle import load
from auditor.evaluate import compare, judge
from auditor.host import Host

FOLDER = Path(__file__).parents[2] / "recordings" / "windows"
# Of the controls W1.2, W1.3, W1.11, W1.12, W1.15 and W3.*: those that fail; all others pass or do not apply.
FAILED = {
    # Nothing configured, everything inherited from C:\ProgramData, nothing audited.
    "server-2019-default": {
        "process-starts-not-audited", "engine-file-changes-not-audited", "data-root-open-to-users", "windows-daemon-config-changeable",
        "windows-registry-certificates-changeable", "credential-specs-changeable",
    },
    # Closed by the engine itself, which made its folder; only auditing is left as Windows has it.
    "server-2019-gmsa": {"process-starts-not-audited", "engine-file-changes-not-audited"},
    # Moby's archive, which nobody signs.
    "server-2022-kept": {"engine-program-unsigned"},
    # Everything that can be open is: pipe, service, key, WinRM, a builder's registry password.
    "server-2016-neglected": {
        "windows-engine-open-to-others", "engine-pipe-open-to-others", "process-starts-not-audited", "engine-file-changes-not-audited",
        "winrm-takes-clear-text", "engine-program-unsigned", "engine-service-changeable", "data-root-open-to-users",
        "windows-daemon-config-changeable", "windows-tls-key-readable", "windows-tls-file-changeable",
        "windows-registry-certificates-changeable", "credential-specs-changeable", "client-key-readable-by-others", "registry-password-in-client-config",
    },
    # The engine's own folders closed, its program not; everybody in the group of builders, and at the builders' pipe.
    "server-2022-open": {
        "windows-engine-open-to-others", "engine-pipe-open-to-others", "process-starts-not-audited", "engine-file-changes-not-audited",
        "engine-program-changeable", "engine-service-path-unquoted", "engine-program-signature-broken",
    },
    # A developer's machine: inherited rights, and a profile that others can read.
    "desktop": {
        "process-starts-not-audited", "engine-file-changes-not-audited", "engine-program-unsigned", "data-root-open-to-users",
        "windows-daemon-config-changeable", "windows-registry-certificates-changeable", "credential-specs-changeable",
        "client-key-readable-by-others",
    },
}  # fmt: skip
MANUAL = {"desktop": {"windows-engine-open-to-others"}}


@pytest.mark.parametrize("name", FAILED)
def test_a_recorded_host_is_judged_as_it_was_built(name: str) -> None:
    bundle = load((FOLDER / f"{name}.bundle").read_bytes())
    plan = everything().on("windows")
    (report,) = compare([judge(plan, Host(name, platform="windows"), bundle)])
    mine = [each for each in report.results if any(map(_mine, each.controls["windows-container-host"]))]
    told: dict[str, set[str]] = {}
    for result in mine:
        told.setdefault(result.outcome, set()).add(result.check)
    assert told["fail"] == FAILED[name]
    assert told.get("manual", set()) == MANUAL.get(name, set())
    assert "error" not in told


def _mine(number: str) -> bool:
    return number.startswith("W3.") or number in ("W1.2", "W1.3", "W1.11", "W1.12", "W1.15")
