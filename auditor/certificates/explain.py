"""Error texts of docker, dockerd, openssl and Python, and what to do about them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """What an error text means and what mends it."""

    cause: str
    fix: str


_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        (
            r"doesn't contain any IP SANs|certificate is valid for .*, not |no alternative certificate subject name|Hostname mismatch|"
            r"IP address mismatch|is not valid for (any names|.?host|.?name)|hostname .* doesn't match"
        ),
        "The server's certificate does not carry the name or address that you connect to.",
        (
            "See what it carries ('auditor certs show tcp://HOST:2376'), then issue it again with every name clients use: "
            "'auditor certs server --force HOST=NAME,ADDRESS' and 'auditor certs install HOST'. Or connect by a name that it carries."
        ),
    ),
    (
        r"relies on legacy Common Name",
        "The server's certificate names its host in the common name only, which nobody reads any more.",
        "Issue it again with alternative names: 'auditor certs server HOST=NAME,ADDRESS', then 'auditor certs install HOST'.",
    ),
    (
        r"(SAN|dNSName|name) .*malformed|invalid (dNSName|SAN)",
        "A name in the certificate is not well-formed (a dot at its end, a blank, an address written as a name).",
        "Issue it again: 'auditor certs server --force HOST=NAME,ADDRESS' brings names into the form that every client takes.",
    ),
    (
        r"not authorized to sign for this name|permitted subtree|name constraint",
        "The authority is limited to certain domains and networks, and the certificate's name lies outside.",
        "Name the host within those limits, or make an authority with wider ones ('auditor certs init --constrain').",
    ),
    (
        (
            r"incompatible key usage|unsupported certificate purpose|invalid purpose|unsuitable certificate purpose|"
            r"key usage .*not (permitted|allowed)"
        ),
        "A certificate is used on the wrong side: a client's as a server's, or a server's as a client's.",
        "Look at both ('auditor certs show FILE'): the daemon needs one 'for servers', the client one 'for clients'.",
    ),
    (
        r"certificate[ _]has[ _]expired|certificate is not yet valid|not yet valid: current time|certificate[ _]expired",
        "A certificate is out of its time, or a clock is wrong.",
        (
            "Compare 'date -u' on both machines; then 'auditor certs status', 'auditor certs renew', and 'auditor certs install HOST' for "
            "a server's or 'auditor certs bundle' for a client's."
        ),
    ),
    (
        (
            r"CA cert does not include key usage|Missing Authority Key Identifier|Missing Subject Key Identifier|"
            r"Basic Constraints of CA cert not marked critical|basicConstraints|must be an X509v3"
        ),
        "The authority was made by an old recipe, and strict verifiers (Python 3.13 and newer) refuse it.",
        "Certificates of 'auditor certs init' pass; move to them with a new authority, since an old one cannot be mended.",
    ),
    (
        r"(ee key|EE certificate key|CA certificate key) too (small|weak)|md too weak|digest algorithm too weak|insecure algorithm",
        "A key or signature in the chain is weaker than the other side accepts.",
        "Issue it again with a key of today: 'auditor certs server --force' (P-256).",
    ),
    (
        (
            r"signed by unknown authority|unable to get (local )?issuer certificate|self.signed certificate|unknown[ _]ca|"
            r"verification error.*candidate authority|verify failed"
        ),
        "One side does not trust the authority that signed the other's certificate.",
        (
            "The client's ca.pem must hold the servers' authority and the daemon's tlscacert the clients': write both anew with "
            "'auditor certs bundle' and 'auditor certs install'. With docker-py also unset REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, which override ca.pem."
        ),
    ),
    (
        r"bad[ _]certificate|certificate[ _]required|client authentication|client certificate|peer did not return a certificate",
        "The daemon wants a client's certificate, and got none that it accepts. A client whose issuer the daemon does not list sends none at all.",
        (
            "See whom it takes ('auditor certs show tcp://HOST:2376'), give the client such a certificate ('auditor certs client NAME', 'auditor certs bundle'), "
            "and set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH."
        ),
    ),
    (
        r"server gave HTTP response to HTTPS client|wrong[ _]version[ _]number",
        "The daemon's port speaks without TLS: whoever reaches it is root there.",
        "Close it today: 'auditor certs install HOST' turns mutual TLS on.",
    ),
    (
        r"HTTP request to an HTTPS server|malformed HTTP response|Are you trying to connect to a TLS-enabled daemon without TLS",
        "The daemon speaks TLS, and the client does not.",
        "Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to a folder of 'auditor certs bundle --for dir', or use a context.",
    ),
    (
        r"handshake[ _]failure|no cipher|protocol[ _]version|unsupported protocol",
        "Both sides found no common way to speak TLS: an old client, or a key on a curve that nobody speaks.",
        "See what the port offers ('auditor certs show tcp://HOST:2376'); issue on P-256; bring the older side up to date.",
    ),
    (
        r"directives are specified both as a flag and in the configuration file",
        "The daemon has the same setting as a flag (often -H fd:// in its systemd unit) and in daemon.json, and does not start.",
        (
            "'auditor certs install HOST' moves the flags to daemon.json by a drop-in; by hand: "
            "'systemctl edit docker', ExecStart= (empty), then ExecStart= without -H."
        ),
    ),
    (
        r"invalid bind address format|invalid bind address",
        "A listener is not written as the daemon wants it.",
        "Write tcp://ADDRESS:2376, never https:// or http://.",
    ),
    (
        r"key is (not )?encrypted|private key is encrypted|failed to parse private key",
        "dockerd and docker take no key with a passphrase.",
        "Write it without one: 'openssl pkey -in key.pem -out plain.pem', mode 0400; the keys of 'auditor certs' are so already.",
    ),
    (
        r"private key does not match|key type does not match|key values mismatch|does not match public key|KEY_VALUES_MISMATCH",
        "The key does not belong to the certificate beside it.",
        "Write both again as a pair: 'auditor certs install HOST' or 'auditor certs bundle'.",
    ),
    (
        r"could not (read|load) (CA|X509)|no such file or directory.*\.pem|unable to resolve docker endpoint.*\.pem",
        "A certificate file that the configuration names is not there, or not to be read.",
        "Write it with 'auditor certs bundle --for dir', or correct tlscacert, tlscert, tlskey, DOCKER_CERT_PATH.",
    ),
    (
        r"connection refused|i/o timeout|no route to host|timed out",
        "Nothing answers on that port: the daemon does not listen there, does not run, or a firewall is in between.",
        "On the host: 'systemctl status docker', 'ss -ltn'; hosts in daemon.json must have tcp://ADDRESS:2376.",
    ),
)


def explain(text: str) -> list[Explanation]:
    """What an error text may mean; the most particular first, empty when it is not known."""
    return [
        Explanation(cause, fix) for pattern, cause, fix in _KNOWN if re.search(pattern, text, re.IGNORECASE)
    ]
