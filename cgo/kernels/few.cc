// Evaluation of few clips on a CPU, such as the one that a live system predicts. The weights in the
// processor's order, which libtorch prepares anew for each call, are prepared once; zeros around a map are
// laid around it once, and the operations after a convolution are fused with it.
#include "few.h"
#include "kernels.h"
#include "share.h"
#include "trial.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

using at::Tensor;
using shim::Few;
using shim::FewKernel;
using shim::HWCNOptions;
using shim::Pad;
using shim::Prepared;

namespace {

const FewKernel &kernel() { return SHIM_KERNEL(few); }

// By rows, more channels at once read a map less often, where their weights stay in the nearest cache and the map, of
// which each then reads shorter parts of rows, in the next.
int64_t together(const FewKernel &k, int64_t taps, int64_t map) {
  constexpr int64_t few = 6, nearest = 8192, next = 1 << 19; // numbers
  return map > next ? std::min(few, k.together) : std::clamp(nearest / taps, few, std::max(few, k.together));
}

constexpr int64_t rounded_up(int64_t n, int64_t by) { return (n + by - 1) / by * by; }

// The weight [groups * out, in, kh, kw], or [out, in], in the order of few.h's channels.
Tensor in_chunks(const FewKernel &k, const Tensor &weight, int64_t groups) {
  const Tensor w = weight.contiguous();
  const int64_t out = w.size(0) / groups, in = w.size(1), points = w.numel() / (w.size(0) * in), padded = rounded_up(out, k.vector), taps = in * points;
  Tensor packed = at::empty({groups * padded * taps}, w.options());
  const float *from = w.const_data_ptr<float>();
  float *to = packed.mutable_data_ptr<float>();
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t first = 0; first < padded;) {
      const int64_t wide = padded - first >= k.chunk ? k.chunk : k.vector;
      for (int64_t p = 0; p < points; ++p)
        for (int64_t c = 0; c < in; ++c)
          for (int64_t v = 0; v < wide; ++v)
            *to++ = first + v < out ? from[((g * out + first + v) * in + c) * points + p] : 0;
      first += wide;
    }
  return packed;
}

// One number a channel, with zeros up to whole vectors of each group.
Tensor of_channels(const Tensor &t, int64_t groups, int64_t padded) {
  const Tensor all = t.contiguous().view({groups, -1});
  return at::constant_pad_nd(all, {0, padded - all.size(1)}, 0).flatten();
}

// The clips within their zeros, with the channels of a point or the points of a row side by side.
Tensor within(const Tensor &x, const Pad &pad, bool by_rows) {
  const Tensor from = x.contiguous(by_rows ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast);
  // Maps of rows of numbers: of points, or of the points' channels.
  const int64_t of_point = by_rows ? 1 : x.size(1), maps = x.size(0) * (by_rows ? x.size(1) : 1), height = x.size(2), row = x.size(3) * of_point,
                left = pad[0] * of_point, wide = left + row + pad[1] * of_point, all = pad[2] + height + pad[3];
  const Tensor padded = at::empty({maps * all * wide + (by_rows ? Few::beyond : 0)}, at::TensorOptions().dtype(at::kFloat));
  const float *in = from.const_data_ptr<float>();
  float *out = padded.mutable_data_ptr<float>();
  shim::share(maps * all, 50000 / wide, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t y = i % all - pad[2];
      if (y < 0 || y >= height) {
        std::fill_n(out + i * wide, wide, 0.0f);
        continue;
      }
      float *to = std::fill_n(out + i * wide, left, 0.0f);
      to = std::copy_n(in + (i / all * height + y) * row, row, to);
      std::fill_n(to, wide - left - row, 0.0f);
    }
  });
  std::fill(out + maps * all * wide, out + padded.numel(), 0.0f);
  return padded;
}

