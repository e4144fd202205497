"""Seconds for the features of a picture by eight random networks: one shared model or eight.

`SharedNetwork` passes the weights of each network to one compiled model; `build_cnn` makes a
model of each, which is compiled when it is first called. Run it as a module:

    python -m benchmarks.shared_networks
"""

import time
from collections.abc import Callable
from typing import Any

NETWORKS = 8
SIDE = 128


def seconds(work: Callable[[], Any]) -> float:
    """Wall-clock time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Prints a line for each plan."""
    import numpy as np
    from keras import ops

    from rrstyle.config import NetworkConfig
    from rrstyle.networks.build import build_cnn, cnn_network, shared

    image = np.random.default_rng(0).random((1, SIDE, SIDE, 3), np.float32)
    shared(build_cnn(NetworkConfig(layer="conv1_1", channels=1), seed=0))(image)  # starts Keras
    print(f"{NETWORKS} networks, one picture of {SIDE} px: shared model, separate models, ratio")
    for layer in ("conv1_2", "conv3", "conv5"):
        config = NetworkConfig(layer=layer, channels=32)

        def together(config=config) -> None:
            for seed in range(NETWORKS):
                ops.convert_to_numpy(cnn_network(config, seed=seed)(image))

        def apart(config=config) -> None:
            for seed in range(NETWORKS):
                ops.convert_to_numpy(shared(build_cnn(config, seed=seed))(image))

        one, many = seconds(together), seconds(apart)
        print(f"{layer:8} {one:8.2f} s {many:8.2f} s {many / one:6.1f}")


if __name__ == "__main__":
    main()
