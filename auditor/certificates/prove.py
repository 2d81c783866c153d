"""The proof that a daemon serves the certificate that was issued, lets our client in, and keeps everybody else out."""

import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.certificates.keys import KeyType, key_pem, make_key, read_key
from auditor.certificates.ledger import TRUSTED, Certificate, Ledger, now
from auditor.certificates.names import NO_NAMES
from auditor.certificates.profile import Leaf, Purpose, Signer, sign_authority, sign_leaf
from auditor.certificates.store import Store
from auditor.errors import UsageError
from auditor.probe.talk import Conversation, Reply, ask_encrypted, conversation

_SECONDS = 20.0
_TRIES = 4
_NO_CONVERSATION = "no conversation"


@dataclass(frozen=True)
class Attempt:
    """One thing that was tried. ``problem`` is empty when it went as it must."""

    what: str
    problem: str = ""


@dataclass(frozen=True)
class Credentials:
    """What the proof is made with: files with certificate and key, and what clients trust in PEM."""

    server: Path
    client: Path
    fingerprint: str
    trust: str


def credentials(
    store: Store, ledger: Ledger, certificate: Certificate, client: str, trust: bytes
) -> Credentials:
    """
    Choose the client that the proof is made with: the one named, or the one that lives longest.

    Raises:
        UsageError: there is none that can be used.
    """
    able = [
        each
        for each in ledger.current(Purpose.CLIENT)
        if not each.from_request
        and each.left(now()) > timedelta()
        and ledger.authority(each.authority).role in TRUSTED
    ]
    chosen = [each for each in able if not client or each.name == client]
    if not chosen:
        raise UsageError(
            f"the proof needs a client's certificate{f' {client}' if client else ''} that is valid, of an authority in force, and whose key is here: auditor certs client NAME"
        )
    best = max(chosen, key=lambda each: each.not_after)
    read_key(store.folder / best.file)  # a file that is gone is found here, not in the midst of the proof
    return Credentials(
        store.folder / certificate.file, store.folder / best.file, certificate.fingerprint, trust.decode()
    )


def prove(place: tuple[str, int], name: str, held: Credentials) -> Iterator[Attempt]:
    """Try everything at ``place``, whose daemon clients reach under ``name``."""
    yield Attempt(
        f"serves the certificate issued, and it holds for {name}",
        _patiently(lambda: _serves(place, name, held)),
    )
    yield Attempt(
        "lets our client in", _patiently(lambda: _expect(place, held.client, Reply.DOCKER), slow="it gives")
    )
    yield Attempt(
        "refuses a client without a certificate", _patiently(lambda: _expect(place, None, Reply.REFUSED))
    )
    with tempfile.TemporaryDirectory() as folder:
        stranger = _foreign(Path(folder))
        yield Attempt(
            "refuses a client of a foreign authority",
            _patiently(lambda: _expect(place, stranger, Reply.REFUSED)),
        )
    yield Attempt(
        "refuses its own certificate as a client's",
        _patiently(lambda: _expect(place, held.server, Reply.REFUSED)),
    )


def _patiently(attempt: Callable[[], str], slow: str = _NO_CONVERSATION) -> str:
    """
    Try again what may only have been too slow, as a daemon is that has just started on a busy host.

    That somebody is let in who must not be is never tried again.
    """
    for _ in range(_TRIES):
        problem = attempt()
        if not problem.startswith((slow, _NO_CONVERSATION)):
            break
        time.sleep(1)
    return problem


def _serves(place: tuple[str, int], name: str, held: Credentials) -> str:
    context = ssl.create_default_context(cadata=held.trust)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.load_cert_chain(held.client)
    try:
        with conversation(place, _SECONDS) as talk:
            talk.socket = context.wrap_socket(talk.socket, server_hostname=name)
            leaf = talk.socket.getpeercert(binary_form=True) or b""
            return "" if sha256(leaf).hexdigest() == held.fingerprint else "it serves another one"
    except ssl.SSLCertVerificationError as error:
        return f"a client does not take it: {error.verify_message}"
    except OSError as error:
        return f"{_NO_CONVERSATION}: {error.strerror or error}"


def _expect(place: tuple[str, int], file: Path | None, wanted: Reply) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # what it serves was proved first; here it matters whom it lets in
    if file:
        context.load_cert_chain(file)
    try:
        with conversation(place, _SECONDS) as talk:
            reply = _reply(talk, context)
    except OSError as error:
        return f"{_NO_CONVERSATION}: {error.strerror or error}"
    return "" if reply is wanted else f"it gives {reply}"


def _reply(talk: Conversation, context: ssl.SSLContext) -> Reply:
    try:
        talk.encrypt(context)
    except ssl.SSLError:
        return Reply.REFUSED
    return ask_encrypted(talk)


def _foreign(folder: Path) -> Path:
    """A client's certificate of an authority that nobody knows."""
    root = make_key(KeyType.P256)
    signer = Signer(sign_authority("Docker client CA", root, days=1), root)
    key = make_key(KeyType.P256)
    certificate = sign_leaf(Leaf(Purpose.CLIENT, "stranger", NO_NAMES, 1), key.public_key(), signer)
    file = folder / "stranger.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + key_pem(key))
    return file
