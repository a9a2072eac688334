"""`PluginHost.find_device`: which plugin's device a worker takes."""

import pytest
from support.distributions import Distributions, distributions

from impasto_sdk.errors import DeviceError

__all__ = ["distributions"]  # a fixture

FINDS = """
from impasto_sdk.models import DeviceInfo

@hookimpl
def find_device(requested, precision):
    return {answer}
"""


def test_the_first_plugin_that_knows_a_device_is_followed(distributions: Distributions):
    distributions.install("a-knows-none", FINDS.format(answer="None"))
    distributions.install("b-first", FINDS.format(answer="DeviceInfo(name=requested, kind='b', requested=precision)"))
    distributions.install("c-second", FINDS.format(answer="DeviceInfo(name='never', kind='c')"))
    found = distributions.load().find_device("cuda:1", "float16")
    assert found is not None
    assert (found.name, found.kind, found.requested) == ("cuda:1", "b", "float16")


def test_without_such_a_plugin_there_is_no_answer(distributions: Distributions):
    assert distributions.load().find_device("auto", "auto") is None


def test_a_plugin_that_fails_or_answers_nonsense_is_logged_and_the_next_is_asked(
    distributions: Distributions, caplog: pytest.LogCaptureFixture
):
    distributions.install("a-broken", FINDS.format(answer="1 / 0"))
    distributions.install("b-odd", FINDS.format(answer="'cuda'"))
    distributions.install("c-right", FINDS.format(answer="DeviceInfo(name='cpu', kind='cpu')"))
    found = distributions.load().find_device("auto", "auto")
    assert found is not None
    assert found.name == "cpu"
    assert "plugin 'a-broken': find_device failed" in caplog.text
    assert "plugin 'b-odd': find_device answered 'cuda'" in caplog.text


def test_a_device_that_is_not_there_is_an_error(distributions: Distributions):
    distributions.install(
        "a-strict",
        """
        from impasto_sdk.errors import DeviceError

        @hookimpl
        def find_device(requested):
            raise DeviceError(requested, "no such device")
        """,
    )
    with pytest.raises(DeviceError, match="device 'cuda:7': no such device"):
        distributions.load().find_device("cuda:7", "auto")
