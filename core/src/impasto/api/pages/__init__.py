"""The pages of a server without a web client: what runs here (`/`), and the routes described (`/docs`).

Plain HTML made on the server: no scripts, nothing from another host. A web client that a plugin brings takes the place
of the first.
"""

from impasto.api.pages.router import pages

__all__ = ["pages"]
