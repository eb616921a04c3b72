// Kernels for processors that this machine need not be: AVX-512's width and number of registers, by
// instructions that it has, and those without any. Each convolution beside sums of doubles in plain loops.
#include "kernels/few.h"
#include "kernels/hwcn.h"
#include "kernels/norm_activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace {

using shim::Few;
using shim::FewKernel;
using shim::HWCN;
using shim::HWCNKernel;

struct Random {
  std::mt19937 bits;
  int64_t between(int64_t low, int64_t high) { return low + static_cast<int64_t>(bits() % (high - low + 1)); }
  std::vector<float> numbers(int64_t n) {
    std::vector<float> v(n);
    for (float &x : v)
      x = static_cast<float>(between(-1000, 1000)) / 1000;
    return v;
  }
};

// A convolution of a map [groups * in, height, width], which holds its zeros.
struct Layer {
  int64_t groups, in, out, height, width, kernel[2], stride[2], dilation[2], pool,
      pad[4]; // left, right, top, bottom, of height and width
  std::vector<float> x, weight, bias, scale, shift;
  float slope;

  int64_t span(int d) const { return (kernel[d] - 1) * dilation[d] + 1; }
  int64_t out_height() const { return (height - span(0)) / stride[0] + 1; }
  int64_t out_width() const { return (width - span(1)) / stride[1] + 1; }
  int64_t taps() const { return in * kernel[0] * kernel[1]; }
  int64_t pooled() const { return out_width() / pool; }

  bool is_zero(int64_t row, int64_t column) const {
    return column < pad[0] || column >= width - pad[1] || row < pad[2] || row >= height - pad[3];
  }

  // y[channel][row][column]
  std::vector<double> computed() const {
    std::vector<double> y;
    for (int64_t o = 0; o < groups * out; ++o)
      for (int64_t r = 0; r < out_height(); ++r)
        for (int64_t c = 0; c < pooled(); ++c) {
          double mean = 0;
          for (int64_t p = 0; p < pool; ++p)
            mean += point(o, r, c * pool + p) / static_cast<double>(pool);
          y.push_back(mean * scale[o] + shift[o]);
        }
    return y;
  }

  void fill(Random &random) {
    x = random.numbers(groups * in * height * width);
    for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i)
      if (is_zero(i / width % height, i % width))
        x[i] = 0;
  }

private:
  double point(int64_t o, int64_t r, int64_t c) const {
    double sum = bias[o];
    for (int64_t i = 0; i < in; ++i)
      for (int64_t a = 0; a < kernel[0]; ++a)
        for (int64_t b = 0; b < kernel[1]; ++b)
          sum += static_cast<double>(x[((o / out * in + i) * height + r * stride[0] + a * dilation[0]) * width +
                                       c * stride[1] + b * dilation[1]]) *
                 weight[((o * in + i) * kernel[0] + a) * kernel[1] + b];
    return sum < 0 ? sum * slope : sum;
  }
};

Layer layer(Random &random, int64_t most_channels, int64_t most_points) {
  Layer l{};
  l.groups = random.between(0, 3) == 0 ? random.between(2, 3) : 1;
  l.in = random.between(1, most_channels), l.out = random.between(1, most_channels);
  for (int i = 0; i < 2; ++i)
    l.kernel[i] = random.between(1, 4), l.stride[i] = random.between(1, 2), l.dilation[i] = random.between(1, 3);
  l.height = l.span(0) + random.between(0, 8), l.width = l.span(1) + random.between(0, most_points);
  for (int64_t &p : l.pad)
    p = random.between(0, 2);
  l.pool = 1;
  l.fill(random);
  l.weight = random.numbers(l.groups * l.out * l.taps());
  l.bias = random.numbers(l.groups * l.out), l.scale = random.numbers(l.groups * l.out),
  l.shift = random.numbers(l.groups * l.out);
  l.slope = random.between(0, 1) == 0 ? 0 : 0.25f;
  return l;
}

Few few(const Layer &l) {
  Few c{};
  c.groups = l.groups, c.in = l.in, c.out = c.padded = l.out, c.height = l.height, c.width = l.width;
  c.out_height = l.out_height(), c.out_width = l.out_width(), c.pool = l.pool, c.slope = l.slope;
  c.left = l.pad[0], c.right = l.pad[1], c.top = l.pad[2], c.bottom = l.pad[3];
  std::copy_n(l.kernel, 2, c.kernel), std::copy_n(l.stride, 2, c.stride), std::copy_n(l.dilation, 2, c.dilation);
  return c;
}

// Numbers of channels with zeros up to `padded` of each group.
std::vector<float> padded(const Layer &l, const std::vector<float> &of, int64_t padded) {
  std::vector<float> v(l.groups * padded);
  for (int64_t o = 0; o < l.groups * l.out; ++o)
    v[o / l.out * padded + o % l.out] = of[o];
  return v;
}

