"""What the tests of the model share."""

import pytest

from tests.tiny_models import FAMILIES, TinyModel, TinyModels


@pytest.fixture(scope="session", params=FAMILIES)
def tiny(request: pytest.FixtureRequest, tiny_models: TinyModels) -> TinyModel:
    """A tiny model of each family in turn."""
    return tiny_models(request.param)
