"""The OpenAPI description of the simulator is complete."""

from battery_servicekit.testing.contract import faults_of_examples, gaps_of
from battery_sim.api.app import create_app
from battery_sim.api.examples import EXAMPLES


def test_the_description_leaves_nothing_unsaid() -> None:
    description = create_app().openapi()
    assert gaps_of(description) == []
    assert faults_of_examples(description, EXAMPLES) == []
    assert description["components"]["securitySchemes"].keys() == {"ServiceToken"}
