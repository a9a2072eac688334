"""The HTTP interface of a server: routes, event streams, pages, and the server process itself (`impasto.api.server`).

Routes translate and nothing else: what is asked is decided on the floors below, and what goes wrong there is told in
problem documents.
"""

from impasto.api.factory import create_api

__all__ = ["create_api"]
