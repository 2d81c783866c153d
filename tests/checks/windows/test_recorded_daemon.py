"""What the recorded Windows hosts get for their daemons. By hand, from what each host is."""

from functools import cache
from pathlib import Path

import pytest

from auditor.audit import audit
from auditor.cli.catalogue import everything
from auditor.host import Host
from auditor.results import HostReport

FOLDER = Path(__file__).parents[2] / "recordings" / "windows"
# p pass, f fail, n not applicable, m manual, e error. In order of the columns.
COLUMNS = (
    "server-2019-default",
    "server-2022-kept",
    "server-2016-neglected",
    "desktop",
    "server-2019-gmsa",
    "server-2022-open",
)
EXPECTED = {
    # The file of the neglected host has a trailing comma and a byte order mark: what it says, nobody knows.
    "daemon-config-invalid": "npfpnp",
    "daemon-config-unknown-key": "npepnf",
    "windows-daemon-config-encoding": "npfpnp",
    "windows-daemon-config-refused": "npefnp",  # Docker Desktop passes -H itself, and the file has hosts too
    "windows-daemon-config-linux-key": "npepnf",
    "tcp-without-tls": "npennf",
    "tls-without-client-authentication": "npennn",
    "client-ca-is-system-store": "npennn",
    "engine-on-every-address": "npennf",
    "plaintext-api-answers": "eeeeee",  # a saved bundle has no live probe
    "certificate-unreadable": "npennn",
    "certificate-expired": "npennn",
    "certificate-key-weak": "npennn",
    "server-certificate-not-for-servers": "npennn",
    "ca-key-on-host": "ppeppp",
    "windows-authority-left-on-host": "ppfppp",
    "insecure-registry": "ppeppf",
    "log-level-not-info": "ppeppf",
    "windows-container-logs-unbounded": "fpefff",
    "authorization-plugin-missing": "nfennf",
    "windows-default-isolation-process": "mpmpmm",
    "windows-containers-on-default-nat": "fpffff",
    "windows-secret-in-service-environment": "ppfppp",
}
LETTERS = {"pass": "p", "fail": "f", "not-applicable": "n", "manual": "m", "error": "e"}


@cache
def judged() -> dict[str, HostReport]:
    hosts = [Host(name, "bundle", path=FOLDER / f"{name}.bundle") for name in COLUMNS]
    return {host.name: host for host in audit(everything(), hosts, workers=1).hosts}


@pytest.mark.parametrize("check", EXPECTED)
def test_each_host_gets_what_it_is(check: str) -> None:
    found = [{it.check: it.outcome.value for it in judged()[name].results}[check] for name in COLUMNS]
    assert "".join(LETTERS[it] for it in found) == EXPECTED[check]


def test_no_message_speaks_of_linux() -> None:
    for host in judged().values():
        for result in host.results:
            if result.check in EXPECTED:
                said = " ".join([result.reason, *(str(it) for it in result.findings)])
                assert "/etc/" not in said
                assert "unix" not in said
                assert "openssl" not in said
