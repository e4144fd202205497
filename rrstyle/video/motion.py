"""Motion between two pictures of a clip, and where a clip is cut.

Optical flow by dense inverse search (Kroeger et al. 2016), forwards and backwards: where the two
disagree, something came into sight (Sundaram et al. 2010).
"""

from typing import Any

import cv2
import numpy as np

from rrstyle.pictures.images import fit_within
from rrstyle.transfer.painting.sequence import Motion

_SIDE = 512  # longer side, in pixels, that flow is computed at
# Forward and backward flow may disagree by these pixels, and by this share of their squared length.
_APART, _APART_SHARE = 0.5, 0.01
# Still ground: flow of less than these pixels where the pictures differ by less than this.
_STILL_FLOW, _STILL_CHANGE = 0.25, 3 / 255
# A cut: the flow explains less than this share of a picture.
_CUT = 0.25
_UNLIKE = 0.12  # difference of luma, from which on the flow does not explain a pixel


def grey(picture: np.ndarray) -> np.ndarray:
    """What `motion` takes of a picture (height, width, 3) in [0, 1]: grey, reduced, uint8."""
    size = fit_within(picture.shape[:2], min(_SIDE, max(picture.shape[:2])))
    small = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
    return np.rint(255 * cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)).astype(np.uint8)


def motion(before: np.ndarray, now: np.ndarray) -> Motion | None:
    """Motion from one picture to the next, each as `grey` gives it; None for a cut."""
    back, forth = _flow(now, before), _flow(before, now)
    change = cv2.GaussianBlur(now.astype(np.float32) - before, (0, 0), 1.5) / 255
    still = (np.abs(change) < _STILL_CHANGE) & (np.hypot(*np.moveaxis(back, -1, 0)) < _STILL_FLOW)
    back[still] = 0
    returned = back + _sampled(forth, back)
    apart = np.sum(returned**2, axis=-1)
    length = np.sum(back**2, axis=-1) + np.sum((returned - back) ** 2, axis=-1)
    seen = still | (apart < _APART_SHARE * length + _APART)
    explained = np.abs(_sampled(before.astype(np.float32), back) - now) < 255 * _UNLIKE
    if np.mean(seen & explained) < _CUT:
        return None
    return Motion(np.ascontiguousarray(back[..., ::-1]), seen & explained)


def _flow(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where each pixel of one picture lies in another, (height, width, 2) from it, x before y."""
    flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return flow.calc(one, other, None)


def _sampled(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Values at each pixel's place in the other picture."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None] + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
