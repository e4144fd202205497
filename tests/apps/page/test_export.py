"""The Export tab's answer: which settings, and the ZIP's name. The archive has its own tests."""

from types import SimpleNamespace

import pytest

from apps.page.export import CHOSEN, CURRENT, file_name, settings_of
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


def test_the_zip_is_named_after_what_is_in_it():
    assert file_name(ADAIN, "onnx") == "rrstyle-onnx-adain-seed-5.zip"
