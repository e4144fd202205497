"""Theory of wide random networks: what section 5 of the paper proves, corrected and computable.

- `moments`: half moments k_m of the laws of weights, K_m, the products of Lemma A.2.
- `convergence`: the image f* to which the mean head converges, and route counts (Theorem 5.1).
- `variance`: bounds on the angle between the output of N channels and f* (Theorems 5.2, 5.3).
- `angle`: the cosine between the image and f*, and bounds on it (Theorems 5.4, A.6).
- `average_pooling`: the kernel recursion that gives f* under average pooling (Theorem A.7).
- `operators`: each layer of a plan as a matrix along one axis of the image.
- `simulation`: the same networks with finitely many channels, drawn at random.

All of it is float64. A `plan` is a `rrstyle.networks.plan.Plan` that ends with a convolution, its
pools l2 ones, or average ones in `average_pooling`; an `image` is (height, width) or (height,
width, channels), finite; ValueError names any other. Networks are those of Definition 5.1: i.i.d.
filters, ReLU, no bias; the maps of every convolution but the last are divided by sqrt(N_i),
the root of their number; the output is the mean of the last convolution's maps. A network that
does not divide gives sqrt(N_i) times as much for each convolution but the last.

Reference: He et al., "Randomness in Deconvolutional Networks for Visual Representation", section 5
    and appendix A. Each docstring says what was corrected against the printed theorem.
"""
