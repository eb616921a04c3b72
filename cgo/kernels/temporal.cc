// The first convolutions of networks of signals, in training: oneDNN computes the gradient of their
// weights, and often them too, as products of matrices that repeat each number as often as the kernel
// is long. Here a map is read as it is, for the same bits; where they are not the same after all,
// libtorch computes it.
#include "kernels.h"
#include "../autograd/function.h"
#include "temporal.h"
#include "trial.h"

#include <ATen/Parallel.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

using at::Tensor;
using shim::Temporal;
using shim::Tensors;

namespace {

constexpr int64_t lanes = 16;

// Maps [n, 1, rows, width] as [n, rows, width] with zeros on both sides and behind.
Tensor with_margins(const Tensor &maps, int64_t pad) {
  const Tensor x = maps.contiguous();
  const int64_t rows = x.size(0) * x.size(2), width = x.size(3), wide = width + 2 * pad;
  Tensor out = at::empty({rows * wide + lanes}, x.options());
  const float *from = x.const_data_ptr<float>();
  float *to = out.mutable_data_ptr<float>();
  at::parallel_for(0, rows, 64, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::fill(to + i * wide, to + i * wide + pad, 0.0f);
      std::copy(from + i * width, from + (i + 1) * width, to + i * wide + pad);
      std::fill(to + i * wide + pad + width, to + (i + 1) * wide, 0.0f);
    }
  });
  std::fill(to + rows * wide, to + rows * wide + lanes, 0.0f);
  return out;
}

// Sizes of a convolution of maps [n, 1, rows, width].
Temporal sizes(at::IntArrayRef x, const Tensor &w, int64_t pad) {
  Temporal c{};
  c.clips = x[0];
  c.rows = x[2];
  c.width = x[3] + 2 * pad;
  c.out = w.size(0);
  c.kernel = w.size(3);
  c.out_width = c.width - c.kernel + 1;
  return c;
}

// The gradient [o] of the bias from that of maps [n, o, rows, width]: sums of rows, in order.
Tensor bias_gradient(const Tensor &dy) {
  const int64_t clips = dy.size(0), out = dy.size(1), rows = dy.size(2), width = dy.size(3);
  Tensor db = at::zeros({out}, dy.options());
  const float *from = dy.const_data_ptr<float>();
  float *to = db.mutable_data_ptr<float>();
  at::parallel_for(0, out, 1, [=](int64_t begin, int64_t end) {
    constexpr int64_t many = 8; // rows side by side, since each number waits for the one before
    for (int64_t o = begin; o < end; ++o)
      for (int64_t clip = 0; clip < clips; ++clip)
        for (int64_t y = 0; y < rows; y += many) {
          const float *row = from + ((clip * out + o) * rows + y) * width;
          const int64_t n = std::min(many, rows - y);
          float sums[many] = {};
          if (n == many)
            for (int64_t x = 0; x < width; ++x)
              for (int64_t k = 0; k < many; ++k)
                sums[k] += row[k * width + x];
          else
            for (int64_t k = 0; k < n; ++k)
              for (int64_t x = 0; x < width; ++x)
                sums[k] += row[k * width + x];
          for (int64_t k = 0; k < n; ++k)
            to[o] += sums[k];
        }
  });
  return db;
}

#if defined(__x86_64__)
Tensor forward(const Tensor &margins, at::IntArrayRef shape, const Tensor &w, const Tensor &b, int64_t pad) {
  Temporal c = sizes(shape, w, pad);
  Tensor y = at::empty({c.clips, c.out, c.rows, c.out_width}, w.options());
  c.x = margins.const_data_ptr<float>();
  c.weight = w.const_data_ptr<float>();
  c.bias = b.defined() ? b.const_data_ptr<float>() : nullptr;
  c.y = y.mutable_data_ptr<float>();
  at::parallel_for(0, c.clips * c.rows, 4, [&](int64_t begin, int64_t end) { shim::temporal_forward(c, begin, end); });
  return y;
}

