"""Benchmarks: what the product costs beside hand-written endpoints and plain Strawberry. Never part of the tests."""
