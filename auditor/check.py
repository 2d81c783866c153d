"""All that a check imports: the decorator, findings, severities and the three ways to speak."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, get_type_hints

from auditor.gaps import Inconclusive, Manual, NotApplicable
from auditor.results import Finding, Severity

__all__ = [
    "Check",
    "Finding",
    "Findings",
    "Inconclusive",
    "Manual",
    "NotApplicable",
    "Severity",
    "check",
]

Findings = Iterator[Finding]
P = ParamSpec("P")


@dataclass(frozen=True)
class Check(Generic[P]):
    """
    One automated test of a control, with its words.

    Calling it runs the rule on facts and yields findings; it may raise ``NotApplicable``,
    ``Inconclusive`` or ``Manual``. Silence is a pass.
    """

    id: str
    title: str
    rationale: str
    remediation: str
    severity: Severity
    section: str
    facts: dict[str, Any]
    rule: Callable[P, Findings]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Findings:
        return self.rule(*args, **kwargs)


def check(
    *, severity: Severity, name: str = "", text: str = ""
) -> Callable[[Callable[P, Findings]], Check[P]]:
    """
    Make a check of a rule: its name becomes the id, its docstring the words, its annotations the facts.

    ``name`` and ``text`` replace the function's own where a table of near-identical checks is made by one factory.

    Raises:
        TypeError: the rule has no title, rationale or remediation, or a parameter without an annotation.
    """

    def decorate(rule: Callable[P, Findings]) -> Check[P]:
        check_id = (name or getattr(rule, "__name__", "")).replace("_", "-")
        title, rationale, remediation = _words(check_id, text or rule.__doc__ or "")
        hints = get_type_hints(rule)
        hints.pop("return", None)
        unknown = set(inspect.signature(rule).parameters) - hints.keys()
        if unknown:
            raise TypeError(
                f"{check_id}: no annotation on {', '.join(sorted(unknown))}: it says which fact is needed"
            )
        section = rule.__module__.split(".")[1] if "." in rule.__module__ else rule.__module__
        return Check(check_id, title, rationale, remediation, severity, section, hints, rule)

    return decorate


def _words(check_id: str, docstring: str) -> tuple[str, str, str]:
    """Split a docstring into title (first line), rationale (body) and remediation."""
    body, _, remediation = inspect.cleandoc(docstring).partition("\nRemediation:\n")
    title, _, rationale = body.partition("\n")
    words = (title.strip(), rationale.strip(), textwrap.dedent(remediation).strip())
    if not all(words):
        raise TypeError(
            f"{check_id}: a check needs a docstring with title, rationale and 'Remediation:' (python -OO strips it)"
        )
    return words
