"""Where the web apps of plugins stand, and what they never get."""

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from impasto.api.mounts import has_web_client, mount_web_apps
from impasto.api.problem_handlers import install_problem_handlers
from impasto.api.request_log import REQUEST_ID_HEADER, RequestLog
from impasto.engine.access.settings import PluginSettings
from impasto.host import PluginInfo, PluginState, Registered
from impasto_sdk.asgi import HostApi, settings_of
from impasto_sdk.contributions import AsgiApp, SettingsDeclaration, WebApp
from impasto_sdk.fields import JsonValue

PLUGIN = PluginInfo(name="web", version="1.0", entry_point="web = web", state=PluginState.ACTIVE)


class Taste(BaseModel):
    """Settings of a plugin."""

    colour: str = "grey"


CHOSEN: dict[str, JsonValue] = {"colour": "green"}


async def spa(scope: Scope, receive: Receive, send: Send) -> None:
    """A web client as careless ones are: a page for whatever path it does not know."""
    if scope["path"].endswith(".js"):
        await PlainTextResponse("script", media_type="text/javascript")(scope, receive, send)
    else:
        await HTMLResponse("<p>client</p>")(scope, receive, send)


def named(name: str) -> AsgiApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"{name} {scope['path'].removeprefix(scope['root_path'])}")(scope, receive, send)

    return app


def client_of(*apps: tuple[str, AsgiApp]) -> TestClient:
    api = FastAPI(redirect_slashes=False)
    install_problem_handlers(api)

    @api.get("/api/v1/app/version")
    def version() -> str:
        return "1"

    web_apps = [Registered(WebApp(path=path, title=path, app=app), PLUGIN) for path, app in apps]
    mount_web_apps(api, web_apps, PluginSettings([SettingsDeclaration(section="web", model=Taste)], {"web": CHOSEN}))
    return TestClient(api)


PAGE = {"accept": "text/html,application/xhtml+xml"}


def test_the_web_client_stands_at_the_root_and_answers_pages_to_browsers() -> None:
    client = client_of(("/", spa))

    assert client.get("/").text == "<p>client</p>"
    assert client.get("/gallery/board", headers=PAGE).text == "<p>client</p>"
    assert client.get("/assets/app.js").text == "script"


@pytest.mark.parametrize("path", ["/object_info", "/sdapi/v1/options", "/manager/version"])
def test_a_probe_for_an_unknown_path_gets_json_and_never_a_page(path: str) -> None:
    answer = client_of(("/", spa)).get(path, headers={"accept": "application/json"})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_paths_of_the_api_get_json_even_in_a_browser() -> None:
    answer = client_of(("/", spa)).get("/api/v1/nothing", headers=PAGE)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_api_comes_before_the_web_client_and_keeps_its_methods() -> None:
    client = client_of(("/", spa))

    assert client.get("/api/v1/app/version").json() == "1"
    assert client.post("/api/v1/app/version").status_code == 405


def test_a_web_app_stands_under_its_path_and_the_longer_one_wins() -> None:
    client = client_of(("/tools", named("tools")), ("/tools/paint", named("paint")), ("/", spa))

    assert client.get("/tools/paint/brush").text == "paint /brush"
    assert client.get("/tools/other").text == "tools /other"


def test_an_app_at_a_reserved_name_of_other_programs_gets_its_requests() -> None:
    client = client_of(("/sdapi", named("sdapi")), ("/api/prompt", named("prompt")))

    assert client.get("/sdapi/v1/options").text == "sdapi /v1/options"
    assert client.get("/api/prompt/").text == "prompt /"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_app_is_asked_at_its_very_path(method: str) -> None:
    client = client_of(("/prompt", named("prompt")), ("/", spa))

    assert client.request(method, "/prompt").text == "prompt "
    assert client.request(method, "/prompter").status_code != 200


def test_only_an_app_at_the_root_is_the_web_client() -> None:
    apps = [Registered(WebApp(path="/tools", title="Tools", app=spa), PLUGIN)]
    assert not has_web_client(apps)
    assert has_web_client([*apps, Registered(WebApp(path="/", title="Client", app=spa), PLUGIN)])


async def curious(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that asks the server's own API, and how the operator likes it."""
    answer = await HostApi.of(scope).get("/api/v1/app/version")
    told = {
        "version": answer.json(),
        "colour": settings_of(scope, Taste).colour,
        "request": answer.headers[REQUEST_ID_HEADER.lower()],
    }
    await JSONResponse(told)(scope, receive, send)


@pytest.mark.parametrize("path", ["/tools/", "/"])
def test_a_web_app_is_handed_the_api_and_the_settings_of_plugins(path: str) -> None:
    client = client_of((path, curious))
    client.app.add_middleware(RequestLog)  # type: ignore[attr-defined]

    told = client.get(path, headers={REQUEST_ID_HEADER: "mine"}).json()

    assert told == {"version": "1", "colour": "green", "request": "mine"}
