"""The OpenAPI description as a contract: errors, access and examples follow from the code of the routes."""
