"""`make_plugin`: a plugin as a distribution on disk, for tests that need one found the way a real one is found.

It needs no installer: a module and a ``.dist-info`` folder beside it are all that importlib-metadata looks for. Put the
folder on ``sys.path`` for this process, or on ``PYTHONPATH`` for a worker's.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path

__all__ = ["make_plugin"]


def make_plugin(
    folder: Path,
    name: str,
    source: str,
    *,
    sdk_range: str | None = ">=0.1,<0.2",
    version: str = "1.0.0",
    requires: Sequence[str] = (),
    entry_point: str | None = None,
) -> Path:
    """Write the distribution `name` into `folder` and give the path of its module.

    The module is called as the distribution is, in lower case with ``_`` for ``-`` and ``.``; `source` is its text
    (dedented), in which functions marked `@hookimpl` are the plugin. `sdk_range` is what it declares of impasto-sdk;
    None: it declares nothing. `requires`: further ``Requires-Dist`` lines; `entry_point`: what is named instead of the
    module. Writing the same name and version again replaces the module.
    """
    module = name.lower().replace("-", "_").replace(".", "_")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}.py"
    path.write_text(textwrap.dedent(source), "utf-8")
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir(exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {name}, made by a test"]
    if sdk_range is not None:
        lines.append(f"Requires-Dist: impasto-sdk{sdk_range}")
    lines += [f"Requires-Dist: {line}" for line in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[impasto.plugins]\n{module} = {entry_point or module}\n", "utf-8")
    (info / "RECORD").write_text(f"{path.name},,\n{info.name}/METADATA,,\n{info.name}/entry_points.txt,,\n", "utf-8")
    return path
