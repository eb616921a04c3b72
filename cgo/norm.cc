// BatchNorm. libtorch takes the sums of a training step one number after the other, each
// waiting for the one before, twice over the map. Here the sums of several channels advance side by
// side, each in the same order: the bits are the same.
#include "internal.h"

#include <ATen/Parallel.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/ones_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// A map [n, channels, ...] whose points lie side by side.
struct Map {
  const float *data;
  int64_t clips, channels, points;
  explicit Map(const Tensor &x)
      : data(x.const_data_ptr<float>()), clips(x.size(0)), channels(x.size(1)), points(x.numel() / clips / channels) {}
  int64_t each() const { return clips * points; }
};

// Means and sums of squared distances from them of K channels from c on. Squares are
// rounded to float, sums are of doubles, as libtorch has them.
template <int K> void moments(const Map &m, int64_t c, float *mean, float *squares) {
  double sum[K] = {};
  for (int64_t n = 0; n < m.clips; ++n) {
    const float *x = m.data + (n * m.channels + c) * m.points;
    for (int64_t i = 0; i < m.points; ++i)
      for (int k = 0; k < K; ++k)
        sum[k] += x[k * m.points + i];
  }
  float centre[K];
  for (int k = 0; k < K; ++k) {
    mean[c + k] = centre[k] = static_cast<float>(sum[k] / m.each());
    sum[k] = 0;
  }
  for (int64_t n = 0; n < m.clips; ++n) {
    const float *x = m.data + (n * m.channels + c) * m.points;
    for (int64_t i = 0; i < m.points; ++i)
      for (int k = 0; k < K; ++k) {
        const float d = x[k * m.points + i] - centre[k];
        sum[k] += d * d;
      }
  }
  for (int k = 0; k < K; ++k)
    squares[c + k] = static_cast<float>(sum[k]);
}

void moments(const Map &m, float *mean, float *squares) {
  at::parallel_for(0, m.channels, 1, [&](int64_t c, int64_t end) {
    for (; c + 8 <= end; c += 8)
      moments<8>(m, c, mean, squares);
    for (; c + 4 <= end; c += 4)
      moments<4>(m, c, mean, squares);
    for (; c < end; ++c)
      moments<1>(m, c, mean, squares);
  });
}

struct BatchNorm : torch::autograd::Function<BatchNorm> {
  static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &weight, const Tensor &bias,
                        const Tensor &running_mean, const Tensor &running_var, double momentum, double eps) {
    const Map m(x);
    const Tensor mean = at::empty({m.channels}, x.options()), squares = at::empty_like(mean),
                 invstd = at::empty_like(mean);
    float *mu = mean.mutable_data_ptr<float>(), *sq = squares.mutable_data_ptr<float>(),
          *is = invstd.mutable_data_ptr<float>();
    moments(m, mu, sq);
    float *rm = running_mean.mutable_data_ptr<float>(), *rv = running_var.mutable_data_ptr<float>();
    for (int64_t c = 0; c < m.channels; ++c) {
      const double var = sq[c] / static_cast<float>(m.each()), unbiased = sq[c] / static_cast<float>(m.each() - 1);
      is[c] = var == 0 && eps == 0 ? 0 : static_cast<float>(1 / std::sqrt(var + eps));
      rm[c] = static_cast<float>(momentum * mu[c] + (1 - momentum) * rm[c]);
      rv[c] = static_cast<float>(momentum * unbiased + (1 - momentum) * rv[c]);
    }
    context->save_for_backward({x, weight, mean, invstd});
    context->saved_data["eps"] = eps;
    // An evaluation by the batch's own statistics. Its deviation is in the weight, so that
    // it need not come out of the root of a variance again.
    return std::get<0>(
        at::native_batch_norm(x, weight.mul(invstd), bias, mean, at::ones_like(mean), /*training=*/false, 0, 0));
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    const variable_list saved = context->get_saved_variables();
    auto [dx, dweight, dbias] = at::native_batch_norm_backward(
        grads[0], saved[0], saved[1], {}, {}, saved[2], saved[3], /*train=*/true, context->saved_data["eps"].toDouble(),
        {context->needs_input_grad(0), context->needs_input_grad(1), context->needs_input_grad(2)});
    return {dx, dweight, dbias, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

bool plain(const Tensor &t) {
  return t.defined() && t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous() && t.numel() > 0;
}

} // namespace

ep_status ep_batch_norm(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_tensor mean,
                        ep_tensor variance, ep_tensor batches, int32_t training, double momentum, double eps,
                        ep_tensor *out) {
  return shim::make(scope, out, [&] {
    const Tensor &x = input->value, w = shim::optional(weight), b = shim::optional(bias);
    // PyTorch checks this in Python; without it the running variance becomes NaN.
    TORCH_CHECK(!training || x.dim() < 2 || x.numel() != x.size(1),
                "training needs more than one value per channel, the input has shape ", x.sizes());
    bool ours = training && x.dim() >= 2 && plain(x);
    for (const Tensor &t : {w, b, mean->value, variance->value})
      ours = ours && plain(t) && t.numel() == x.size(1);
    const Tensor y = ours ? BatchNorm::apply(x, w, b, mean->value, variance->value, momentum, eps)
                         : at::batch_norm(x, w, b, mean->value, variance->value, training != 0, momentum, eps,
                                          /*cudnn_enabled=*/true);
    if (training && batches)
      batches->value.add_(1);
    return y;
  });
}
