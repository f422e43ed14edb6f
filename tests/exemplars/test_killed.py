"""kill -9 at random moments, twenty times: each time the collation goes on, and the end is the same."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
@pytest.mark.skipif(sys.platform == "darwin", reason="torch does not survive a fork there")
def test_killed_twenty_times_it_ends_the_same(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.exemplars.killing", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = re.search(r"killed (\d+) times, went on (\d+) times", done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) == 20
    assert int(found[2]) >= 5  # of the rest, some were killed before the first step
