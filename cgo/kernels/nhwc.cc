// Training convolutions on a CPU with the channels innermost: oneDNN's sums in oneDNN's order, so the
// same bits, but without the zeros around a map and without copies into blocks of channels and back.
// Where a shape's bits are not the same after all, by another version or for another processor,
// libtorch computes it.
#include "kernels.h"
#include "../autograd/function.h"
#include "nhwc.h"
#include "share.h"
#include "trial.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>

using at::Tensor;
using shim::NHWCKernel;
using shim::NHWCMap;
using shim::NHWCWeight;
using shim::Tensors;

const NHWCKernel *shim::nhwc_kernel() {
  switch (processor()) {
#if defined(__x86_64__)
  case Processor::avx512:
    return &nhwc_avx512;
  case Processor::avx2:
    return &nhwc_avx2;
#endif
  default:
    return nullptr;
  }
}

namespace {

using shim::nhwc_kernel;
using shim::Pad;

constexpr int64_t up16(int64_t n) { return (n + 15) / 16 * 16; }

// Vectors of n channels in chunks, padded with zeros: where each lies. One of them is of a row.
struct Chunks {
  int64_t chunk, n, rows, padded;
  Chunks(const NHWCKernel &k, int64_t n, int64_t rows) : chunk(k.chunk), n(n), rows(rows), padded(up16(n)) {}
  int64_t wide(int64_t base) const { return std::min(chunk, padded - base); }
  float *at(float *first, int64_t row, int64_t channel) const {
    const int64_t base = channel / chunk * chunk;
    return first + base * rows + row * wide(base) + channel - base;
  }
};

// The weight [o, c, kh, kw] in chunks of o, with a row for each c and point; or in chunks of c, with
// one for each o and point: in the order in which they are multiplied.
Tensor in_chunks(const NHWCKernel &kernel, const Tensor &w, bool of_outputs) {
  const int64_t o = w.size(0), c = w.size(1), taps = w.size(2) * w.size(3);
  const int64_t others = of_outputs ? c : o, step = of_outputs ? c * taps : taps, other = of_outputs ? taps : c * taps;
  const int64_t block = std::min(others, of_outputs ? kernel.forward.block : kernel.backward.block);
  const Chunks chunks(kernel, of_outputs ? o : c, taps * others);
  Tensor out = at::empty({chunks.rows * chunks.padded}, w.options());
  const float *from = w.const_data_ptr<float>();
  float *to = out.mutable_data_ptr<float>();
  shim::share(chunks.padded / 16 * others, 1, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t first = i / others * 16, k = i % others, before = k / block * block;
        float *row = chunks.at(to, before * taps + t * std::min(block, others - before) + k - before, first);
        for (int64_t v = 0; v < 16; ++v)
          row[v] = first + v < chunks.n ? from[(first + v) * step + k * other + t] : 0;
      }
  });
  return out;
}

// Maps [n, c, h, w] whose channels lie innermost in chunks of c, with a row for each point.
Tensor points_last(const NHWCKernel &kernel, const Tensor &x) {
  const int64_t c = x.size(1);
  const Chunks chunks(kernel, c, x.numel() / c);
  Tensor out = at::empty({chunks.rows * chunks.padded}, x.options().memory_format(at::MemoryFormat::Contiguous));
  const float *from = x.const_data_ptr<float>();
  float *to = out.mutable_data_ptr<float>();
  at::parallel_for(0, chunks.rows, 512, [=](int64_t begin, int64_t end) {
    for (int64_t base = 0; base < chunks.padded; base += chunks.chunk) {
      const int64_t wide = chunks.wide(base), present = std::min(wide, c - base);
      for (int64_t row = begin; row < end; ++row) {
        float *target = chunks.at(to, row, base);
        std::memcpy(target, from + row * c + base, present * sizeof(float));
        std::fill(target + present, target + wide, 0.0f);
      }
    }
  });
  return out;
}

// A map whose channels lie innermost. Where both layouts are the same memory its strides are those of
// PyTorch's, which libtorch would otherwise take for the other and sum in another order.
Tensor last(at::IntArrayRef shape, const Tensor &like) {
  const bool both = shape[1] == 1 || shape[2] * shape[3] == 1;
  return at::empty(shape, like.options().memory_format(both ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast));
}

void compute(const NHWCKernel &k, NHWCMap m) {
  shim::share(k.map_work(m), 1, [&](int64_t begin, int64_t end) { k.map(m, begin, end); });
}

