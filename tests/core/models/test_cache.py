"""The model cache, with models of plain Python: what stays, what goes, and what a failure leaves behind."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from impasto.models.cache import ModelCache
from impasto_sdk.errors import DeviceError, ModelLoadError, NoLoaderError
from impasto_sdk.models import DeviceInfo, LoadRequest, ModelRecord

CPU = DeviceInfo(name="cpu", kind="cpu")
GPU = DeviceInfo(name="cuda:0", kind="cuda", memory_bytes=1000)


@dataclass
class Weights:
    """A loaded model that notes what happens to it."""

    model: str
    size_bytes: int
    device: str = "cpu"
    moves: list[str] = field(default_factory=list)
    released: bool = False
    #: Called before a move; may raise.
    before_move: Callable[[str], None] = lambda device: None

    def move_to(self, device: str) -> None:
        self.before_move(device)
        self.device = device
        self.moves.append(device)

    def release(self) -> None:
        assert not self.released, "released twice"
        self.released = True


@dataclass
class Loader:
    """Loads `Weights` of the record's file size, and keeps them for the test to look at."""

    name: str = "test.loader"
    base: str = "toy"
    made: dict[tuple[str, str | None], Weights] = field(default_factory=dict)
    requests: list[LoadRequest] = field(default_factory=list)
    before_load: Callable[[LoadRequest], None] = lambda request: None

    def accepts(self, record: ModelRecord, submodel: str | None) -> bool:
        return record.base == self.base

    def load(self, request: LoadRequest) -> Weights:
        self.requests.append(request)
        self.before_load(request)
        weights = Weights(f"{request.record.key}/{request.submodel}", request.record.file_size)
        self.made[request.record.key, request.submodel] = weights
        return weights


def record(key: str, size: int = 100, base: str = "toy") -> ModelRecord:
    return ModelRecord(
        key=key, hash="h", path=f"/models/{key}", file_size=size, name=key, base=base, type="main", format="toy"
    )


@dataclass
class Listener:
    heard: list[tuple[str, str, str | None]] = field(default_factory=list)

    def load_started(self, record: ModelRecord, submodel: str | None) -> None:
        self.heard.append(("started", record.key, submodel))

    def load_complete(self, record: ModelRecord, submodel: str | None) -> None:
        self.heard.append(("complete", record.key, submodel))


def test_a_model_is_loaded_once_and_found_again():
    loader, listener = Loader(), Listener()
    cache = ModelCache([loader], CPU, ram_bytes=1000, listener=listener)
    with cache.lock(record("a"), "unet") as first:
        assert first.model == "a/unet"
    with cache.lock(record("a"), "unet") as second:
        assert second is first
    assert listener.heard == [("started", "a", "unet"), ("complete", "a", "unet")]
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.held, stats.locked, stats.ram_bytes) == (1, 1, 1, 0, 100)


def test_a_loader_is_told_path_part_device_and_precision():
    loader = Loader()
    with ModelCache([loader], GPU, ram_bytes=1000).lock(record("a"), "vae"):
        pass
    request = loader.requests[0]
    assert (str(request.path), request.submodel, request.device, request.precision) == (
        "/models/a",
        "vae",
        "cuda:0",
        "float32",
    )


def test_parts_of_one_model_are_held_apart():
    loader = Loader()
    cache = ModelCache([loader], CPU, ram_bytes=1000)
    with cache.lock(record("a"), "unet") as unet, cache.lock(record("a"), "vae") as vae:
        assert unet is not vae
    assert cache.stats().held == 2


def test_the_keys_of_what_is_held_come_once_each_the_most_recently_used_first():
    cache = ModelCache([Loader()], CPU, ram_bytes=1000)
    assert cache.keys(9) == []
    for key, part in (("a", "unet"), ("b", None), ("a", "vae"), ("c", "unet"), ("b", None)):
        with cache.lock(record(key), part):
            pass
    assert cache.keys(9) == ["b", "c", "a"]
    assert cache.keys(2) == ["b", "c"]


