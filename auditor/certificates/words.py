"""Certificates in words: what is in a file, in a folder, on a live port."""

from collections.abc import Iterator
from datetime import datetime
from ipaddress import IPv6Address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from auditor.certificates.ledger import now
from auditor.errors import BadFile, UsageError
from auditor.facts.certificate import Certificate
from auditor.facts.live import Verdict
from auditor.facts.x509 import UNREADABLE, describe, read_pem
from auditor.probe.port import examine

_MOST_BYTES = 4 * 1024 * 1024
_MOST_NAMES = 5
_LAST_PORT = 65535
_PORT = 2376
_SUFFIXES = {".pem", ".crt", ".cer", ".key", ".csr"}
_VERDICTS = {
    Verdict.PLAINTEXT: "the Docker API, without TLS: whoever reaches this port is root there",
    Verdict.NO_CLIENT_AUTH: "the Docker API, open to clients without a certificate: whoever reaches this port is root there",
    Verdict.ANY_CERTIFICATE: "the Docker API, open to any certificate at all: whoever reaches this port is root there",
    Verdict.MUTUAL_TLS: "mutual TLS: clients without a certificate of its authority are refused",
    Verdict.TLS_UNCLEAR: "TLS; whether it refuses strangers is not clear",
    Verdict.TLS_BROKEN: "TLS that comes to no handshake",
    Verdict.OTHER_HTTP: "HTTP, but not the Docker API",
    Verdict.NOT_TLS: "neither TLS nor HTTP",
    Verdict.REFUSED: "nobody listens there",
    Verdict.TIMED_OUT: "no answer in time",
    Verdict.RESET: "the connection was cut",
    Verdict.UNREACHABLE: "not reachable",
    Verdict.NOT_PROBED: "not probed",
}


def show_path(path: Path) -> Iterator[str]:
    """
    Lines on a file, or on every PEM file of a folder.

    Raises:
        BadFile: it cannot be read, or holds nothing of the kind.
    """
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix in _SUFFIXES)
        if not files:
            raise BadFile(path, f"holds no file that ends in {', '.join(sorted(_SUFFIXES))}")
        for file in files:
            try:
                yield from show_path(file)
            except BadFile as error:
                yield str(error)
        return
    try:
        with path.open("rb") as content:
            text = content.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise BadFile(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    lines = list(show_text(text))
    if not lines:
        raise BadFile(path, "holds no certificate, request or key in PEM")
    yield f"{path}"
    yield from (f"  {line}" for line in lines)


def show_text(text: str) -> Iterator[str]:
    """Lines on everything in a PEM text; of a private key only its kind."""
    for found in read_pem(text):
        yield from [found] if isinstance(found, str) else _certificate(found)
    if "CERTIFICATE REQUEST-----" in text:
        yield from _request(text)
    if "PRIVATE KEY-----" in text:
        yield _key(text)


def show_port(address: str, port: int) -> Iterator[str]:
    """Lines on what answers at an address and port, to somebody without credentials."""
    seen = examine((address, port))
    yield f"{address}:{port}: {_VERDICTS[seen.verdict]}{f' ({seen.detail})' if seen.detail else ''}"
    for text in seen.chain:
        yield from (f"  {line}" for line in show_text(text))
    if seen.client_cas:
        yield f"  takes clients signed by {', '.join(seen.client_cas[:_MOST_NAMES])}{' …' if len(seen.client_cas) > _MOST_NAMES else ''}"
    elif seen.client_cas is not None:
        yield "  takes clients signed by any authority that its operating system trusts: set tlscacert"
    if offered := [version for version, how in seen.versions.items() if how == "offered"]:
        yield f"  speaks {', '.join(sorted(offered))}"


def place(text: str) -> tuple[str, int] | None:
    """
    The address and port that a word means (``tcp://web1:2376``, ``web1:2376``); None when it is none.

    Raises:
        UsageError: the port is no number of one.
    """
    bare = text.removeprefix("tcp://").removeprefix("https://").rstrip("/")
    if _is_ipv6(bare.removeprefix("[").removesuffix("]")):
        return bare.strip("[]"), _PORT
    host, colon, port = bare.rpartition(":")
    if not colon or "/" in bare or not host:
        is_url = bare != text.rstrip("/") and bare and not colon and "/" not in bare
        return (bare, _PORT) if is_url else None
    if not port.isdigit() or not 0 < int(port) <= _LAST_PORT:
        raise UsageError(f"{text!r}: {port!r} is no port")
    return host.strip("[]"), int(port)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _certificate(found: x509.Certificate) -> Iterator[str]:
    try:
        facts = describe(found)
    except ValueError as error:
        yield f"a certificate whose parts make no sense: {error}"
        return
    kind = "authority" if facts.is_ca else _purpose(facts)
    yield f"certificate of {facts.subject or 'nobody by name'}: {kind}"
    yield f"  issued by {'itself' if facts.self_signed else facts.issuer}, {facts.key}, serial {found.serial_number:x}"
    if facts.names or facts.addresses:
        yield f"  for {', '.join((*facts.names, *facts.addresses))}"
    yield f"  valid from {facts.not_before:%Y-%m-%d %H:%M} to {facts.not_after:%Y-%m-%d %H:%M} UTC: {lifetime(facts.not_before, facts.not_after)}"
    yield f"  fingerprint SHA-256 {facts.fingerprint}"
    yield from (f"  ! {line}" for line in _faults(facts))


def _purpose(facts: Certificate) -> str:
    sides = [
        side
        for side, serves in (("servers", facts.serves_servers), ("clients", facts.serves_clients))
        if serves
    ]
    return f"for {' and '.join(sides)}" if sides else "neither for servers nor for clients"


def _faults(facts: Certificate) -> Iterator[str]:
    if facts.weak_key:
        yield f"weak key: {facts.weak_key}"
    if facts.weak_signature:
        yield f"weak signature: {facts.weak_signature}"
    if facts.serves_servers and facts.serves_clients and not facts.is_ca:
        yield "serves as a server's and as a client's: whoever takes this key from one host logs in to the others"
    if facts.serves_servers and not facts.is_ca and not facts.names and not facts.addresses:
        yield "names no host: no client takes it for a server's"
    yield from (f"strict verifiers refuse it: {line}" for line in facts.strict)


def lifetime(since: datetime, until: datetime) -> str:
    """How much of a life is left, in words."""
    present = now()
    if present < since:
        return "not valid yet"
    days = (until - present).days
    return f"expired {-days} days ago" if days < 0 else f"{days} days left"


def _request(text: str) -> Iterator[str]:
    try:
        request = x509.load_pem_x509_csr(text.encode("utf-8", "replace"))
        yield f"request by {request.subject.rfc4514_string() or 'nobody by name'}: sign it with 'auditor certs sign'"
    except UNREADABLE as error:
        yield f"a request that cannot be read: {error}"


def _key(text: str) -> str:
    start = text.rfind("-----BEGIN ", 0, text.find("PRIVATE KEY-----"))
    try:
        key = load_pem_private_key(text[start:].encode("utf-8", "replace"), None)
    except TypeError:
        return "private key, encrypted"
    except (ValueError, UnsupportedAlgorithm):
        return "a private key that cannot be read, or is encrypted in an old way"
    kind = type(key).__name__.replace("PrivateKey", "").strip("_")
    return f"private key, not encrypted, {kind} of {getattr(key, 'key_size', 256)} bits"
