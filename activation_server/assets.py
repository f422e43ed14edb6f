"""Where the files that ship beside the code are: the built viewer and the bundled demo.

A checkout has them where they are made, an installed wheel inside the packages (`hatch_build.py`).
"""

from pathlib import Path

from neuron_explainer.models.model_folder import demo_dir

__all__ = ["demo_dir", "viewer_dir"]


def viewer_dir() -> Path | None:
    """The built viewer's folder; None where it was never built."""
    package = Path(__file__).resolve().parent
    candidates = (package / "viewer", package.parent / "neuron_viewer" / "dist")
    return next((folder for folder in candidates if (folder / "index.html").is_file()), None)
