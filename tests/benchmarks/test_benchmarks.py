"""The benchmarks: their parts on hand-made inputs, and that the scripts run to the end."""

import csv
import importlib
import io
import json
from contextlib import redirect_stdout

import keras
import numpy as np
import pytest
from PIL import Image

from benchmarks import input_pipeline, quality, roofline, speed, sweeps, timing, train
from benchmarks.cases import CASES, configure
from recon.costs import ConvolutionShape
from rrstyle.config import NetworkConfig


@pytest.fixture
def in_this_process(monkeypatch) -> None:
    """Scripts run what they measure here: a process's imports take longer."""

    def run(module: str, *arguments: object) -> dict:
        with redirect_stdout(io.StringIO()) as said:
            importlib.import_module(f"benchmarks.{module}").main(list(map(str, arguments)))
        return json.loads(said.getvalue().splitlines()[-1])

    for script in (speed, train, input_pipeline):
        monkeypatch.setattr(script, "run_child", run)


def noise(seed: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).random((side, side, 3), np.float32)


@pytest.mark.parametrize("case", CASES)
def test_cases_differ_from_the_defaults_in_their_method_alone(case: str) -> None:
    config = configure(case, 48, "float32")
    assert "-".join([config.method, config.network]).startswith(case)
    assert (config.side, config.precision, config.strength) == (48, "float32", 1)


def test_the_bare_convolution_runs_in_either_precision() -> None:
    shape = ConvolutionShape((4, 5), 3, 2, 6)
    for dtype in roofline.PRECISIONS:
        value = roofline.bare_convolution(shape, dtype, np.random.default_rng(0))()
        assert np.isfinite(value)


def test_runs_are_counted_after_a_warm_one_and_bounded_by_the_budget() -> None:
    calls: list[None] = []
    assert len(timing.time_runs(lambda: calls.append(None), repeats=3, budget=1e6)) == 3
    assert len(calls) == 4
    assert len(timing.time_runs(lambda: None, repeats=3, budget=-1)) == 1


def test_stages_of_paint_add_up() -> None:
    found = timing.time_case("paint", 32, repeats=1, budget=0, precision="float32")
    totals = timing.stage_totals(found["stages"])
    assert list(totals) == ["preparing", "matching", "finishing"]
    assert sum(totals.values()) <= found["seconds"][0]
    assert min(totals.values()) > 0
    assert found["peak"] >= found["idle"] > 0
    assert timing.stage_totals({"painting at 3×4": 1.0, "done": 2.0})["finishing"] == 2


def test_speed_runs_to_the_end(in_this_process, tmp_path, capsys) -> None:
    table = tmp_path / "speed.csv"
    arguments = ["--sizes", "32", "--methods", "transport", "--repeats", "1", "--csv", str(table)]
    assert speed.main(arguments) == 0
    printed = capsys.readouterr().out
    for expected in ("processor ", "tensorflow 2", "pyramid ", "bfloat16", "peak MiB"):
        assert expected in printed
    with table.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["method"], row["side"], row["runs"]) == ("transport", "32", "1")
    for column in ("best_s", "variants_ratio", "peak_mib"):
        assert float(row[column]) > 0


def test_speed_prints_ratios_and_stages(capsys) -> None:
    rows = [
        speed.summary("paint", side, {"seconds": [2 * side, side], "peak": 9.0})
        for side in (256, 1024)
    ]
    assert (rows[0]["best_s"], rows[0]["median_s"]) == (256, 384)
    speed.print_growth(rows)
    assert "paint                4.0  (aim: at most 20)" in capsys.readouterr().out
    speed.print_stages({"encoding": 1, "painting at 3×4": 3, "finishing": 2, "done": 4}, 64)
    lines = capsys.readouterr().out.splitlines()
    assert "finishing" in lines[-1]
    assert lines[-1].endswith("4.00 s    40 %")


def test_a_process_gives_its_last_line_or_is_named() -> None:
    found = speed.run_child("train", "--json", "machine")
    assert {"devices", "keras"} <= found["environment"].keys()
    found = speed.run_child("timing", "no-such-method", 32)
    assert "invalid choice: 'no-such-method'" in found["error"]


def test_built_in_pairs_show_every_style_once() -> None:
    pairs = quality.choose_pairs(["builtin"], ["builtin"])
    styles = [style.name for _, style in pairs]
    assert len(styles) == len(set(styles)) >= 6
    assert len({content.name for content, _ in pairs}) >= 2
    crossed = quality.choose_pairs(["chelsea", "rocket"], ["waves", "mosaic", "woodcut"])
    assert len(crossed) == 6


