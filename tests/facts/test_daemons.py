"""Further daemons of a host: what the collector tells of them, and which sections are theirs."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import OF_THE_HOST, Bundle, Section, Status, load
from auditor.facts.daemons import Daemons, OtherDaemon, further
from auditor.gaps import Gap, Inconclusive
from auditor.transports.base import linux_script

TOLD = """pid 900
uid 1000
socket /run/user/1000/docker.sock
number 2
at /run/user/1000/docker.sock
pid 901
uid 0
socket /var/run/docker.sock
container 0123456789abcdef
elsewhere
pid 902
uid 0
number 3
at
"""
ROOTLESS, INSIDE, SOCKETLESS = (
    OtherDaemon(900, 1000, ("/run/user/1000/docker.sock",), 2, "/run/user/1000/docker.sock"),
    OtherDaemon(901, 0, ("/var/run/docker.sock",), container="0123456789abcdef", elsewhere=True),
    OtherDaemon(902, 0, number=3),
)


def bundle(told: str = TOLD, **sections: bytes) -> Bundle:
    parts = {name.replace("_", "."): Section(data) for name, data in sections.items()}
    return Bundle({"daemons": Section(told.encode()), **parts})


def test_each_further_daemon_is_told_with_what_it_serves_and_where_it_runs() -> None:
    assert Daemons.parse(bundle()).others == (ROOTLESS, INSIDE, SOCKETLESS)
    assert Daemons.parse(bundle("")).others == ()


def test_a_daemon_is_called_by_its_socket_where_that_means_it_from_the_host() -> None:
    assert str(ROOTLESS) == "daemon at /run/user/1000/docker.sock"
    assert str(INSIDE) == "daemon of process 901"
    assert str(SOCKETLESS) == "daemon of process 902"


def test_its_bundle_has_its_own_sections_and_the_hosts_and_nothing_of_another_daemon() -> None:
    whole = bundle(daemon=b"first", daemon_2=b"second", daemon_3=b"third", host=b"machine", files=b"first's")
    found = {name: own for name, _, own in further(whole)}
    second = found["daemon at /run/user/1000/docker.sock"]
    assert {name: part.data for name, part in second.sections.items() if name != "daemons"} == {
        "daemon": b"second",
        "host": b"machine",
    }
    assert found["daemon of process 902"].text("daemon") == "third"
    with pytest.raises(Inconclusive, match="files was not collected"):
        second.text("files")


def test_where_the_host_does_not_tell_there_is_none_to_look_at() -> None:
    assert not list(further(Bundle()))
    assert not list(further(Bundle({"daemons": Section(b"", Status.NO_SHELL)})))


def test_an_older_bundle_tells_by_its_processes_whether_there_could_be_another() -> None:
    one = "/proc/8/status:Name:\tdockerd\n/proc/8/status:PPid:\t1\n/proc/9/status:Name:\tdockerd-helper\n"
    assert Daemons.parse(Bundle({"processes": Section(one.encode())})) == Daemons()
    with pytest.raises(Inconclusive, match="2 processes are called dockerd"):
        Daemons.parse(Bundle({"processes": Section((one + one.replace("8", "10")).encode())}))
    with pytest.raises(Inconclusive, match="was not collected"):
        Daemons.parse(Bundle())


def test_sections_of_further_daemons_survive_the_file() -> None:
    assert load(bundle(daemon_2=b"x").dump()).of_daemon(2).text("daemon") == "x"


def test_the_collector_and_the_auditor_agree_on_what_is_the_whole_hosts() -> None:
    told = re.search(r"^OF_THE_HOST='([^']*)'$", linux_script().decode(), re.MULTILINE)
    assert told
    assert {*told[1].split(), "auditor"} == set(OF_THE_HOST)


@given(st.text())
def test_no_text_crashes_the_parser(text: str) -> None:
    with contextlib.suppress(Gap):
        Daemons.parse(bundle(text))
