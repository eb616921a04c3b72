// LeakyReLU followed by average pooling along time, as TSCeption has it after each of its
// convolutions. One after the other the two read and write maps of tens of megabytes four
// times forwards and six backwards, which is a third of a training step on a CPU; together
// they read them once, and write them once backwards. Every number is computed as libtorch's
// own operators compute it: the bits are the same.
#include "kernels.h"
#include "../autograd/function.h"

#include <ATen/Parallel.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/leaky_relu.h>

#include <algorithm>

using at::Tensor;
using shim::Tensors;

namespace {

// The rows of a map, along which windows of k numbers lie side by side.
struct Rows {
  int64_t n, width, windows;
  Rows(const Tensor &x, int64_t k) : n(x.numel() / x.size(-1)), width(x.size(-1)), windows(x.size(-1) / k) {}
  // How many a thread does at least, as libtorch's operators have it.
  int64_t grain() const { return std::max<int64_t>(1, 32768 / width); }
};

// Four numbers at once, which every processor of the kind can do.
using Four = float __attribute__((vector_size(16)));

Four load(const float *x) {
  Four v;
  std::memcpy(&v, x, sizeof v);
  return v;
}

Four filled(float x) { return Four{x, x, x, x}; }

// The factor of LeakyReLU for each number. Signs are as good as random: a branch would be
// guessed wrong half of the time.
Four factors(Four x, float slope) { return x > 0 ? filled(1) : filled(slope); }
float factor(float x, float slope) {
  const float by_sign[] = {slope, 1};
  return by_sign[x > 0];
}

// One row. Sums are taken in the order of the numbers, as libtorch takes them.
void forwards(const float *x, float *out, int64_t windows, int64_t k, float slope) {
  const float divisor = static_cast<float>(k);
  for (int64_t w = 0; w < windows; ++w, x += k) {
    float sum = 0;
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) {
      const Four v = load(x + i), active = v * factors(v, slope);
      sum = sum + active[0] + active[1] + active[2] + active[3];
    }
    for (; i < k; ++i)
      sum += x[i] * factor(x[i], slope);
    out[w] = 0 + sum / divisor;
  }
}

void backwards(const float *x, const float *grad, float *out, int64_t windows, int64_t k, float slope) {
  const float divisor = static_cast<float>(k);
  for (int64_t w = 0; w < windows; ++w, x += k, out += k) {
    const float share = 0 + grad[w] / divisor;
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) {
      const Four v = filled(share) * factors(load(x + i), slope);
      std::memcpy(out + i, &v, sizeof v);
    }
    for (; i < k; ++i)
      out[i] = share * factor(x[i], slope);
  }
}

struct LeakyPool : shim::Function {
  LeakyPool(double slope, int64_t k) : slope(static_cast<float>(slope)), k(k) {}
  const float slope;
  const int64_t k;
  const char *name() const override { return "LeakyReLU and avg_pool2d"; }

  Tensor forward(const Tensors &inputs, Tensors &saved) override {
    const Tensor &x = inputs[0];
    saved = {x};
    const Rows r(x, k);
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = r.windows;
    Tensor out = x.new_empty(shape);
    const float *in = x.const_data_ptr<float>();
    float *o = out.mutable_data_ptr<float>();
    at::parallel_for(0, r.n, r.grain(), [=, this](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        forwards(in + i * r.width, o + i * r.windows, r.windows, k, slope);
    });
    return out;
  }

  Tensors backward(const Tensor &dy, const Tensors &saved, const std::vector<bool> &) override {
    const Tensor &x = saved[0], grad = dy.contiguous();
    const Rows r(x, k);
    Tensor out = at::empty_like(x);
    const float *in = x.const_data_ptr<float>(), *g = grad.const_data_ptr<float>();
    float *o = out.mutable_data_ptr<float>();
    at::parallel_for(0, r.n, r.grain(), [=, this](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        backwards(in + i * r.width, g + i * r.windows, o + i * r.width, r.windows, k, slope);
        std::fill(o + i * r.width + r.windows * k, o + (i + 1) * r.width, 0.0f); // points in no window
      }
    });
    return {out};
  }
};

} // namespace

Tensor shim::leaky_relu_avg_pool2d(const Tensor &x, double slope, int64_t width) {
  if (x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 4 && x.is_contiguous() && width > 0 && x.size(3) >= width &&
      x.numel() > 0)
    return apply<LeakyPool>({x}, slope, width);
  return at::avg_pool2d(at::leaky_relu(x, slope), {1, width}, {1, width});
}
