"""The recorded hosts, judged by the checks of the host itself; what is expected follows from what each is."""

from pathlib import Path

import pytest

from auditor.audit import audit
from auditor.cli.catalogue import everything
from auditor.host import Host

RECORDINGS = Path(__file__).parents[2] / "recordings" / "windows"
EXPECTED = {
    # No volume of its own, never updated since, the usual desktop, SMB 1; the firewall as Windows sets it.
    "server-2019-default": {
        "windows-data-on-system-volume": "fail",
        "windows-data-volume-unfit": "pass",
        "windows-build-unsupported": "pass",
        "windows-updates-missing": "fail",
        "engine-release-unmaintained": "manual",
        "windows-too-old-for-engine": "pass",
        "windows-with-desktop": "fail",
        "windows-features-needless": "fail",
        "windows-firewall-off": "pass",
        "windows-firewall-opens-engine": "pass",
        "windows-engine-events-lost": "fail",
        "windows-swarm-secrets-unencrypted": "not-applicable",
        "image-windows-mismatch": "pass",
        "image-windows-unsupported": "pass",
        "image-windows-updates-missing": "fail",
        "unexpected-swarm": "pass",
    },
    "server-2022-kept": {
        "windows-data-on-system-volume": "pass",
        "windows-data-volume-unfit": "pass",
        "windows-build-unsupported": "pass",
        "windows-updates-missing": "pass",
        "engine-release-unmaintained": "pass",
        "engine-update-missing": "pass",
        "windows-too-old-for-engine": "pass",
        "windows-with-desktop": "pass",
        "windows-features-needless": "pass",
        "windows-firewall-off": "pass",
        "windows-firewall-opens-engine": "pass",
        "windows-engine-events-lost": "pass",
        "windows-swarm-secrets-unencrypted": "not-applicable",
        "image-windows-mismatch": "pass",
        "image-windows-unsupported": "pass",
        "image-windows-updates-missing": "pass",
        "unexpected-swarm": "pass",
    },
    # Its image is of 2016 and does not tell its revision, which decides on that version of Windows.
    "server-2016-neglected": {
        "windows-data-on-system-volume": "fail",
        "windows-build-unsupported": "manual",
        "windows-updates-missing": "fail",
        "engine-release-unmaintained": "manual",
        "windows-too-old-for-engine": "fail",
        "windows-with-desktop": "fail",
        "windows-features-needless": "fail",
        "windows-firewall-off": "fail",
        "windows-firewall-opens-engine": "fail",
        "windows-engine-events-lost": "fail",
        "image-windows-mismatch": "error",
        "image-windows-unsupported": "pass",
        "image-windows-updates-missing": "fail",
        "unexpected-swarm": "pass",
    },
    # Its data on a full volume of the wrong kind, in clear, and it is one of two managers; images for other Windows, one of which gets no updates.
    "server-2022-open": {
        "windows-data-on-system-volume": "pass",
        "windows-data-volume-unfit": "fail",
        "windows-build-unsupported": "pass",
        "windows-updates-missing": "fail",
        "engine-release-unmaintained": "fail",
        "engine-update-missing": "not-applicable",
        "windows-too-old-for-engine": "pass",
        "windows-with-desktop": "fail",
        "windows-features-needless": "fail",
        "windows-firewall-off": "pass",
        "windows-firewall-opens-engine": "fail",
        "windows-engine-events-lost": "fail",
        "windows-swarm-secrets-unencrypted": "fail",
        "image-windows-mismatch": "fail",
        "image-windows-unsupported": "fail",
        "image-windows-updates-missing": "fail",
        "unexpected-swarm": "fail",
        "needless-swarm-managers": "fail",
        "swarm-managers-not-locked": "fail",
        "node-certificates-too-long": "fail",
        "swarm-authority-not-rotated": "manual",
    },
    # Windows 11 Pro 24H2 got its last update in October 2026.
    "desktop": {
        "windows-build-unsupported": "fail",
        "windows-updates-missing": "not-applicable",
        "engine-release-unmaintained": "manual",
        "windows-too-old-for-engine": "pass",
        "windows-with-desktop": "fail",
        "windows-features-needless": "fail",
        "windows-firewall-off": "pass",
    },
    "server-2019-gmsa": {
        "windows-build-unsupported": "pass",
        "windows-updates-missing": "fail",
        "windows-with-desktop": "fail",
        "image-windows-mismatch": "pass",
        "image-windows-updates-missing": "fail",
        "needless-swarm-managers": "not-applicable",
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_host_is_judged_as_what_it_is(name: str) -> None:
    report = audit(everything(), [Host(name, "bundle", path=RECORDINGS / f"{name}.bundle")], workers=1)
    outcomes = {it.check: it.outcome.value for it in report.hosts[0].results}
    assert {check: outcomes[check] for check in EXPECTED[name]} == EXPECTED[name]
