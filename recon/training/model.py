"""The Keras models that are trained: a DCN behind a frozen CNN, and a CNN as a classifier.

Both take uint8 images, have Adam and decay kernels by `kernel_regularizer`; a weighted metric
`error` is the loss without the decay.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.1.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from recon.training.checkpoints import Checkpoint
from recon.training.config import ClassifierConfig, Schedule, TrainingConfig
from rrstyle import backend
from rrstyle.networks.build import build_cnn, convolutions, decoder_model, draw_weights
from rrstyle.networks.laws import DECODER, ENCODER, layer_rng
from rrstyle.networks.pair import CnnDcn
from rrstyle.networks.plan import plan_of

LEVELS = 255.0
_EPSILON = 1e-8  # that of Adam's paper (Kingma and Ba, 2015), and of Caffe


def build_networks(
    config: TrainingConfig, encoder_weights: Sequence[np.ndarray] | None = None
) -> CnnDcn:
    """The CNN and the DCN of a training, with the weights that they start from.

    `encoder_weights` are trained weights of the CNN, (kernel, bias) by layer.

    Raises:
        ValueError: If the weights are not those of the CNN, or the crop is too small for it.
    """
    if (encoder_weights is None) != (config.weights == "random"):
        raise ValueError(
            "encoder_weights must be given unless weights is random, and only then; received"
            f" weights {config.weights!r} {'without' if encoder_weights is None else 'with'} them"
        )
    check_crop(config)
    cnn = build_cnn(config.network, seed=config.seed)
    if encoder_weights is not None:
        found, wanted = ([tuple(w.shape) for w in ws] for ws in (encoder_weights, cnn.weights))
        if found != wanted:
            raise ValueError(f"encoder_weights must have the shapes {wanted}; received {found}")
        cnn.set_weights(encoder_weights)
    dcn = decoder_model(plan_of(config.network))
    dcn.set_weights(draw_weights(dcn, "he", config.network.std, config.seed, DECODER))
    return CnnDcn(config.weights, config.network, cnn, dcn)


def check_crop(config: TrainingConfig | ClassifierConfig) -> None:
    """Raises ValueError for a crop that is too small for the network."""
    least = plan_of(config.network).minimum_side
    if config.crop < least:
        raise ValueError(f"crop must be at least {least} for this network; received {config.crop}")


def inversion_model(config: TrainingConfig, networks: CnnDcn) -> keras.Model:
    """A compiled model from uint8 images to what the DCN makes of the CNN's features.

    Its result is in levels from 0 to 255, unbounded, and so are the DCN's biases: the papers'
    rates are taken for Caffe's pictures, which have that range. With pictures from 0 to 1 the
    biases learn the mean picture first, and a deep DCN then hardly leaves it. `networks` are for
    images in [0, 1], perhaps `switches.with_switches`; their weights are copied.
    """
    cnn = _copy(networks.cnn, config)
    cnn.trainable = False
    dcn = _copy(networks.dcn, config)
    dcn.set_weights(biases_times(LEVELS, networks.dcn.get_weights()))
    pixels = keras.Input((config.crop, config.crop, 3), dtype="uint8", name="pixels")
    images = keras.layers.Rescaling(1 / LEVELS)(pixels)
    found = cnn(images)
    features, *others = found if isinstance(found, list) else (found, images)
    levels = dcn([keras.layers.Rescaling(LEVELS)(features), *others])
    model = keras.Model(pixels, levels)
    error = keras.metrics.MeanMetricWrapper(_unit_inversion_loss, name="error")
    return compiled(model, config, inversion_loss, [error])


def inversion_loss(pixels: Any, back: Any) -> Any:
    """`1/2 ||DCN(CNN(x_i)) - x_i||^2` of each image, (batch,): half of equation 1 of the paper.

    Its mean over a batch is Caffe's EuclideanLoss.
    """
    error = ops.cast(back, "float32") - ops.cast(pixels, "float32")
    return ops.sum(ops.square(error), axis=(1, 2, 3)) / 2


def _unit_inversion_loss(pixels: Any, back: Any) -> Any:
    return inversion_loss(pixels, back) / LEVELS**2


def mean_squared_error(config: TrainingConfig, loss: float) -> float:
    """The mean over pixels and colours, in [0, 1], that belongs to an `error` of the model."""
    return 2 * loss / (3 * config.crop**2)


def trained_networks(networks: CnnDcn, weights: Sequence[np.ndarray]) -> CnnDcn:
    """The networks with the DCN's weights from an `inversion_model`, for images in [0, 1]."""
    dcn = keras.models.clone_model(networks.dcn)
    dcn.set_weights(biases_times(1 / LEVELS, weights))
    return replace(networks, dcn=dcn)


