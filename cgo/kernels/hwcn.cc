// Evaluation on a CPU with the clips innermost. libtorch computes channels in blocks of 8 or 16, so
// that a pruned layer of 9 takes as long as one of 16, and multiplies the zeros around a map.
#include "hwcn.h"
#include "kernels.h"
#include "share.h"
#include "trial.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

using at::Tensor;
using shim::HWCN;
using shim::HWCNKernel;

namespace {

const HWCNKernel &kernel() { return SHIM_KERNEL(hwcn); }

// Four numbers at once, which every processor of the kind can do.
using Four = float __attribute__((vector_size(16)));
using Unaligned = float __attribute__((vector_size(16), aligned(sizeof(float)), may_alias));

// Rows of as many numbers as a line of the cache holds are turned at once.
constexpr int64_t block = 16;

// The transpose of [rows, columns], whose rows are `from_row` apart, and those of `to` `to_row`.
void transpose(const float *from, int64_t from_row, int64_t rows, int64_t columns, float *to, int64_t to_row) {
  const int64_t fours = columns / 4 * 4;
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    for (int64_t k = 0; k < fours; k += 4) {
      Four in[4];
      for (int64_t r = 0; r < 4; ++r)
        in[r] = *reinterpret_cast<const Unaligned *>(from + (i + r) * from_row + k);
      const Four a = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5), b = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5),
                 c = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7), d = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
      const Four out[] = {__builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
                          __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
      for (int64_t r = 0; r < 4; ++r)
        *reinterpret_cast<Unaligned *>(to + (k + r) * to_row + i) = out[r];
    }
    for (int64_t k = fours; k < columns; ++k)
      for (int64_t r = i; r < i + 4; ++r)
        to[k * to_row + r] = from[r * from_row + k];
  }
  for (; i < rows; ++i)
    for (int64_t k = 0; k < columns; ++k)
      to[k * to_row + i] = from[i * from_row + k];
}

// Whether numbers of the clips of one point lie side by side, in whichever order the points lie.
bool clips_innermost(const Tensor &x) {
  return x.dim() >= 2 && x.is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0 && x.size(0) % 16 == 0 && x.stride(0) == 1;
}

} // namespace

int64_t shim::hwcn_together() { return kernel().clips; }

bool shim::is_hwcn(const Tensor &x) {
  return x.dim() == 4 && x.size(0) > 0 && x.size(0) % 16 == 0 && x.is_cpu() && x.scalar_type() == at::kFloat &&
         x.permute({2, 3, 1, 0}).is_contiguous();
}

Tensor shim::hwcn(const Tensor &any) {
  TORCH_CHECK(any.dim() == 4 && any.is_cpu() && any.scalar_type() == at::kFloat,
              "clips are float32 [n, c, h, w] on the CPU, not ", any.sizes());
  if (is_hwcn(any))
    return any;
  if (clips_innermost(any))
    return any.permute({2, 3, 1, 0}).contiguous().permute({3, 2, 0, 1});
  const Tensor x = any.contiguous();
  const int64_t n = x.size(0), channels = x.size(1), points = x.size(2) * x.size(3), padded = (n + 15) / 16 * 16;
  Tensor out = n == padded ? at::empty({x.size(2), x.size(3), channels, padded}, x.options())
                           : at::zeros({x.size(2), x.size(3), channels, padded}, x.options());
  const float *from = x.const_data_ptr<float>();
  float *to = out.mutable_data_ptr<float>();
  at::parallel_for(0, points, std::max<int64_t>(1, 32768 / (channels * padded)), [=](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p += block)
      for (int64_t c = 0; c < channels; ++c)
        transpose(from + c * points + p, channels * points, n, std::min(block, end - p), to + (p * channels + c) * padded,
                  channels * padded);
  });
  return out.permute({3, 2, 0, 1});
}

Tensor shim::contiguous(const Tensor &x) {
  if (x.is_contiguous() || !clips_innermost(x))
    return x.contiguous();
  const int64_t n = x.size(0), rest = x.numel() / n;
  const Tensor lying = x.movedim(0, -1).contiguous();
  Tensor out = at::empty(x.sizes(), x.options());
  const float *from = lying.const_data_ptr<float>();
  float *to = out.mutable_data_ptr<float>();
  at::parallel_for(0, rest, std::max<int64_t>(1, 32768 / n), [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r += block)
      transpose(from + r * n, n, std::min(block, end - r), n, to + r, rest);
  });
  return out;
}

Tensor shim::clips_as_channels(const Tensor &x) {
  if (x.dim() != 4 || !clips_innermost(x))
    return x;
  const Tensor lying = x.permute({2, 3, 1, 0}).contiguous();
  return lying.view({1, x.size(2), x.size(3), x.size(1) * x.size(0)}).permute({0, 3, 1, 2});
}

