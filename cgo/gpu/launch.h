/* Which kernels an operation takes, in what order, and of how many blocks: the same code launches them on a GPU
 * and, in the tests, on the CPU. A launcher is called with a kernel's name, the number of blocks
 * and the kernel's arguments, whose values are of exactly the types that the kernel has. */
#pragma once

#include "shape.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace shim::gpu {

/* Kernels count in 32 bits, and a grid has no more blocks. */
inline unsigned narrow(int64_t n) {
  TORCH_CHECK(n >= 0 && n < int64_t{1} << 31, "a GPU kernel was asked to count to ", n, ", and counts to 2^31 - 1");
  return static_cast<unsigned>(n);
}

inline unsigned parts(int64_t n, int64_t of) { return narrow((n + of - 1) / of); }

/* What a kernel reads and what it writes, as arguments of a launch: a launcher passes their numbers on, and can count
 * them. A tensor that is undefined is no memory. */
template <typename T> struct In {
  const at::Tensor &tensor;
};
template <typename T> struct Out {
  const at::Tensor &tensor;
};
template <typename T = float> In<T> in(const at::Tensor &t) { return {t}; }
template <typename T = float> Out<T> out(const at::Tensor &t) { return {t}; }

/* What the kernel itself is given. */
template <typename T> T value(const T &argument) { return argument; }
template <typename T> const T *value(const In<T> &a) {
  return a.tensor.defined() ? a.tensor.template const_data_ptr<T>() : nullptr;
}
template <typename T> T *value(const Out<T> &a) {
  return a.tensor.defined() ? a.tensor.template mutable_data_ptr<T>() : nullptr;
}

/* Memory for a kernel's own use, of the same device. */
inline at::Tensor scratch(const at::Tensor &like, at::IntArrayRef shape, at::ScalarType type = at::kFloat) {
  return at::empty(shape, at::TensorOptions().device(like.device()).dtype(type));
}

/* A map [clips, channels, ...] as BatchNorm's kernels see it: n numbers of each channel, in so many chunks. */
struct Channels {
  unsigned n, points, channels, chunks;
  explicit Channels(const at::Tensor &x)
      : n(narrow(x.numel() / x.size(1))), points(narrow(x.numel() / x.size(1) / x.size(0))),
        channels(narrow(x.size(1))), chunks(parts(n, chunk)) {}
  int64_t blocks() const { return int64_t{channels} * chunks; }
};

/* Fills y and statistics [3, channels], and moves the running ones. */
template <typename Launch>
void batch_norm_forward(Launch &launch, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                        const at::Tensor &running_mean, const at::Tensor &running_var, double momentum, double eps,
                        const at::Tensor &statistics, const at::Tensor &y) {
  const Channels c(x);
  const at::Tensor sums = scratch(x, {c.blocks(), 2}, at::kDouble);
  launch("batch_norm_moments", c.blocks(), in(x), out<double>(sums), c.n, c.points, c.channels, c.chunks);
  launch("batch_norm_statistics", c.channels, in<double>(sums), out(statistics), out(running_mean), out(running_var),
         c.n, c.channels, c.chunks, momentum, eps);
  launch("batch_norm_apply", c.blocks(), in(x), in(statistics), in(weight), in(bias), out(y), c.n, c.points, c.channels,
         c.chunks);
}

/* Fills dweight and dbias, and dx unless it is undefined. */
template <typename Launch>
void batch_norm_backward(Launch &launch, const at::Tensor &dy, const at::Tensor &x, const at::Tensor &weight,
                         const at::Tensor &statistics, const at::Tensor &dx, const at::Tensor &dweight,
                         const at::Tensor &dbias) {
  const Channels c(x);
  const at::Tensor sums = scratch(x, {c.blocks(), 2}), means = scratch(x, {2, c.channels});
  launch("batch_norm_gradient_sums", c.blocks(), in(x), in(dy), in(statistics), out(sums), c.n, c.points, c.channels,
         c.chunks);
  launch("batch_norm_gradients", c.channels, in(sums), out(dweight), out(dbias), out(means), c.n, c.channels, c.chunks);
  if (dx.defined())
    launch("batch_norm_gradient", c.blocks(), in(x), in(dy), in(statistics), in(means), in(weight), out(dx), c.n,
           c.points, c.channels, c.chunks);
}

