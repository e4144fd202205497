"""Pictures for the Stylise tab's handlers, and what stands in for the pipeline."""

import numpy as np
import pytest

from apps.page.stylise import album as web_album
from apps.service import jobs
from rrstyle.pictures import images
from tests.apps.page.stylise.without_work import Work


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(web_album, "_albums", {})
    return tmp_path


@pytest.fixture
def pair(cache):
    found = []
    for number in range(2):
        path = cache / f"upload-{number}.png"
        pixels = np.random.default_rng(number).random((40, 48, 3), np.float32)
        path.write_bytes(images.encode_png(pixels))
        found.append({"path": str(path), "orig_name": f"picture-{number}.png"})
    return found


@pytest.fixture
def work(monkeypatch):
    work = Work()
    monkeypatch.setattr(jobs, "variants", work.variants)
    yield work
    work.go_on.set()
