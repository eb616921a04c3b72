// Operations that are computed together, or otherwise than libtorch does: the bits are those of
// its own, one after the other.
#include "helpers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace shim_test;

namespace {

std::vector<float> numbers(size_t n) {
  std::vector<float> data(n);
  for (size_t i = 0; i < n; ++i)
    data[i] = static_cast<float>((i * 7919) % 1009) / 504.5f - 1;
  return data;
}

bool same(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

} // namespace

// The bits of leaky_relu and avg_pool2d one after the other, forwards and backwards, also where
// windows leave a rest, of zeros, NaN and infinity.
TEST(LeakyPool, IsItsTwoOperations) {
  const int64_t rows = 6;
  for (const int64_t k : {1, 2, 3, 4, 7, 8, 9, 16}) {
    for (const int64_t width : {k, 2 * k, 5 * k + k / 2}) {
      std::vector<float> data = numbers(rows * width), wanted, got;
      data[0] = -0.0f;
      data[width] = NAN;
      data[2 * width] = INFINITY;
      for (std::vector<float> *found : {&wanted, &got}) {
        Scope s(true);
        ep_tensor x = s.tensor(data, {1, 2, rows / 2, width}), out = nullptr, loss = nullptr, grad = nullptr;
        OK(ep_tensor_set_requires_grad(x, 1));
        if (found == &got) {
          OK(ep_leaky_relu_avg_pool2d(s.handle, x, 0.01, k, &out));
        } else {
          const int64_t window[] = {1, k};
          OK(ep_scalar(s.handle, "leaky_relu", x, 0.01, &out));
          OK(ep_avg_pool2d(s.handle, out, window, window, &out));
        }
        *found = read(out, rows * (width / k));
        OK(ep_binary(s.handle, "mul", out, out, &loss));
        OK(ep_reduce(s.handle, "sum", loss, nullptr, 0, &loss));
        OK(ep_backward(s.handle, loss));
        OK(ep_tensor_grad(s.handle, x, &grad));
        for (const float v : read(grad, data.size()))
          found->push_back(v);
      }
      EXPECT_TRUE(same(wanted, got)) << "windows of " << k << ", rows of " << width;
    }
  }
}

// Also of odd numbers of channels, of fewer rows than a kernel has, and of a BatchNorm that follows its layout.
TEST(NHWC, IsConvolutionAndReLU) {
  struct Case {
    int64_t clips, in, height, width, out, kernel[2], pad[4];
  };
  const Case cases[] = {
      {7, 4, 9, 9, 12, {3, 3}, {1, 1, 1, 1}}, {3, 19, 9, 9, 33, {4, 4}, {1, 2, 1, 2}}, {2, 70, 5, 4, 17, {3, 3}, {1, 1, 1, 1}},
      {19, 8, 9, 9, 80, {3, 3}, {1, 1, 1, 1}}, {5, 8, 2, 3, 8, {4, 1}, {0, 0, 2, 2}},  {1, 16, 9, 9, 16, {3, 3}, {0, 1, 2, 0}}, {13, 1, 6, 6, 80, {2, 2}, {0, 0, 0, 0}},
  };
  for (const Case &k : cases) {
    std::vector<float> wanted, got;
    for (std::vector<float> *found : {&wanted, &got}) {
      Scope s(true);
      ep_tensor x = s.tensor(numbers(k.clips * k.in * k.height * k.width), {k.clips, k.in, k.height, k.width}),
                w = s.tensor(numbers(k.out * k.in * k.kernel[0] * k.kernel[1]), {k.out, k.in, k.kernel[0], k.kernel[1]}),
                b = s.tensor(numbers(k.out), {k.out}), ones = s.tensor(std::vector<float>(k.out, 1), {k.out}),
                mean = s.tensor(numbers(k.out), {k.out}),
                variance = s.tensor(std::vector<float>(k.out, 1), {k.out}), out = nullptr, grad = nullptr;
      for (ep_tensor t : {x, w, b, ones})
        OK(ep_tensor_set_requires_grad(t, 1));
      if (found == &got) {
        OK(ep_conv2d_nhwc(s.handle, x, w, b, k.pad, 1, &out));
      } else {
        OK(ep_zero_pad2d(s.handle, x, k.pad, &out));
        OK(ep_conv2d(s.handle, out, w, b, {{1, 1}, {0, 0}, {1, 1}, 1}, &out));
        OK(ep_unary(s.handle, "relu", out, &out));
      }
      OK(ep_batch_norm(s.handle, out, ones, ones, mean, variance, nullptr, 1, 0.1, 1e-5, &out));
      const int64_t n = k.clips * k.out * (k.height + k.pad[2] + k.pad[3] - k.kernel[0] + 1) * (k.width + k.pad[0] + k.pad[1] - k.kernel[1] + 1);
      *found = read(out, n);
      OK(ep_binary(s.handle, "mul", out, out, &out));
      OK(ep_reduce(s.handle, "sum", out, nullptr, 0, &out));
      OK(ep_backward(s.handle, out));
      for (const auto &[t, size] : {std::pair{x, k.clips * k.in * k.height * k.width}, {w, k.out * k.in * k.kernel[0] * k.kernel[1]}, {b, k.out}}) {
        OK(ep_tensor_grad(s.handle, t, &grad));
        for (const float v : read(grad, size))
          found->push_back(v);
      }
    }
    ASSERT_EQ(wanted.size(), got.size());
    for (size_t i = 0; i < wanted.size(); ++i)
      ASSERT_NEAR(wanted[i], got[i], 1e-3 * std::max(1.0f, std::abs(wanted[i]))) << "number " << i << " of " << k.in << " to " << k.out << " channels";
  }
}

// Signals that need a gradient are convolved by libtorch. Also of rows of 16 points, of kernels that end
// in the last row, and of sizes that leave a rest everywhere.
TEST(Temporal, IsConvolution) {
  struct Case {
    int64_t clips, rows, width, out, kernel, pad;
  };
  for (const Case &k : {Case{3, 28, 256, 15, 64, 0}, {2, 5, 79, 9, 64, 0}, {2, 3, 40, 6, 25, 12}, {4, 1, 133, 5, 17, 0}, {2, 9, 100, 16, 5, 2}}) {
    std::vector<float> wanted, got;
    for (std::vector<float> *found : {&wanted, &got}) {
      Scope s(true);
      ep_tensor x = s.tensor(numbers(k.clips * k.rows * k.width), {k.clips, 1, k.rows, k.width}),
                w = s.tensor(numbers(k.out * k.kernel), {k.out, 1, 1, k.kernel}), b = s.tensor(numbers(k.out), {k.out}), out = nullptr,
                grad = nullptr;
      OK(ep_tensor_set_requires_grad(w, 1));
      OK(ep_tensor_set_requires_grad(b, 1));
      OK(ep_tensor_set_requires_grad(x, found == &wanted));
      OK(ep_conv2d(s.handle, x, w, b, {{1, 1}, {0, k.pad}, {1, 1}, 1}, &out));
      *found = read(out, k.clips * k.out * k.rows * (k.width + 2 * k.pad - k.kernel + 1));
      OK(ep_binary(s.handle, "mul", out, out, &out));
      OK(ep_reduce(s.handle, "sum", out, nullptr, 0, &out));
      OK(ep_backward(s.handle, out));
      for (const auto &[t, size] : {std::pair{w, k.out * k.kernel}, {b, k.out}}) {
        OK(ep_tensor_grad(s.handle, t, &grad));
        for (const float v : read(grad, size))
          found->push_back(v);
      }
    }
    EXPECT_TRUE(same(wanted, got)) << k.out << " channels, " << k.rows << " rows of " << k.width;
  }
}

// Convolutions of clips that lie innermost, with the operations fused with them: within rounding.
TEST(HWCN, IsAConvolutionAndWhatFollows) {
  struct Case {
    int64_t clips, in, height, width, out, kernel[2], stride[2], pad[4], groups, pool;
    double slope;
  };
  const Case cases[] = {
      {16, 4, 9, 9, 7, {4, 4}, {1, 1}, {1, 2, 1, 2}, 1, 1, 0},   {33, 1, 5, 40, 9, {1, 16}, {1, 1}, {0, 0, 0, 0}, 1, 8, 0.01},
      {64, 3, 6, 5, 13, {3, 1}, {3, 1}, {0, 0, 0, 0}, 1, 2, 0.1}, {100, 4, 6, 7, 8, {6, 1}, {1, 1}, {0, 0, 0, 0}, 4, 1, 1},
      {8, 6, 1, 20, 6, {1, 4}, {1, 1}, {2, 2, 0, 0}, 6, 1, 1},   {16, 2, 3, 3, 1, {5, 5}, {2, 2}, {4, 4, 4, 4}, 1, 1, 0},
  };
  for (const Case &k : cases) {
    Scope s;
    const int64_t of_group = k.in / k.groups;
    std::vector<float> channel(k.out), positive(k.out);
    for (int64_t i = 0; i < k.out; ++i) {
      channel[i] = 0.1f * static_cast<float>(i) - 0.3f;
      positive[i] = 0.5f + static_cast<float>(i);
    }
    ep_tensor x = s.tensor(numbers(k.clips * k.in * k.height * k.width), {k.clips, k.in, k.height, k.width}),
              w = s.tensor(numbers(k.out * of_group * k.kernel[0] * k.kernel[1]), {k.out, of_group, k.kernel[0], k.kernel[1]}),
              b = s.tensor(channel, {k.out}), mean = s.tensor(channel, {k.out}), variance = s.tensor(positive, {k.out}),
              wanted = nullptr, got = nullptr;
    OK(ep_zero_pad2d(s.handle, x, k.pad, &wanted));
    OK(ep_conv2d(s.handle, wanted, w, b, {{k.stride[0], k.stride[1]}, {0, 0}, {1, 1}, k.groups}, &wanted));
    OK(ep_scalar(s.handle, "leaky_relu", wanted, k.slope, &wanted));
    const int64_t window[] = {1, k.pool};
    OK(ep_avg_pool2d(s.handle, wanted, window, window, &wanted));
    OK(ep_batch_norm(s.handle, wanted, b, b, mean, variance, nullptr, 0, 0, 1e-5, &wanted));

    ep_hwcn_options o{};
    std::copy(k.stride, k.stride + 2, o.stride);
    o.dilation[0] = o.dilation[1] = 1;
    std::copy(k.pad, k.pad + 4, o.pad);
    o.groups = k.groups;
    o.slope = k.slope;
    o.pool = k.pool;
    o.norm_weight = o.norm_bias = b;
    o.norm_mean = mean;
    o.norm_variance = variance;
    o.norm_eps = 1e-5;
    OK(ep_hwcn(s.handle, x, &got));
    OK(ep_conv2d_hwcn(s.handle, got, w, b, o, nullptr, &got));
    OK(ep_narrow(s.handle, got, 0, 0, k.clips, &got));
    int64_t shape[4], also[4];
    int32_t dims = 4, dtype = 0;
    ep_device device{};
    OK(ep_tensor_describe(wanted, &dtype, &device, shape, &dims));
    dims = 4;
    OK(ep_tensor_describe(got, &dtype, &device, also, &dims));
    ASSERT_TRUE(std::equal(shape, shape + 4, also)) << "[" << also[0] << " " << also[1] << " " << also[2] << " " << also[3] << "]";
    const size_t n = shape[0] * shape[1] * shape[2] * shape[3];
    const std::vector<float> a = read(wanted, n), c = read(got, n);
    for (size_t i = 0; i < n; ++i)
      ASSERT_NEAR(a[i], c[i], 1e-4) << "number " << i << " of kernel " << k.kernel[0] << "x" << k.kernel[1];
  }
}

// Statistics are libtorch's to the bit: sums of doubles, in order, of squares in float.
TEST(BatchNorm, TakesItsSumsInOrder) {
  const int64_t clips = 3, points = 11;
  const double momentum = 0.1, eps = 1e-5;
  for (int64_t channels = 1; channels <= 17; ++channels) {
    Scope s;
    const std::vector<float> data = numbers(clips * channels * points);
    std::vector<float> means, variances, expected(data.size());
    for (int64_t c = 0; c < channels; ++c) {
      const auto at = [&](int64_t i) { return (i / points * channels + c) * points + i % points; };
      const int64_t n = clips * points;
      double sum = 0, squares = 0;
      for (int64_t i = 0; i < n; ++i)
        sum += data[at(i)];
      const float mean = static_cast<float>(sum / n);
      for (int64_t i = 0; i < n; ++i)
        squares += (data[at(i)] - mean) * (data[at(i)] - mean);
      const float total = static_cast<float>(squares);
      means.push_back(static_cast<float>(momentum * mean + (1 - momentum) * 0.5f));
      variances.push_back(static_cast<float>(momentum * (total / (n - 1)) + (1 - momentum) * 2.0f));
      for (int64_t i = 0; i < n; ++i)
        expected[at(i)] = static_cast<float>((data[at(i)] - mean) / std::sqrt(squares / n + eps) * (c + 1) - c);
    }
    std::vector<float> weight, bias;
    for (int64_t c = 0; c < channels; ++c) {
      weight.push_back(static_cast<float>(c + 1));
      bias.push_back(static_cast<float>(-c));
    }
    ep_tensor x = s.tensor(data, {clips, channels, points, 1}), w = s.tensor(weight, {channels}),
              b = s.tensor(bias, {channels}), mean = s.tensor(std::vector<float>(channels, 0.5f), {channels}),
              variance = s.tensor(std::vector<float>(channels, 2.0f), {channels}), out = nullptr;
    OK(ep_batch_norm(s.handle, x, w, b, mean, variance, nullptr, 1, momentum, eps, &out));
    EXPECT_TRUE(same(read(mean, channels), means)) << channels << " channels";
    EXPECT_TRUE(same(read(variance, channels), variances)) << channels << " channels";
    const std::vector<float> got = read(out, data.size());
    for (size_t i = 0; i < data.size(); ++i)
      ASSERT_NEAR(got[i], expected[i], 1e-4) << channels << " channels, number " << i;
  }
}
