"""Puts the built viewer and the bundled demo model inside the wheel, where they exist.

A checkout keeps them where they are made (`neuron_viewer/dist`, `datasets/demo`); an installed
package has them beside the code that uses them. A build without them is still a working library.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = {
    "neuron_viewer/dist": "activation_server/viewer",
    "datasets/demo": "neuron_explainer/demo",
}


class CarryBuiltFiles(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own config type is of no use here
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install reads the checkout itself, so only a standard build copies."""
        if version != "standard":
            return
        for source, target in CARRIED.items():
            for path in Path(self.root, source).glob("[!.]*"):
                build_data["force_include"][str(path)] = f"{target}/{path.name}"
