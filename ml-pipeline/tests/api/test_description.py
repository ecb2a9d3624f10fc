"""The OpenAPI description of the ML pipeline is complete."""

from battery_ml.api.app import create_app
from battery_ml.api.examples import EXAMPLES
from battery_servicekit.testing.contract import faults_of_examples, gaps_of


def test_the_description_leaves_nothing_unsaid() -> None:
    description = create_app().openapi()
    assert gaps_of(description) == []
    assert faults_of_examples(description, EXAMPLES) == []
    assert description["components"]["securitySchemes"].keys() == {"ServiceToken"}
