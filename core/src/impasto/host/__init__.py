"""The plugin host: finds installed plugins, loads each in its own guard and keeps what they contribute.

It decides nothing about what a contribution means: the app hands node specs to the graph, loaders to the workers,
panels to the panel service and mounts to the API. Server, workers and command line each load a host of their own.
"""

from impasto.host.catalogue import Catalogue
from impasto.host.contributions import Contributions, Registered
from impasto.host.host import PluginHost
from impasto.host.plugin import PluginInfo, PluginState

__all__ = ["Catalogue", "Contributions", "PluginHost", "PluginInfo", "PluginState", "Registered"]