/* Longer windows get a block each: fewer than 16 would fit into the shared memory of one. */
constexpr int64_t longest_short_window = 256;

template <typename Launch>
void activation_pool_forward(Launch &launch, const at::Tensor &x, Activation a, int64_t k, const at::Tensor &y) {
  const unsigned width = narrow(x.size(-1)), window = narrow(k), windows = width / window, all = narrow(y.numel());
  if (k > longest_short_window) {
    launch("activation_pool_long", all, in(x), out(y), a, width, window, windows);
    return;
  }
  const unsigned of_block = std::min(threads, chunk / window);
  launch("activation_pool_short", parts(all, of_block), in(x), out(y), a, width, window, windows, all, of_block);
}

template <typename Launch>
void activation_pool_backward(Launch &launch, const at::Tensor &dy, const at::Tensor &x, Activation a, int64_t k,
                              const at::Tensor &dx) {
  const unsigned width = narrow(x.size(-1)), window = narrow(k), n = narrow(x.numel());
  launch("activation_pool_gradient", parts(n, chunk), in(x), in(dy), out(dx), a, width, window, width / window, n);
}

inline Depthwise depthwise_shape(const at::Tensor &x, const at::Tensor &weight, std::array<int64_t, 2> pad,
                                 std::array<int64_t, 2> size) {
  const auto number = [](int64_t n) { return static_cast<int>(narrow(n)); };
  return {number(x.size(1)),      number(x.size(2)),      number(x.size(3)), number(weight.size(0) / x.size(1)),
          number(weight.size(2)), number(weight.size(3)), number(pad[0]),    number(pad[1]),
          number(size[0]),        number(size[1])};
}

template <typename Launch>
void depthwise_forward(Launch &launch, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                       std::array<int64_t, 2> pad, const at::Tensor &y) {
  const Depthwise s = depthwise_shape(x, weight, pad, {y.size(2), y.size(3)});
  const unsigned tiles = parts(y.size(2) * y.size(3), threads), groups = parts(s.multiplier, together);
  launch("depthwise", x.size(0) * x.size(1) * groups * tiles, in(x), in(weight), in(bias), out(y), s, groups, tiles);
}

template <typename Launch>
void depthwise_backward_input(Launch &launch, const at::Tensor &dy, const at::Tensor &x, const at::Tensor &weight,
                              std::array<int64_t, 2> pad, const at::Tensor &dx) {
  const Depthwise s = depthwise_shape(x, weight, pad, {dy.size(2), dy.size(3)});
  const unsigned tiles = parts(x.size(2) * x.size(3), threads);
  launch("depthwise_input", x.size(0) * x.size(1) * tiles, in(dy), in(weight), out(dx), s, tiles);
}

/* Fills dweight, and dbias unless it is undefined. */
template <typename Launch>
void depthwise_backward_weight(Launch &launch, const at::Tensor &dy, const at::Tensor &x, const at::Tensor &weight,
                               std::array<int64_t, 2> pad, const at::Tensor &dweight, const at::Tensor &dbias) {
  const Depthwise s = depthwise_shape(x, weight, pad, {dy.size(2), dy.size(3)});
  const unsigned outputs = narrow(weight.size(0)), kernel = narrow(weight.size(2) * weight.size(3)),
                 n = narrow(dy.numel() / outputs), chunks = parts(n, chunk), tiles = parts(kernel, taps);
  const at::Tensor sums = scratch(x, {narrow(int64_t{outputs} * (kernel + 1) * chunks)});
  launch("depthwise_weight_parts", int64_t{chunks} * outputs * tiles, in(x), in(dy), out(sums), s, n, chunks, tiles);
  launch("depthwise_weight", int64_t{outputs} * (kernel + 1), in(sums), out(dweight), out(dbias), kernel, chunks);
}

} // namespace shim::gpu
