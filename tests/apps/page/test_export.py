"""The Export tab's answer: which settings, and the ZIP as a file. The archive has its own tests."""

from types import SimpleNamespace

import pytest

from apps.page import export as handlers
from apps.page.export import CHOSEN, CURRENT, settings_of, write_export
from apps.page.settings import DEFAULTS, Settings, replace

PAINT = Settings(DEFAULTS, 2, 5)
ADAIN = Settings(replace(DEFAULTS, method="adain"), 2, 5)


def album(settings):
    made = SimpleNamespace(seed=6, order=SimpleNamespace(settings=settings))
    return SimpleNamespace(find=lambda name: made if name == "001.png" else None)


def test_a_method_with_a_model_is_exported_and_others_are_stood_in_for():
    assert settings_of(CURRENT, "transport", ADAIN, None, None) == ADAIN
    stand_in = settings_of(CURRENT, "transport", PAINT, None, None)
    assert stand_in.config == replace(DEFAULTS, method="transport")
    chosen = settings_of(CHOSEN, "transport", PAINT, album(ADAIN), "001.png")
    assert (chosen.config.method, chosen.seed) == ("adain", 6)


@pytest.mark.parametrize(
    ("source", "method", "chosen", "message"),
    [
        ("all", "transport", None, "recipe must be"),
        (None, "transport", None, "recipe must be"),
        (CURRENT, "paint", None, "method must be one of"),
        (CHOSEN, "transport", "../001.png", "choose a picture in the gallery"),
    ],
)
def test_choices_are_checked(source, method, chosen, message):
    with pytest.raises(ValueError, match=message):
        settings_of(source, method, PAINT, album(ADAIN), chosen)


def test_the_zip_lies_where_nobody_can_guess(tmp_path, monkeypatch):
    asked = []

    def export_archive(config, *, seed, format):
        asked.append((config.method, seed, format))
        return b"PK"

    monkeypatch.setattr(handlers, "export_archive", export_archive)
    first, second = (write_export(tmp_path, None, ADAIN, "onnx") for _ in range(2))
    assert first.name == second.name == "rrstyle-onnx-adain-seed-5.zip"
    assert len(first.parent.name) == 32
    of_somebody = write_export(tmp_path, "b" * 32, ADAIN, "onnx")
    assert of_somebody.parent.name.endswith("-" + "b" * 32)
    assert first.parent != second.parent
    assert first.read_bytes() == b"PK"
    assert asked == [("adain", 5, "onnx")] * 3
    with pytest.raises(ValueError, match="format must be one of savedmodel, onnx"):
        write_export(tmp_path, None, ADAIN, "../x")
