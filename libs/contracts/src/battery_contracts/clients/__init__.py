"""Thin HTTP clients of the services and their mocks."""
