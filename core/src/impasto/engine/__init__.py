"""The engine: worker processes that run sessions, and the server's side that keeps them, feeds them and hears them.

``Engine`` is the server's; ``python -m impasto.engine.worker`` is the other end. Both share this package, so nothing
that the worker must not load (the database, the web server) is imported here.
"""

from impasto.engine.engine import Engine
from impasto.engine.ports import SessionServices
from impasto.engine.protocol import CacheOrder
from impasto.engine.supervisor import WorkerInfo
from impasto.engine.warm_models import ModelCacheInfo
from impasto.engine.worker_cache import CacheInfo

__all__ = ["CacheInfo", "CacheOrder", "Engine", "ModelCacheInfo", "SessionServices", "WorkerInfo"]
