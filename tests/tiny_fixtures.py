"""Fixtures that run a test once for each tiny model; the conftests of packages that need them import
them, so that other packages need not wait for transformers."""

import pytest

from tests.tiny_models import FAMILIES, TinyModel, TinyModels


@pytest.fixture(scope="session", params=FAMILIES)
def tiny(request: pytest.FixtureRequest, tiny_models: TinyModels) -> TinyModel:
    """A tiny model of each family in turn."""
    return tiny_models(request.param)


@pytest.fixture(scope="session", params=["gpt2", "llama-grouped", "mistral", "gpt_neox"])
def varied(request: pytest.FixtureRequest, tiny_models: TinyModels) -> TinyModel:
    """A tiny model of each structure: learned positions, shared keys, a window, parallel residual."""
    return tiny_models(request.param)
