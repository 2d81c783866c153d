"""What tells how far the kernel is hardened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section
from auditor.facts.kernel import Kernel
from auditor.gaps import Inconclusive


def parse(host: str, settings: str | None = None) -> Kernel:
    sections = {"host": Section(host.encode())}
    if settings is not None:
        sections["kernel-settings"] = Section(settings.encode())
    return Kernel.parse(Bundle(sections))


def test_modules_and_settings_are_told_by_their_names() -> None:
    kernel = parse(
        "lsm=lockdown,yama,selinux\nselinux=1\n",
        "/proc/sys/kernel/kptr_restrict:1\n/sys/kernel/security/lockdown:[none] integrity\n",
    )
    assert kernel.modules == ("lockdown", "yama", "selinux", "selinux (enforcing)")
    assert kernel.settings == {"kernel.kptr_restrict": "1", "security.lockdown": "[none] integrity"}


def test_what_is_not_told_stays_empty() -> None:
    assert parse("kernel=6.1\n") == Kernel((), {})
    with pytest.raises(Inconclusive):
        Kernel.parse(Bundle())


@given(st.text(), st.text())
def test_no_text_crashes_the_parser(host: str, settings: str) -> None:
    parse(host, settings)
