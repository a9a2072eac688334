"""The invocation cache: what it keeps, what it lets go, and how it counts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from impasto.cache import InvocationCache, most_entries

DOCUMENT = {"type": "integer_output", "value": 1}


def full_of(number: int, max_bytes: int) -> InvocationCache:
    cache = InvocationCache(max_bytes)
    for place in range(number):
        cache.put(f"key {place}", {"value": place})
    return cache


def test_what_was_put_comes_back() -> None:
    cache = InvocationCache(10_000)
    cache.put("key", DOCUMENT)
    assert cache.get("key") == DOCUMENT
    assert cache.get("other") is None
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.entries, stats.max_bytes, stats.enabled) == (1, 1, 1, 10_000, True)


def test_each_caller_gets_a_document_of_its_own() -> None:
    cache = InvocationCache(10_000)
    given: dict[str, Any] = {"collection": [1]}
    cache.put("key", given)
    given["collection"].append(2)
    found = cache.get("key")
    assert found is not None
    found["collection"].append(3)
    assert cache.get("key") == {"collection": [1]}


def test_bytes_never_exceed_the_bound_and_what_was_used_longest_ago_goes() -> None:
    one = full_of(1, 10_000).stats().bytes
    cache = InvocationCache(3 * one)
    for place in range(3):
        cache.put(f"key {place}", {"value": place})
    assert cache.get("key 0") is not None
    cache.put("key 3", {"value": 3})
    assert [cache.get(f"key {place}") is not None for place in range(4)] == [True, False, True, True]
    assert cache.stats().bytes == 3 * one


def test_a_document_larger_than_the_cache_is_not_kept_and_pushes_nothing_out() -> None:
    cache = full_of(2, 2_000)
    cache.put("big", {"value": "x" * 5_000})
    assert cache.get("big") is None
    assert cache.stats().entries == 2


def test_a_second_document_takes_the_place_of_the_first() -> None:
    cache = InvocationCache(10_000)
    cache.put("key", {"value": "a long text"})
    cache.put("key", {"value": 1})
    assert cache.get("key") == {"value": 1}
    assert cache.stats().bytes == full_of(1, 10_000).stats().bytes


def test_a_hit_that_is_not_usable_is_a_miss_and_is_forgotten() -> None:
    cache = InvocationCache(10_000)
    cache.put("key", DOCUMENT)
    assert cache.get("key", lambda document: document["value"] != 1) is None
    assert cache.get("key") is None
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.entries, stats.bytes) == (0, 2, 0, 0)


def test_a_disabled_cache_gives_takes_and_counts_nothing_and_keeps_what_it_has() -> None:
    cache = full_of(1, 10_000)
    cache.disable()
    cache.put("other", DOCUMENT)
    assert cache.get("key 0") is None
    assert not cache.stats().enabled
    assert cache.stats().misses == 0
    cache.enable()
    assert cache.get("key 0") == {"value": 0}
    assert cache.get("other") is None


def test_a_cache_of_no_bytes_cannot_be_enabled() -> None:
    cache = InvocationCache(0)
    cache.enable()
    cache.put("key", DOCUMENT)
    assert cache.get("key") is None
    assert not cache.stats().enabled


def test_a_cleared_cache_is_as_new_but_for_having_been_cleared() -> None:
    cache = full_of(3, 10_000)
    cache.get("key 0")
    cache.clear()
    assert cache.stats() == replace(InvocationCache(10_000).stats(), clears=1)


@pytest.mark.parametrize("max_bytes", [0, 1_000, 10_000])
def test_no_cache_holds_more_entries_than_could_fit(max_bytes: int) -> None:
    cache = InvocationCache(max_bytes)
    for place in range(100):
        cache.put(f"key {place}", {"type": ""})
    assert cache.stats().entries == most_entries(max_bytes)


def test_many_threads_may_use_it_at_once() -> None:
    cache = InvocationCache(20_000)

    def use(thread: int) -> None:
        for place in range(500):
            key = f"key {(place * 7 + thread) % 120}"
            found = cache.get(key, lambda document: document["value"] % 5 != 0)
            assert found is None or found["key"] == key
            cache.put(key, {"key": key, "value": place})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    stats = cache.stats()
    assert stats.hits + stats.misses == 4_000
    assert stats.bytes <= 20_000
    cache.clear()
    assert cache.stats().bytes == 0
