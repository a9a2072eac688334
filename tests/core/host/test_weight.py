"""What loading the catalogue costs: no heavy library is imported for it."""

import json
import subprocess
import sys

CODE = """
import json, sys
from impasto.host import PluginHost
host = PluginHost.load()
json.dump({
    "heavy": sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[1:])),
    "states": {plugin.name: [plugin.state, plugin.reason] for plugin in host.plugins},
}, sys.stdout)
"""
HEAVY = ["torch", "diffusers", "transformers", "accelerate", "numpy", "cv2", "scipy"]


def test_loading_every_installed_plugin_imports_nothing_heavy() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", CODE, *HEAVY], capture_output=True, text=True, check=True, timeout=120
    )
    found = json.loads(answer.stdout)

    assert found["heavy"] == []
    assert found["states"]["impasto-primitives"] == ["active", ""]
    assert {state for state, _ in found["states"].values()} == {"active"}
