// A BatchNorm and an activation in evaluation. libtorch computes one after the other, lays maps of other layouts than
// its own out anew for a BatchNorm, and takes several times as long for an exponential.
#include "norm_activation.h"
#include "kernels.h"
#include "share.h"
#include "trial.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <utility>

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
                   .curve = a.curve};
  std::pair<Tensor, Tensor> numbers;
  if (norm) {
    const int64_t channels = x.size(1), together = side_by_side(x);
    numbers = scale_and_shift(o);
    c.scale = numbers.first.const_data_ptr<float>(), c.shift = numbers.second.const_data_ptr<float>();
    c.row = together == 1 ? channels : together;
    c.channels = together == 1 ? 0 : channels;
  }
  if (c.total > 0)
    share((c.total + c.row - 1) / c.row, std::max<int64_t>(1, 32768 / c.row),
          [&](int64_t begin, int64_t end) { SHIM_KERNEL(norm_activation).rows(c, begin, end); });
  return y;
}
