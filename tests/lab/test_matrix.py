"""The table of outcomes against hosts as they are today: the how-to's steps on a new Debian, and this machine's own engine."""

import pytest

from auditor.host import Host
from tests.lab.engine import PROGRAMS, engine
from tests.lab.hosts import collected, record
from tests.lab.matrix import differences
from tests.lab.need import need_root
from tests.lab.vm import PROGRAMS as VM_PROGRAMS

pytestmark = pytest.mark.lab


@pytest.mark.vm
def test_a_host_that_follows_the_how_to_answers_as_the_table_says() -> None:
    need_root(VM_PROGRAMS)
    assert differences("hardened", record("hardened")) == []


def test_this_machines_own_engine_answers_as_the_table_says() -> None:
    need_root(PROGRAMS)
    with engine() as running:
        running.run("ordinary")
        assert differences("engine", collected(Host("engine", "local", path=running.socket))) == []
