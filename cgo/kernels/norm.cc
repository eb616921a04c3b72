// BatchNorm. libtorch takes the sums of a training step one number after the other, each
// waiting for the one before, twice over the map. Here the sums of several channels advance side by
// side, each in the same order: the bits are the same.
#include "kernels.h"
#include "../autograd/function.h"
#include "nhwc.h"
#include "trial.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

using at::Tensor;
using shim::NHWCNorm;
using shim::Tensors;

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

// The same where the channels of a point lie side by side.
NHWCNorm channels_last(const Tensor &x) {
  NHWCNorm c{};
  c.x = x.const_data_ptr<float>();
  c.clips = x.size(0);
  c.channels = x.size(1);
  c.points = x.numel() / c.clips / c.channels;
  return c;
}

using Part = void (*)(const NHWCNorm &, int64_t, int64_t);

void share(Part part, const NHWCNorm &c) {
  at::parallel_for(0, (c.channels + 15) / 16, 1, [&](int64_t begin, int64_t end) { part(c, begin * 16, std::min(end * 16, c.channels)); });
}

bool is_channels_last(const Tensor &x) {
  return !x.is_contiguous() && x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

// Gradients of x, weight and bias.
std::tuple<Tensor, Tensor, Tensor> gradients(const Tensor &dy, const Tensor &x, const Tensor &weight, const Tensor &mean,
                                             const Tensor &invstd, double eps, std::array<bool, 3> wanted, int64_t lanes) {
  if (lanes == 0)
    return at::native_batch_norm_backward(dy.contiguous(), x, weight, {}, {}, mean, invstd, /*train=*/true, eps, wanted);
  const Tensor g = dy.contiguous(at::MemoryFormat::ChannelsLast), dx = wanted[0] ? at::empty_like(x) : Tensor(),
               dweight = at::empty_like(weight), dbias = at::empty_like(weight);
  NHWCNorm c = channels_last(x);
  c.mean = mean.data_ptr<float>();
  c.dy = g.const_data_ptr<float>();
  c.invstd = invstd.const_data_ptr<float>();
  c.weight = weight.const_data_ptr<float>();
  c.dx = wanted[0] ? dx.data_ptr<float>() : nullptr;
  c.dweight = dweight.data_ptr<float>();
  c.dbias = dbias.data_ptr<float>();
  c.lanes = lanes;
  share(shim::nhwc_kernel()->norm_backward, c);
  return {dx, wanted[1] ? dweight : Tensor(), wanted[2] ? dbias : Tensor()};
}

// How many sums libtorch takes side by side along a map of so many points; 0 where the bits are others
// with any number.
int64_t lanes_along(int64_t points) {
  static shim::Known<int64_t, int64_t> known;
  return known(points, [=]() -> int64_t {
    // Many channels, since few could agree by chance, of few clips, since a mean of many hides the last bit.
    constexpr int64_t channels = 400;
    const auto numbers = [=](int64_t seed) { return shim::numbers({2, channels, points, 1}, seed); };
    const Tensor x = numbers(1), last = x.contiguous(at::MemoryFormat::ChannelsLast), dy = numbers(30000), mean = x.mean({0, 2, 3}),
                 invstd = at::arange(1, channels + 1, at::kFloat).div(7), weight = invstd.sub(1);
    const auto by = [&](const Tensor &map, int64_t lanes) { return gradients(dy, map, weight, mean, invstd, 0, {true, true, true}, lanes); };
    const auto [dx, dweight, dbias] = by(x, 0);
    for (const int64_t lanes : {16, 8}) {
      const auto ours = by(last, lanes);
      if (at::equal(std::get<0>(ours), dx) && at::equal(std::get<1>(ours), dweight) && at::equal(std::get<2>(ours), dbias))
        return lanes;
    }
    return 0;
  });
}

struct BatchNorm : shim::Function {
  BatchNorm(const Tensor &running_mean, const Tensor &running_var, double momentum, double eps)
      : running_mean(running_mean), running_var(running_var), momentum(momentum), eps(eps) {}
  const Tensor running_mean, running_var;
  const double momentum, eps;
  int64_t lanes = 0;
  const char *name() const override { return "batch_norm"; }

  Tensor forward(const Tensors &inputs, Tensors &saved) override {
    const Tensor &input = inputs[0], &weight = inputs[1], &bias = inputs[2];
    if (is_channels_last(input) && shim::nhwc_kernel())
      lanes = lanes_along(input.size(2) * input.size(3));
    const Tensor x = lanes ? input : input.contiguous(), mean = at::empty({x.size(1)}, x.options().memory_format(at::MemoryFormat::Contiguous)),
                 squares = at::empty_like(mean), invstd = at::empty_like(mean);
    const int64_t channels = x.size(1), each = x.numel() / channels;
    float *mu = mean.mutable_data_ptr<float>(), *sq = squares.mutable_data_ptr<float>(),
          *is = invstd.mutable_data_ptr<float>();
    if (lanes) {
      NHWCNorm c = channels_last(x);
      c.mean = mu;
      c.squares = sq;
      share(shim::nhwc_kernel()->moments, c);
    } else {
      moments(Map(x), mu, sq);
    }
    float *rm = running_mean.mutable_data_ptr<float>(), *rv = running_var.mutable_data_ptr<float>();
    for (int64_t c = 0; c < channels; ++c) {
      const double var = sq[c] / static_cast<float>(each), unbiased = sq[c] / static_cast<float>(each - 1);
      is[c] = var == 0 && eps == 0 ? 0 : static_cast<float>(1 / std::sqrt(var + eps));
      rm[c] = static_cast<float>(momentum * mu[c] + (1 - momentum) * rm[c]);
      rv[c] = static_cast<float>(momentum * unbiased + (1 - momentum) * rv[c]);
    }
    saved = {x, weight, mean, invstd};
    // An evaluation by the batch's own statistics. Its deviation is in the weight, so that
    // it need not come out of the root of a variance again.
    return std::get<0>(
        at::native_batch_norm(x, weight.mul(invstd), bias, mean, at::ones_like(mean), /*training=*/false, 0, 0));
  }

  Tensors backward(const Tensor &dy, const Tensors &saved, const std::vector<bool> &needed) override {
    auto [dx, dweight, dbias] = gradients(dy, saved[0], saved[1], saved[2], saved[3], eps, {needed[0], needed[1], needed[2]}, lanes);
    return {dx, dweight, dbias};
  }
};

bool plain(const Tensor &t) { return t.defined() && t.is_cpu() && t.scalar_type() == at::kFloat && t.numel() > 0; }

} // namespace

Tensor shim::batch_norm(const Tensor &x, const Tensor &weight, const Tensor &bias, const Tensor &mean, const Tensor &variance,
                        bool training, double momentum, double eps) {
  // PyTorch checks this in Python; without it the running variance becomes NaN.
  TORCH_CHECK(!training || x.dim() < 2 || x.numel() != x.size(1),
              "training needs more than one value per channel, the input has shape ", x.sizes());
  bool ours = training && x.dim() >= 2 && plain(x) && (x.is_contiguous() || is_channels_last(x));
  for (const Tensor &t : {weight, bias, mean, variance})
    ours = ours && plain(t) && t.is_contiguous() && t.numel() == x.size(1);
  return ours ? apply<BatchNorm>({x, weight, bias}, mean, variance, momentum, eps)
              : at::batch_norm(x, weight, bias, mean, variance, training, momentum, eps, /*cudnn_enabled=*/true);
}
