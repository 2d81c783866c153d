"""Authorities are replaced in two phases, and a rotation goes on wherever it was left."""

import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from auditor.certificates import bundles
from auditor.certificates.authority import Making, add_team, drop_team, init, trust_ids, trust_pem
from auditor.certificates.install import Job, certificate_for
from auditor.certificates.issue import Request, forget, issue, renew
from auditor.certificates.ledger import Certificate, Delivery, now
from auditor.certificates.profile import Purpose
from auditor.certificates.prove import credentials
from auditor.certificates.rotate import Progress, advance
from auditor.certificates.status import Standing, State, authority_advice, due, exit_code, standings
from auditor.certificates.store import Store
from auditor.errors import AuditorError, BadFile, UsageError
from auditor.facts.live import Port, Verdict
from auditor.host import Host
from tests.certificates.pki import (
    MAKING,
    NO_PASSPHRASE,
    client,
    new_store,
    server,
    shake_hands,
    strict_context,
)
from tests.certificates.test_store import KILL, ROOT


def deliver(store: Store, certificate: Certificate, folder: Path) -> None:
    layout = "dir" if certificate.purpose is Purpose.CLIENT else "daemon-linux"
    current = bundles.find(store.load(), layout, certificate.name)
    bundles.write(store, layout, current, folder / certificate.label, "", replace=True)


def go_on(store: Store, purpose: Purpose) -> Progress:
    return advance(store, purpose, MAKING, NO_PASSPHRASE)


def talk(folder: Path) -> None:
    """Whether what was delivered to the daemon and to the client still fits together."""
    daemon, user = folder / "server web1", folder / "client ann"
    pair(daemon / "pair.pem", daemon / "server-cert.pem", daemon / "server-key.pem")
    pair(user / "pair.pem", user / "cert.pem", user / "key.pem")
    shake_hands(
        strict_context(ssl.Purpose.CLIENT_AUTH, daemon / "pair.pem", daemon / "ca.pem"),
        strict_context(ssl.Purpose.SERVER_AUTH, user / "pair.pem", user / "ca.pem"),
        "localhost",
    )


def pair(file: Path, certificate: Path, key: Path) -> None:
    file.write_bytes(certificate.read_bytes() + key.read_bytes())


@pytest.mark.parametrize("purpose", list(Purpose))
def test_nobody_is_cut_off_in_any_step_of_a_rotation(tmp_path: Path, purpose: Purpose) -> None:
    store = new_store(tmp_path)
    both = [server(store), client(store)]
    own, others = (both[0], both[1]) if purpose is Purpose.SERVER else (both[1], both[0])
    for each in both:
        deliver(store, each, tmp_path)
    talk(tmp_path)
    assert [each.label for each in go_on(store, purpose).waiting] == [others.label]
    talk(tmp_path)
    deliver(store, others, tmp_path)
    talk(tmp_path)
    assert [each.label for each in go_on(store, purpose).waiting] == [own.label]
    talk(tmp_path)
    deliver(store, own, tmp_path)
    talk(tmp_path)
    last = go_on(store, purpose)
    assert last.finished
    assert [each.label for each in last.waiting] == [others.label], "the old authority is still trusted there"
    deliver(store, others, tmp_path)
    talk(tmp_path)
    ledger = store.load()
    assert len(ledger.trusted(purpose)) == 1
    assert exit_code(standings(ledger, live=False), authority_advice(ledger)) == 0


def test_without_deliveries_a_rotation_is_done_at_once(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    old = server(store)
    went = go_on(store, Purpose.SERVER)
    assert went.finished
    new = store.load().find(Purpose.SERVER, "web1")
    assert new
    assert new.authority != old.authority
    assert new.names == old.names


def test_those_who_rotate_at_once_make_one_successor(tmp_path: Path) -> None:
    for round_ in range(5):
        store = new_store(tmp_path / str(round_))
        server(store)
        start = threading.Barrier(4)

        def rotate(folder: Path, start: threading.Barrier) -> None:
            start.wait()
            with suppress(UsageError):
                go_on(Store(folder), Purpose.SERVER)

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(rotate, store.folder, start) for _ in range(4)]:
                done.result()
        while not go_on(store, Purpose.SERVER).finished:
            pass
        roles = [each.role for each in store.load().authorities if each.purpose is Purpose.SERVER]
        assert roles[-1] == "active"
        assert set(roles[:-1]) == {"retired"}
        server(store, "web2")


