"""The application: where concrete parts are put together, and what is done with several of them at once."""

from impasto.app.impasto import Impasto

__all__ = ["Impasto"]
