"""What one TCP port is: a handful of short conversations, judged."""

import ssl
import time
from dataclasses import dataclass, field

from auditor.facts.live import Port, Verdict
from auditor.probe.hello import ALERTS, TLS_1_0, TLS_1_1, TLS_1_2, Flight
from auditor.probe.talk import (
    SECONDS_EACH,
    Place,
    Reply,
    ask,
    ask_encrypted,
    client,
    conversation,
    greet,
)

SECONDS_A_PORT = 12.0
_PROTOCOL_VERSION = 70
_OLD = {"TLS 1.0": TLS_1_0, "TLS 1.1": TLS_1_1}


def examine(place: Place, *, configured: bool = True, seconds: float = SECONDS_A_PORT) -> Port:
    """Find out what answers at ``place`` (an address and port), within about ``seconds``."""
    examination = _Examination(place, time.monotonic() + seconds)
    try:
        verdict, detail = examination.judge()
    except OSError as error:
        verdict, detail = _silence(error)
    return Port(
        place[1],
        verdict,
        detail,
        configured,
        tuple(ssl.DER_cert_to_PEM_cert(der) for der in examination.chain),
        examination.client_cas,
        examination.versions,
    )


def _silence(error: OSError) -> tuple[Verdict, str]:
    if isinstance(error, ConnectionRefusedError):
        return Verdict.REFUSED, ""
    if isinstance(error, TimeoutError):
        return Verdict.TIMED_OUT, ""
    if isinstance(error, ConnectionError):
        return Verdict.RESET, ""
    return Verdict.UNREACHABLE, error.strerror or str(error)


@dataclass
class _Examination:
    place: Place
    end: float
    chain: tuple[bytes, ...] = ()
    client_cas: tuple[str, ...] | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def seconds(self) -> float:
        """For the next conversation. Raises TimeoutError when the port has had its time."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(left, SECONDS_EACH)

    def judge(self) -> tuple[Verdict, str]:
        """The verdict and what it rests on. Raises OSError when nobody answers."""
        with conversation(self.place, self.seconds()) as talk:
            flight = greet(talk, TLS_1_2)
        if flight is None:
            return self._judge_plain()
        self.chain, self.client_cas = flight.chain, flight.client_cas
        self.versions["TLS 1.2"] = _offered(flight, TLS_1_2)
        without = self._ask(client(ssl.TLSVersion.TLSv1_3, certificate=False), "TLS 1.3")
        for name, version in _OLD.items():
            self.versions[name] = self._try_old(version)
        if flight.version == TLS_1_2 and without is not Reply.DOCKER:
            without = self._ask(client(ssl.TLSVersion.TLSv1_2, certificate=False))
        return self._judge_tls(flight, without)

    def _judge_plain(self) -> tuple[Verdict, str]:
        with conversation(self.place, self.seconds()) as talk:
            reply = ask(talk)
        if reply is Reply.DOCKER:
            return Verdict.PLAINTEXT, "GET /version was answered without TLS"
        if reply is Reply.HTTP:
            return Verdict.OTHER_HTTP, "plain HTTP, but not the Docker API"
        return (
            (Verdict.TIMED_OUT, "it takes connections and says nothing")
            if reply is Reply.NOTHING
            else (Verdict.NOT_TLS, reply)
        )

    def _judge_tls(self, flight: Flight, without: Reply | None) -> tuple[Verdict, str]:
        if without is Reply.DOCKER:
            return Verdict.NO_CLIENT_AUTH, "GET /version was answered to a client without a certificate"
        if flight.version != TLS_1_2 and self.versions.get("TLS 1.3") != "offered":
            alert = "" if flight.alert is None else f": {ALERTS.get(flight.alert, f'alert {flight.alert}')}"
            return Verdict.TLS_BROKEN, f"no handshake in any version of TLS{alert}"
        version = ssl.TLSVersion.TLSv1_2 if flight.version == TLS_1_2 else ssl.TLSVersion.TLSv1_3
        stranger = self._ask(client(version, certificate=True))
        if stranger is Reply.DOCKER:
            return Verdict.ANY_CERTIFICATE, "GET /version was answered to a certificate that nobody signed"
        asked = flight.client_cas is not None or version is ssl.TLSVersion.TLSv1_3
        if asked and without in (Reply.REFUSED, Reply.HTTP) and stranger in (Reply.REFUSED, Reply.HTTP):
            return Verdict.MUTUAL_TLS, ""
        return (
            Verdict.TLS_UNCLEAR,
            f"a client without a certificate gets {without or 'no answer'}, and one is {'' if asked else 'not '}asked for",
        )

    def _ask(self, context: ssl.SSLContext, version: str = "") -> Reply | None:
        """Ask over TLS; None when time ran out. Notes under ``version`` whether the handshake came about."""
        told = "not known"
        try:
            with conversation(self.place, self.seconds()) as talk:
                encrypted = talk.encrypt(context)
                told = "offered"
                leaf = encrypted.getpeercert(binary_form=True)
                self.chain = self.chain or ((leaf,) if leaf else ())
                return ask_encrypted(talk)
        except TimeoutError:
            return None
        except ssl.SSLError as error:
            told = "refused" if "ALERT" in (error.reason or "") else "not known"
            return Reply.REFUSED
        except OSError:
            return Reply.REFUSED if told == "offered" else None
        finally:
            if version:
                self.versions[version] = told

    def _try_old(self, version: int) -> str:
        try:
            with conversation(self.place, self.seconds()) as talk:
                flight = greet(talk, version)
        except OSError:
            return "not known"
        return _offered(flight, version) if flight else "refused"


def _offered(flight: Flight, version: int) -> str:
    if flight.version == version:
        return "offered"
    return "not known" if flight.alert is None and not flight.version else "refused"
