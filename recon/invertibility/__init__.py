"""Invertibility of a convolution: what Gilbert et al. prove and measure, as functions.

- `convolution`: a convolution as a linear operator W, its transpose and its norm.
- `sparsity`: model-k-sparse codes, the approximation M(h, k), shares of non-zeros.
- `recovery`: Algorithms 1 (model-based IHT) and 2 (l1 least squares on a support).
- `rip`: ratios of norms that the model-RIP bounds, reconstruction errors, the bound of Theorem 3.3.
- `coherence`: of filters, and of all rows of W.
- `injectivity`: inversion of random ReLU layers at an input, and at all; not of that paper.

All of it is float64. Codes are channels-last, (batch, n, K) or (batch, n, n', K): a *block* of the
paper, the n shifts of one filter, is one channel. An image is (batch, D, M) or (batch, D, D', M).

Reference: Gilbert et al., "Towards Understanding the Invertibility of Convolutional Neural
    Networks". Each docstring says what was corrected against print.
"""