def biases_times(factor: float, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The weights of a network for images that are `factor` times as large."""
    return [w if w.ndim > 1 else np.float32(factor) * w for w in weights]


def classifier_model(config: ClassifierConfig, cnn: keras.Model, classes: int) -> keras.Model:
    """A compiled model from uint8 images to scores (batch, classes), before the softmax.

    The features of `cnn`, for images in [0, 1], are averaged over the image, and a dense layer
    follows; its kernel starts with variance 1 / inputs, as no ReLU follows, and does not decay.
    """
    inputs = cnn.output_shape[-1]
    rng = layer_rng(config.seed, ENCODER, len(cnn.weights))
    kernel = rng.normal(0, inputs**-0.5, (inputs, classes))
    pixels = keras.Input((config.crop, config.crop, 3), dtype="uint8", name="pixels")
    features = _copy(cnn, config)(keras.layers.Rescaling(1 / LEVELS)(pixels))
    means = keras.layers.GlobalAveragePooling2D(dtype="float32")(features)
    head = keras.layers.Dense(classes)
    model = keras.Model(pixels, head(means))
    head.set_weights([kernel.astype(np.float32), np.zeros(classes, np.float32)])
    error = keras.metrics.SparseCategoricalCrossentropy("error", from_logits=True)
    metrics = [error, keras.metrics.SparseCategoricalAccuracy("accuracy")]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return compiled(model, config, loss, metrics)


def standardise(cnn: keras.Model, images: np.ndarray) -> None:
    """Scales and shifts the weights of a random CNN to the images it is to be trained on.

    After each convolution, before its activation, every channel then has mean 0 and variance 1
    over these images. Otherwise random layers with biases of zero bring pictures, close together
    in [0, 1], ever closer: thirteen leave almost nothing to tell classes by. The CNN is changed;
    images are float32 (batch, height, width, 3) in [0, 1].

    Reference: Krähenbühl et al., "Data-dependent Initializations of Convolutional Neural
    Networks", 2016; Mishkin and Matas, "All you need is a good init", 2016.
    """
    for layer in convolutions(cnn):
        kernel, _ = layer.get_weights()
        found = keras.Model(cnn.input, layer.output).predict_on_batch(images)
        outputs = np.asarray(found, np.float64)
        mean, std = outputs.mean(axis=(0, 1, 2)), outputs.std(axis=(0, 1, 2)) + 1e-6
        layer.set_weights([kernel / std, -mean / std])


def _copy(network: keras.Model, config: Schedule) -> keras.Model:
    """A network whose kernels decay, computing in the config's precision on float32 weights.

    `decay / 2 w^2` in the loss adds `decay w` to the gradient before Adam sees it, as Caffe does.
    """
    bfloat16 = backend.resolve_precision(config.precision) == "bfloat16"
    changes: dict[str, Any] = {"dtype": "mixed_bfloat16" if bfloat16 else "float32"}
    decay = keras.regularizers.L2(config.weight_decay / 2) if config.weight_decay else None

    def copied(layer):
        decays = {"kernel_regularizer": decay} if isinstance(layer, keras.layers.Conv2D) else {}
        return type(layer).from_config(layer.get_config() | changes | decays)

    result = keras.models.clone_model(network, clone_function=copied)
    result.set_weights(network.get_weights())
    return result


def compiled(model: keras.Model, config: Schedule, loss: Any, metrics: list) -> keras.Model:
    """The model, to be trained with Adam by the config's schedule."""
    rate: Any = config.learning_rate
    if config.milestones:
        # The schedule counts steps from 0, and falls after its boundary.
        boundaries = [milestone - 1 for milestone in config.milestones]
        values = [rate * config.rate_factor**i for i in range(len(boundaries) + 1)]
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)
    first, second = config.betas
    model.compile(
        keras.optimizers.Adam(rate, beta_1=first, beta_2=second, epsilon=_EPSILON),
        loss,
        weighted_metrics=metrics,
        jit_compile=keras.backend.backend() == "jax",  # XLA is slower on TensorFlow's processors
    )
    model.optimizer.build(model.trainable_variables)
    return model


