"""Test doubles of the services for the tests of other members."""

from battery_contracts.clients.errors import ServiceUnavailable
from battery_contracts.enums import Provenance
from battery_contracts.twin import EstimateRequest, EstimateResponse


class ReachableTwin:
    """What every twin double shares: it can be called, and time-outs are counted."""

    is_reachable = True

    def __init__(self) -> None:
        self.timeouts = 0

    async def is_ready(self) -> bool:
        """Return whether the double is reachable."""
        return self.is_reachable

    def report_timeout(self) -> None:
        """Count a call that the caller gave up."""
        self.timeouts += 1


class UnavailableTwin(ReachableTwin):
    """A twin that is not running."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        """Fail as a dead service does."""
        self.calls += 1
        raise ServiceUnavailable("digital-twin", f"ConnectError for {len(request.battery_id)} readings")


class ConstantTwin(ReachableTwin):
    """A twin that gives every battery the same prior estimate; its state counts the readings."""

    def __init__(self, *, soc_pct: float = 100.0, soh_pct: float = 95.0) -> None:
        super().__init__()
        self.soc_pct = soc_pct
        self.soh_pct = soh_pct
        self.requests: list[EstimateRequest] = []

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        """Record the request and answer it."""
        self.requests.append(request)
        return self.answer(request)

    def answer(self, request: EstimateRequest) -> EstimateResponse:
        """Answer for each reading; the state is the number of readings of that battery so far."""
        count = len(request.battery_id)
        states: dict[str, tuple[int, bytes]] = {}
        for slot, (battery, state) in enumerate(zip(request.battery_id, request.state, strict=True)):
            states[battery] = slot, _counted(states[battery][1] if battery in states else state)
        last = dict(states.values())
        return EstimateResponse(
            soc_pct=[self.soc_pct] * count,
            soc_sd_pct=[5.0] * count,
            soh_pct=[self.soh_pct] * count,
            soh_sd_pct=[8.0] * count,
            soc_provenance=[Provenance.PRIOR_ONLY] * count,
            soh_provenance=[Provenance.PRIOR_ONLY] * count,
            resistance_mohm=[None] * count,
            resistance_sd_mohm=[None] * count,
            normalised_innovation_squared=[None] * count,
            state=[last.get(slot) for slot in range(count)],
            error=[None] * count,
        )


def _counted(state: bytes | None) -> bytes:
    return str(int(state or b"0") + 1).encode()
