import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_synth import charger, electrics, load

TABLE_V = {1.0: 12.88, 0.9: 12.76, 0.8: 12.64, 0.7: 12.51, 0.5: 12.28, 0.3: 12.04, 0.0: 11.65}


def test_rest_voltage_follows_the_published_table() -> None:
    soc = np.array(list(TABLE_V))
    assert electrics.open_circuit_v(soc, np.full(len(soc), 25.0)) == pytest.approx(list(TABLE_V.values()), abs=0.03)


def test_rest_voltage_falls_12_mv_a_percent() -> None:
    soc = np.linspace(0.2, 1.0, 81)
    slope = np.diff(electrics.open_circuit_v(soc, np.full(81, 25.0))) * 1e3
    assert slope.mean() == pytest.approx(11.9, abs=0.5)
    assert (slope > 9).all()


def test_float_current_doubles_per_eleven_point_six_kelvin_and_sixty_three_millivolts() -> None:
    exchange = np.array([10.0, 10.0, 10.0])
    volts = np.array([2.25, 2.25, 2.25 + 0.0630])
    warm = np.array([25.0, 25.0 + 11.552, 25.0])
    current = electrics.float_current_a(volts, exchange, warm, 100.0)
    assert current[1] / current[0] == pytest.approx(2.0, abs=0.001)
    assert current[2] / current[0] == pytest.approx(2.0, abs=0.001)
    # 10 mA per 100 Ah at 2.23 V and 25 °C; the table of the source gives 0.12 mA/Ah at 2.25 V.
    assert current[0] * 10 == pytest.approx(0.12, abs=0.005)


def test_compensated_float_current_doubles_per_29_kelvin() -> None:
    temperature = np.array([[11.0] * 4, [39.0] * 4])
    set_v = charger.float_set_point_v(24.0, temperature.mean(axis=1))
    exchange, cells = np.full((2, 4), 20.0), np.full((2, 4), 6.0)
    current, _ = electrics.string_float(set_v, exchange, temperature, cells, 120.0)
    assert 28.0 / np.log2(current[1] / current[0]) == pytest.approx(29.0, abs=0.5)


@given(
    st.lists(st.floats(8.0, 60.0), min_size=24, max_size=24),
    st.lists(st.floats(15.0, 45.0), min_size=24, max_size=24),
)
def test_blocks_of_a_floating_string_share_one_current_and_add_up(exchange: list[float], warm: list[float]) -> None:
    own, temperature = np.array([exchange]), np.array([warm])
    set_v = np.array([327.6])
    current, block_v = electrics.string_float(set_v, own, temperature, np.full((1, 24), 6.0), 120.0)
    assert block_v.sum() == pytest.approx(327.6, abs=1e-9)
    each = electrics.float_current_a(block_v / 6.0, own, temperature, 120.0)
    assert each == pytest.approx(np.full((1, 24), current[0]), rel=1e-9)


def test_one_shorted_cell_raises_the_float_current_by_a_fifth() -> None:
    exchange, warm = np.full((2, 24), 20.0), np.full((2, 24), 25.0)
    cells = np.full((2, 24), 6.0)
    cells[1, 3] = 5.0
    current, block_v = electrics.string_float(np.full(2, 327.6), exchange, warm, cells, 120.0)
    assert current[1] / current[0] == pytest.approx(1.19, abs=0.01)
    assert block_v[1, 3] < 11.6
    assert (np.delete(block_v[1], 3) > 13.65).all()


@pytest.mark.parametrize(("amperes_per_100ah", "minutes"), [(246, 5), (126.6, 20), (55.9, 60), (10.0, 600)])
def test_capacity_follows_the_rate_table(amperes_per_100ah: float, minutes: float) -> None:
    drawn = np.array([1.2 * amperes_per_100ah])
    assert electrics.available_ah(drawn, 120.0) == pytest.approx(drawn * minutes / 60.0, rel=1e-6)


@given(st.lists(st.tuples(st.floats(260, 320), st.floats(0.08, 0.25)), min_size=1, max_size=6), st.floats(5e3, 6e4))
def test_shared_bus_gives_the_power_at_one_voltage(strings: list[tuple[float, float]], power_w: float) -> None:
    source, resistance = (np.array(values) for values in zip(*strings, strict=True))
    bus = np.zeros(len(source), np.int64)
    current = load.shared_currents_a(source, resistance, bus, np.array([power_w]))
    giving = current > 0
    voltage = (source - current * resistance)[giving]
    assert np.ptp(voltage) < 1e-6 * voltage.mean()
    if giving.all():
        assert (voltage * current[giving]).sum() == pytest.approx(power_w, rel=1e-6)


def test_constant_power_is_the_smaller_root_of_the_bus_equation() -> None:
    current = load.shared_currents_a(np.array([298.0]), np.array([0.1]), np.array([0]), np.array([20_600.0]))
    assert current[0] == pytest.approx(np.roots([-0.1, 298.0, -20_600.0]).min(), rel=1e-9)


def test_resistance_rises_towards_empty_and_in_the_cold() -> None:
    base = np.full(3, 3.5)
    full, empty, cold = electrics.ohmic_mohm(base, np.array([1.0, 0.2, 1.0]), np.array([25.0, 25.0, 15.0]))
    assert full == pytest.approx(3.5)
    assert empty / full == pytest.approx(1.32)
    assert cold / full == pytest.approx(np.exp(0.08))


def test_recharge_step_is_exact_however_it_is_cut() -> None:
    start, most = np.array([60.0, 5.0, 0.0]), np.full(3, 11.0)
    whole = charger.step_deficit_ah(start, most, 7 * 3600.0)
    cut = start
    for _ in range(420):
        cut = charger.step_deficit_ah(cut, most, 60.0)
    assert cut == pytest.approx(whole, rel=1e-9, abs=1e-12)
