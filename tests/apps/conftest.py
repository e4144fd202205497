"""What every test of the app and the command begins with."""

import pytest

from apps.service import jobs


@pytest.fixture(autouse=True)
def takes_jobs():
    """A server that ended in this process, in another test, took no more jobs."""
    jobs.turns.open()
