#include "kernels.h"

#include <ATen/ops/empty_like.h>

#include <array>
#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

using at::Tensor;

struct shim::Prepared::State {
  std::mutex mutex;
  std::array<std::pair<const void *, uint32_t>, 2> made_of{};
  std::array<Tensor, 2> kept; // what it was made of, so that nothing else comes to lie there
  std::vector<float> norm;
  int order = -1;
  Weights weights;
};

std::pair<Tensor, Tensor> shim::scale_and_shift(const HWCNOptions &o) {
  // As libtorch's operations round, which would take longer than the numbers of a layer.
  const Tensor all[] = {o.norm_weight.contiguous(), o.norm_bias.contiguous(), o.norm_mean.contiguous(), o.norm_variance.contiguous()};
  const float *weight = all[0].const_data_ptr<float>(), *bias = all[1].const_data_ptr<float>(), *mean = all[2].const_data_ptr<float>(),
              *variance = all[3].const_data_ptr<float>();
  Tensor scale = at::empty_like(all[0]), shift = at::empty_like(all[0]);
  float *times = scale.mutable_data_ptr<float>(), *plus = shift.mutable_data_ptr<float>();
  for (int64_t c = 0; c < scale.numel(); ++c) {
    times[c] = weight[c] / std::sqrt(variance[c] + static_cast<float>(o.norm_eps));
    plus[c] = bias[c] - mean[c] * times[c];
  }
  return {scale, shift};
}

shim::Prepared::Prepared() : state(std::make_unique<State>()) {}
shim::Prepared::~Prepared() = default;

// Weights are compared by their address and version counter. A training moves a
// BatchNorm's statistics and counts nothing: its numbers, which are few, are compared.
shim::Prepared::Weights shim::Prepared::of(const Tensor &weight, const Tensor &bias, const HWCNOptions &o, int order,
                                           c10::function_ref<Tensor(const Tensor &)> weights,
                                           c10::function_ref<Tensor(const Tensor &)> numbers) {
  for (const Tensor *t : {&bias, &o.norm_weight, &o.norm_bias, &o.norm_mean, &o.norm_variance})
    TORCH_CHECK(!t->defined() || (t->is_cpu() && t->scalar_type() == at::kFloat && t->numel() == weight.size(0)),
                "the weight has shape ", weight.sizes(), ", its bias and BatchNorm ", t->sizes());
  const std::lock_guard lock(state->mutex);
  const auto version = [](const Tensor &t) {
    return t.defined() ? std::pair(t.const_data_ptr(), static_cast<uint32_t>(t._version())) : std::pair<const void *, uint32_t>();
  };
  const std::array now{version(weight), version(bias)};
  std::vector<float> norm;
  for (const Tensor *t : {&o.norm_weight, &o.norm_bias, &o.norm_mean, &o.norm_variance})
    if (t->defined()) {
      const Tensor plain = t->contiguous();
      norm.insert(norm.end(), plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel());
    }
  if (now == state->made_of && norm == state->norm && order == state->order)
    return state->weights;
  Weights w{.weight = weights(weight), .bias = {}, .scale = {}, .shift = {}};
  if (bias.defined())
    w.bias = numbers(bias);
  if (o.norm_weight.defined()) {
    const auto [scale, shift] = scale_and_shift(o);
    w.scale = numbers(scale);
    w.shift = numbers(shift);
  }
  state->made_of = now;
  state->kept = {weight, bias};
  state->norm = std::move(norm);
  state->order = order;
  return state->weights = w;
}
