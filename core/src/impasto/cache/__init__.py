"""The invocation cache: results of nodes that need not be worked out twice."""

from impasto.cache.invocation_cache import CacheStats, InvocationCache, most_entries
from impasto.cache.key import invocation_key

__all__ = ["CacheStats", "InvocationCache", "invocation_key", "most_entries"]