def state_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Weights and optimizer of a model by name: all that its next step depends on."""
    parts = {"weight": model.trainable_variables, "optimizer": model.optimizer.variables}
    return {
        f"{name}_{position:02d}": np.array(ops.convert_to_numpy(variable))
        for name, variables in parts.items()
        for position, variable in enumerate(variables)
    }


def restore(model: keras.Model, checkpoint: Checkpoint, config: Schedule) -> None:
    """Gives a model the weights and the optimizer of a checkpoint."""
    arrays = _arrays_of(checkpoint, config)
    variables = [*model.trainable_variables, *model.optimizer.variables]
    values = *_named("weight", arrays), *_named("optimizer", arrays)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def weights_in(checkpoint: Checkpoint, config: Schedule) -> list[np.ndarray]:
    """The weights of a checkpoint, (kernel, bias) by layer."""
    return _named("weight", _arrays_of(checkpoint, config))


def _named(start: str, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(start)]


def _arrays_of(checkpoint: Checkpoint, config: Schedule) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint as `state_of` gives them.

    Version 0.1.0 trained DCNs in [0, 1], with a rate of their own for biases: in levels, gradients
    of kernels are 255^2 times as large, those of biases 255 times.
    """
    arrays = checkpoint.arrays
    if "decoder_00" not in arrays:
        return arrays
    levels = LEVELS if isinstance(config, TrainingConfig) else 1.0
    optimizer = [np.asarray(checkpoint.step)]
    if not config.milestones:  # then Adam has its rate as a variable
        optimizer.append(np.asarray(config.learning_rate, np.float32))
    parts = (_named(name, arrays) for name in ("decoder", "adam_mean", "adam_square"))
    weights = []
    for weight, mean, square in zip(*parts, strict=True):
        gradient = np.float32(levels if weight.ndim == 1 else levels**2)
        weights.append(weight)
        optimizer += [gradient * mean, gradient**2 * square]
    weights = biases_times(levels, weights)
    return {f"weight_{i:02d}": w for i, w in enumerate(weights)} | {
        f"optimizer_{i:02d}": v for i, v in enumerate(optimizer)
    }


def whole_batches(images: np.ndarray, batch: int) -> np.ndarray:
    """Images filled up with the first one to whole batches, of the one shape that is compiled."""
    return np.concatenate([images, np.repeat(images[:1], -len(images) % batch, axis=0)])


def reconstruct(model: keras.Model, images: np.ndarray, batch: int) -> np.ndarray:
    """What an `inversion_model` makes of images uint8 (n, crop, crop, 3), in batches.

    It is float32 of that shape, of images in [0, 1], but unbounded.
    """
    filled = whole_batches(images, batch)
    if backend.hosts() == 1:  # batch by batch: `predict` builds a pipeline anew in every call
        backend.attach_state(model)
        starts = range(0, len(filled), batch)
        parts = [model.predict_on_batch(filled[start : start + batch]) for start in starts]
        back = np.concatenate(parts)
    else:  # each host computes all: NumPy cannot fetch what `predict` leaves on other hosts
        groups = model.trainable_variables, model.non_trainable_variables
        weights = ([ops.convert_to_numpy(v) for v in variables] for variables in groups)
        back = ops.convert_to_numpy(model.stateless_call(*weights, filled)[0])
    return back[: len(images)] / np.float32(LEVELS)
