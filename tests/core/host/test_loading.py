"""What becomes of plugins: the five states, and that one plugin never takes another or the core with it."""

import sys

import pytest
from support.distributions import Distributions, distributions

from impasto.host import PluginHost, PluginInfo, PluginState

__all__ = ["distributions"]

ADD = """
from impasto_sdk.fields import InputField, IntegerOutput
from impasto_sdk.node import BaseInvocation, invocation

@invocation("{type}", title="Add", category="math", version="1.0.0")
class Add(BaseInvocation):
    \"\"\"Add two numbers.\"\"\"
    a: int = InputField(0, description="First")
    b: int = InputField(0, description="Second")

    def invoke(self, context) -> IntegerOutput:
        return IntegerOutput(value=self.a + self.b)

@hookimpl
def register_invocations():
    return [Add]
"""


def only(host: PluginHost) -> PluginInfo:
    [plugin] = host.plugins
    return plugin


def test_an_active_plugin_contributes_its_nodes(distributions: Distributions) -> None:
    distributions.install("My.Nodes", ADD.format(type="my_add"), version="2.3")

    host = distributions.load()

    plugin = only(host)
    assert (plugin.name, plugin.version, plugin.state) == ("my-nodes", "2.3", PluginState.ACTIVE)
    assert plugin.sdk_range == "<0.2,>=0.1"
    assert plugin.entry_point == "my_nodes = my_nodes"
    assert plugin.contributions == {"invocations": ("my_add",)}
    assert list(host.catalogue) == ["my_add"]
    assert host.catalogue["my_add"].title == "Add"
    assert host.catalogue.plugin_of("my_add") is plugin
    assert [registered.plugin for registered in host.contributions.invocations] == [plugin]


def test_a_disabled_plugin_is_not_imported(distributions: Distributions) -> None:
    module = distributions.install("my-nodes", ADD.format(type="my_add"))

    host = distributions.load(disabled=("My_Nodes",))

    assert only(host).state is PluginState.DISABLED
    assert len(host.catalogue) == 0
    assert module not in sys.modules


def test_a_disabled_name_that_is_not_installed_is_logged(
    distributions: Distributions, caplog: pytest.LogCaptureFixture
) -> None:
    distributions.load(disabled=("no-such-thing",))

    assert "'no-such-thing', which is not installed" in caplog.text


def test_a_plugin_for_another_sdk_is_set_aside_before_it_is_imported(distributions: Distributions) -> None:
    module = distributions.install("from-the-future", "raise RuntimeError", sdk_range=">=7,<8")

    plugin = only(distributions.load())

    assert plugin.state is PluginState.INCOMPATIBLE
    assert "impasto-sdk <8,>=7, and 0.1.0 is installed" in plugin.reason
    assert plugin.traceback is None
    assert module not in sys.modules


def test_a_range_behind_a_marker_that_is_false_does_not_count(distributions: Distributions) -> None:
    distributions.install(
        "marked",
        "",
        sdk_range="[torch]>=0.1,<0.2",
        requires=['impasto_sdk>=7 ; python_version < "3"', "numpy>=2"],
    )

    plugin = only(distributions.load())

    assert (plugin.state, plugin.sdk_range) == (PluginState.ACTIVE, "<0.2,>=0.1")


def test_a_plugin_without_an_sdk_range_is_active_and_told_so(distributions: Distributions) -> None:
    distributions.install("careless", "", sdk_range=None)

    plugin = only(distributions.load())

    assert (plugin.state, plugin.sdk_range) == (PluginState.ACTIVE, None)
    assert "names no impasto-sdk range" in plugin.reason


def test_an_unreadable_requirement_fails_its_plugin(distributions: Distributions) -> None:
    distributions.install("garbled", "", sdk_range=" >>> 1")

    plugin = only(distributions.load())

    assert plugin.state is PluginState.FAILED
    assert "'impasto-sdk >>> 1'" in plugin.reason


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 +", "SyntaxError"),
    ],
)
def test_an_import_that_goes_wrong_keeps_its_traceback(distributions: Distributions, code: str, said: str) -> None:
    module = distributions.install("broken", code)

    plugin = only(distributions.load())

    assert plugin.state is PluginState.FAILED
    assert plugin.reason.startswith("importing broken raised")
    assert said in plugin.reason
    assert plugin.traceback is not None
    assert f"{module}.py" in plugin.traceback


