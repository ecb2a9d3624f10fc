"""What different authorities make of one ohmic reading: limit, denominator, action and source of each, as data.

The same 36 % above the baseline is a reason to test by one, significant by another and no warranty case by a third.
None of them is "what IEEE says": the standard was not read, see docs/sources.md. A row more or less changes the table.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

Denominator = Literal["baseline", "string_mean"]
OhmicAction = Literal["capacity_test", "investigate", "warranty_claim"]
Verdict = Literal["exceeded", "within", "unknown"]
UnknownReason = Literal["never_measured", "no_temperature", "no_baseline", "too_few_peers"]
FEWEST_PEERS: Final = 3
"""Other batteries of the string whose resistance must be known for a mean of them."""


class OhmicPolicy(NamedTuple):
    """One limit on the rise of a resistance at 25 °C over a denominator."""

    policy_id: str
    denominator: Denominator
    limit_pct: float
    action: OhmicAction
    source: str


POLICIES: Final = (
    OhmicPolicy("act_20", "baseline", 20.0, "capacity_test", "act at 20 % above the battery's own baseline [FLK]"),
    OhmicPolicy(
        "significant_30", "baseline", 30.0, "investigate", "30 to 50 % is significant: IEEE 1188-2005 as quoted [CPB]"
    ),
    OhmicPolicy("warranty_50", "baseline", 50.0, "warranty_claim", "usual limit of warranty [ELO]"),
    OhmicPolicy("warranty_string_50", "string_mean", 50.0, "warranty_claim", "of makers that go by the string (EJ)"),
)
"""The policies, the strictest of each denominator first."""


class OhmicFinding(NamedTuple):
    """What one policy makes of a reading; ``rise_pct`` is null where ``reason`` says why."""

    policy: OhmicPolicy
    verdict: Verdict
    rise_pct: float | None
    reason: UnknownReason | None


def find(
    resistance_25c_mohm: float | None,
    *,
    is_measured: bool,
    baseline_25c_mohm: float | None,
    peers_25c_mohm: Sequence[float],
    policies: Sequence[OhmicPolicy] = POLICIES,
) -> list[OhmicFinding]:
    """Return what each policy makes of a battery's newest resistance.

    Parameters
    ----------
    resistance_25c_mohm
        Resistance in mΩ at 25 °C; None where it was not measured or its temperature is not known.
    is_measured
        Whether a resistance was ever measured.
    baseline_25c_mohm
        The battery's own baseline at 25 °C; None where it has none that can be used.
    peers_25c_mohm
        Resistances at 25 °C of the other batteries of the string, as far as they are known.
    """
    return [
        _finding(policy, resistance_25c_mohm, is_measured, baseline_25c_mohm, peers_25c_mohm) for policy in policies
    ]


def _finding(
    policy: OhmicPolicy,
    resistance: float | None,
    is_measured: bool,
    baseline: float | None,
    peers: Sequence[float],
) -> OhmicFinding:
    if not is_measured:
        return OhmicFinding(policy, "unknown", None, "never_measured")
    if resistance is None:
        return OhmicFinding(policy, "unknown", None, "no_temperature")
    if policy.denominator == "baseline":
        if baseline is None:
            return OhmicFinding(policy, "unknown", None, "no_baseline")
        denominator = baseline
    else:
        if len(peers) < FEWEST_PEERS:
            return OhmicFinding(policy, "unknown", None, "too_few_peers")
        denominator = math.fsum(peers) / len(peers)
    rise_pct = (resistance / denominator - 1.0) * 100.0
    return OhmicFinding(policy, "exceeded" if rise_pct > policy.limit_pct else "within", rise_pct, None)