// All clips, each of so many numbers.
void compute(const FewKernel &k, const Few &c, int64_t clips, int64_t map, bool by_rows, const float *from, float *to) {
  const int64_t tiles = (c.out_height * c.out_width + k.points - 1) / k.points;
  const int64_t pieces = by_rows ? c.groups * c.tiles() * c.out_height : c.groups * ((c.padded + k.chunk - 1) / k.chunk) * tiles;
  // Of a clip's map and a chunk's weights the smaller is read again and again, from the larger's cache.
  const bool by_chunk = !by_rows && map < k.chunk * c.in * c.kernel[0] * c.kernel[1];
  const int64_t run = by_chunk ? tiles : pieces; // pieces of one clip that follow one another
  const int64_t each = (by_rows ? c.together * c.out_width : k.chunk * k.points) * c.in * c.kernel[0] * c.kernel[1];
  const int64_t output = c.groups * c.out * c.out_height * (by_rows ? c.out_width / c.pool : c.out_width);
  shim::share(clips * pieces, 500000 / std::max<int64_t>(each, 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end;) {
      const int64_t clip = i / run % clips, first = i / run / clips * run + i % run, many = std::min(end - i, run - i % run);
      Few one = c;
      one.x = from + clip * map;
      one.y = to + clip * output;
      (by_rows ? k.rows : k.channels)(one, first, first + many);
      i += many;
    }
  });
}

using Sizes = std::array<int64_t, 4>;

// A layer of maps x, [clips, channels, height, width], with a weight w, without its numbers.
Few layer(const FewKernel &k, const Sizes &x, const Sizes &w, const HWCNOptions &o) {
  const int64_t height = x[2] + o.pad[2] + o.pad[3], width = x[3] + o.pad[0] + o.pad[1];
  const int64_t out_height = shim::places(o, 0, x[2], w[2]), out_width = shim::places(o, 1, x[3], w[3]);
  TORCH_CHECK(out_height > 0 && out_width > 0, "the input has shape ", at::IntArrayRef(x), ", the kernel ", at::IntArrayRef(w));
  return {.x = nullptr, .weight = nullptr, .bias = nullptr, .scale = nullptr, .shift = nullptr, .y = nullptr, .groups = o.groups,
          .in = w[1], .out = w[0] / o.groups, .padded = rounded_up(w[0] / o.groups, k.vector), .height = height,
          .width = width, .out_height = out_height, .out_width = out_width,
          .top = o.pad[2], .bottom = o.pad[3], .left = o.pad[0], .right = o.pad[1],
          .kernel = {w[2], w[3]}, .stride = {o.stride[0], o.stride[1]}, .dilation = {o.dilation[0], o.dilation[1]},
          .together = together(k, w[1] * w[2] * w[3], w[1] * height * width), .pool = o.pool, .slope = static_cast<float>(o.slope)};
}

// What lies side by side: the channels of a point, or the points of a row or of a column.
enum class Order { channels, rows, columns };

Order order(const FewKernel &k, const Few &c, const Tensor &x) {
  // How much of the vectors is used.
  const auto used = [](int64_t n, int64_t by) { return static_cast<double>(n) / static_cast<double>(rounded_up(n, by)); };
  // Of many channels the sums stay in registers. A layer that makes many of few lays them out for the next.
  const bool makes_many = c.kernel[0] * c.kernel[1] == 1 && c.out >= std::max(Few::deep, 4 * c.in);
  if ((c.by_points() || makes_many) && c.pool == 1 && used(c.out, k.vector) > 0.75)
    return Order::channels;
  const bool rows = c.out_width >= 16 && c.stride[1] == 1 && c.pool <= Few::longest;
  if (c.out_height >= 16 && c.stride[0] == 1 && c.pool == 1) {
    const double now = rows ? used(c.out_width, 4 * k.vector) : used(c.out, k.vector);
    const bool lies_so = !x.is_contiguous() && x.transpose(2, 3).is_contiguous();
    if (used(c.out_height, 4 * k.vector) >= (lies_so ? 1 : 2) * now)
      return Order::columns;
  }
  return rows ? Order::rows : Order::channels;
}

// Height in the place of width.
Sizes turned(const Sizes &s) { return {s[0], s[1], s[3], s[2]}; }
HWCNOptions turned(const HWCNOptions &o) {
  HWCNOptions t = o;
  t.stride = {o.stride[1], o.stride[0]};
  t.dilation = {o.dilation[1], o.dilation[0]};
  t.pad = {o.pad[2], o.pad[3], o.pad[0], o.pad[1]};
  return t;
}

