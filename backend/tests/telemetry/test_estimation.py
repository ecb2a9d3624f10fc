"""What becomes of a twin's answers: kept, withheld, forgotten."""

from typing import Any

import pytest

from battery_api.alerts.not_judged import find_not_judged
from battery_api.fleet.overview_schemas import FleetOverview, Services
from battery_api.fleet.service import FleetService
from battery_contracts.clients.errors import ServiceRefused
from battery_contracts.clients.mocks import ConstantTwin
from battery_contracts.enums import NoEstimateReason, Provenance
from battery_contracts.twin import NOTHING_ESTIMATED, EstimateRequest, EstimateResponse

from .world import BATTERIES, NOW, WRITER, Gateway, ago, reading, with_twin

STATE = "select * from battery_state where time is not null order by battery_id"


class ScriptedTwin(ConstantTwin):
    """Changes its answers by call: to the first call with the first update, and so on."""

    def __init__(self, *updates: dict[str, Any]) -> None:
        super().__init__(soc_pct=90.0, soh_pct=80.0)
        self.updates = list(updates)

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        answer = await super().estimate(request)
        return answer.model_copy(update=self.updates.pop(0) if self.updates else {})


async def test_the_twin_receives_age_capacity_and_baseline(gateway: Gateway) -> None:
    twin = ConstantTwin()
    await with_twin(gateway, twin).post({"readings": [reading()]})
    (request,) = twin.requests
    (facts,) = await gateway.rows(
        "select m.rated_capacity_ah, b.installed_at, b.baseline_resistance_mohm from battery b"
        f" join battery_model m on m.id = b.model_id where b.code = '{BATTERIES[0]}'"
    )
    assert request.rated_ah == [facts["rated_capacity_ah"]]
    assert request.age_days is not None
    assert request.age_days[0] == pytest.approx((ago(60) - facts["installed_at"]).total_seconds() / 86400, abs=1)
    assert request.baseline_resistance_mohm is not None
    assert (request.baseline_resistance_mohm[0] is None) == (facts["baseline_resistance_mohm"] is None)


async def test_a_resistance_estimated_now_and_then_stays_known(gateway: Gateway) -> None:
    twin = ScriptedTwin({"resistance_mohm": [4.2], "resistance_sd_mohm": [0.1]}, {})
    with_it = with_twin(gateway, twin)
    for seconds in (300, 200):
        await with_it.post({"readings": [reading(at=ago(seconds))]})
    (state,) = await gateway.rows(STATE)
    assert (state["resistance_estimate_mohm"], state["resistance_estimate_sd_mohm"]) == pytest.approx((4.2, 0.1))


async def test_a_block_above_its_nameplate_is_believed(gateway: Gateway) -> None:
    await with_twin(gateway, ConstantTwin(soh_pct=112.0)).post({"readings": [reading()]})
    (state,) = await gateway.rows(STATE)
    assert state["soh_pct"] == 112.0


async def test_a_withheld_estimate_keeps_the_state_it_left(gateway: Gateway) -> None:
    withheld = {"soc_pct": [None], "soh_pct": [None], "error": ["state: of another battery"], "state": [b"9"]}
    twin = ScriptedTwin(withheld, {})
    with_it = with_twin(gateway, twin)
    await with_it.post({"readings": [reading(at=ago(300))]})
    (row,) = await gateway.rows("select soc_pct, soh_pct from telemetry")
    assert (row["soc_pct"], row["soh_pct"]) == (None, None)
    await with_it.post({"readings": [reading(at=ago(200))]})
    assert [request.state for request in twin.requests] == [[None], [b"9"]]


async def test_a_battery_with_an_unusable_state_restarts_from_its_prior(gateway: Gateway) -> None:
    twin = ScriptedTwin({}, {"error": ["state: of another version"], "soc_pct": [None], "state": [b""]}, {})
    with_it = with_twin(gateway, twin)
    for seconds in (300, 200, 100):
        await with_it.post({"readings": [reading(at=ago(seconds))]})
    assert [request.state for request in twin.requests] == [[None], [b"1"], [None]]
    assert [request.dt_s for request in twin.requests] == [[None], [100.0], [None]]


class RefusingTwin(ConstantTwin):
    """Refuses every call that carries a state."""

    async def estimate(self, request: EstimateRequest) -> EstimateResponse:
        if request.state[0] is not None:
            self.requests.append(request)
            raise ServiceRefused("twin", 422, NOTHING_ESTIMATED, "None of the 1 readings can be used.")
        return await super().estimate(request)


async def test_batteries_of_a_wholly_refused_call_restart_from_their_prior(gateway: Gateway) -> None:
    twin = RefusingTwin(soc_pct=90.0)
    with_it = with_twin(gateway, twin)
    for seconds in (300, 200, 100):
        assert (await with_it.post({"readings": [reading(at=ago(seconds))]})).accepted == 1
    assert [request.state for request in twin.requests] == [[None], [b"1"], [None], [b"1"], [None]]
    values = [row["soc_pct"] for row in await gateway.rows("select soc_pct from telemetry order by time")]
    assert values == [90.0, 90.0, 90.0]


async def overview_of(gateway: Gateway) -> FleetOverview:
    services = Services(twin="up", ml="up", simulator="up")
    async with gateway.database.begin() as connection:
        service = FleetService(connection, WRITER, NOW, find_not_judged=find_not_judged)
        return await service.overview(services, gateway.context.disk.report())


async def test_the_average_counts_only_batteries_with_evidence(gateway: Gateway) -> None:
    assert (await overview_of(gateway)).soh_reason is NoEstimateReason.NO_ESTIMATE_YET
    await with_twin(gateway, ConstantTwin(soh_pct=95.0)).post({"readings": [reading(), reading(BATTERIES[1])]})
    by_age_alone = await overview_of(gateway)
    assert (by_age_alone.mean_soh_pct, by_age_alone.soh_evidence_count) == (None, 0)
    assert by_age_alone.soh_reason is NoEstimateReason.NO_EVIDENCE
    for battery, health in ((BATTERIES[1], 70.0), (BATTERIES[-1], 90.0)):
        seen = ScriptedTwin({"soh_pct": [health], "soh_provenance": [Provenance.DISCHARGE_INFERRED]})
        await with_twin(gateway, seen).post({"readings": [reading(battery, at=ago(10))]})
    found = await overview_of(gateway)
    assert (found.mean_soh_pct, found.soh_evidence_count, found.soh_reason) == (80.0, 2, None)
