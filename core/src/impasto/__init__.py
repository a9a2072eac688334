"""Impasto's core: graph validation, the scheduler, the queue and the events of a node platform for images.

Plugins do not import this package: they stand on `impasto_sdk`. Programs that host the core begin at `impasto.app`.
"""

from impasto.__about__ import __version__

__all__ = ["__version__"]
