"""Folders of certificates for tests, and what openssl and TLS say of them."""

import ssl
import subprocess
from pathlib import Path

from auditor.certificates.authority import Making, Opening, init
from auditor.certificates.issue import Request, issue
from auditor.certificates.keys import KeyType
from auditor.certificates.ledger import Certificate
from auditor.certificates.names import Names
from auditor.certificates.profile import Purpose
from auditor.certificates.store import Store

NO_PASSPHRASE = Opening(lambda: "")
MAKING = Making()


def new_store(folder: Path, *teams: str, making: Making = MAKING, passphrase: str = "") -> Store:
    store = Store(folder / "pki")
    init(store, "Example", teams, making, passphrase)
    return store


def server(store: Store, name: str = "web1", *names: str, key: KeyType = KeyType.P256) -> Certificate:
    request = Request(Purpose.SERVER, name, Names.of(names or ["localhost", "127.0.0.1"]), key=key)
    return issue(store, [request], NO_PASSPHRASE)[0].certificate


def client(store: Store, name: str = "ann", *, team: str = "", key: KeyType = KeyType.P256) -> Certificate:
    request = Request(Purpose.CLIENT, name, team=team, key=key)
    return issue(store, [request], NO_PASSPHRASE)[0].certificate


def authority_file(store: Store, certificate: Certificate) -> Path:
    """The certificate of the root that it comes from."""
    ledger = store.load()
    authority = ledger.authority(certificate.authority)
    return store.folder / (ledger.authority(authority.parent) if authority.parent else authority).file


def openssl_verify(
    store: Store, certificate: Certificate, purpose: str = ""
) -> subprocess.CompletedProcess[str]:
    file = store.folder / certificate.file
    purpose = purpose or f"ssl{certificate.purpose}"
    return subprocess.run(
        [
            "openssl",
            "verify",
            "-x509_strict",
            "-purpose",
            purpose,
            "-CAfile",
            authority_file(store, certificate),
            "-untrusted",
            file,
            file,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def strict_context(side: ssl.Purpose, own: Path, trusted: Path) -> ssl.SSLContext:
    """One side of mutual TLS as strict as Python makes it."""
    context = ssl.create_default_context(side, cafile=str(trusted))
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(own)
    return context


def shake_hands(server_side: ssl.SSLContext, client_side: ssl.SSLContext, name: str) -> None:
    """A whole handshake in memory. Raises ssl.SSLError where one side refuses the other."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    at_server = server_side.wrap_bio(to_server, to_client, server_side=True)
    at_client = client_side.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for one in (at_client, at_server):
            try:
                one.do_handshake()
            except ssl.SSLWantReadError:
                continue