Tensor weight_gradient(const Tensor &dy, const Tensor &margins, at::IntArrayRef shape, const Tensor &w, int64_t pad) {
  Temporal c = sizes(shape, w, pad);
  Tensor dw = at::zeros_like(w);
  c.x = margins.const_data_ptr<float>();
  c.dy = dy.const_data_ptr<float>();
  c.dweight = dw.mutable_data_ptr<float>();
  const int64_t parts = std::min<int64_t>(at::get_num_threads(), c.kernel / 4 + 1);
  at::parallel_for(0, shim::temporal_tiles(c) * parts, 1,
                   [&](int64_t begin, int64_t end) {
                     std::vector<float> scratch(shim::temporal_scratch(c));
                     shim::temporal_weight(c, parts, begin, end, scratch.data());
                   });
  return dw;
}
#else
Tensor forward(const Tensor &, at::IntArrayRef, const Tensor &, const Tensor &, int64_t) { return {}; }
Tensor weight_gradient(const Tensor &, const Tensor &, at::IntArrayRef, const Tensor &, int64_t) { return {}; }
#endif

// Whether all bits are libtorch's for some numbers.
bool agrees(at::IntArrayRef shape, const Tensor &w, bool bias, int64_t pad, int64_t seed) {
  const auto numbers = [=](at::IntArrayRef s) { return shim::numbers(s, seed); };
  const Tensor x = numbers(shape), weight = numbers(w.sizes()), b = bias ? numbers({w.size(0)}) : Tensor();
  const std::vector<int64_t> one{1, 1}, margin{0, pad};
  const Tensor y = at::conv2d(x, weight, b, one, margin), dy = numbers(y.sizes());
  const auto [none, dw, db] = at::convolution_backward(dy, x, weight, at::OptionalIntArrayRef(w.size(0)), {1, 1}, {0, pad},
                                                       {1, 1}, false, {0, 0}, 1, {false, true, bias});
  const Tensor margins = with_margins(x, pad);
  return at::equal(y, forward(margins, shape, weight, b, pad)) && at::equal(dw, weight_gradient(dy, margins, shape, weight, pad)) &&
         (!bias || at::equal(db, bias_gradient(dy)));
}

// Whether all bits are libtorch's with one thread, found by trying once for each shape.
bool same_bits(const Tensor &x, const Tensor &w, bool bias, int64_t pad) {
  static shim::Known<std::vector<int64_t>, bool> known;
  const std::vector<int64_t> shape{std::min<int64_t>(x.size(0), 2), 1, x.size(2), x.size(3)};
  return known({shape[0], shape[2], shape[3], w.size(0), w.size(3), bias, pad}, [&] {
    const auto agree = [&](int64_t seed) { return agrees(shape, w, bias, pad, seed); };
    return agree(1) && agree(30000) && agree(70000);
  });
}

struct Conv : shim::Function {
  explicit Conv(int64_t pad) : pad(pad) {}
  const int64_t pad;
  std::vector<int64_t> shape; // of the input
  const char *name() const override { return "conv2d"; }

  Tensor forward(const Tensors &inputs, Tensors &saved) override {
    const Tensor &x = inputs[0], &w = inputs[1], margins = with_margins(x, pad);
    shape = x.sizes().vec();
    saved = {margins, w};
    return ::forward(margins, shape, w, inputs[2], pad);
  }

  Tensors backward(const Tensor &gradient, const Tensors &saved, const std::vector<bool> &needed) override {
    const Tensor dy = gradient.contiguous();
    return {Tensor(), weight_gradient(dy, saved[0], shape, saved[1], pad), needed[2] ? bias_gradient(dy) : Tensor()};
  }
};

} // namespace

Tensor shim::temporal_conv2d(const Tensor &x, const Tensor &w, const Tensor &b, int64_t pad) {
  const auto plain = [](const Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous() && t.numel() > 0; };
  const bool fits = processor() == Processor::avx512 && plain(x) && plain(w) && x.dim() == 4 && w.dim() == 4 && x.size(1) == 1 &&
                    w.size(1) == 1 && w.size(2) == 1 && w.size(3) > 1 && w.numel() >= 64 &&
                    (!b.defined() || (plain(b) && b.numel() == w.size(0))) && !x.requires_grad() && pad >= 0 &&
                    x.size(3) + 2 * pad - w.size(3) + 1 >= lanes;
  if (!fits || !same_bits(x, w, b.defined(), pad))
    return {};
  return apply<Conv>({x, w, b}, pad);
}