Tensor forward(const NHWCKernel &k, const Tensor &x, const Tensor &w, const Tensor &b, const Pad &pad) {
  const int64_t out = w.size(0), kh = w.size(2), kw = w.size(3);
  Tensor y = last({x.size(0), out, x.size(2) + pad[2] + pad[3] - kh + 1, x.size(3) + pad[0] + pad[1] - kw + 1}, x);
  const Tensor weight = in_chunks(k, w, /*of_outputs=*/true), bias = b.defined() ? at::constant_pad_nd(b, {0, up16(out) - out}, 0) : b;
  compute(k, {.source = x.const_data_ptr<float>(), .weight = weight.const_data_ptr<float>(),
              .bias = b.defined() ? bias.const_data_ptr<float>() : nullptr, .target = y.mutable_data_ptr<float>(),
              .clips = x.size(0), .height = x.size(2), .width = x.size(3), .channels = x.size(1),
              .out_height = y.size(2), .out_width = y.size(3), .out = out, .padded = up16(out), .kernel = {kh, kw},
              .origin = {pad[2], pad[0]}, .mirrored = false, .order = k.forward});
  return y;
}

Tensor input_gradient(const NHWCKernel &k, const Tensor &dy, const Tensor &w, at::IntArrayRef shape, const Pad &pad) {
  Tensor dx = last(shape, dy);
  const Tensor weight = in_chunks(k, w, /*of_outputs=*/false);
  compute(k, {.source = dy.const_data_ptr<float>(), .weight = weight.const_data_ptr<float>(), .bias = nullptr,
              .target = dx.mutable_data_ptr<float>(), .clips = dy.size(0), .height = dy.size(2), .width = dy.size(3),
              .channels = dy.size(1), .out_height = shape[2], .out_width = shape[3], .out = shape[1],
              .padded = up16(shape[1]), .kernel = {w.size(2), w.size(3)}, .origin = {pad[2], pad[0]}, .mirrored = true,
              .order = k.backward});
  return dx;
}

Tensor weight_gradient(const NHWCKernel &k, const Tensor &x, const Tensor &dy, const Tensor &w, const Pad &pad) {
  const int64_t channels = x.size(1), padded = up16(channels), taps = w.size(2) * w.size(3);
  const Tensor source = points_last(k, x);
  Tensor sums = at::empty({w.size(0), taps, padded}, w.options()), dw = at::empty_like(w);
  const NHWCWeight c{.source = source.const_data_ptr<float>(), .gradient = dy.const_data_ptr<float>(),
                     .target = sums.mutable_data_ptr<float>(), .clips = x.size(0), .height = x.size(2),
                     .width = x.size(3), .padded = padded, .out_height = dy.size(2), .out_width = dy.size(3),
                     .out = dy.size(1), .kernel = {w.size(2), w.size(3)}, .origin = {pad[2], pad[0]}};
  shim::share(k.weight_work(c), 1, [&](int64_t begin, int64_t end) { k.weight(c, begin, end); });
  const float *from = c.target;
  float *to = dw.mutable_data_ptr<float>();
  shim::share(w.size(0), 1, [=](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o)
      for (int64_t i = 0; i < channels; ++i)
        for (int64_t t = 0; t < taps; ++t)
          to[(o * channels + i) * taps + t] = from[(o * taps + t) * padded + i];
  });
  return dw;
}

Tensor bias_gradient(const Tensor &dy) {
  const int64_t out = dy.size(1), points = dy.numel() / out;
  Tensor db = at::zeros({out}, dy.options().memory_format(at::MemoryFormat::Contiguous));
  const float *from = dy.const_data_ptr<float>();
  float *to = db.mutable_data_ptr<float>();
  at::parallel_for(0, out, 16, [=](int64_t begin, int64_t end) {
    for (int64_t p = 0; p < points; ++p)
      for (int64_t o = begin; o < end; ++o)
        to[o] += from[p * out + o];
  });
  return db;
}

// libtorch's form of the same: zeros that are the same on both sides are the convolution's own.
struct Theirs {
  std::array<int64_t, 2> within;
  Pad rest;
  explicit Theirs(const Pad &p)
      : within{std::min(p[2], p[3]), std::min(p[0], p[1])},
        rest{p[0] - within[1], p[1] - within[1], p[2] - within[0], p[3] - within[0]} {}
  Tensor padded(const Tensor &x) const {
    return rest == Pad{} ? x.contiguous() : at::constant_pad_nd(x.contiguous(), rest, 0);
  }
  Tensor forward(const Tensor &x, const Tensor &w, const Tensor &b) const {
    return at::conv2d(padded(x), w, b, {1, 1}, within, {1, 1}, 1);
  }
};

