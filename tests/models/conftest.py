"""What the tests of the model share."""

from tests.tiny_fixtures import tiny, varied

__all__ = ["tiny", "varied"]