def test_the_first_loader_that_accepts_is_asked():
    other, right = Loader(base="other"), Loader()
    with ModelCache([other, right], CPU, ram_bytes=1000).lock(record("a")):
        pass
    assert not other.requests
    assert len(right.requests) == 1


def test_a_model_that_nobody_loads_names_its_facts():
    with pytest.raises(NoLoaderError, match="base 'alien', type 'main', format 'toy'") as caught:
        ModelCache([Loader()], CPU, ram_bytes=1000).lock(record("a", base="alien"), "unet").__enter__()
    assert (caught.value.key, caught.value.submodel) == ("a", "unet")


def test_the_least_recently_used_model_goes_first():
    loader = Loader()
    cache = ModelCache([loader], CPU, ram_bytes=250)
    for key in ("a", "b", "a", "c"):
        with cache.lock(record(key)):
            pass
    assert [key for (key, _), weights in loader.made.items() if weights.released] == ["b"]
    assert cache.stats().evictions == 1


def test_locked_models_stay_and_go_when_they_are_free():
    loader = Loader()
    cache = ModelCache([loader], CPU, ram_bytes=150)
    with cache.lock(record("a")):
        with cache.lock(record("b")):
            assert cache.stats().ram_bytes == 200
            assert not loader.made["a", None].released
        assert loader.made["b", None].released
    assert cache.stats().ram_bytes == 100


def test_one_model_may_be_locked_many_times():
    loader = Loader()
    cache = ModelCache([loader], CPU, ram_bytes=0)
    with cache.lock(record("a")):
        with cache.lock(record("a")):
            pass
        assert not loader.made["a", None].released
    assert loader.made["a", None].released
    assert cache.stats().held == 0


def test_a_model_is_on_the_device_while_it_is_locked():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=1000)
    with cache.lock(record("a")) as loaded:
        assert loaded.device == "cuda:0"
        assert cache.stats().device_bytes == 100
        assert cache.stats().ram_bytes == 0


def test_room_is_made_on_the_device_before_a_model_is_moved():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=1000, device_bytes=200)
    for key in ("a", "b"):
        with cache.lock(record(key)):
            pass
    seen: list[str] = []

    def look(request: LoadRequest) -> None:
        seen.extend(key for (key, _), weights in loader.made.items() if weights.device == "cuda:0")

    loader.before_load = look
    with cache.lock(record("c")):
        assert loader.made["a", None].moves == ["cuda:0", "cpu"]
        assert loader.made["b", None].device == "cuda:0"
    assert seen == ["a", "b"]
    with cache.lock(record("a")):
        assert loader.made["a", None].moves == ["cuda:0", "cpu", "cuda:0"]
    assert len(loader.requests) == 3
    assert cache.stats().offloads == 2


def test_without_a_bound_a_reserve_of_the_device_is_left_free():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=10_000)
    for key in ("a", "b", "c"):
        with cache.lock(record(key, size=300)):
            pass
    assert cache.stats().device_bytes == 600


def test_a_device_of_unknown_size_is_not_bounded():
    cache = ModelCache([Loader()], DeviceInfo(name="mps", kind="mps"), ram_bytes=0)
    for key in ("a", "b", "c"):
        with cache.lock(record(key, size=10**12)):
            pass
    assert cache.stats().held == 3


def test_models_brought_back_from_the_device_count_as_memory_again():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=100, device_bytes=100)
    for key in ("a", "b", "c"):
        with cache.lock(record(key)):
            pass
    assert loader.made["a", None].released
    assert not loader.made["b", None].released
    assert cache.stats().ram_bytes == 100


def test_a_failed_load_leaves_nothing_and_can_be_tried_again():
    loader = Loader()
    cache = ModelCache([loader], CPU, ram_bytes=1000)

    def fail(request: LoadRequest) -> None:
        raise RuntimeError("truncated file")

    loader.before_load = fail
    with pytest.raises(ModelLoadError, match=r"loader 'test.loader' raised RuntimeError: truncated file") as caught:
        cache.lock(record("a"), "unet").__enter__()
    assert (caught.value.key, caught.value.submodel) == ("a", "unet")
    assert cache.stats().held == 0
    loader.before_load = lambda request: None
    with cache.lock(record("a"), "unet"):
        assert cache.stats().locked == 1


