"""A quiet TensorFlow, the default backend, and the few warnings of others that are let pass."""

import gc
import os
import shutil
import tempfile
from multiprocessing.util import Finalize

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is imported
if "PYTEST_XDIST_WORKER" in os.environ:
    # NumPy's BLAS waits for all its threads: with fewer cores than those it crawls.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["KERAS_BACKEND"] = "tensorflow"  # parity tests start JAX in a process of its own

# Warnings are errors. Each line here is a library's own business, with the reason.
_LET_PASS = (
    # TensorFlow 2.21's variables have no `copy` keyword in __array__; Keras meets it on saving.
    r"ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    r":keras\.src\.backend\.tensorflow\.core",
)


def pytest_configure(config):
    if "PYTEST_XDIST_WORKER" not in os.environ:  # workers inherit the folder
        # What libraries, and processes that tests kill, leave in the temporary folder goes with
        # this one: gradio_client alone makes a folder for each download.
        os.environ["TMPDIR"] = folder = tempfile.mkdtemp(prefix="rrstyle-tests-")
        # At the end, and after multiprocessing has removed what it has there, by -100.
        Finalize(None, shutil.rmtree, (folder, True), exitpriority=-200)
        tempfile.tempdir = None  # read anew
    for line in _LET_PASS:
        config.addinivalue_line("filterwarnings", line)


def pytest_collection_finish(session):
    gc.freeze()  # what was imported stays: no collection need look at it again


@pytest.fixture(scope="session", autouse=True)
def folder_comes_first(tmp_path_factory):
    """Before a server under test has Python's temporary files in a folder that goes with it."""
    tmp_path_factory.getbasetemp()


@pytest.fixture(scope="module", autouse=True)
def gradio_cleans_up(request):
    """What Gradio leaves open is collected where its warnings are let pass, not in a later test."""
    yield
    if hasattr(request.module, "GRADIO_WARNINGS"):
        gc.collect()
