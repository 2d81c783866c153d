"""What people declared of a result, in words."""

from auditor.results import Attestation, Outcome, Result, Waiver


def accepted(waiver: Waiver) -> str:
    """Until when, and why."""
    return f"waived {f'until {waiver.expires}' if waiver.expires else 'without end'}: {waiver.justification}"


def attested(attestation: Attestation) -> str:
    """By whom, when, until when, and what."""
    return f"attested by {attestation.by} on {attestation.on}, until {attestation.expires}: {attestation.statement}"


def remark(result: Result) -> str:
    """All that people declared of a result; empty when nobody did."""
    words = []
    if result.outcome is Outcome.FAIL and result.waiver:
        words.append(accepted(result.waiver))
    if result.outcome is Outcome.MANUAL and result.attestation:
        words.append(attested(result.attestation))
    text = "; ".join([*words, result.note] if result.note else words)
    return text[:1].upper() + text[1:]