// What the kernel computes with the channels of a point side by side, in the order of computed().
std::vector<float> by_channels(const FewKernel &k, const Layer &l, Random &random) {
  Few c = few(l);
  c.padded = (l.out + k.vector - 1) / k.vector * k.vector;
  const bool bare = c.by_points();
  std::vector<float> x, weight, y(l.groups * l.out * l.out_height() * l.out_width());
  for (int64_t p = 0; p < l.height * l.width; ++p)
    if (!bare || !l.is_zero(p / l.width, p % l.width))
      for (int64_t i = 0; i < l.groups * l.in; ++i)
        x.push_back(l.x[i * l.height * l.width + p]);
  for (int64_t g = 0; g < l.groups; ++g)
    for (int64_t first = 0, wide; first < c.padded; first += wide) {
      wide = c.padded - first >= k.chunk ? k.chunk : k.vector;
      for (int64_t p = 0; p < l.kernel[0] * l.kernel[1]; ++p)
        for (int64_t i = 0; i < l.in; ++i)
          for (int64_t o = first; o < first + wide; ++o)
            weight.push_back(o < l.out ? l.weight[((g * l.out + o) * l.in + i) * l.kernel[0] * l.kernel[1] + p] : 0);
    }
  const std::vector<float> bias = padded(l, l.bias, c.padded), scale = padded(l, l.scale, c.padded),
                           shift = padded(l, l.shift, c.padded);
  c.x = x.data(), c.weight = weight.data(), c.bias = bias.data(), c.scale = scale.data(), c.shift = shift.data(),
  c.y = y.data();
  const int64_t tiles = (c.out_height * c.out_width + k.points - 1) / k.points;
  const int64_t pieces = l.groups * ((c.padded + k.chunk - 1) / k.chunk) * tiles, part = random.between(0, pieces);
  k.channels(c, 0, part), k.channels(c, part, pieces);
  std::vector<float> ordered;
  for (int64_t o = 0; o < l.groups * l.out; ++o)
    for (int64_t p = 0; p < c.out_height * c.out_width; ++p)
      ordered.push_back(y[p * l.groups * l.out + o]);
  return ordered;
}

std::vector<float> by_rows(const FewKernel &k, const Layer &l, Random &random) {
  Few c = few(l);
  std::vector<float> x = l.x, y(l.groups * l.out * l.out_height() * l.pooled());
  x.resize(x.size() + Few::beyond);
  c.together = k.together;
  c.x = x.data(), c.weight = l.weight.data(), c.bias = l.bias.data(), c.scale = l.scale.data(),
  c.shift = l.shift.data(), c.y = y.data();
  const int64_t pieces = l.groups * c.tiles() * c.out_height, part = random.between(0, pieces);
  k.rows(c, 0, part), k.rows(c, part, pieces);
  return y;
}

// What it computes of 16 and more clips, of each in the order of computed(); the clip at `at` is the layer's.
std::vector<float> clips_innermost(const HWCNKernel &k, const Layer &l, int64_t clips, int64_t at, Random &random) {
  std::vector<float> x = random.numbers(static_cast<int64_t>(l.x.size()) * clips), weight;
  for (int64_t i = 0; i < l.groups * l.in; ++i)
    for (int64_t p = 0; p < l.height * l.width; ++p)
      x[(p * l.groups * l.in + i) * clips + at] = l.x[i * l.height * l.width + p];
  std::vector<float> y(l.groups * l.out * l.out_height() * l.pooled() * clips), ordered;
  HWCN c{};
  c.x = x.data(), c.bias = l.bias.data(), c.scale = l.scale.data(), c.shift = l.shift.data(), c.y = y.data();
  c.clips = clips, c.groups = l.groups, c.in = l.in, c.out = l.out, c.height = l.height, c.width = l.width;
  c.out_height = l.out_height(), c.out_width = l.pooled(), c.pool = l.pool, c.slope = l.slope;
  std::copy_n(l.kernel, 2, c.kernel), std::copy_n(l.stride, 2, c.stride), std::copy_n(l.dilation, 2, c.dilation);
  c.together = k.together;
  for (int64_t g = 0; g < l.groups; ++g)
    for (int64_t t = 0; t < c.tiles(); ++t)
      for (int64_t p = 0; p < l.kernel[0] * l.kernel[1]; ++p)
        for (int64_t i = 0; i < l.in; ++i)
          for (int64_t o = c.begin(t); o < c.begin(t + 1); ++o)
            weight.push_back(l.weight[((g * l.out + o) * l.in + i) * l.kernel[0] * l.kernel[1] + p]);
  c.weight = weight.data();
  const int64_t part = random.between(0, c.pieces());
  k.pieces(c, 0, part), k.pieces(c, part, c.pieces());
  for (int64_t o = 0; o < l.groups * l.out; ++o)
    for (int64_t p = 0; p < c.out_height * c.out_width; ++p)
      ordered.push_back(y[(p * l.groups * l.out + o) * clips + at]);
  return ordered;
}