def test_a_failing_plugin_does_not_stop_the_others(distributions: Distributions) -> None:
    distributions.install("a-broken", "raise RuntimeError('no')")
    distributions.install("b-good", ADD.format(type="my_add"))

    host = distributions.load()

    assert [plugin.state for plugin in host.plugins] == [PluginState.FAILED, PluginState.ACTIVE]
    assert "my_add" in host.catalogue


def test_a_taken_node_type_sets_the_later_plugin_aside_whole(distributions: Distributions) -> None:
    distributions.install("a-first", ADD.format(type="my_add"))
    distributions.install(
        "b-second",
        ADD.format(type="my_add")
        + """
from impasto_sdk.contributions import Command

@hookimpl
def register_commands():
    return [Command(name="hello", help="Say hello", run=lambda arguments: 0)]
""",
    )

    host = distributions.load()

    assert [plugin.state for plugin in host.plugins] == [PluginState.ACTIVE, PluginState.CLASHING]
    assert host.plugins[1].reason.startswith("node type 'my_add' of 'b-second' is already registered by 'a-first'")
    assert host.plugins[1].contributions == {}
    assert host.catalogue.plugin_of("my_add").name == "a-first"
    assert host.contributions.commands == []


def test_a_plugin_set_aside_takes_no_names(distributions: Distributions) -> None:
    distributions.install("a-first", ADD.format(type="my_add"))
    distributions.install("b-second", ADD.format(type="my_add") + OTHER)
    distributions.install("c-third", OTHER)

    host = distributions.load()

    assert [plugin.state.value for plugin in host.plugins] == ["active", "clashing", "active"]
    assert [registered.plugin.name for registered in host.contributions.secrets] == ["c-third"]


OTHER = """
from impasto_sdk.contributions import SecretDeclaration

@hookimpl
def register_secrets():
    return [SecretDeclaration(name="a_key", title="A key")]
"""


def test_two_plugins_may_name_one_model_format(distributions: Distributions) -> None:
    code = """
    from impasto_sdk.models import ModelFormat

    @hookimpl
    def register_model_formats():
        return [ModelFormat(name="diffusers", title="Diffusers")]
    """
    distributions.install("a-first", code)
    distributions.install("b-second", code)

    host = distributions.load()

    assert [plugin.state.value for plugin in host.plugins] == ["active", "active"]
    assert len(host.contributions.model_formats) == 2


def test_a_hook_that_raises_fails_the_plugin_and_names_the_hook(distributions: Distributions) -> None:
    distributions.install(
        "broken",
        ADD.format(type="my_add")
        + """
@hookimpl
def register_panels():
    raise LookupError("no template")
""",
    )

    host = distributions.load()

    plugin = only(host)
    assert plugin.state is PluginState.FAILED
    assert plugin.reason == "register_panels raised LookupError: no template"
    assert plugin.traceback is not None
    assert "in register_panels" in plugin.traceback
    # the nodes it had registered before went with it
    assert len(host.catalogue) == 0


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "register_commands returned None; it must return a list of Command objects"),
        ("'hello'", "register_commands returned 'hello' (str); it must return a list of Command objects"),
        ("(x for x in ())", "(generator); it must return a list of Command objects"),
        ("['hello']", "register_commands returned 'hello' (str) at place 0 of its list"),
        ("[Command]", "(type) at place 0 of its list"),
        ("[A, A]", "register_commands returned command 'a' twice"),
    ],
)
def test_a_hook_that_returns_the_wrong_thing_is_told_what_it_returned(
    distributions: Distributions, returned: str, said: str
) -> None:
    distributions.install(
        "broken",
        f"""
        from impasto_sdk.contributions import Command
        A = Command(name="a", help="A", run=len)

        @hookimpl
        def register_commands():
            return {returned}
        """,
    )

    plugin = only(distributions.load())

    assert plugin.state is PluginState.FAILED
    assert said in plugin.reason