// Whether all bits are libtorch's for some numbers.
bool agrees(const NHWCKernel &k, at::IntArrayRef shape, const Tensor &w, bool bias, const Pad &pad, int64_t seed) {
  const auto numbers = [=](at::IntArrayRef s) { return shim::numbers(s, seed); };
  const Tensor x = numbers(shape), weight = numbers(w.sizes()), b = bias ? numbers({w.size(0)}) : Tensor();
  const Theirs theirs(pad);
  const Tensor y = theirs.forward(x, weight, b), dy = numbers(y.sizes());
  const auto [dx, dw, db] =
      at::convolution_backward(dy, theirs.padded(x), weight, at::OptionalIntArrayRef(w.size(0)), {1, 1}, theirs.within, {1, 1},
                               false, {0, 0}, 1, {true, true, bias});
  const auto nhwc = [](const Tensor &t) { return t.contiguous(at::MemoryFormat::ChannelsLast); };
  const Tensor left_out = at::constant_pad_nd(dx, {-theirs.rest[0], -theirs.rest[1], -theirs.rest[2], -theirs.rest[3]}, 0);
  return at::equal(y, forward(k, nhwc(x), weight, b, pad)) &&
         at::equal(left_out, input_gradient(k, nhwc(dy), weight, shape, pad)) &&
         at::equal(dw, weight_gradient(k, nhwc(x), nhwc(dy), weight, pad)) && (!bias || at::equal(db, bias_gradient(nhwc(dy))));
}

// Whether all bits are libtorch's with one thread, found by trying once for each shape.
bool same_bits(const NHWCKernel &k, const Tensor &x, const Tensor &w, bool bias, const Pad &pad) {
  // A few numbers can agree by chance.
  if (w.numel() < 64)
    return false;
  static shim::Known<std::vector<int64_t>, bool> known;
  // More clips are only more of the same.
  const std::vector<int64_t> shape{std::min<int64_t>(x.size(0), 3), x.size(1), x.size(2), x.size(3)};
  std::vector<int64_t> key(shape);
  for (const int64_t n : w.sizes())
    key.push_back(n);
  key.insert(key.end(), pad.begin(), pad.end());
  key.push_back(bias);
  return known(key, [&] {
    const auto agree = [&](int64_t seed) { return agrees(k, shape, w, bias, pad, seed); };
    return agree(1) && agree(200) && agree(500);
  });
}

struct Conv : shim::Function {
  Conv(const Pad &pad, bool relu) : pad(pad), relu(relu) {}
  const Pad pad;
  const bool relu;
  bool contiguous = false; // the input: libtorch's gradient of it is too, and what it sums of that has its order
  const char *name() const override { return "conv2d"; }

  Tensor forward(const Tensors &inputs, Tensors &saved) override {
    contiguous = inputs[0].is_contiguous();
    const Tensor x = inputs[0].contiguous(at::MemoryFormat::ChannelsLast), &w = inputs[1];
    Tensor y = ::forward(*nhwc_kernel(), x, w, inputs[2], pad);
    if (relu)
      y.relu_();
    saved = {x, w, relu ? y : Tensor()};
    return y;
  }

  Tensors backward(const Tensor &gradient, const Tensors &saved, const std::vector<bool> &needed) override {
    const Tensor &x = saved[0], &w = saved[1], &y = saved[2];
    Tensor dy = gradient.contiguous(at::MemoryFormat::ChannelsLast);
    if (relu)
      dy = at::threshold_backward(dy, y, 0);
    const NHWCKernel &k = *nhwc_kernel();
    const auto laid_out = [&](const Tensor &dx) { return contiguous ? dx.contiguous() : dx; };
    return {needed[0] ? laid_out(input_gradient(k, dy, w, x.sizes(), pad)) : Tensor(), needed[1] ? weight_gradient(k, x, dy, w, pad) : Tensor(),
            needed[2] ? bias_gradient(dy) : Tensor()};
  }
};

} // namespace

Tensor shim::conv2d_nhwc(const Tensor &x, const Tensor &w, const Tensor &b, const Pad &p, bool relu, bool ours) {
  const auto plain = [](const Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat && t.numel() > 0; };
  constexpr int64_t several = 4; // clips: fewer are not worth the weights' new order
  const NHWCKernel *k = nhwc_kernel();
  if (k && x.dim() == 4 && x.size(0) >= several && ours && plain(x) && plain(w) && w.dim() == 4 && x.size(1) == w.size(1) &&
      w.is_contiguous() && (!b.defined() || (plain(b) && b.numel() == w.size(0))) &&
      std::all_of(p.begin(), p.end(), [](int64_t n) { return n >= 0; }) &&
      x.size(2) + p[2] + p[3] >= w.size(2) && x.size(3) + p[0] + p[1] >= w.size(3) && same_bits(*k, x, w, b.defined(), p))
    return apply<Conv>({x, w, b}, p, relu);
  Tensor y = Theirs(p).forward(x, w, b);
  return relu ? y.relu_() : y;
}

bool shim::conv2d_nhwc_known() {
  const NHWCKernel *k = nhwc_kernel();
  const Tensor x = at::empty({2, 12, 9, 9}), w = at::empty({32, 12, 3, 3});
  return k && same_bits(*k, x, w, true, {1, 1, 1, 1});
}
