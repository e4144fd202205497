"""A painter learns, goes on to the same bits, and tells what it cannot learn from."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from recon.painters.config import LearnConfig
from recon.painters.learn import fitted_painting, learn
from recon.painters.targets import open_pairs
from recon.training.callbacks import AfterStep, NotFinite
from recon.training.run import PAINTED, checkpoints_of
from rrstyle.painters.painter import load_painter
from tests.recon.support.training import state_arrays
from tests.rrstyle.painters.tiny import CONFIG, PHOTOGRAPH, STYLE, write_photographs

TINY = LearnConfig(
    painter=CONFIG,
    side=64,
    crop=64,
    batch=2,
    steps=4,
    milestones=(),
    learning_rate=1e-3,
    checkpoint_every=2,
    sample_every=4,
    log_every=1,
    validation=0.4,
)
ABOUT = {"style": {"name": "waves", "digest": "0" * 64}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs, and what `paint` has made of them for a run that has ended."""
    folder = tmp_path_factory.mktemp("learnt")
    write_photographs(folder / "in")
    run(folder, folder / "whole")
    return folder


def run(folder, out, config=TINY, **options):
    images = open_pairs(folder / "in", STYLE, config, out)
    return learn(config, images, STYLE, out, about=ABOUT, data=images.data, **options)


@pytest.fixture
def out(folder, tmp_path):
    """A new run's folder whose photographs are painted already."""
    shutil.copytree(folder / "whole" / PAINTED, tmp_path / "run" / PAINTED)
    return tmp_path / "run"


def test_what_a_run_leaves(folder):
    whole = folder / "whole"
    painter = load_painter(whole)
    assert painter.about.keys() == {"style", "seed", "side", "step"}
    assert painter.about["step"] == checkpoints_of(whole).best().step
    assert np.isfinite(painter.paint(PHOTOGRAPH)).all()
    record = json.loads((whole / "run.json").read_text())
    assert record["task"] == "painting"
    assert str(folder) not in json.dumps(record)
    rows = np.genfromtxt(whole / "log.csv", delimiter=",", names=True)
    assert rows["step"].tolist() == [1, 2, 3, 4]
    assert np.isfinite(rows["loss"]).all()
    assert np.isfinite(rows["validation_loss"][1::2]).all()
    assert (whole / "samples" / "step-00000004.png").is_file()


def test_a_loss_that_is_no_number_keeps_the_last_good_painter_and_the_run_goes_on(
    folder, out, monkeypatch
):
    own = AfterStep.check

    def spoilt(self, step, loss):
        own(self, step, np.nan if step == 3 else loss)

    words = (
        "^loss is nan at step 3; the last good checkpoint is that of step 2;"
        " start a new run with a lower learning_rate, such as 0.0003$"
    )
    with monkeypatch.context() as patch:
        patch.setattr(AfterStep, "check", spoilt)
        with pytest.raises(NotFinite, match=words):
            run(folder, out)
    assert load_painter(out).about["step"] == 2
    run(folder, out, resume=True)  # to the same bits as one that did not stop
    ours, theirs = state_arrays(out), state_arrays(folder / "whole")
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    assert load_painter(out).digest == load_painter(folder / "whole").digest


def test_photographs_that_do_not_do(folder, tmp_path):
    with pytest.raises(ValueError, match=r"^images must be a folder of pictures; received "):
        open_pairs(tmp_path / "none", STYLE, TINY, tmp_path / "a")
    few = write_photographs(tmp_path / "few", 1)
    shutil.copytree(folder / "whole" / PAINTED, tmp_path / "b" / PAINTED)
    (tmp_path / "b" / PAINTED / "settings.json").unlink()
    for name in ("cut", "text"):
        (few / f"{name}.png").write_bytes((few / "chelsea.png").read_bytes()[:60] * (name == "cut"))
    words = "^images must hold at least 2 photographs that can be read; received 1"
    with pytest.raises(ValueError, match=words):
        open_pairs(few, STYLE, TINY, tmp_path / "b")


def test_a_share_that_leaves_none_to_learn_from(folder, out):
    images = open_pairs(folder / "in", STYLE, TINY, out)
    none = replace(images, ours=[], held_out=[*images.ours, *images.held_out])
    with pytest.raises(ValueError, match=r"^validation must leave photographs to learn from; rece"):
        learn(replace(TINY, validation=0.9), none, STYLE, out, about=ABOUT)
    assert not (out / "run.json").exists()


@pytest.mark.parametrize(
    ("shape", "side", "received"),
    [((63, 80), 80, "80 x 63"), ((64, 128), 96, "96 x 48 at side 96")],
)
def test_a_style_smaller_than_the_crop(shape, side, received):
    painting = np.zeros((*shape, 3), np.float32)
    with pytest.raises(ValueError, match=f"^style is too small: at least 64 .*{received}$"):
        fitted_painting(painting, replace(TINY, side=side))


def test_another_style_is_not_mixed_in(folder, out):
    with pytest.raises(ValueError, match=r"^out must be a new folder, or that of the same style"):
        open_pairs(folder / "in", STYLE[::-1], TINY, out)