def test_an_error_of_the_loader_itself_passes_unchanged():
    loader = Loader()
    problem = ModelLoadError("a", None, "unet/config.json is missing")

    def fail(request: LoadRequest) -> None:
        raise problem

    loader.before_load = fail
    with pytest.raises(ModelLoadError) as caught:
        ModelCache([loader], CPU, ram_bytes=1000).lock(record("a")).__enter__()
    assert caught.value is problem


def test_what_is_no_loaded_model_is_refused():
    class Odd(Loader):
        def load(self, request: LoadRequest) -> Weights:
            return "weights"  # type: ignore[return-value]

    with pytest.raises(ModelLoadError, match="gave a str, which is no LoadedModel"):
        ModelCache([Odd()], CPU, ram_bytes=1000).lock(record("a")).__enter__()


def test_a_device_that_is_full_is_emptied_and_tried_once_more():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=1000)
    with cache.lock(record("a")):
        pass
    first = loader.made["a", None]

    def load(request: LoadRequest) -> Weights:
        weights = Loader.load(loader, request)

        def before_move(device: str) -> None:
            if device == "cuda:0" and first.device == "cuda:0":
                raise DeviceError("cuda:0", "out of memory")

        weights.before_move = before_move
        return weights

    loader.load = load  # type: ignore[method-assign]
    with cache.lock(record("b")) as loaded:
        assert loaded.device == "cuda:0"
        assert first.device == "cpu"


def test_a_model_that_does_not_fit_stays_in_memory_unlocked():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=1000)

    def full(device: str) -> None:
        raise DeviceError(device, "out of memory")

    def load(request: LoadRequest) -> Weights:
        weights = Loader.load(loader, request)
        weights.before_move = full
        return weights

    loader.load = load  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(DeviceError, match="out of memory"):
            cache.lock(record("a")).__enter__()
    stats = cache.stats()
    assert (stats.held, stats.locked, stats.misses) == (1, 0, 1)


def test_a_move_that_breaks_releases_the_model():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=1000)

    def load(request: LoadRequest) -> Weights:
        weights = Loader.load(loader, request)

        def broken(device: str) -> None:
            raise RuntimeError("bad state")

        weights.before_move = broken
        return weights

    loader.load = load  # type: ignore[method-assign]
    with pytest.raises(ModelLoadError, match="moving it to 'cuda:0' raised RuntimeError: bad state"):
        cache.lock(record("a")).__enter__()
    assert loader.made["a", None].released
    assert cache.stats().held == 0


def test_a_model_that_cannot_leave_the_device_is_released():
    loader = Loader()
    cache = ModelCache([loader], GPU, ram_bytes=1000, device_bytes=100)
    with cache.lock(record("a")):
        pass

    def stuck(device: str) -> None:
        raise DeviceError(device, "no memory")

    loader.made["a", None].before_move = stuck
    with cache.lock(record("b")):
        pass
    assert loader.made["a", None].released
    assert cache.stats().held == 1


def test_an_error_in_the_block_frees_the_model():
    cache = ModelCache([Loader()], CPU, ram_bytes=1000)
    with pytest.raises(ValueError, match="node failed"), cache.lock(record("a")):
        raise ValueError("node failed")
    assert cache.stats().locked == 0


def test_clear_keeps_locked_models():
    loader = Loader()
    cache = ModelCache([loader], CPU, ram_bytes=1000)
    with cache.lock(record("b")):
        pass
    with cache.lock(record("a")):
        cache.clear()
        assert cache.stats().held == 1
    assert loader.made["b", None].released


def test_threads_that_ask_for_one_model_load_it_once():
    loader = Loader()
    cache = ModelCache([loader], CPU, ram_bytes=1000)
    begin = threading.Barrier(8)
    got: list[object] = []

    def use() -> None:
        begin.wait(10)
        with cache.lock(record("a")) as loaded:
            got.append(loaded)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loader.requests) == 1
    assert len(got) == 8
    assert all(one is got[0] for one in got)
    assert cache.stats().locked == 0
