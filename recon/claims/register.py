"""All claims of the study, in its order. A new evaluator is one entry here.

He et al. is "Randomness in Deconvolutional Networks for Visual Representation", in three versions
that disagree in places; Gilbert et al. is "Towards Understanding the Invertibility of
Convolutional Neural Networks". Their figures carry no printed values unless said.
"""

from recon.claims import invertibility, style, theory, training
from recon.claims import reconstruction as rr
from recon.claims.verdicts import Claim, Evidence, settled

_RANDOM = "He et al."
_ICLR = "He et al., ICLR 2020 version"
_FIRST = "He et al., first version"
_GILBERT = "Gilbert et al."
_INJECTIVITY = "Puthawala et al., 2022"

_SCORES = ("network", "head", "image", "ssim", "null")
_PLANS = ("plan", "block", "tap", "upsampling")
_DEPTH = (*_PLANS, *_SCORES)
_COLOURS = (*_PLANS, "network", "head", "image", "pearson", "chroma")
_FACTORIAL = ("depth", "channels", "reduction", "upsampling", *_SCORES)
_STEPS = ("network", "step", "validation_mse")
_COURSE = ("architecture", "encoder", *_STEPS)
_FINAL = ("architecture", "block", "encoder", "network", "step", "set", "image", "mse")
_ERRORS = ("activation_error", "image_error")
_RECONSTRUCTED = ("encoder", "layer", "network", "filters", "unpooling", *_ERRORS)
_RATIOS = ("network", "quantity", "value")
_RATIO = ("network", "ratio", "decoder", "content_loss", "style_loss", "swd", "edge", "moved")
_CHANGED = ("model", "network", "changed", "distance", "alike")
_LAYERS = ("layer", "network", "decoder", "step_s", "gflop", "mib", "swd", "edge")
_TIMES = ("step_s", "whole_s", "gflop", "start_loss", "loss")
_SPACES = ("model", "network", "space", *_TIMES, "swd", "edge")
_SCALING = ("varied", "size", "network", "quantity", "delta", "printed")
_INJECTIVE = ("kind", "side", "layers", "network", "ratio", "quantity", "value")
_THEORY = ("figure", "convolutions", "channels", "network", "image", "quantity", "value")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="C1",
        words="A DCN trains faster and to a lower loss on a random CNN than on a trained one, the"
        " more so on VGG.",
        paper=f"{_RANDOM}, Fig. 2 (a): “converges much quicker on random CNN and yields slightly"
        " lower loss, and this trend is more apparent on VGG”; curves, no numbers.",
        evidence=Evidence("convergence", _COURSE, settled(training.random_trains_better)),
    ),
    Claim(
        id="C2",
        words="The loss of a DCN is lower for VGG than for AlexNet.",
        paper=f"{_RANDOM}, Fig. 2 (a): “VGG yields much lower inverting loss”; curves, no numbers.",
        evidence=Evidence("convergence", _COURSE, settled(training.vgg_is_below_alexnet)),
    ),
    Claim(
        id="C3",
        words="The loss of a DCN on validation pictures equals that on training pictures.",
        paper=f"{_RANDOM}, Fig. 3: “good in generalization”, 5000 pictures each; bars, no numbers.",
        evidence=Evidence("generalisation", _FINAL, settled(training.validation_is_training)),
    ),
    Claim(
        id="C4",
        words="The loss of a DCN rises with the depth k of the layer: steeply for a trained CNN,"
        " slowly for a random one.",
        paper=f"{_RANDOM}, Fig. 3 (a): “increases significantly for pre-trained VGG but grows"
        " slowly for random VGG”; bars, no numbers.",
        evidence=Evidence("generalisation", _FINAL, settled(training.rises_with_block)),
    ),
    Claim(
        id="C5a",
        words="For a trained DCN, Gaussians of small deviation end equal; N(0, 1) is much worse.",
        paper=f"{_RANDOM}, Fig. 2 (b) and 6: “converges to the same magnitude”, “except for"
        " N(0, 1) ... indistinguishable by naked eyes”; no numbers.",
        evidence=Evidence(
            "init-std", ("std", *_STEPS), settled(training.small_deviations_end_equal)
        ),
    ),
    Claim(
        id="C5b",
        words="For a trained DCN, the four laws of random weights end equal.",
        paper=f"{_RANDOM}, Fig. 2 (c) and 6: “four different random distributions with appropriate"
        " parameters acquire similar reconstruction loss”; no numbers.",
        evidence=Evidence("init-law", ("law", *_STEPS), settled(training.laws_end_equal)),
    ),
    Claim(
        id="C6",
        words="SSIM of rrVGG CDk falls with k.",
        paper=f"{_RANDOM}, Fig. 7, first row: “the deeper the random representations are, the"
        " coarser the reconstructed images are”; one picture, no numbers.",
        evidence=Evidence("depth", _DEPTH, rr.falls_with_block),
    ),
    Claim(
        id="C7a",
        words="Depth contributes only a little.",
        paper=f"{_RANDOM}, section 4.1: the width of the layer “contributes significantly ...,"
        " while the depth of the CNN-DCN network contributes only a little”; no numbers."
        " Contradicts C7b.",
        evidence=Evidence("factorial", _FACTORIAL, rr.depth_counts_little),
    ),
    Claim(
        id="C7b",
        words="Depth matters more than width.",
        paper=f"{_ICLR}, section 4: “the network depth has a bigger impact than the network width”;"
        " no numbers. Contradicts C7a.",
        evidence=Evidence("factorial", _FACTORIAL, rr.depth_beats_width),
    ),
    Claim(
        id="C7c",
        words="The loss of resolution, not depth, is the cause of the decay.",
        paper=f"{_FIRST}, section 3.3: “the shape reduction of feature maps is the key reason for"
        " the decaying”; pictures, no numbers.",
        evidence=Evidence("factorial", _FACTORIAL, rr.resolution_is_the_cause),
    ),
    Claim(
        id="C7d",
        words="Networks of block k alone reconstruct about as well as the full ones: the papers'"
        " evidence for C7a.",
        paper=f"{_RANDOM}, Fig. 7, second row: “the reconstruction quality is similar to that of"
        " the first row”; one picture, no numbers.",
        evidence=Evidence("depth", _DEPTH, rr.simplified_is_alike),
    ),
    Claim(
        id="C8",
        words="SSIM rises with the number of random channels.",
        paper=f"{_RANDOM}, Fig. 8: “the increasing number of random channels promotes the"
        " reconstruction quality”, “much more apparent” for the mean head; 4 to 2048 channels, 30"
        " networks, 50 pictures; curves, no numbers. First version, Fig. 11: Conv1_1, pictures.",
        evidence=Evidence(
            "channels", ("plan", "channels", "upsampling", *_SCORES), rr.rises_with_channels
        ),
    ),
    Claim(
        id="C9",
        words="SSIM falls with the size of the filters.",
        paper=f"{_RANDOM}, Fig. 10: “the reconstruction quality decays with larger kernel size”; 30"
        " networks, 50 pictures; a curve, no numbers.",
        evidence=Evidence("kernel-size", ("kernel", *_SCORES), rr.falls_with_kernel),
    ),
    Claim(
        id="C10",
        words="SSIM of CD2 is about half of that of CD1.",
        paper=f"{_ICLR}, section 4.2: “the quality decays by about a half as evaluated by SSIM”.",
        evidence=Evidence("depth", _DEPTH, rr.second_is_half),
    ),
    Claim(
        id="C11",
        words="Where all maps keep the size of the picture, quality no longer decays with k.",
        paper=f"{_FIRST}, Fig. 10 (b): “the reconstructions gap from these five different"
        " convolutional layers is hard to distinguish”; pictures, no numbers.",
        evidence=Evidence("depth", _DEPTH, rr.kept_size_removes_decay),
    ),
    Claim(
        id="C12",
        words="Colour is lost, though shapes stay.",
        paper=f"{_FIRST}, abstract: “discards the colormetric information”; {_RANDOM}, section 4.2:"
        " “the color information is discarded”; pictures, no numbers.",
        evidence=Evidence("depth", _COLOURS, rr.colour_is_lost),
    ),
    Claim(
        id="C13",
        words="The trade-off between content and style is smooth over ratios of 10 to 100,000.",
        paper=f"{_ICLR}, Fig. 16: “the transition from content to style is smooth with increasing"
        " ratio”; pictures, no numbers.",
        evidence=Evidence("style-ratio", _RATIO, style.transition_is_smooth),
    ),
    Claim(
        id="C14",
        words="Other random weights of the rrVGG make other pictures of one photograph and style.",
        paper=f"{_ICLR}, Figs. 9 and 17: “generating diverse stylized images given a single style"
        " image”; pictures, no numbers.",
        evidence=Evidence("style-models", _CHANGED, style.networks_diversify),
    ),
    Claim(
        id="C15",
        words="More layers in the rrVGG and fewer in the FVT speed the transfer up.",
        paper=f"{_ICLR}, appendix A.4: “will further speed up the style transfer process”; no"
        " numbers.",
        evidence=Evidence("style-layers", _LAYERS, style.deeper_networks_are_faster),
    ),
    Claim(
        id="C16",
        words="To optimise features is cheaper than to optimise the picture, and converges faster.",
        paper=f"{_ICLR}, appendix A.4: “faster than the original optimization based approach”,"
        " “converge faster than existing works utilizing images as the input”; no numbers.",
        evidence=Evidence("style-speed", _SPACES, style.features_are_cheaper),
    ),
    Claim(
        id="G1",
        words="Reconstruction by IHT with random filters beats random activations in every layer.",
        paper=f"{_GILBERT}, Table 4, error in image space, random filters against random"
        " activations: .380/.610, .438/.864, .345/.652, .357/.436.",
        evidence=Evidence("iht", _RECONSTRUCTED, invertibility.random_filters_beat_activations),
    ),
    Claim(
        id="G2",
        words="Reconstruction by IHT is best with random filters.",
        paper=f"{_GILBERT}, Table 4, learned against random filters: .423/.380, .692/.438,"
        " .326/.345, .379/.357, so not in its own third row.",
        evidence=Evidence("iht", _RECONSTRUCTED, invertibility.random_filters_are_best),
    ),
    Claim(
        id="G3",
        words="Random filters satisfy the model-RIP: the ratios of norms are about 1.",
        paper=f"{_GILBERT}, Fig. 2 (a, b): “tightly centered around 1”; histograms, no numbers.",
        evidence=Evidence("rip-1d", _RATIOS, invertibility.ratios_are_about_one),
    ),
    Claim(
        id="G4",
        words="The model-RIP's constant grows as √(k D / M) / l, by logarithms more.",
        paper=f"{_GILBERT}, Theorem 3.1: M l² / D ≥ C (k (log K + log n) − log ε) / δₖ² suffices.",
        evidence=Evidence("rip-scaling", _SCALING, invertibility.distortion_scales_as_printed),
    ),
    Claim(
        id="I1",
        words="At a typical input a random ReLU layer is inverted exactly from twice as many"
        " outputs as inputs on.",
        paper=f"{_INJECTIVITY}: injectivity takes a ratio of 2, since at x or at −x at most half of"
        " the outputs are active; He et al. invert random CNNs at pictures.",
        evidence=Evidence("injectivity", _INJECTIVE, invertibility.typical_inputs_take_twice),
    ),
    Claim(
        id="I2",
        words="A random ReLU layer is injective, one x for every output, from 6.70 outputs an input"
        " on.",
        paper="Maillard et al., 2023, by replicas, and Stojnic, 2024, by random duality: 6.70;"
        " Gordon's theorem: at most 7.65; Clum et al., by an Euler characteristic: 8.34. iid"
        " Gaussian weights, many inputs.",
        evidence=Evidence("injectivity", _INJECTIVE, invertibility.gaussian_layers_are_injective),
    ),
    Claim(
        id="I3",
        words="Convolutional filters are injective from the ratio of fully random ones on.",
        paper="Nobody's: the predictions of I2 are of iid matrices, the papers' CNNs are not.",
        evidence=Evidence("injectivity", _INJECTIVE, invertibility.filters_are_as_injective),
    ),
    Claim(
        id="I4",
        words="A layer on top of others needs no higher ratio to the network's inputs.",
        paper=f"{_INJECTIVITY}: layers that are injective each make a network that is, for which"
        " each must be as much wider than the one before it.",
        evidence=Evidence("injectivity", _INJECTIVE, invertibility.deeper_layers_need_no_more),
    ),
    Claim(
        id="T1",
        words="The output of a random CNN with l2 pools converges to f* = k z* as its channels"
        " grow.",
        paper=f"{_RANDOM}, Theorem 5.1; k at the end of its proof, Theorem A.1: k₁ times the"
        " product of k₂ over the layers.",
        evidence=Evidence("theory", _THEORY, theory.converges),
    ),
    Claim(
        id="T2",
        words="The angle to f* of one convolution of N channels: sin Θ ≤ √(K₁ / (N δ)) with"
        " probability 1 − δ.",
        paper=f"{_RANDOM}, Theorem 5.2.",
        evidence=Evidence("theory", _THEORY, theory.one_convolution_varies_less),
    ),
    Claim(
        id="T3",
        words="The angle to f* of several convolutions is bounded likewise.",
        paper=f"{_RANDOM}, Theorem 5.3, for disjoint equal patches, which VGG has not; here with"
        " the spectral norms of its patches.",
        evidence=Evidence("theory", _THEORY, theory.several_convolutions_vary_less),
    ),
    Claim(
        id="T4",
        words="f* is near the image: cos Φ ≥ 1 − Σ ε x / Σ x², ε a pixel less the mean of its"
        " patch.",
        paper=f"{_RANDOM}, Theorem 5.4; its proof, Theorem A.6, “can be directly extended” to"
        " several layers.",
        evidence=Evidence("theory", (*_THEORY, "upsampling", "kernel"), theory.image_is_near),
    ),
    Claim(
        id="T5",
        words="With average pools the output converges to the f* of a recursion of kernels.",
        paper=f"{_RANDOM}, Theorem A.7.",
        evidence=Evidence("theory", _THEORY, theory.average_pool_converges),
    ),
)
