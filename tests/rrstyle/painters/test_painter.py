"""Painters in folders: written, read, used, and refused where they are damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rrstyle.painters import painter as painters
from rrstyle.painters.folder import MODEL, RECORD, choose_painter, find_painters
from rrstyle.painters.painter import load_painter, recoloured, save_painter
from rrstyle.pictures.images import to_uint8
from rrstyle.pictures.luma import luma
from rrstyle.transfer.closed_form import fit_gaussian
from tests.rrstyle.painters.tiny import PHOTOGRAPH, STYLE, write_painter


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_painter(tmp_path_factory.mktemp("painters") / "waves")


@pytest.fixture(scope="module")
def painter(folder):
    return load_painter(folder)


def test_a_painter_is_read_as_it_was_written(folder, painter, tmp_path):
    assert painter.name == "waves"
    assert painter.about["style"]["name"] == "waves"
    np.testing.assert_allclose(painter.palette.mean, STYLE.mean(axis=(0, 1)), atol=1e-5)
    save_painter(tmp_path, painter.model, STYLE, painter.about)
    again = load_painter(tmp_path)
    assert again.digest == painter.digest
    np.testing.assert_array_equal(again.paint(PHOTOGRAPH), painter.paint(PHOTOGRAPH))
    assert str(folder.parent) not in (folder / RECORD).read_text()


def test_recoloured_has_mean_and_covariance_of_the_palette():
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(0.5, 0.05, (30, 40, 3)), 0, 1).astype(np.float32)
    palette = fit_gaussian(np.clip(rng.normal(0.4, 0.08, (50, 20, 3)), 0, 1))
    found = fit_gaussian(recoloured(image, palette)[::2, ::2])  # the pixels that are counted
    np.testing.assert_allclose(found.mean, palette.mean, atol=1e-4)
    # The floor under the variances, a ten-thousandth of them, and what is cut at 0 and 1.
    np.testing.assert_allclose(found.covariance, palette.covariance, atol=1e-5)


def test_strength_side_and_colours(painter):
    full = painter.paint(PHOTOGRAPH)
    assert full.dtype == np.float32
    assert full.shape == PHOTOGRAPH.shape
    assert np.abs(full - PHOTOGRAPH).mean() > 0.02
    np.testing.assert_array_equal(painter.paint(PHOTOGRAPH, strength=0), PHOTOGRAPH)
    half = painter.paint(PHOTOGRAPH, strength=0.5)
    assert 0.1 < np.abs(half - PHOTOGRAPH).mean() / np.abs(full - PHOTOGRAPH).mean() < 0.9
    assert painter.paint(PHOTOGRAPH, side=28).shape == (20, 28, 3)
    np.testing.assert_allclose(painter.paint(to_uint8(PHOTOGRAPH)), full, atol=0.05)
    own = painter.paint(PHOTOGRAPH, own_colours=True)
    np.testing.assert_allclose(luma(own), luma(full), atol=1e-5)
    chroma = [image - luma(image)[..., None] for image in (own, PHOTOGRAPH)]
    whole = ((own > 0) & (own < 1)).all(axis=-1)  # no colour was cut there
    assert whole.mean() > 0.5
    assert np.corrcoef(*(part[whole].ravel() for part in chroma))[0, 1] > 0.95


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"strength": 1.5}, "strength must be from 0 to 1; received 1.5"),
        ({"side": 10}, "photograph is too small: at least 8 pixels a side .*; received 10 x 7"),
        ({"side": 0}, "must be at least 1; received"),
    ],
)
def test_what_cannot_be_painted(painter, options, rule):
    with pytest.raises(ValueError, match=rule):
        painter.paint(PHOTOGRAPH, **options)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def changed(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


DAMAGES = {
    "record cut": lambda folder: cut(folder / RECORD),
    "record of nothing": lambda folder: (folder / RECORD).write_text("[]"),
    "model cut": lambda folder: cut(folder / MODEL),
    "model empty": lambda folder: (folder / MODEL).write_bytes(b""),
    "model gone": lambda folder: (folder / MODEL).unlink(),
    "other weights": lambda folder: changed(folder / RECORD, weights_sha256="0" * 64),
    "palette of two colours": lambda folder: changed(
        folder / RECORD, palette={"mean": [0, 0], "covariance": [[1, 0], [0, 1]]}
    ),
    "about nothing": lambda folder: changed(folder / RECORD, about=None),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_painter_is_one_line(folder, tmp_path, name):
    shutil.copytree(folder, tmp_path / "waves")
    DAMAGES[name](tmp_path / "waves")
    with pytest.raises(ValueError, match=r"^painter 'waves' is damaged: learn it again") as told:
        load_painter(tmp_path / "waves")
    assert "\n" not in str(told.value)


def test_a_painter_of_another_version_is_told(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "waves")
    changed(tmp_path / "waves" / RECORD, format=9)
    with pytest.raises(ValueError, match=r"^painter 'waves' must be of format 1; received 9$"):
        load_painter(tmp_path / "waves")


def test_a_kill_while_it_is_written_leaves_none(painter, tmp_path, monkeypatch):
    def killed(path, data, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(painters, "write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        save_painter(tmp_path, painter.model, STYLE, painter.about)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="has no painter"):
        find_painters(tmp_path)


def test_painters_of_a_folder_are_counted_from_0(tmp_path):
    for name in ("10", "9", "0", "none"):
        (tmp_path / name).mkdir()
        if name != "none":
            (tmp_path / name / RECORD).write_text("")
    assert [path.name for path in find_painters(tmp_path)] == ["0", "9", "10"]
    assert choose_painter(tmp_path, 1).name == "9"
    assert find_painters(tmp_path / "9") == [tmp_path / "9"]
    with pytest.raises(ValueError, match=r"^seed must be below 3, the number of painters in "):
        choose_painter(tmp_path, 3)
    with pytest.raises(ValueError, match=r"^painter must be a folder .*; 'none' has no painter$"):
        choose_painter(tmp_path / "none", 0)


def test_the_digest_is_of_the_weights(painter, tmp_path):
    own = painter.model.trainable_variables[0]
    before = own.numpy()
    try:
        own.assign_add(np.full(own.shape, 1e-3, np.float32))
        save_painter(tmp_path, painter.model, STYLE, painter.about)
    finally:
        own.assign(before)
    assert load_painter(tmp_path).digest != painter.digest