def test_a_rotation_that_waits_is_told_of_by_status(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = client(store)
    deliver(store, one, tmp_path)
    go_on(store, Purpose.SERVER)
    assert go_on(store, Purpose.SERVER).done == ()
    ledger = store.load()
    assert "rotate-ca server" in authority_advice(ledger)[0]
    assert standings(ledger, live=False)[0].state is State.DUE


def test_a_rotation_goes_on_after_a_kill_at_any_write(tmp_path: Path) -> None:
    script = KILL + (
        "from pathlib import Path\nfrom auditor.certificates.store import Store\nfrom auditor.certificates.profile import Purpose\n"
        "from auditor.certificates.rotate import advance\nfrom tests.certificates.pki import MAKING, NO_PASSPHRASE\n"
        "advance(Store(Path(sys.argv[1])), Purpose.SERVER, MAKING, NO_PASSPHRASE)\n"
    )
    store = new_store(tmp_path)
    for name in ("web1", "web2"):
        server(store, name)
    kills = 0
    for call in range(2, 200, 3):
        done = subprocess.run(
            [sys.executable, "-c", script, store.folder, "0", "0", str(call)], cwd=ROOT, check=False
        )
        assert done.returncode in {0, 9}
        ledger = store.load()
        assert {each.name for each in ledger.current()} == {"web1", "web2"}
        assert ledger.trusted(Purpose.SERVER)
        if done.returncode == 0:
            break
        kills += 1
    assert kills > 3
    ledger = store.load()
    roles = [each.role for each in ledger.authorities if each.purpose is Purpose.SERVER]
    assert roles.count("active") == 1
    assert set(roles) == {"active", "retired"}
    active = ledger.issuer(Purpose.SERVER)
    assert active
    assert {each.authority for each in ledger.current()} == {active.id}


def test_teams_move_with_the_authority_above_them(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments", "search")
    client(store, team="payments")
    assert go_on(store, Purpose.CLIENT).finished
    ledger = store.load()
    assert sorted(ledger.teams()) == ["payments", "search"]
    assert len(ledger.trusted(Purpose.CLIENT)) == 2
    one = ledger.find(Purpose.CLIENT, "ann")
    assert one
    assert ledger.authority(one.authority).team == "payments"


def test_a_team_that_is_dropped_is_no_longer_trusted_and_the_others_are(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments", "search")
    ledger = drop_team(store, "payments")
    assert [each.team for each in ledger.trusted(Purpose.CLIENT)] == ["search"]
    with pytest.raises(UsageError, match="only one"):
        drop_team(store, "search")
    with pytest.raises(UsageError, match="none of that name"):
        drop_team(store, "payments")


def test_a_team_can_come_later_where_there_were_teams_from_the_start(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments")
    add_team(store, "search", MAKING, NO_PASSPHRASE)
    client(store, team="search")
    with pytest.raises(UsageError, match="already"):
        add_team(store, "search", MAKING, NO_PASSPHRASE)
    other = new_store(tmp_path / "other")
    with pytest.raises(UsageError, match="without teams"):
        add_team(other, "search", MAKING, NO_PASSPHRASE)


def test_a_client_says_for_which_team_where_there_are_teams(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--team payments"):
        client(new_store(tmp_path / "a", "payments"))
    with pytest.raises(UsageError, match="no teams"):
        client(new_store(tmp_path / "b"), team="payments")


def test_renewal_keeps_the_names_and_takes_another_key(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    old = server(store, "web1", "web1.example", "10.0.0.1")
    new = renew(store, [old], NO_PASSPHRASE)[0].certificate
    assert (new.names, new.days, new.name) == (old.names, old.days, old.name)
    assert new.serial != old.serial
    assert (store.folder / new.file).read_bytes().partition(b"PRIVATE")[2] != (
        store.folder / old.file
    ).read_bytes().partition(b"PRIVATE")[2]


def test_one_is_due_when_two_thirds_of_its_life_are_over(tmp_path: Path) -> None:
    one = client(new_store(tmp_path))
    life = one.not_after - one.not_before
    assert not one.is_due(one.not_before + life * 0.66)
    assert one.is_due(one.not_before + life * 0.67)


def aged(store: Store, certificate: Certificate, days: float) -> None:
    """As if it had been issued ``days`` earlier."""
    back = timedelta(days=days)
    old = msgspec.structs.replace(
        certificate, not_before=certificate.not_before - back, not_after=certificate.not_after - back
    )
    with store.locked():
        ledger = store.load()
        others = tuple(each for each in ledger.certificates if each.serial != certificate.serial)
        store.commit(msgspec.structs.replace(ledger, certificates=(*others, old)))


def stand(store: Store, **named: object) -> Standing:
    return standings(store.load(), live=False)[0]


def test_status_tells_due_from_expired_from_fine(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = client(store)
    assert stand(store).state is State.FINE
    aged(store, one, 70)
    assert stand(store).state is State.DUE
    aged(store, one, 100)
    assert stand(store).state is State.EXPIRED
    assert exit_code([stand(store)], []) == 1


def test_a_certificate_of_a_retired_authority_is_due(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    client(store)
    init(store, "Example", [], Making(), "", anew=True)
    assert stand(store).state is State.DUE


@pytest.mark.parametrize(
    ("port", "state", "code"),
    [
        (Port(2376, Verdict.REFUSED), State.NOT_SEEN, 3),
        (Port(2376, Verdict.MUTUAL_TLS), State.NOT_SEEN, 3),
        (Port(2376, Verdict.PLAINTEXT), State.WRONG, 1),
        (Port(2376, Verdict.NO_CLIENT_AUTH), State.WRONG, 1),
        (Port(2376, Verdict.MUTUAL_TLS, chain=("other",)), State.WRONG, 1),
        (Port(2376, Verdict.MUTUAL_TLS, chain=("own",)), State.FINE, 0),
    ],
)
def test_what_a_daemon_serves_counts_more_than_what_was_written_down(
    tmp_path: Path, port: Port, state: State, code: int
) -> None:
    store = new_store(tmp_path)
    one, other = server(store), server(store, "web2")
    deliver(store, one, tmp_path)
    with store.locked():
        ledger = store.load()
        proved = msgspec.structs.replace(ledger.deliveries[one.label], place="web1:2376", proved=True)
        store.commit(ledger.with_delivery(one, proved))
    pems = {"own": (store.folder / one.file).read_text(), "other": (store.folder / other.file).read_text()}
    seen = msgspec.structs.replace(
        port, chain=tuple(pems[each].partition("-----BEGIN PRIVATE")[0] for each in port.chain)
    )
    found = [each for each in standings(store.load(), look=lambda _: seen) if each.certificate.name == "web1"]
    assert found[0].state is state
    assert exit_code(found, []) == code


def test_an_authority_that_grows_old_is_told_of(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with store.locked():
        ledger = store.load()
        first = ledger.authorities[0]
        life = first.not_after - first.not_before
        old = msgspec.structs.replace(first, not_before=now() - life * 0.9, not_after=now() + life * 0.1)
        store.commit(ledger.with_authority(old))
    assert "rotate-ca" in authority_advice(store.load())[0]


def test_a_teams_authority_that_grows_old_is_told_of_too(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments")
    add_team(store, "search", Making(days=30), NO_PASSPHRASE)
    with store.locked():
        ledger = store.load()
        late = ledger.authorities[-1]
        old = msgspec.structs.replace(
            late, not_before=now() - timedelta(days=29), not_after=now() + timedelta(days=1)
        )
        store.commit(ledger.with_authority(old))
    assert [late.id in line for line in authority_advice(store.load())] == [True]


def test_a_rotation_needs_the_passphrase_of_the_old_authority(tmp_path: Path) -> None:
    store = new_store(tmp_path, passphrase="correct horse")
    with pytest.raises(AuditorError, match="encrypted"):
        go_on(store, Purpose.SERVER)
    assert len(store.load().authorities) == 2


def ended(store: Store, identifier: str) -> None:
    """As if an authority had ended yesterday."""
    with store.locked():
        ledger = store.load()
        old = ledger.authority(identifier)
        store.commit(ledger.with_authority(msgspec.structs.replace(old, not_after=now() - timedelta(days=1))))


def test_an_authority_that_has_ended_signs_nothing_more_and_can_be_replaced(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = server(store)
    ended(store, one.authority)
    with pytest.raises(UsageError, match="rotate-ca server"):
        server(store, "web2")
    assert go_on(store, Purpose.SERVER).finished
    server(store, "web2")


def test_a_team_that_is_dropped_in_the_midst_of_a_rotation_does_not_come_back(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments", "search")
    one = server(store)
    deliver(store, one, tmp_path)
    assert go_on(store, Purpose.CLIENT).waiting
    drop_team(store, "payments")
    assert {each.team for each in store.load().trusted(Purpose.CLIENT)} == {"search"}
    deliver(store, one, tmp_path)
    assert go_on(store, Purpose.CLIENT).finished
    assert store.load().teams() == ["search"]


def test_no_team_begins_in_the_midst_of_a_rotation(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments")
    deliver(store, server(store), tmp_path)
    go_on(store, Purpose.CLIENT)
    with pytest.raises(UsageError, match="rotate-ca client"):
        add_team(store, "search", MAKING, NO_PASSPHRASE)


def test_the_proof_is_made_with_a_client_that_the_daemon_will_trust(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments", "search")
    one = server(store)
    kept = client(store, "ann", team="search")
    dropped = issue(store, [Request(Purpose.CLIENT, "bob", team="payments", days=300)], NO_PASSPHRASE)
    drop_team(store, "payments")
    ledger = store.load()
    assert (
        credentials(store, ledger, one, "", trust_pem(store, ledger, Purpose.SERVER)).client
        == store.folder / kept.file
    )
    with pytest.raises(UsageError, match="certificate bob that is valid"):
        credentials(store, ledger, one, dropped[0].certificate.name, b"")


def test_who_can_have_no_new_certificate_keeps_nobody_else_from_one(tmp_path: Path) -> None:
    store = new_store(tmp_path, "payments", "search")
    for name, team in (("ann", "search"), ("bob", "payments")):
        aged(store, client(store, name, team=team), 70)
    drop_team(store, "payments")
    states = {each.certificate.name: each for each in standings(store.load(), live=False)}
    assert states["ann"].state is State.DUE
    assert states["bob"].state is State.FINE
    assert "team payments is dropped" in states["bob"].advice
    assert [each.name for each in due(store.load())] == ["ann"]


def test_what_a_retired_authority_signed_is_renewed_with_what_is_due(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    client(store)
    assert due(store.load()) == []
    init(store, "Example", [], Making(), "", anew=True)
    assert [each.name for each in due(store.load())] == ["ann"]


def test_a_rotation_does_not_wait_for_who_is_gone(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    for each in (server(store), client(store)):
        deliver(store, each, tmp_path)
    assert go_on(store, Purpose.SERVER).waiting
    forgotten = forget(store, ["ann"])
    assert [each.label for each in forgotten] == ["client ann"]
    assert [each.label for each in go_on(store, Purpose.SERVER).waiting] == ["server web1"]
    ledger = store.load()
    assert (len(ledger.certificates), [each.label for each in ledger.current()]) == (3, ["server web1"])
    assert store.leftovers(ledger) == []
    with pytest.raises(UsageError, match="ann"):
        forget(store, ["web1", "ann"])
    assert [each.label for each in store.load().current()] == ["server web1"]
    client(store)


def test_a_bundle_of_what_a_daemon_was_proved_to_serve_does_not_end_its_watch(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one = server(store)
    proved = Delivery("web1:2376", now(), one.serial, trust_ids(store.load(), Purpose.CLIENT), proved=True)
    with store.locked():
        store.commit(store.load().with_delivery(one, proved))
    deliver(store, one, tmp_path)
    assert store.load().deliveries[one.label] == proved
    renew(store, [one], NO_PASSPHRASE)
    deliver(store, one, tmp_path)
    assert store.load().deliveries[one.label].place != proved.place


def test_a_client_whose_file_is_gone_is_told_before_a_daemon_is_restarted(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    one, user = server(store), client(store)
    (store.folder / user.file).unlink()
    with pytest.raises(BadFile, match=r"clients/ann"):
        credentials(store, store.load(), one, "", b"")


def test_a_certificate_that_has_ended_is_not_brought_to_a_host(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    aged(store, server(store), 400)
    with pytest.raises(UsageError, match="renew web1"):
        certificate_for(store.load(), Host("web1", "ssh", "web1"))


@pytest.mark.parametrize(
    ("names", "address", "called"),
    [
        (["web1.example", "10.0.0.5"], "10.0.0.5", "10.0.0.5"),
        (["10.0.0.5", "web1.example"], "elsewhere", "web1.example"),
        (["*.example"], "elsewhere", "web1.example"),
        (["*.example", "10.0.0.5"], "elsewhere", "10.0.0.5"),
        (["*.example"], "a.example", "a.example"),
        (["web1.example"], "fe80::1%eth0", "web1.example"),
    ],
)
def test_a_daemon_is_proved_under_a_name_that_a_client_can_type(
    tmp_path: Path, names: list[str], address: str, called: str
) -> None:
    one = server(new_store(tmp_path), "web1", *names)
    assert Job(Host("web1", "ssh", address), one).address == called
