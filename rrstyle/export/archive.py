"""A model and how to call it, in one ZIP: for who gets a file and nothing else."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Literal, get_args

from rrstyle.config import StyleConfig
from rrstyle.export.graph import exportable_config
from rrstyle.export.onnx import onnx_model
from rrstyle.export.saved_model import export_saved_model, style_record
from rrstyle.pipeline import smallest_side

Format = Literal["savedmodel", "onnx"]

_PICTURES = """Pictures are uint8 RGB arrays (height, width, 3) without a batch axis, of {least} or
more pixels a side. Nothing is resized: bring the style's longer side to {scale:g} times the
content's first. These settings were chosen for a longer side of {side} pixels.
"""

_SAVED_MODEL = """## In Python

```python
import numpy as np
import tensorflow as tf  # 2.21 or newer
from PIL import Image

model = tf.saved_model.load("model")
content = np.asarray(Image.open("content.png").convert("RGB"))
style = np.asarray(Image.open("style.png").convert("RGB"))
picture = model.stylize(content, style)  # at strength {strength:g}
Image.fromarray(picture.numpy()).save("picture.png")
```

`model.stylize_transport(content, style, strength)` and `model.stylize_adain` take a strength from
0 to 1; `model.encode(image)` and `model.decode(features, image)` are the network alone.

## As a service

TensorFlow Serving, which looks for versions in numbered folders:

```sh
mkdir -p served && cp -r model served/1
docker run --rm -p 127.0.0.1:8501:8501 -v "$PWD/served:/models/style" -e MODEL_NAME=style \\
  tensorflow/serving
```

PNG or JPEG files in base64 go in, and a PNG file in base64 comes out. Pictures are taken as stored,
without EXIF orientation or colour profile.

```sh
{{
  printf '{{"signature_name": "stylize_bytes", "inputs": {{"content_bytes": {{"b64": "'
  base64 -w 0 content.png
  printf '"}}, "style_bytes": {{"b64": "'
  base64 -w 0 style.png
  printf '"}}}}}}'
}} |
  curl -s --data @- http://127.0.0.1:8501/v1/models/style:predict |
  python3 -c 'import base64, json, sys
sys.stdout.buffer.write(base64.b64decode(json.load(sys.stdin)["outputs"]["b64"]))' > picture.png
```
"""

_ONNX = """## In Python

```python
import numpy as np
import onnxruntime  # 1.23 or newer
from PIL import Image

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
inputs = {{
    "content": np.asarray(Image.open("content.png").convert("RGB")),
    "style": np.asarray(Image.open("style.png").convert("RGB")),
    "strength": np.array({strength:g}, np.float32),  # 0 returns the content, 1 the full style
}}
(picture,) = session.run(["picture"], inputs)
Image.fromarray(picture).save("picture.png")
```

A picture that is too small, or a strength out of range, is an error of a node whose name says so.
"""


def export_archive(config: StyleConfig | None = None, *, seed: int, format: Format) -> bytes:
    """A ZIP of a model that gives the same pictures as `stylize`, and a README on its use.

    Args:
        config: Settings, limited as in `rrstyle.export.saved_model.export_saved_model`.
        seed: Seed of the random network, an integer of at least 0.
        format: savedmodel, a folder `model`; or onnx, a file `model.onnx`.

    Returns:
        The ZIP: the model and `README.md`, under those names.

    Raises:
        ValueError: If the format is unknown, and as for `export_saved_model` and `export_onnx`.
        OSError: If there is no room for a temporary copy.
    """
    if format not in get_args(Format):
        raise ValueError(
            f"format must be one of {', '.join(get_args(Format))}; received {format!r}"
        )
    config = exportable_config(config)
    files = {"README.md": _readme(config, seed, format).encode()}
    if format == "onnx":
        files["model.onnx"] = onnx_model(config, seed=seed)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model = export_saved_model(Path(folder, "model"), config, seed=seed)
            files |= {
                path.relative_to(model.parent).as_posix(): path.read_bytes()
                for path in sorted(model.rglob("*"))
                if path.is_file()
            }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def _readme(config: StyleConfig, seed: int, format: Format) -> str:
    usage = _ONNX if format == "onnx" else _SAVED_MODEL
    settings = json.dumps(style_record(config, seed), indent=2)
    return (
        f"# A style transfer of rrstyle: {config.method}, seed {seed}\n\n"
        "It needs no rrstyle to run.\n\n"
        + _PICTURES.format(least=smallest_side(config), scale=config.style_scale, side=config.side)
        + f"\n{usage.format(strength=config.strength)}"
        + f"\n## Settings\n\n```json\n{settings}\n```\n"
    )
