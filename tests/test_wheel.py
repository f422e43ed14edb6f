"""A wheel made from the project works from any folder: the viewer and the demo are inside it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHOW = """
from activation_server.assets import demo_dir, viewer_dir
import activation_server.openapi, neuron_explainer
print(viewer_dir(), demo_dir(), neuron_explainer.__file__, sep="\\n")
"""


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.slow
def test_a_wheel_made_through_the_source_archive_carries_viewer_and_demo(
    root: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shipped = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore")
    project.mkdir()
    for name in shipped:
        shutil.copy(root / name, project)
    for package in ("neuron_explainer", "activation_server"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / package, project / package, ignore=ignored)
    (project / "neuron_viewer/dist/assets").mkdir(parents=True)
    (project / "neuron_viewer/dist/index.html").write_text("<!doctype html>")
    (project / "neuron_viewer/dist/assets/app.js").write_text("")
    (project / "datasets/demo/model").mkdir(parents=True)
    (project / "datasets/demo/model/config.json").write_text("{}")
    (project / "datasets/demo/coders/mlp/L0").mkdir(parents=True)
    (project / "datasets/demo/coders/mlp/L0/coder.safetensors").write_text("")
    (project / "datasets/demo/.build").mkdir()
    (project / "datasets/demo/.build/scratch").write_text("left over from training")

    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=project)
    (archive,) = tmp_path.glob("*.tar.gz")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    run(*pip, "wheel", *offline, "-w", tmp_path, archive, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    run(*pip, "install", "--no-deps", "--no-index", "--target", site, wheel, cwd=tmp_path)

    found = run(
        sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}){SHOW}", cwd=tmp_path
    )
    viewer, demo, library = map(Path, found.split())
    assert viewer == site / "activation_server/viewer"
    assert (viewer / "assets/app.js").is_file()
    assert demo == site / "neuron_explainer/demo"
    assert (demo / "model/config.json").is_file()
    assert (demo / "coders/mlp/L0/coder.safetensors").is_file()
    assert not (demo / ".build").exists()
    assert library == site / "neuron_explainer/__init__.py"
    assert (site / "activation_server/openapi.json").is_file()
    assert (site / "neuron_explainer/py.typed").is_file()
    assert not (site / "tests").exists()