Tensor shim::channels_as_clips(const Tensor &y, int64_t clips) {
  TORCH_CHECK(y.dim() == 4 && y.size(0) == 1 && clips > 0 && y.size(1) % clips == 0, "no maps of ", clips, " clips: ", y.sizes());
  const Tensor lying = y.permute({0, 2, 3, 1}).contiguous();
  return lying.view({y.size(2), y.size(3), y.size(1) / clips, clips}).permute({3, 2, 0, 1});
}

namespace {

// Clips of features, [n, f], likewise.
Tensor features(const Tensor &x) { return x.t().contiguous().t(); }

// The weight [groups * out, in, kh, kw], or [out, in], in the order of hwcn.h.
Tensor in_tiles(const HWCN &c, const Tensor &weight) {
  const Tensor w = weight.contiguous();
  const int64_t points = c.kernel[0] * c.kernel[1], tiles = c.tiles();
  Tensor packed = at::empty_like(w);
  const float *from = w.const_data_ptr<float>();
  float *to = packed.mutable_data_ptr<float>();
  at::parallel_for(0, c.groups * tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / tiles * c.out + c.begin(i % tiles), last = i / tiles * c.out + c.begin(i % tiles + 1);
      float *out = to + first * c.in * points;
      for (int64_t p = 0; p < points; ++p)
        for (int64_t k = 0; k < c.in; ++k)
          for (int64_t o = first; o < last; ++o)
            *out++ = from[(o * c.in + k) * points + p];
    }
  });
  return packed;
}

void compute(const HWCNKernel &k, const HWCN &c) {
  // As many multiplications as are worth another thread.
  const int64_t each = c.together * c.kernel[0] * c.kernel[1] * c.in * c.pool * c.clips;
  shim::share(c.pieces(), 1000000 / each, [&](int64_t begin, int64_t end) { k.pieces(c, begin, end); });
}

} // namespace

Tensor shim::conv2d_hwcn(const Tensor &input, const Tensor &weight, const Tensor &bias, const HWCNOptions &o, Prepared &prepared) {
  const bool flat = input.dim() == 2;
  TORCH_CHECK(weight.dim() == (flat ? 2 : 4) && weight.is_cpu() && weight.scalar_type() == at::kFloat && o.groups > 0 &&
                  weight.size(0) % o.groups == 0 && weight.numel() > 0,
              "the weight is float32 [out, in / groups, kh, kw] or [out, in], not ", weight.sizes());
  TORCH_CHECK(o.stride[0] > 0 && o.stride[1] > 0 && o.dilation[0] > 0 && o.dilation[1] > 0 && o.pool > 0 && std::ranges::all_of(o.pad, [](int64_t p) { return p >= 0; }),
              "stride ", at::IntArrayRef(o.stride), ", dilation ", at::IntArrayRef(o.dilation), ", pool ", o.pool, ", pad ", at::IntArrayRef(o.pad));
  const Tensor x = flat ? features(input).unsqueeze(2).unsqueeze(3) : hwcn(input);
  TORCH_CHECK(x.size(0) % 16 == 0 && x.size(1) == weight.size(1) * o.groups, "the input has shape ", input.sizes(), ", the weight ",
              weight.sizes());
  const HWCNKernel &k = kernel();
  const int64_t out = weight.size(0), kernel_height = flat ? 1 : weight.size(2), kernel_width = flat ? 1 : weight.size(3);
  HWCN c{.x = x.const_data_ptr<float>(), .weight = nullptr, .bias = nullptr, .scale = nullptr, .shift = nullptr, .y = nullptr,
         .clips = x.size(0), .groups = o.groups, .in = weight.size(1), .out = out / o.groups,
         .height = x.size(2), .width = x.size(3), .out_height = 0, .out_width = 0,
         .kernel = {kernel_height, kernel_width}, .stride = {o.stride[0], o.stride[1]}, .dilation = {o.dilation[0], o.dilation[1]}, .top = o.pad[2], .left = o.pad[0],
         .pool = o.pool, .slope = static_cast<float>(o.slope), .together = k.together};
  c.out_height = places(o, 0, c.height, kernel_height);
  c.out_width = places(o, 1, c.width, kernel_width) / c.pool;
  TORCH_CHECK(c.out_height > 0 && c.out_width > 0,
              "the input has shape ", input.sizes(), ", the kernel ", weight.sizes());
  Tensor y = at::empty({c.out_height, c.out_width, out, c.clips}, x.options());
  const Prepared::Weights w = prepared.of(weight, bias, o, 0, [&](const Tensor &t) { return in_tiles(c, t); },
                                          [](const Tensor &t) { return t.contiguous(); });
  const auto data = [](const Tensor &t) { return t.defined() ? t.const_data_ptr<float>() : nullptr; };
  c.weight = data(w.weight), c.bias = data(w.bias), c.scale = data(w.scale), c.shift = data(w.shift);
  c.y = y.mutable_data_ptr<float>();
  compute(k, c);
  return flat ? y.view({out, c.clips}).t() : y.permute({3, 2, 0, 1});
}
