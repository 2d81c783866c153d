"""The operating system below the engine: a person's answer, with evidence."""

import pytest

from auditor.check import Manual
from auditor.facts.kernel import Kernel
from auditor.facts.machine import Machine
from checks.host.hardening import host_hardening_unconfirmed


def test_a_person_is_shown_what_there_is_to_see() -> None:
    with pytest.raises(Manual, match=r"trixie.*kernel 6\.12.*apparmor.*kernel.kptr_restrict = 1"):
        list(host_hardening_unconfirmed(Machine(), Kernel(settings={"kernel.kptr_restrict": "1"})))


def test_what_is_not_told_is_said_to_be_so() -> None:
    with pytest.raises(Manual, match="none told; no kernel settings told"):
        list(host_hardening_unconfirmed(Machine(), Kernel(modules=())))
