import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_contracts import ids

codes = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
numbers = st.integers(min_value=0, max_value=99).map(lambda number: f"{number:02d}")
strings = st.builds(
    lambda code, location, kind, system, number: f"DC-{code}-{location}-{kind}-{system}-STR-{number}",
    codes,
    numbers,
    st.sampled_from(["UPS", "REC"]),
    numbers,
    numbers,
)


@given(string_id=strings, position=st.integers(min_value=1, max_value=999))
def test_what_is_composed_comes_apart_again(string_id: str, position: int) -> None:
    battery_id = ids.battery_id_at(string_id, position)

    assert ids.string_of(battery_id) == string_id
    assert ids.position_of(battery_id) == position
    assert ids.location_of(battery_id) == ids.location_of(string_id) == string_id[:9]
    assert string_id.startswith(ids.system_of(string_id))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BAT-",
        "DC-CNX-01",
        "BAT-DC-CNX-01-UPS-01-STR-01-1",
        "BAT-DC-CNX-01-UPS-01-STR-01-0001",
        "bat-DC-CNX-01-UPS-01-STR-01-001",
        "BAT-DC-CNX-01-GEN-01-STR-01-001",
        "BAT-DC-CNX-01-UPS-01-STR-01-001\n",
        " BAT-DC-CNX-01-UPS-01-STR-01-001",
    ],
)
def test_what_is_no_battery_id_is_refused(text: str) -> None:
    with pytest.raises(ids.InvalidId, match="is not a"):
        ids.string_of(text)


@pytest.mark.parametrize("position", [0, -1, 1000])
def test_positions_outside_the_grammar_are_refused(position: int) -> None:
    with pytest.raises(ids.InvalidId, match="outside"):
        ids.battery_id_at("DC-CNX-01-UPS-01-STR-01", position)
