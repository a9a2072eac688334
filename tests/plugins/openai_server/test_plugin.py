"""What the plugin registers, and what that costs a server that nobody asks for a picture."""

import subprocess
import sys

import impasto_openai_server.plugin
from impasto_openai_server.app import OpenAIApp
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_sdk.testing import plugin_conformance


def test_the_plugin_keeps_the_rules() -> None:
    plugin_conformance(impasto_openai_server.plugin)


def test_it_stands_where_clients_of_openai_look() -> None:
    (web_app,) = impasto_openai_server.plugin.register_web_apps()
    assert web_app.path == "/v1"
    assert isinstance(web_app.app, OpenAIApp)


def test_its_settings_need_no_one_to_set_them() -> None:
    (declared,) = impasto_openai_server.plugin.register_settings()
    assert (declared.section, declared.model) == ("openai_server", OpenAIServerSettings)
    assert OpenAIServerSettings().openai_sizes == "shape"


def test_until_it_is_asked_it_imports_neither_web_framework_nor_pillow() -> None:
    code = "import sys, impasto_openai_server.plugin; print(*{'starlette', 'PIL', 'multipart'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
