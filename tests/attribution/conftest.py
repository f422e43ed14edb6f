"""What the tests of attribution share."""

from tests.tiny_fixtures import tiny, varied

__all__ = ["tiny", "varied"]
