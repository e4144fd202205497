"""What both backends must compute alike. Run as a module, it reads and writes .npz files."""

import sys

import keras
import numpy as np
from keras import ops

from recon import metrics
from recon.plans import rr_vgg
from recon.sweep import simulation
from rrstyle import backend
from rrstyle.config import NetworkConfig, OptimiseConfig, PaintConfig, StyleConfig
from rrstyle.networks.build import cnn_network, dcn_network
from rrstyle.networks.layers import BlurPool2D, L2Pooling2D
from rrstyle.pictures.images import resize
from rrstyle.pipeline import stylize
from rrstyle.transfer.feature_networks import pyramid_network, vgg_network
from rrstyle.transfer.optimise import Objective, _batch

NETWORKS = {
    "default": NetworkConfig(channels=8),
    "orthogonal": NetworkConfig(layer="conv2", channels=6, law="orthogonal", kernel=4),
    "laplace": NetworkConfig(
        layer="conv3_1", tap="post_pool", channels=4, law="laplace", pooling="l2", padding="zero"
    ),
    "logistic": NetworkConfig(
        layer="conv2_1",
        channels=4,
        law="logistic",
        pooling="average",
        upsampling="nearest",
        encoder_activation="leaky_relu",
        decoder_activation="leaky_relu",
    ),
    "alexnet": NetworkConfig(architecture="alexnet", layer="conv4", channels=16, law="he"),
    "uniform": NetworkConfig(layer="conv1_1", channels=4, kernel=1, law="uniform"),
}
SEED = 11
ENCODER = NetworkConfig(channels=8, decoder_activation="leaky_relu")
CLOSED_FORMS = ("transport", "whitening", "adain")


def compute(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Everything that is compared, by name, from `image` and `style` (height, width, 3)."""
    image, style = arrays["image"], arrays["style"]
    result: dict[str, np.ndarray] = {}
    for name, config in NETWORKS.items():
        cnn, dcn = (build(config, seed=SEED) for build in (cnn_network, dcn_network))
        for part, network in (("cnn", cnn), ("dcn", dcn)):
            for position, weight in enumerate(network.weights):
                result[f"weights {name} {part} {position}"] = weight
        features = cnn.single(image)
        result[f"output {name} cnn"] = features
        result[f"output {name} dcn"] = _numpy(dcn(features[None], image[None]))
    for layer in (BlurPool2D(), L2Pooling2D(3)):
        result[f"output {type(layer).__name__}"] = _numpy(layer(ops.convert_to_tensor(image[None])))

    content, wanted = (cnn_network(ENCODER, seed=SEED).single(x) for x in (image, style))
    unit = np.sqrt(np.mean(np.square(wanted)))
    result.update(_objectives(content / unit, wanted / unit))
    result.update(_scores(image))

    for method in CLOSED_FORMS:
        for decoder in ("ridge", "random"):
            config = StyleConfig(
                method=method, decoder=decoder, side=48, strength=0.8, encoder=ENCODER
            )
            result[f"picture {method} {decoder}"] = stylize(image, style, config, seed=SEED)
    for decoder in ("ridge", "random"):
        # Large enough for all that paint does: search, correction, several scales.
        paint = PaintConfig(rounds=(2, 1), searched=40)
        config = StyleConfig(side=160, decoder=decoder, encoder=ENCODER, paint=paint)
        large = [resize(picture, (3 * 48, 3 * 45)) for picture in (image, style)]
        result[f"picture paint {decoder}"] = stylize(*large, config, seed=SEED)
    return result


def _scores(image) -> dict[str, np.ndarray]:
    """Metrics, and the scores of random networks of the study."""
    batch = np.stack([image, image[::-1]])
    waves = 0.1 * np.sin(np.arange(batch.size, dtype=np.float32)).reshape(batch.shape)
    noisy = np.clip(batch + waves, 0, 1).astype(np.float32)
    result = {"compared truth": batch, "compared noisy": noisy}
    result |= {
        f"metric {metric.__name__}": metric(batch, noisy)
        for metric in (metrics.ssim, metrics.pearson, metrics.psnr)
    }
    for upsampling in ("zero", "nearest"):
        plan = rr_vgg("conv2", channels=4, tap="post_pool", upsampling=upsampling)
        kernels = [simulation.draw_kernels(plan, seed=seed) for seed in (SEED, SEED + 1)]
        for network, scores in enumerate(simulation.score([plan], kernels, batch)[0]):
            for name, values in scores.items():
                result[f"score {upsampling} {network} {name}"] = values
    return result


def _objectives(content, style) -> dict[str, np.ndarray]:
    """Values and gradients: every loss, both networks, no larger than compiles in seconds."""
    n = content.shape[-1]
    vgg = vgg_network(n, StyleConfig(), seed=SEED, dtype="float32")
    pyramid = pyramid_network(n, size=(24, 24), seed=SEED, dtype="float32")
    result = {}
    for name, network, loss, side in (
        ("vgg", vgg, "gram", 32),
        ("pyramid", pyramid, "mean_std", 24),
        ("pyramid", pyramid, "mean_covariance", 24),
    ):
        for position, weight in enumerate(network.network.weights):
            result[f"weights {name} {position}"] = weight
        ours, theirs = content[:side, :side], style[:side, :side]
        objective = Objective(
            network, ours, theirs, config=OptimiseConfig(loss=loss, style_weight=30.0)
        )
        start = _batch(ours + np.float32(0.1) * ours[::-1])
        value, gradient = objective._value_and_grad(start, *objective._args)
        result[f"objective {name} {loss} value"] = _numpy(value)
        result[f"objective {name} {loss} gradient"] = _numpy(gradient)
    return result


def alone(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is looked at on one backend alone."""
    doubled = backend.jit(lambda x: 2 * x, maps=())(ops.ones(3))
    return {
        "backend": np.asarray(keras.backend.backend()),
        "tensorflow imported": np.asarray("tensorflow" in sys.modules),
        "auto precision": np.asarray(backend.resolve_precision("auto")),
        "versions": np.asarray(sorted(backend.versions())),
        "doubled": _numpy(doubled),
    }


def _numpy(tensor) -> np.ndarray:
    return ops.convert_to_numpy(tensor)


if __name__ == "__main__":
    with np.load(sys.argv[1]) as file:
        given = dict(file)
    np.savez(sys.argv[2], **compute(given), **alone(given))
