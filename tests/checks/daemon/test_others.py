"""Daemons beside the one that was asked."""

import pytest

from auditor.check import Manual
from auditor.facts.daemons import Daemons, OtherDaemon
from checks.daemon.others import daemon_not_audited

AUDITED = OtherDaemon(number=2, at="/run/user/1000/docker.sock")
LEFT = OtherDaemon(901, 1001, ("/run/user/1001/docker.sock",))


def test_a_host_with_one_daemon_and_one_whose_others_were_audited_pass() -> None:
    assert not list(daemon_not_audited(Daemons()))
    assert not list(daemon_not_audited(Daemons((AUDITED,))))


@pytest.mark.parametrize(
    ("container", "where"),
    [("0123456789abcdef", "in container 0123456789ab "), ("", "in a file system of its own ")],
)
def test_a_daemon_that_cannot_be_reached_from_the_host_is_a_finding(container: str, where: str) -> None:
    (finding,) = daemon_not_audited(Daemons((OtherDaemon(container=container, elsewhere=True),)))
    assert where in finding.observed
    assert (finding.subject, finding.source) == ("daemon of process 900", "process 900")


def test_daemons_left_to_other_entries_of_the_inventory_are_named_to_a_person() -> None:
    with pytest.raises(Manual, match=r"daemon at /run/user/1001/docker\.sock \(process 901, uid 1001\)"):
        list(daemon_not_audited(Daemons((AUDITED, LEFT))))
