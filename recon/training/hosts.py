"""Several hosts that share a training: JAX, by `keras.distribution`."""

import os

import keras

# What `keras.distribution.initialize` reads where it is given no arguments.
ADDRESSES, COUNT, NUMBER = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)


def join_hosts() -> None:
    """Joins the hosts that environment variables name, before anything is computed.

    KERAS_DISTRIBUTION_JOB_ADDRESSES is host:port of the first one (others may follow behind
    commas), KERAS_DISTRIBUTION_NUM_PROCESSES their number, KERAS_DISTRIBUTION_PROCESS_ID that of
    this one, from 0. Nothing happens where none is set.

    Raises:
        ValueError: If one is missing or wrong, the backend is not JAX, or a host does not answer.
    """
    given = [name for name in (ADDRESSES, COUNT, NUMBER) if os.environ.get(name)]
    if not given:
        return
    if keras.backend.backend() != "jax":
        raise ValueError(
            f"{given[0]} must be unset, or KERAS_BACKEND be jax; received {keras.backend.backend()}"
        )
    rules = {ADDRESSES: "host:port of the first host", COUNT: "the number of hosts"}
    rules[NUMBER] = "the number of this host, from 0"
    for name, rule in rules.items():
        value = os.environ.get(name, "")
        if not (":" in value if name == ADDRESSES else value.isdecimal()):
            raise ValueError(f"{name} must be {rule}; received {value!r}")
    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"hosts cannot be joined: {str(error).splitlines()[0]}") from error
