"""What runs here: version, devices, the invocation cache: `/api/v1/app/…`."""

from pydantic import BaseModel, Field

from impasto import __version__
from impasto.api.parameters import App
from impasto.api.router import Router
from impasto_sdk import __version__ as sdk_version
from impasto_sdk.models import DeviceInfo

__all__ = ["router"]

router = Router("/api/v1/app", "app")


class AppVersion(BaseModel):
    """The version of the server."""

    version: str
    highlights: list[str] | None = Field(default=None, description="Always null; some clients read it")
    sdk_version: str = Field(description="The version of the sdk that plugins must be made for")


class Devices(BaseModel):
    """The devices that models run on."""

    devices: list[DeviceInfo]


@router.get("/version")
async def get_version() -> AppVersion:
    """The version of the server."""
    return AppVersion(version=__version__, sdk_version=sdk_version)


@router.get("/devices")
def list_devices(app: App) -> Devices:
    """The devices that workers found, one for each worker that has started; what they fell back to, and why."""
    return Devices(devices=list(app.engine.devices()))
