"""
The report as one HTML file that needs no network: what matters as markup, every result as data that the page draws.

The policy in its head lets only the script and the style inside run, by their hashes. Hosts' words reach the
page as escaped text or as JSON in a script element of no executable type; the script sets them as text only.
"""

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import quote

import jinja2
import msgspec
from markupsafe import Markup

from auditor.results import AuditReport, Severity, count
from reports import island, overview, timeline
from reports.visible import visible, visible_lines

_SCRIPTS = ("model.js", "view.js", "page.js")
_STYLES = ("report.css",)
_LOADER = jinja2.PackageLoader("reports", "templates")
_KINDS = ("pass", "fail", "waived", "error", "manual", "attested", "not-applicable")


def render(report: AuditReport) -> Iterator[str]:
    """The report as an HTML page."""
    script, style = (_inline(names) for names in (_SCRIPTS, _STYLES))
    now = overview.aware(report.started)
    page = _PAGE.generate(
        report=report,
        now=now,
        script=script,
        style=style,
        policy=f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'",
        data=Markup(island.encode(report)),  # noqa: S704  the island cannot end its element, see there
        kinds=_KINDS,
        outcomes=_outcomes(report),
        severities=[severity.value for severity in reversed(Severity)],
        unreachable=[host for host in report.hosts if host.error],
        counts=[(host, count(host.results)) for host in report.hosts],
        deviations=overview.deviations(report),
        gaps=overview.gaps(report),
        waivers=overview.waivers(report),
        spans=[timeline.Span(expiry, now) for expiry in overview.expiries(report)],
        ticks=timeline.TICKS,
    )
    yield from page


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=_LOADER,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "lines": visible_lines, "linked": _linked}
    return environment


def _linked(value: str) -> str:
    """``value`` as a part of the page's own address."""
    return quote(visible(value), safe="")


def _outcomes(report: AuditReport) -> dict[str, int]:
    totals = msgspec.to_builtins(report.summary.outcomes)
    return {kind: totals[kind.replace("-", "_")] for kind in _KINDS}


def _inline(names: tuple[str, ...]) -> Markup:
    return Markup("\n".join(_LOADER.get_source(_ENVIRONMENT, name)[0] for name in names))  # noqa: S704  our own files


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_ENVIRONMENT = _environment()
_PAGE = _ENVIRONMENT.get_template(
    "report.html"
)  # compiled when the module is loaded, which may be ahead of need
