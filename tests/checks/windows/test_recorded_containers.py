"""What the recorded Windows hosts must be told of images, containers and credential specs, written down by hand from what they are."""

from pathlib import Path

import pytest

from auditor.cli.catalogue import everything
from auditor.collect.bundle import load
from auditor.evaluate import compare, judge
from auditor.host import Host
from tests.checks.windows.runtime_hosts import results

FOLDER = Path(__file__).parents[2] / "recordings" / "windows"
_UNLIMITED = {"memory-unlimited", "cpu-unlimited"}
# Of the controls W4 (but W4.2 and W4.3, which the tests of hosts have), W5 and W6: those that fail.
FAILED = {
    # Microsoft's base images as they are, run by hand: an administrator in Server Core, no health check, no limits.
    "server-2019-default": _UNLIMITED | {"image-runs-as-administrator", "image-health-unchecked", "container-runs-as-administrator"},
    # Built and run with care; its one container has an account of the domain that this host may use.
    "server-2022-kept": set(),
    # A retired base without a tag, an account made with its password at build; the pipe and C: mounted, started again for ever,
    # every port published, WinRM's under another number, a password in the environment.
    "server-2016-neglected": _UNLIMITED
    | {
        "unproven-windows-base", "windows-image-without-version", "image-runs-as-administrator", "image-health-unchecked", "secret-in-image",
        "engine-pipe-mounted", "sensitive-windows-mount", "container-runs-as-administrator", "endless-restart", "port-not-needed",
        "management-port-published", "secret-in-container-environment",
    },
    # An old image on the host's kernel with a graphics card, the builders' pipe and a plugin's volume below C:\Windows; an agent built by hand
    # on a Windows that gets no updates, with git and all of IIS in it; a file that is no spec where specs lie.
    "server-2022-open": {
        "image-runs-as-administrator", "image-health-unchecked", "build-tools-in-windows-image", "needless-windows-features-in-image",
        "engine-pipe-mounted", "sensitive-windows-mount", "container-runs-as-administrator", "host-device", "credential-spec-malformed",
    },
    # Two containers with specs, one of them inline and run as a user who gets no identity; a spec with a password for a plugin
    # whose GUID is none; an account in the registry that this host may not use.
    "server-2019-gmsa": _UNLIMITED
    | {
        "image-runs-as-administrator", "image-health-unchecked", "credential-spec-option-wrong", "credential-spec-plugin-unknown",
        "password-in-credential-spec", "gmsa-not-usable", "gmsa-identity-unused",
    },
    # One container, run by hand from an image of Microsoft's without a tag.
    "desktop": _UNLIMITED | {"windows-image-without-version", "container-runs-as-administrator"},
}  # fmt: skip
# What facts cannot decide there, and what the recording does not tell: the history of the images of the host with specs.
MANUAL = {
    "server-2019-default": {"untrusted-image-origin", "large-windows-image", "source-not-told", "process-isolated-container"},
    "server-2022-kept": {"untrusted-image-origin", "large-windows-image", "source-not-told"},
    "server-2016-neglected": {"untrusted-image-origin", "large-windows-image", "source-not-told", "process-isolated-container"},
    "server-2019-gmsa": {"untrusted-image-origin", "large-windows-image", "source-not-told", "process-isolated-container"},
    "desktop": set(),
    "server-2022-open": {"untrusted-image-origin", "unproven-windows-base", "large-windows-image", "source-not-told", "process-isolated-container"},
}  # fmt: skip
UNKNOWN = {
    # Whether the host gets an account can be asked on the host only.
    "server-2022-open": {"gmsa-not-usable"},
    # Its container's image was removed from the engine's list: of an image that is not there nothing is known but its name.
    "desktop": {
        "untrusted-image-origin", "unproven-windows-base", "image-runs-as-administrator", "image-health-unchecked", "secret-in-image",
        "large-windows-image", "build-tools-in-windows-image", "needless-windows-features-in-image", "source-not-told",
    },
    "server-2019-gmsa": {
        "secret-in-image",
        "build-tools-in-windows-image",
        "needless-windows-features-in-image",
    },
}  # fmt: skip
# A Windows engine creates no container with one of these; and not every host has credential specs, or gave one to a container.
_REFUSED = {
    "apparmor-unconfined", "selinux-unconfined", "added-capability", "net-raw-capability", "privileged-container", "host-network",
    "new-privileges-allowed", "writable-root-filesystem", "host-pid-namespace", "host-ipc-namespace", "shared-mount-propagation",
    "host-uts-namespace", "seccomp-unconfined", "pids-unlimited", "user-namespace-opt-out", "ulimit-overridden", "own-cgroup-parent",
    "host-cgroup-namespace", "port-on-every-address",
}  # fmt: skip
_SPECS = {
    "credential-spec-option-wrong", "credential-spec-malformed", "credential-spec-plugin-unknown", "password-in-credential-spec",
    "gmsa-not-usable", "gmsa-identity-unused",
}  # fmt: skip
WITHOUT = {
    "server-2019-gmsa": set(),
    "server-2022-kept": {"credential-spec-plugin-unknown"},
    "server-2022-open": {
        "credential-spec-option-wrong",
        "credential-spec-plugin-unknown",
        "gmsa-identity-unused",
    },
}


@pytest.mark.parametrize("name", FAILED)
def test_a_recorded_hosts_containers_are_judged_as_they_were_made(name: str) -> None:
    bundle = load((FOLDER / f"{name}.bundle").read_bytes())
    (report,) = compare([judge(everything().on("windows"), Host(name, platform="windows"), bundle)])
    told: dict[str, set[str]] = {}
    for result in report.results:
        if any(map(_mine, result.controls["windows-container-host"])):
            told.setdefault(result.outcome, set()).add(result.check)
    assert told.get("fail", set()) == FAILED[name]
    assert told.get("manual", set()) == MANUAL[name]
    assert told.get("error", set()) == UNKNOWN.get(name, set())
    assert told["not-applicable"] == _REFUSED | WITHOUT.get(name, _SPECS)


@pytest.mark.parametrize("name", FAILED)
def test_why_an_option_of_linux_does_not_apply_is_told_in_words_of_windows(name: str) -> None:
    for check in _REFUSED:
        reason = results(name)[check].reason
        assert "Windows" in reason, check
        assert "kernel" not in reason, check


def _mine(number: str) -> bool:
    return number.startswith(("W4.", "W5.", "W6.")) and number not in ("W4.2", "W4.3")
