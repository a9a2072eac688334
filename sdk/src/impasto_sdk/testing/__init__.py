"""The test kit for plugin authors: a context in memory, a runner, and checks to inherit.

Install it with ``pip install impasto-sdk[testing]``. It needs pytest and Pillow, and no server, worker or torch. A
plugin imports it in its tests only.
"""

from impasto_sdk.testing.blobs import FakeConditioning, FakeTensors
from impasto_sdk.testing.conformance import NodeConformance, plugin_conformance
from impasto_sdk.testing.context import FakeContext
from impasto_sdk.testing.extensions import FakeExtensions
from impasto_sdk.testing.images import FakeImages, SavedImage
from impasto_sdk.testing.models import FakeModels
from impasto_sdk.testing.problems import HEAVY_MODULES, import_problems, node_problems, plugin_problems
from impasto_sdk.testing.progress import FakeProgress, ProgressReport
from impasto_sdk.testing.providers import FakeProviderAccess, FakeProviders
from impasto_sdk.testing.run import Runnable, Streamable, run_group, run_node, stream_node
from impasto_sdk.testing.settings import FakeSecrets, FakeSettings

__all__ = [
    "HEAVY_MODULES",
    "FakeConditioning",
    "FakeContext",
    "FakeExtensions",
    "FakeImages",
    "FakeModels",
    "FakeProgress",
    "FakeProviderAccess",
    "FakeProviders",
    "FakeSecrets",
    "FakeSettings",
    "FakeTensors",
    "NodeConformance",
    "ProgressReport",
    "Runnable",
    "SavedImage",
    "Streamable",
    "import_problems",
    "node_problems",
    "plugin_conformance",
    "plugin_problems",
    "run_group",
    "run_node",
    "stream_node",
]