def test_a_subclass_that_was_not_declared_itself_is_refused(distributions: Distributions) -> None:
    distributions.install(
        "broken",
        ADD.format(type="my_add").replace("return [Add]", "return [AddMore]")
        + """
class AddMore(Add):
    pass
""",
    )

    plugin = only(distributions.load())

    assert plugin.state is PluginState.FAILED
    assert "each declared with @invocation" in plugin.reason


def test_an_unknown_hook_is_named_with_the_one_that_was_meant(distributions: Distributions) -> None:
    distributions.install("broken", "@hookimpl\ndef register_invocation():\n    return []\n")

    plugin = only(distributions.load())

    assert plugin.state is PluginState.FAILED
    assert "'register_invocation', which does not exist; did you mean 'register_invocations'?" in plugin.reason


def test_an_unknown_argument_of_a_hook_is_named(distributions: Distributions) -> None:
    distributions.install("broken", "@hookimpl\ndef identify_model(path, torch):\n    return None\n")

    plugin = only(distributions.load())

    assert plugin.state is PluginState.FAILED
    assert "torch" in plugin.reason
    assert "identify_model" in plugin.reason


def test_a_hook_without_its_mark_is_pointed_out(distributions: Distributions) -> None:
    distributions.install("broken", "def register_panels():\n    return []\n")

    plugin = only(distributions.load())

    assert plugin.state is PluginState.FAILED
    assert "register_panels is not marked with @hookimpl" in plugin.reason


def test_an_entry_point_may_name_an_object(distributions: Distributions) -> None:
    distributions.install(
        "with-object",
        """
        from impasto_sdk.contributions import Command

        class Plugin:
            @hookimpl
            def register_commands(self):
                return [Command(name="a", help="A", run=len)]

        plugin = Plugin()
        """,
        entry_point="with_object:plugin",
    )

    assert only(distributions.load()).contributions == {"commands": ("a",)}


def test_the_document_holds_every_fact_as_json(distributions: Distributions) -> None:
    distributions.install("my-nodes", ADD.format(type="my_add"))

    assert only(distributions.load()).to_document() == {
        "name": "my-nodes",
        "version": "1.0.0",
        "entry_point": "my_nodes = my_nodes",
        "state": "active",
        "reason": "",
        "traceback": None,
        "sdk_range": "<0.2,>=0.1",
        "contributions": {"invocations": ["my_add"]},
    }


PROVIDER = """
from impasto_sdk import SecretDeclaration
from impasto_sdk.providers import ExternalProvider

class Easel(ExternalProvider):
    provider_id = "easel"
    title = "Easel"
    default_base_url = "https://easel.example"
    key_help = "Ask the painter."

    @classmethod
    def models(cls):
        return []

    async def generate(self, request, partial):
        raise NotImplementedError

@hookimpl
def register_external_providers():
    return [Easel]
"""


def test_a_provider_brings_the_secrets_of_its_plugin(distributions: Distributions) -> None:
    distributions.install("a-first", PROVIDER)

    host = distributions.load()

    assert only(host).contributions["secrets"] == ("easel_api_key", "easel_base_url")
    key, address = host.contributions.secrets
    assert (key.value.title, key.value.help, key.plugin.name) == ("API key of Easel", "Ask the painter.", "a-first")
    assert (address.value.title, address.value.help) == ("Address of Easel", "Unless it is set, https://easel.example")


def test_what_a_plugin_says_of_its_providers_key_stays(distributions: Distributions) -> None:
    own = """
@hookimpl
def register_secrets():
    return [SecretDeclaration(name="easel_api_key", title="My own words"), SecretDeclaration(name="more", title="More")]
"""
    distributions.install("a-first", PROVIDER + own)

    host = distributions.load()

    titles = {secret.value.name: secret.value.title for secret in host.contributions.secrets}
    assert titles == {"easel_api_key": "My own words", "more": "More", "easel_base_url": "Address of Easel"}


def test_no_other_plugin_may_name_the_key_of_a_provider(distributions: Distributions) -> None:
    distributions.install("a-first", PROVIDER)
    distributions.install("b-second", OTHER.replace("a_key", "easel_api_key"))

    host = distributions.load()

    assert [plugin.state.value for plugin in host.plugins] == ["active", "clashing"]
    assert "secret 'easel_api_key' of 'b-second' is already registered by 'a-first'" in host.plugins[1].reason