def test_quality_runs_to_the_end_and_goes_on_after_a_bad_picture(tmp_path, capsys) -> None:
    folder, out = tmp_path / "styles", tmp_path / "out"
    folder.mkdir()
    for seed in range(2):
        Image.fromarray(np.uint8(255 * noise(seed))).save(folder / f"noise-{seed}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    arguments = ["--content", "astronaut", "--style", str(folder), "--method", "transport", "adain"]
    sizes = ["--side", "48", "--variants", "2"]
    assert quality.main([*arguments, *sizes, "--out", str(out)]) == 1
    printed = capsys.readouterr().out
    assert "broken.png: skipped: " in printed
    assert "2 pairs" in printed
    with (out / "pictures.csv").open(encoding="utf-8", newline="") as file:
        pictures = list(csv.DictReader(file))
    with (out / "pairs.csv").open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    assert (len(pictures), len(pairs)) == (8, 4)
    first = [float(row["swd"]) for row in pictures[:2]]
    assert float(pairs[0]["swd"]) == pytest.approx(np.mean(first))
    with Image.open(out / "contact-sheet.png") as sheet:
        assert min(sheet.size) > 4 * 48


def test_quality_refuses_what_it_cannot_measure(tmp_path, capsys) -> None:
    for wrong, complaint in (
        (["--side", "32"], "--side must be at least 33; received 32"),
        (["--content", "no-such-picture"], "no file, folder or built-in picture"),
    ):
        with pytest.raises(SystemExit):
            quality.main([*wrong, "--out", str(tmp_path)])
        assert complaint in capsys.readouterr().err


def test_passes_of_a_training_by_hand() -> None:
    # Conv1 of 2 channels on 5 x 5 pixels, a pool, and conv2_1 on 3 x 3; the DCN backwards.
    network = NetworkConfig(layer="conv2_1", channels=2)
    found = [(one.shape.size[0], one.operations) for one in train.passes(network, 5)]
    wide, narrow = 2 * 25 * 9, 2 * 9 * 9  # operations a pair of channels
    assert found == [
        *((5, wide * 6), (5, wide * 4), (3, narrow * 4)),  # forward
        (3, 2 * narrow * 4),  # no gradient by the features
        *((5, 3 * wide * 4), (5, 3 * wide * 6)),
    ]


def test_a_bare_pass_by_hand() -> None:
    # One pixel, one input channel, a 1 x 1 kernel of two channels: y = x k, dx = k . g, dk = x g.
    shape = ConvolutionShape((1, 1), 1, 1, 2)
    x, kernel, back = (
        np.reshape(np.array(values, np.float32), (1, 1, 1, -1))
        for values in ([3.0], [2.0, 5.0], [7.0, 11.0])
    )
    expected = [[6.0, 15.0], [2 * 7.0 + 5 * 11.0], [21.0, 33.0]]
    for by_kernel, by_input, parts in (
        (False, False, [0]),
        (True, False, [0, 2]),
        (True, True, [0, 1, 2]),
    ):
        one = train.Pass(shape, by_kernel=by_kernel, by_input=by_input)
        tensors = map(keras.ops.convert_to_tensor, (x, kernel, back))
        found = train.compiled_pass(one)(*tensors)
        assert [np.ravel(tensor).tolist() for tensor in found] == [expected[i] for i in parts]


def test_train_runs_to_the_end(in_this_process, tmp_path, capsys) -> None:
    input_pipeline.draw_photographs(tmp_path, 8)
    words = [str(tmp_path), "--crops", "16", "--batch", "2", "--rounds", "1", "--steps", "1"]
    assert train.main([*words, "--precisions", "float32", "--memory-steps", "40"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("processor ")
    header = next(i for i, line in enumerate(lines) if "step / bare" in line)
    crop, batch, dtype, *numbers = lines[header + 1].split()
    assert (crop, batch, dtype) == ("16", "2", "float32")
    assert len(numbers) == 7
    assert all(float(number) >= 0 for number in numbers)
    steps = [line.split()[2] for line in lines if line.startswith("  after step")]
    assert steps == ["20", "40"]


def test_train_tells_what_it_cannot_measure(tmp_path, capsys) -> None:
    for wrong, complaint in (
        (["--memory-steps", "30"], "--memory-steps must be a multiple of 40; received 30"),
        (["--batch", "0"], "--batch must be at least 1; received 0"),
        (["--crops", "64", "0"], "--crops must be at least 1; received 0"),
    ):
        with pytest.raises(SystemExit):
            train.main([str(tmp_path), *wrong])
        assert complaint in capsys.readouterr().err
    train.print_row(64, 16, "float32", {"error": "no memory"})
    assert "failed: no memory" in capsys.readouterr().out


def test_input_pipeline_runs_to_the_end(in_this_process, tmp_path, capsys) -> None:
    input_pipeline.draw_photographs(tmp_path, 8)
    words = [str(tmp_path), "--crops", "16", "--threads", "1", "--seconds", "0.1"]
    assert input_pipeline.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    header = next(i for i, line in enumerate(lines) if "images/core s" in line)
    crop, threads, rate, core_rate, images, peak, growth, scan = map(
        float, lines[header + 1].split()
    )
    assert (crop, threads) == (16, 1)
    assert min(rate, core_rate, images, peak, scan) > 0
    assert growth >= 0


def test_sweeps_are_compared_in_turn(monkeypatch, capsys, tmp_path) -> None:
    found = {sweeps.HERE: iter([(6.0, 20), (2.0, 20)]), tmp_path: iter([(1.0, 10), (3.0, 10)])}
    order = []

    def measure(folder, name, scale):
        order.append(folder)
        return next(found[folder])

    monkeypatch.setattr(sweeps, "measure", measure)
    sweeps.main([str(tmp_path), "laws", "--runs", "2"])
    assert order == [sweeps.HERE, tmp_path] * 2
    # Medians 4 and 2 s: twice the time, of twice the rows.
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert " ".join(line.split()) == "laws 4.00 2.00 2.00 20 10 1.00"
