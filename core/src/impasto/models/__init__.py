"""Models: the registry of what lies on disk, and the cache of what is in memory. Import from its modules."""
