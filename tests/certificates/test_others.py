"""What other generators make, to their recipes, is judged by our checks as they deserve."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor.certificates.authority import read_certificates
from auditor.facts.certificates import Certificates, Role, Seen
from auditor.facts.x509 import describe
from checks.certificates import chain, usage, validity
from tests.lab.need import need

_SAN = "subjectAltName=DNS:web1.example,IP:10.0.0.5\n"
_BOTH = "extendedKeyUsage=serverAuth,clientAuth\n"
_CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
_IDS = "authorityKeyIdentifier=keyid\n"
# Made by a Go that gave no certificate a key identifier of its own accord.
_NO_IDS = "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n"
_MACHINE_CA = f"basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,keyEncipherment,keyAgreement,keyCertSign\n{_NO_IDS}"
_MACHINE = f"{_SAN}basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment,keyAgreement\n{_NO_IDS}"
STRICT, CLIENT_TOO, TOO_LONG = "strict", "client too", "too long"


@dataclass(frozen=True)
class Recipe:
    """Extensions of authority (empty: X.509 version 1) and server, the server's days, what we must say of it, and how subjects begin."""

    authority: str
    server: str
    days: int
    found: set[str]
    subject: str = "CN="


RECIPES = {
    "docker's how-to": Recipe(
        "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n",
        f"{_SAN}extendedKeyUsage=serverAuth\n{_IDS}",
        365,
        {STRICT},
    ),
    "dockertls-windows": Recipe("", _SAN, 365, {STRICT, CLIENT_TOO}),
    "docker:dind": Recipe(
        "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n",
        f"{_SAN}{_IDS}",
        825,
        {STRICT, CLIENT_TOO},
    ),
    "docker-machine": Recipe(
        _MACHINE_CA, f"{_MACHINE}extendedKeyUsage=serverAuth\n", 1080, {STRICT, TOO_LONG}, "O=me."
    ),
    "docker-machine, swarm master or before 0.8": Recipe(
        _MACHINE_CA, f"{_MACHINE}{_BOTH}", 1080, {STRICT, CLIENT_TOO, TOO_LONG}, "O=me."
    ),
    "mkcert": Recipe(_CA, f"{_SAN}extendedKeyUsage=serverAuth\n{_IDS}", 823, set()),
    "trustme, cfssl, step": Recipe(_CA, f"{_SAN}{_BOTH}{_IDS}", 365, {CLIENT_TOO}),
    "easy-rsa": Recipe(
        "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
        f"{_SAN}extendedKeyUsage=serverAuth\n{_IDS}",
        825,
        {STRICT},
    ),
}


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True)


def make(folder: Path, recipe: Recipe) -> Certificates:
    """By the openssl command, as those recipes do; the keys are short of theirs in nothing that we judge here."""
    (folder / "ca.cnf").write_text(recipe.authority)
    (folder / "server.cnf").write_text(recipe.server)
    for name in ("ca", "server"):
        openssl(folder, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-subj", f"/{recipe.subject}{name}", "-out", f"{name}.csr")  # fmt: skip
    extensions = ["-extfile", "ca.cnf"] if recipe.authority else []
    openssl(folder, "x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-days", "3650", "-out", "ca.pem", *extensions)  # fmt: skip
    openssl(
        folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", str(recipe.days), "-extfile", "server.cnf", "-out", "server.pem",
    )  # fmt: skip
    authority, server = (describe(read_certificates(folder / name)[0]) for name in ("ca.pem", "server.pem"))
    return Certificates(
        (
            Seen(authority, Role.CLIENT_CA, "ca.pem"),
            Seen(server, Role.SERVER, "server.pem", trusted_as_client=True, issuer="seen"),
        )
    )


@pytest.mark.parametrize("name", RECIPES)
def test_each_generator_is_judged_by_what_its_certificates_are(tmp_path: Path, name: str) -> None:
    need("openssl")
    made = make(tmp_path, RECIPES[name])
    rules = {
        STRICT: chain.certificate_refused_by_strict_verifiers,
        CLIENT_TOO: usage.server_certificate_is_client_certificate,
        TOO_LONG: validity.certificate_validity_too_long,
    }
    assert {said for said, rule in rules.items() if list(rule(made))} == RECIPES[name].found
    assert not list(usage.server_certificate_not_for_servers(made))
    assert not list(usage.server_certificate_is_ca(made))
