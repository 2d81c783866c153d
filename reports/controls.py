"""Which control a result answers, and several results that answer one control."""

from collections.abc import Iterable
from functools import lru_cache

from auditor.results import Outcome, Result, combine


def numbers(result: Result, benchmark: str) -> list[str]:
    """The numbers of the controls that ``result`` answers: the report's benchmark's, else those of the first it names."""
    return result.controls.get(benchmark) or next(iter(result.controls.values()), [])


@lru_cache(4096)
def by_number(number: str) -> tuple[tuple[int, str], ...]:
    """A sort key: 5.2 comes before 5.10, and what has no number last."""
    return tuple((int(part), "") if part.isdecimal() else (1_000_000, part) for part in number.split("."))


def group(results: Iterable[Result], benchmark: str) -> list[tuple[str, list[Result]]]:
    """
    (number, results) of every control, in the benchmark's order; then ("", [result]) for each check beyond it.

    A result that answers two controls stands under both.
    """
    controls: dict[str, list[Result]] = {}
    beyond: list[tuple[str, list[Result]]] = []
    for result in results:
        answered = numbers(result, benchmark)
        for number in answered:
            controls.setdefault(number, []).append(result)
        if not answered:
            beyond.append(("", [result]))
    return [(number, controls[number]) for number in sorted(controls, key=by_number)] + beyond


def judge(results: list[Result]) -> tuple[Outcome, bool]:
    """
    The outcome of a control, and whether it is a waived failure.

    A waiver accepts what was found, not what could not be seen: beside a gap, a waived failure leaves the gap.
    """
    if len(results) == 1:
        return results[0].outcome, _waived(results[0])
    rest = [result.outcome for result in results if not _waived(result)]
    outcome = combine(rest) if rest else Outcome.FAIL
    if len(rest) < len(results) and outcome not in (Outcome.FAIL, Outcome.ERROR):
        return Outcome.FAIL, True
    return outcome, not rest


def _waived(result: Result) -> bool:
    return result.outcome is Outcome.FAIL and result.waiver is not None
