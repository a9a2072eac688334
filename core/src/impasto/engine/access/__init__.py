"""The parts of a running node's context, one noun a file: each does its share over the wire or with the worker's tools.

They implement the protocols of `impasto_sdk.context`; `impasto.engine.context` puts them together for one node.
"""