void expect_near(const std::vector<float> &got, const Layer &l) {
  const std::vector<double> want = l.computed();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i], 1e-4) << "number " << i << ": " << l.groups << " groups of " << l.in << " and "
                                       << l.out << " channels, map " << l.height << "x" << l.width << ", kernel "
                                       << l.kernel[0] << "x" << l.kernel[1] << ", stride " << l.stride[0] << ", "
                                       << l.stride[1] << ", pool " << l.pool;
}

const FewKernel *const few_kernels[] = {&shim::few_plain, &shim::few_wide};

TEST(Processors, FewClipsByChannels) {
  Random random;
  for (int i = 0; i < 300; ++i)
    for (const FewKernel *k : few_kernels) {
      // Also of so many channels that points of the kernel are taken alone, and so wide that some points see no zeros.
      const Layer l = i % 4 == 0 ? layer(random, 90, random.between(0, 40)) : layer(random, 20, 9);
      ASSERT_NO_FATAL_FAILURE(expect_near(by_channels(*k, l, random), l)) << "vectors of " << k->vector;
    }
}

TEST(Processors, FewClipsByRows) {
  Random random;
  for (int i = 0; i < 300; ++i)
    for (const FewKernel *k : few_kernels) {
      Layer l = layer(random, 14, 140);
      l.width += 16, l.stride[1] = 1, l.pool = random.between(1, 9);
      l.fill(random);
      ASSERT_NO_FATAL_FAILURE(expect_near(by_rows(*k, l, random), l)) << "vectors of " << k->vector;
    }
}

// A layer of so many features that parts of its weights are read beside one another.
TEST(Processors, LargeLinearLayers) {
  Random random;
  for (int i = 0; i < 20; ++i) {
    Layer l = layer(random, 30, 0);
    l.groups = l.pool = 1, l.in = random.between(1021, 1030), l.height = random.between(1, 3), l.width = 1;
    for (int k = 0; k < 2; ++k)
      l.kernel[k] = l.stride[k] = l.dilation[k] = 1;
    std::fill_n(l.pad, 4, 0);
    l.fill(random);
    l.weight = random.numbers(l.out * l.in);
    for (const FewKernel *k : few_kernels)
      ASSERT_NO_FATAL_FAILURE(expect_near(by_channels(*k, l, random), l)) << "vectors of " << k->vector;
    for (const HWCNKernel *k : {&shim::hwcn_plain, &shim::hwcn_wide})
      ASSERT_NO_FATAL_FAILURE(expect_near(clips_innermost(*k, l, 16 * random.between(1, 5), 3, random), l))
          << k->together << " channels a tile";
  }
}

TEST(Processors, ClipsInnermost) {
  Random random;
  for (int i = 0; i < 200; ++i)
    for (const HWCNKernel *k : {&shim::hwcn_plain, &shim::hwcn_wide}) {
      Layer l = layer(random, 30, 12);
      l.pool = random.between(1, std::min<int64_t>(3, l.out_width()));
      const int64_t clips = 16 * random.between(1, 9);
      ASSERT_NO_FATAL_FAILURE(expect_near(clips_innermost(*k, l, clips, random.between(0, clips - 1), random), l))
          << clips << " clips, " << k->together << " channels a tile";
    }
}

// Rows of any length whose numbers end where their memory does.
TEST(Processors, NormAndActivation) {
  Random random;
  for (int i = 0; i < 300; ++i)
    for (const shim::NormActivationKernel *k : {&shim::norm_activation_plain, &shim::norm_activation_wide}) {
      shim::NormActivation c{};
      const int64_t rows = random.between(1, 9);
      c.row = random.between(1, 40), c.total = rows * c.row - random.between(0, c.row - 1);
      c.channels = random.between(0, 5);
      const int64_t numbers = c.channels > 0 ? c.channels : c.row;
      const std::vector<float> x = random.numbers(c.total), scale = random.numbers(numbers),
                               shift = random.numbers(numbers);
      std::vector<float> y(c.total);
      c.x = x.data(), c.y = y.data(), c.positive = 1.5f, c.negative = random.between(0, 1) == 0 ? 0 : 0.25f;
      c.curve = static_cast<shim::Curve>(random.between(0, 3));
      if (random.between(0, 2) > 0)
        c.scale = scale.data(), c.shift = shift.data();
      const int64_t part = random.between(0, rows);
      k->rows(c, 0, part), k->rows(c, part, rows);
      for (int64_t n = 0; n < c.total; ++n) {
        const int64_t at = c.channels > 0 ? n / c.row % c.channels : n % c.row;
        const double v = c.scale ? static_cast<double>(x[n]) * scale[at] + shift[at] : x[n];
        const double want = c.curve == shim::Curve::normal     ? v * std::erfc(-v / std::sqrt(2.0)) / 2
                            : c.curve == shim::Curve::logistic ? v / (1 + std::exp(-v))
                            : v > 0 ? 1.5 * v
                                    : c.negative * (c.curve == shim::Curve::exponential ? std::expm1(v) : v);
        ASSERT_NEAR(y[n], want, 1e-6) << "number " << n << " of " << c.total << " in rows of " << c.row;
      }
    }
}

} // namespace
