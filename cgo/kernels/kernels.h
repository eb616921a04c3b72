/* The functions of our own kernels, on libtorch's tensors and with its exceptions; nothing here knows of
 * the shim's handles. Where a kernel does not fit, or its bits would not be libtorch's, libtorch
 * computes the same. */
#pragma once

#include "norm_activation.h"

#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

namespace shim {

using Pad = std::array<int64_t, 4>; /* zeros left, right, top, bottom */

/* Whether the clips of x, [n, c, h, w], lie innermost. */
bool is_hwcn(const at::Tensor &x);
/* x with its clips innermost, and clips of zeros up to a multiple of 16. */
at::Tensor hwcn(const at::Tensor &x);
/* How many clips are best computed at once so. */
int64_t hwcn_together();
/* x as PyTorch lays it out. libtorch would read all clips of a point for each clip anew. */
at::Tensor contiguous(const at::Tensor &x);

/* Such maps as one clip's, of whose channels n each are one channel of n clips, for an operation that computes each
 * channel alone; other tensors as they are. Then the way back. */
at::Tensor clips_as_channels(const at::Tensor &x);
at::Tensor channels_as_clips(const at::Tensor &y, int64_t clips);

/* A convolution of such maps and the operations fused with it: negative numbers times slope, the mean of every
 * `pool` points of a row, and a BatchNorm's evaluation, unless norm_weight is undefined. */
struct HWCNOptions {
  std::array<int64_t, 2> stride, dilation; /* height before width */
  Pad pad;
  int64_t groups;
  double slope;
  int64_t pool;
  at::Tensor norm_weight, norm_bias, norm_mean, norm_variance;
  double norm_eps;
};
/* How many places a kernel of `taps` points has along a map's height (d is 0) or width (1), with the zeros around it. */
inline int64_t places(const HWCNOptions &o, int d, int64_t size, int64_t taps) {
  const int64_t left = size + (d == 0 ? o.pad[2] + o.pad[3] : o.pad[0] + o.pad[1]) - (taps - 1) * o.dilation[d] - 1;
  return left < 0 ? 0 : left / o.stride[d] + 1;
}
/* The numbers by which the BatchNorm multiplies each channel in evaluation, and those that it adds then. */
std::pair<at::Tensor, at::Tensor> scale_and_shift(const HWCNOptions &o);

/* A convolution's numbers in the order in which a kernel reads them, in evaluation: prepared once, and anew where they
 * were written. */
class Prepared {
public:
  Prepared();
  ~Prepared();
  Prepared(const Prepared &) = delete;
  Prepared &operator=(const Prepared &) = delete;

  struct Weights {
    at::Tensor weight, bias, scale, shift; /* scale and shift are the BatchNorm's; undefined where there is none */
  };
  /* The order has a number; weights and the numbers of channels are put in it by the functions. */
  Weights of(const at::Tensor &weight, const at::Tensor &bias, const HWCNOptions &o, int order,
             c10::function_ref<at::Tensor(const at::Tensor &)> weights, c10::function_ref<at::Tensor(const at::Tensor &)> numbers);

private:
  struct State;
  const std::unique_ptr<State> state;
};

/* Without gradients. Features [n, f] are maps of one point. */
at::Tensor conv2d_hwcn(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const HWCNOptions &o,
                       Prepared &prepared);

/* The same of a few clips [n, c, h, w] that lie one after the other, of maps only. */
at::Tensor conv2d_few(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const HWCNOptions &o,
                      Prepared &prepared);

/* Of norm_activation.h. */
struct Activation {
  double positive, negative;
  Curve curve;
};
/* The BatchNorm of the options, if there is one, then an activation, in evaluation of x, [n, c, ...]; written over x
 * where `over`. */
at::Tensor norm_activation(const at::Tensor &x, const HWCNOptions &o, const Activation &a, bool over);

/* A convolution of stride 1, then relu where it is wanted; by libtorch where not `ours`. */
at::Tensor conv2d_nhwc(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const Pad &pad, bool relu,
                       bool ours);
/* Whether the order of libtorch's sums in one of FBCCNN's convolutions is known. */
bool conv2d_nhwc_known();

/* A convolution of stride 1 along the rows of maps of one channel with `pad` zeros on both sides, or
 * nothing where libtorch has to compute it. */
at::Tensor temporal_conv2d(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, int64_t pad);

/* LeakyReLU, then means of `width` numbers of a row. */
at::Tensor leaky_relu_avg_pool2d(const at::Tensor &x, double slope, int64_t width);

/* In training by the batch, which also moves mean and variance in place. */
at::Tensor batch_norm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const at::Tensor &mean,
                      const at::Tensor &variance, bool training, double momentum, double eps);

} // namespace shim
