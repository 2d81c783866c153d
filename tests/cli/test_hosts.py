"""Which hosts the command line means."""

from pathlib import Path

import pytest

from auditor.cli.hosts import Reach, find_hosts
from auditor.errors import UsageError
from auditor.inventory import parse_target


def test_this_machine_is_the_same_host_alone_and_among_others() -> None:
    (alone,) = find_hosts(["local"], None, "", Reach())
    assert alone == parse_target("local")
    assert find_hosts(["local", "tcp://192.0.2.1:2375"], None, "", Reach())[0] == alone
    assert find_hosts(["local"], None, "all", Reach()) == (alone,)


def test_options_hold_for_this_machine_too() -> None:
    (host,) = find_hosts(["local"], None, "", Reach(timeout=5, sudo=True))
    assert (host.timeouts.total, host.sudo) == (5, True)
    with pytest.raises(UsageError, match="goes with tcp://"):
        find_hosts(["local"], None, "", Reach(tls_dir=Path("tls")))
    with pytest.raises(UsageError, match="not both"):
        find_hosts(["local"], Path("inventory.yaml"), "", Reach())
