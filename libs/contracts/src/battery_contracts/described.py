"""The base of models whose fields are described where they are declared."""

from pydantic import BaseModel, ConfigDict


class Described(BaseModel):
    """A model in which the docstring below a field is its description in OpenAPI."""

    model_config = ConfigDict(use_attribute_docstrings=True)
