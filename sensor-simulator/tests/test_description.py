"""The OpenAPI description of the simulator is complete."""

from battery_servicekit.testing.contract import gaps_of
from battery_sim.api.app import create_app


def test_the_description_leaves_nothing_unsaid() -> None:
    description = create_app().openapi()
    assert gaps_of(description) == []
    assert description["components"]["securitySchemes"].keys() == {"ServiceToken"}
