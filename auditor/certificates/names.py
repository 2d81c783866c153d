"""Names that certificates carry: what clients type, brought into the one form that every verifier takes."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import idna
from cryptography import x509

from auditor.errors import UsageError

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_IDENTITY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._@+-]*[A-Za-z0-9])?")
_MOST_IN_NAME, _MOST_IN_LABEL, _MOST_IN_COMMON_NAME = 253, 63, 64
_SHARED = {"admin", "ci", "client", "clients", "docker", "root", "user", "users"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Names:
    """Host names (lower case, A-labels) and addresses, each once, in the order given."""

    hosts: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Names":
        """
        Bring names and addresses into their form.

        Raises:
            UsageError: one of them can stand in no certificate; the message says why and what to write.
        """
        read = [_address(text) or _host(text) for text in texts]
        hosts = dict.fromkeys(each for each in read if isinstance(each, str))
        addresses = dict.fromkeys(each for each in read if not isinstance(each, str))
        return cls(tuple(hosts), tuple(addresses))

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them as text."""
        return (*self.hosts, *map(str, self.addresses))

    def general(self) -> list[x509.GeneralName]:
        """For a subject alternative name."""
        return [*map(x509.DNSName, self.hosts), *map(x509.IPAddress, self.addresses)]

    def covers(self, text: str) -> bool:
        """Whether a client that connects to ``text`` finds it here; a wildcard stands for one label."""
        try:
            wanted = Names.of([text])
        except UsageError:
            return False
        wildcards = {f"*.{name.partition('.')[2]}" for name in wanted.hosts}
        return set(wanted.addresses) <= set(self.addresses) and (
            set(wanted.hosts) <= set(self.hosts) or bool(wildcards & set(self.hosts))
        )

    def cautions(self) -> list[str]:
        """What is allowed and yet asks for trouble."""
        found = [
            f"{name}: not every client takes an underscore in a host name"
            for name in self.hosts
            if "_" in name
        ]
        found += [
            f"{name}: a wildcard lets this host pass for every other host of that domain"
            for name in self.hosts
            if name.startswith("*.")
        ]
        return found


def _address(text: str) -> Address | None:
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    if "%" in bare:
        raise UsageError(
            f"{text!r}: a zone (%…) means something on one machine only: give the address without it"
        )
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_unspecified:
        raise UsageError(
            f"{text!r} means every address, which no client connects to: name the host's own address"
        )
    return address


def _host(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    if "://" in text or "/" in text:
        raise UsageError(
            f"{text!r}: a certificate carries a name or an address only: leave out scheme and path"
        )
    if not name or any(sign.isspace() for sign in name):
        raise UsageError(f"{text!r} is no host name: it is empty or has a blank in it")
    if re.search(r"^[^:]*:\d*$|\]:\d*$", name):
        raise UsageError(f"{text!r}: certificates are not for ports: leave out {name[name.rindex(':') :]!r}")
    wildcard, base = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    ascii_name = base if base.isascii() else _to_ascii(base, text)
    _check(ascii_name, text)
    return wildcard + ascii_name


def _to_ascii(name: str, text: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise UsageError(f"{text!r} is no international host name: {error}") from None


def _check(name: str, text: str) -> None:
    labels = name.split(".")
    if len(name) > _MOST_IN_NAME or any(len(label) > _MOST_IN_LABEL for label in labels):
        raise UsageError(
            f"{text!r}: a host name has at most {_MOST_IN_NAME} signs, and {_MOST_IN_LABEL} between dots"
        )
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise UsageError(
            f"{text!r} is no host name: letters, digits and '-' between dots, and '*.' only at its start"
        )
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        raise UsageError(f"{text!r} is neither an address nor a host name: correct its numbers")


def identity(text: str) -> str:
    """
    A client's identity: what authorisation plugins and logs see.

    Raises:
        UsageError: it cannot be one.
    """
    if len(text) > _MOST_IN_COMMON_NAME or not _IDENTITY.fullmatch(text):
        raise UsageError(
            f"{text!r} is no identity: up to {_MOST_IN_COMMON_NAME} letters, digits and . _ @ + -, as in 'ci-payments' or "
            "'ann@example.com'"
        )
    return text


def is_shared(name: str) -> bool:
    """Whether an identity sounds like one that several people use."""
    return name.lower() in _SHARED


def common_name(name: str) -> str:
    """A common name, which is informative only: a long one is cut, and told apart by a digest."""
    return (
        name if len(name) <= _MOST_IN_COMMON_NAME else f"{name[:55]}-{sha256(name.encode()).hexdigest()[:8]}"
    )


@dataclass(frozen=True)
class Constraints:
    """Domains and networks outside which an authority's certificates are worth nothing; empty: no limit."""

    domains: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Constraints":
        """
        Read domains (``corp.example``) and networks (``10.0.0.0/8``).

        Raises:
            UsageError: one is neither.
        """
        domains, networks = [], list[Network]()
        for text in texts:
            try:
                networks.append(ipaddress.ip_network(text.strip()))
            except ValueError:
                if re.fullmatch(r"[0-9a-fA-F.:]+/\d+", text.strip()):
                    raise UsageError(
                        f"{text!r} is no network: its address has bits beyond the mask"
                    ) from None
                domains.append(_host(text.strip().removeprefix("*.").lstrip(".")))
        return cls(tuple(domains), tuple(networks))

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them as text."""
        return (*self.domains, *map(str, self.networks))

    def extension(self) -> x509.NameConstraints:
        """As an extension. A kind of name of which nothing is said would be free of limits, so it is forbidden."""
        permitted = [*map(x509.DNSName, self.domains), *map(x509.IPAddress, self.networks)]
        every: list[x509.GeneralName] = []
        if not self.networks:
            every = [
                x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")),
                x509.IPAddress(ipaddress.ip_network("::/0")),
            ]
        if not self.domains:
            every = [x509.DNSName("")]
        return x509.NameConstraints(permitted or None, every or None)

    def refuse(self, names: Names) -> None:
        """
        See that every name is within the limits: one outside would make the whole certificate worthless.

        Raises:
            UsageError: one is not.
        """
        if not self.texts:
            return
        for host in names.hosts:
            if not any(f".{host}".endswith(f".{domain}") for domain in self.domains):
                raise UsageError(f"{host}: the authority may only sign for {', '.join(self.texts)}")
        for address in names.addresses:
            if not any(address in network for network in self.networks):
                raise UsageError(f"{address}: the authority may only sign for {', '.join(self.texts)}")


NO_NAMES, NO_LIMITS = Names(), Constraints()
