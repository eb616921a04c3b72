// A BatchNorm and an activation in evaluation. libtorch computes one after the other, lays maps of other layouts than
// its own out anew for a BatchNorm, and takes several times as long for an exponential.
#include "norm_activation.h"
#include "kernels.h"
#include "share.h"
#include "trial.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <vector>

using at::Tensor;
using shim::NormActivation;

namespace {

// How many numbers of a channel lie side by side in maps [n, channels, ...], which lie in any order without gaps.
int64_t side_by_side(const Tensor &x) {
  int64_t n = 1;
  if (x.size(1) == 1)
    return x.numel();
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != 1 && x.stride(d) < x.stride(1))
      n *= x.size(d);
  return n;
}

// The numbers by which a BatchNorm multiplies each channel, and then those that it adds.
std::vector<float> factors(const shim::HWCNOptions &o, int64_t channels) {
  std::vector<float> all(2 * channels);
  const Tensor tensors[] = {o.norm_weight.contiguous(), o.norm_bias.contiguous(), o.norm_mean.contiguous(), o.norm_variance.contiguous()};
  const float *weight = tensors[0].const_data_ptr<float>(), *bias = tensors[1].const_data_ptr<float>(),
              *mean = tensors[2].const_data_ptr<float>(), *variance = tensors[3].const_data_ptr<float>();
  for (int64_t c = 0; c < channels; ++c) {
    all[c] = weight[c] / std::sqrt(variance[c] + static_cast<float>(o.norm_eps));
    all[channels + c] = bias[c] - mean[c] * all[c];
  }
  return all;
}

} // namespace

Tensor shim::norm_activation(const Tensor &any, const HWCNOptions &o, const Activation &a, bool over) {
  const bool norm = o.norm_weight.defined();
  TORCH_CHECK(any.is_cpu() && any.scalar_type() == at::kFloat && (!norm || any.dim() >= 2), "the input has shape ", any.sizes(),
              "; it is float32 on the CPU");
  for (const Tensor *t : {&o.norm_weight, &o.norm_bias, &o.norm_mean, &o.norm_variance})
    TORCH_CHECK(!norm || (t->is_cpu() && t->scalar_type() == at::kFloat && t->numel() == any.size(1)), "the input has shape ", any.sizes(),
                ", its BatchNorm ", t->sizes());
  const Tensor x = any.is_non_overlapping_and_dense() ? any : any.contiguous();
  Tensor y = over ? x : at::empty_like(x);
  constexpr int64_t row = 1024; // of numbers that need no channel
  NormActivation c{.x = x.const_data_ptr<float>(), .y = y.mutable_data_ptr<float>(), .total = x.numel(), .row = row, .scale = nullptr,
                   .shift = nullptr, .channels = 1, .positive = static_cast<float>(a.positive), .negative = static_cast<float>(a.negative),
                   .exponential = a.exponential};
  std::vector<float> numbers;
  if (norm) {
    const int64_t channels = x.size(1), together = side_by_side(x);
    numbers = factors(o, channels);
    c.scale = numbers.data(), c.shift = numbers.data() + channels;
    c.row = together == 1 ? channels : together;
    c.channels = together == 1 ? 0 : channels;
  }
  if (c.total > 0)
    share((c.total + c.row - 1) / c.row, std::max<int64_t>(1, 32768 / c.row),
          [&](int64_t begin, int64_t end) { SHIM_KERNEL(norm_activation).rows(c, begin, end); });
  return y;
}