void check(const Tensor &input, const Tensor &weight, const HWCNOptions &o) {
  const auto plain = [](const Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat; };
  const bool flat = input.dim() == 2;
  TORCH_CHECK((flat || input.dim() == 4) && weight.dim() == input.dim() && plain(input) && plain(weight) && o.groups > 0 &&
                  weight.size(0) % o.groups == 0 && input.size(1) == weight.size(1) * o.groups && weight.numel() > 0,
              "the input has shape ", input.sizes(), ", the weight ", weight.sizes(), " in ", o.groups, " groups, both of float32 on the CPU");
  TORCH_CHECK(o.stride[0] > 0 && o.stride[1] > 0 && o.dilation[0] > 0 && o.dilation[1] > 0 && o.pool > 0 &&
                  std::ranges::all_of(o.pad, [](int64_t p) { return p >= 0; }) && (!flat || (o.pad == Pad{} && o.stride[1] == 1 && o.pool == 1)),
              "stride ", at::IntArrayRef(o.stride), ", dilation ", at::IntArrayRef(o.dilation), ", pool ", o.pool, ", pad ",
              at::IntArrayRef(o.pad), " of an input of shape ", input.sizes());
}

// A pool that is not the kernel's, and the BatchNorm after it.
Tensor pooled(const Tensor &y, const Few &c, const Prepared::Weights &w) {
  const Tensor means = at::avg_pool2d(y, {1, c.pool}, {1, c.pool});
  if (!w.scale.defined())
    return means;
  const auto each_channel = [&](const Tensor &t) { return t.view({c.groups, -1}).narrow(1, 0, c.out).reshape({1, c.groups * c.out, 1, 1}); };
  return means.mul(each_channel(w.scale)).add(each_channel(w.shift));
}

} // namespace

Tensor shim::conv2d_few(const Tensor &input, const Tensor &weight, const Tensor &bias, const HWCNOptions &o, Prepared &prepared) {
  // libtorch need not note what becomes of tensors that have no gradient.
  const at::AutoDispatchBelowADInplaceOrView below;
  check(input, weight, o);
  const FewKernel &k = kernel();
  const bool flat = input.dim() == 2;
  // Clips' features are the channels of points of one row: a weight is read once for all of them.
  Sizes x = flat ? Sizes{1, input.size(1), 1, input.size(0)} : Sizes{input.size(0), input.size(1), input.size(2), input.size(3)},
        w = flat ? Sizes{weight.size(0), weight.size(1), 1, 1} : Sizes{weight.size(0), weight.size(1), weight.size(2), weight.size(3)};
  Few c = layer(k, x, w, o);
  TORCH_CHECK(c.out_width >= c.pool, "rows of ", c.out_width, " points have no mean of ", c.pool);
  const Order side_by_side = flat ? Order::channels : order(k, c, input);
  const bool columns = side_by_side == Order::columns, by_rows = side_by_side != Order::channels;
  Pad pad = o.pad;
  if (columns) {
    const HWCNOptions t = turned(o);
    x = turned(x), w = turned(w), pad = t.pad;
    c = layer(k, x, w, t);
  }
  const Tensor in = columns ? input.transpose(2, 3) : input;
  const Prepared::Weights now = prepared.of(
      weight, bias, o, static_cast<int>(side_by_side),
      [&](const Tensor &t) { return columns ? t.transpose(2, 3).contiguous() : by_rows ? t.contiguous() : in_chunks(k, t, c.groups); },
      [&](const Tensor &t) { return of_channels(t, c.groups, by_rows ? c.out : c.padded); });
  const auto data = [](const Tensor &t) { return t.defined() ? t.const_data_ptr<float>() : nullptr; };
  const bool pool_last = !by_rows && c.pool > 1;
  c.weight = data(now.weight), c.bias = data(now.bias);
  if (!pool_last)
    c.scale = data(now.scale), c.shift = data(now.shift);
  // Zeros that are never read are not laid around the clips, nor are long rows read beyond their end.
  const bool within_zeros = by_rows ? o.pad != Pad{} || c.out_width < Few::beyond : o.pad != Pad{} && !c.by_points();
  const Tensor all = within_zeros       ? within(in, pad, by_rows)
                     : flat || by_rows ? in.contiguous()
                                       : in.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t out_width = by_rows ? c.out_width / c.pool : c.out_width;
  Tensor y = flat ? at::empty({input.size(0), w[0]}, input.options().memory_format(at::MemoryFormat::Contiguous))
                  : at::empty({x[0], w[0], c.out_height, out_width},
                              input.options().memory_format(by_rows ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast));
  compute(k, c, x[0], within_zeros ? x[1] * c.height * c.width : x[1] * x[2] * x[3], by_rows, all.const_data_ptr<float>(), y.mutable_data_ptr<float>());
  if (columns)
    return y.transpose(2, 3);
  return pool_last ? pooled(y, c, now) : y;
}
