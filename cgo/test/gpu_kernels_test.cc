// The GPU's kernels on the CPU, with the launches that a GPU gets: outputs and gradients beside libtorch's in
// float64, as the largest difference by the largest number.
#include "cuda_on_cpu.h"

#include "gpu/functions.h"
#include "gpu/kernels.h"
#include "gpu/nvrtc.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/selu.h>
#include <ATen/ops/zeros.h>

#include <torch/csrc/autograd/autograd.h>

#include <gtest/gtest.h>

namespace kernels {
#include "gpu/block.cu"

#include "gpu/activation_pool.cu"
#include "gpu/batch_norm.cu"
#include "gpu/depthwise.cu"
} // namespace kernels

using at::Tensor;
using Tensors = std::vector<Tensor>;

namespace {

const cuda_on_cpu::Kernels &all_kernels() {
  static const cuda_on_cpu::Kernels all = [] {
    at::set_num_threads(1); // ThreadSanitizer sees nothing of libtorch's own
    cuda_on_cpu::Kernels k;
#define ADD(name) k.add(#name, kernels::name)
    ADD(batch_norm_moments);
    ADD(batch_norm_statistics);
    ADD(batch_norm_apply);
    ADD(batch_norm_gradient_sums);
    ADD(batch_norm_gradients);
    ADD(batch_norm_gradient);
    ADD(activation_pool_short);
    ADD(activation_pool_long);
    ADD(activation_pool_gradient);
    ADD(depthwise);
    ADD(depthwise_input);
    ADD(depthwise_weight_parts);
    ADD(depthwise_weight);
#undef ADD
    return k;
  }();
  return all;
}

struct Launcher {
  explicit Launcher(at::Device) {}
  template <typename... Arguments> void operator()(const char *kernel, int64_t blocks, const Arguments &...arguments) {
    all_kernels().launch(kernel, shim::gpu::narrow(blocks), shim::gpu::threads, shim::gpu::value(arguments)...);
  }
};

using BatchNorm = shim::gpu::BatchNorm<Launcher>;
using ActivationPool = shim::gpu::ActivationPool<Launcher>;
using DepthwiseConv2d = shim::gpu::DepthwiseConv2d<Launcher>;

Tensor randn(at::IntArrayRef shape, uint64_t seed) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::TensorOptions().dtype(at::kFloat));
}

Tensor leaf(const Tensor &t, at::ScalarType type) { return t.to(type).detach().clone().set_requires_grad(true); }

// The output of an operation on copies of inputs in a type, and the gradients of those by the same dy.
template <typename F> Tensors results(const Tensors &inputs, at::ScalarType type, const F &operation) {
  Tensors copies, all;
  for (const Tensor &t : inputs)
    copies.push_back(t.defined() ? leaf(t, type) : t);
  const Tensor y = operation(copies);
  y.backward(randn(y.sizes(), 99).to(type));
  all.push_back(y.detach());
  for (const Tensor &t : copies)
    if (t.defined())
      all.push_back(t.grad());
  return all;
}

void near(const Tensors &got, const Tensors &wanted, double tolerance, const std::string &of) {
  static const char *const names[] = {"output", "first gradient", "second gradient", "third gradient"};
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].sizes(), wanted[i].sizes()) << of << ", " << names[i];
    const double error = (got[i].to(at::kDouble) - wanted[i]).abs().max().item<double>(),
                 size = wanted[i].abs().max().item<double>();
    EXPECT_LE(error, tolerance * size) << of << ", " << names[i] << ": " << error / size << " of the largest number";
  }
}

void same(const Tensors &a, const Tensors &b, const std::string &of) {
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(at::equal(a[i], b[i])) << of << ": number " << i << " of output and gradients has other bits";
}

std::string words(at::IntArrayRef shape) { return c10::str(shape); }

} // namespace

// Maps of one chunk and many, with rests; means far from zero beside the deviation. The gradient
// of two numbers is what is left of differences that nearly cancel.
TEST(BatchNorm, IsLibtorchs) {
  struct Case {
    std::vector<int64_t> shape;
    double mean, deviation, tolerance;
  };
  const double momentum = 0.1, eps = 1e-5;
  const Case cases[] = {
      {{8, 5, 28, 64}, 0, 1, 1e-6},      {{4, 8, 32, 200}, 0.3, 2, 1e-6},
      {{1, 1, 1, 2}, 0, 1, 1e-3},        {{3, 5}, 0, 1, 1e-6},
      {{3, 5, 7}, 0, 1, 1e-6},           {{1, 3, 1, 4096}, 0, 1, 1e-6},
      {{1, 2, 1, 4097}, 0, 1, 1e-6},     {{600, 2, 3, 1}, 0, 1, 1e-6},
      {{4, 3, 9, 131}, 1e3, 1, 1e-6},    {{2, 2, 1, 301}, -1e3, 1, 1e-6},
      {{2, 1, 128, 1024}, 1e3, 1, 1e-6},
  };
  for (const Case &k : cases) {
    const int64_t channels = k.shape[1];
    const Tensor x = randn(k.shape, 1).mul(k.deviation).add(k.mean), weight = randn({channels}, 2).add(2),
                 bias = randn({channels}, 3), mean = randn({channels}, 4), variance = randn({channels}, 5).abs();
    const std::string of = words(k.shape) + " of mean " + std::to_string(static_cast<int>(k.mean));
    const auto ours = [&](Tensors &running) {
      return results({x, weight, bias}, at::kFloat, [&](const Tensors &t) {
        running = {mean.clone(), variance.clone()};
        return BatchNorm::call(t[0], t[1], t[2], running[0], running[1], momentum, eps);
      });
    };
    Tensors moved, again, wanted_moved;
    const Tensors got = ours(moved);
    const Tensors wanted = results({x, weight, bias}, at::kDouble, [&](const Tensors &t) {
      wanted_moved = {mean.to(at::kDouble), variance.to(at::kDouble)};
      return at::batch_norm(t[0], t[1], t[2], wanted_moved[0], wanted_moved[1], true, momentum, eps, false);
    });
    near(got, wanted, k.tolerance, of);
    near(moved, wanted_moved, 1e-6, "running statistics of " + of);
    if (x.numel() < 100000) { // seconds
      same(got, ours(again), of);
      same(moved, again, of);
    }
  }
}

// A channel of one value has no deviation, and not NaN either.
TEST(BatchNorm, OfAConstant) {
  const Tensor x = at::full({2, 3, 4, 50}, 0.1f), one = at::full({3}, 1.0f), bias = randn({3}, 1);
  const Tensor mean = at::zeros({3}), variance = at::zeros({3});
  const Tensor y = BatchNorm::call(x, one, bias, mean, variance, 1, 1e-5);
  EXPECT_TRUE(at::equal(y, bias.view({1, 3, 1, 1}).expand_as(y)));
  EXPECT_EQ(variance.abs().max().item<float>(), 0);
  EXPECT_TRUE(at::equal(mean, at::full({3}, 0.1f)));
}

// Widths that leave a rest, windows of all sizes that are added up differently, zeros; every activation. Of short
// windows the sum is in order: without an exponential the bits are those of libtorch's two operations.
TEST(ActivationPool, IsItsTwoOperations) {
  struct Form {
    const char *name;
    shim::gpu::ActivationOptions options;
    std::function<Tensor(const Tensor &)> libtorch;
  };
  const Form forms[] = {
      {"none", {1, 1, 0}, [](const Tensor &x) { return x; }},
      {"LeakyReLU", {1, 0.01, 0}, [](const Tensor &x) { return at::leaky_relu(x, 0.01); }},
      {"ReLU", {1, 0, 0}, [](const Tensor &x) { return at::relu(x); }},
      {"ELU", {1, 0.7, 1}, [](const Tensor &x) { return at::elu(x, 0.7); }},
      {"SELU", {1.0507009873554805, 1.7580993408473766, 1}, [](const Tensor &x) { return at::selu(x); }},
  };
  struct Case {
    std::vector<int64_t> shape;
    int64_t k;
  };
  const Case cases[] = {
      {{4, 15, 7, 125}, 8},  {{2, 15, 2, 250}, 16},   {{4, 8, 1, 200}, 4}, {{1, 1, 1, 1}, 1},
      {{1, 2, 3, 7}, 7},     {{2, 3, 5, 100}, 3},     {{300, 1, 1, 9}, 2}, {{2, 2, 1, 511}, 256},
      {{1, 3, 2, 600}, 257}, {{1, 1, 2, 9000}, 4100},
  };
  for (const Case &k : cases) {
    const Tensor x = randn(k.shape, 1);
    x.view(-1)[0].zero_();
    for (const Form &f : forms) {
      if (x.numel() > 10000 && f.options.negative != 0.01 && f.options.exponent == 0)
        continue; // seconds
      const std::string of = std::string(f.name) + ", " + words(k.shape) + " by " + std::to_string(k.k);
      const auto ours = [&](const Tensors &t) { return ActivationPool::call(t[0], f.options, k.k); };
      const auto theirs = [&](const Tensors &t) { return at::avg_pool2d(f.libtorch(t[0]), {1, k.k}, {1, k.k}); };
      const Tensors got = results({x}, at::kFloat, ours);
      // A mean of thousands is much smaller than what was rounded.
      near(got, results({x}, at::kDouble, theirs), k.k > 4000 ? 4e-6 : 1e-6, of);
      same(got, results({x}, at::kFloat, ours), of);
      if (k.k <= shim::gpu::longest_short_window && f.options.exponent == 0)
        same(got, results({x}, at::kFloat, theirs), of + " beside libtorch's");
    }
  }
}

// EEGNet's three convolutions, padding that is larger than the kernel, every number of channels computed at once,
// kernels of more weights than one block takes, more points than a chunk.
TEST(DepthwiseConv2d, IsLibtorchs) {
  struct Case {
    std::vector<int64_t> x, weight;
    std::array<int64_t, 2> pad;
    bool bias;
  };
  const Case cases[] = {
      {{2, 1, 8, 100}, {4, 1, 1, 64}, {0, 32}, false}, {{4, 8, 32, 200}, {16, 1, 32, 1}, {0, 0}, false},
      {{4, 16, 1, 50}, {16, 1, 1, 16}, {0, 8}, false}, {{1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0}, true},
      {{3, 2, 5, 9}, {6, 1, 3, 4}, {1, 2}, true},      {{2, 3, 4, 3}, {15, 1, 2, 2}, {3, 5}, true},
      {{40, 1, 3, 41}, {2, 1, 1, 9}, {0, 4}, true},    {{2, 2, 6, 5}, {2, 1, 6, 5}, {0, 0}, true},
      {{1, 1, 70, 1}, {1, 1, 66, 1}, {2, 0}, true},
  };
  for (const Case &k : cases) {
    const Tensors inputs = {randn(k.x, 1), randn(k.weight, 2), k.bias ? randn({k.weight[0]}, 3) : Tensor()};
    const std::string of = words(k.x) + " with " + words(k.weight);
    const auto ours = [&](const Tensors &t) { return DepthwiseConv2d::call(t[0], t[1], t[2], k.pad); };
    const auto theirs = [&](const Tensors &t) {
      return at::conv2d(t[0], t[1], t[2], 1, at::IntArrayRef(k.pad), 1, k.x[1]);
    };
    const Tensors got = results(inputs, at::kFloat, ours);
    near(got, results(inputs, at::kDouble, theirs), 1e-6, of);
    if (inputs[1].numel() < 200) // seconds
      same(got, results(inputs, at::kFloat, ours), of);
  }
}

// Weights that do not fit into shared memory. A sum of thousands in order is less exact.
TEST(DepthwiseConv2d, OfLongKernels) {
  const Tensor weight = randn({2, 1, 1, 4097}, 2), bias = randn({2}, 3);
  const std::array<int64_t, 2> pad{0, 1};
  const auto ours = [&](const Tensors &t) { return DepthwiseConv2d::call(t[0], weight, bias, pad); };
  const auto theirs = [&](const Tensors &t) {
    return at::conv2d(t[0], weight.to(at::kDouble), bias.to(at::kDouble), 1, at::IntArrayRef(pad));
  };
  const Tensors x = {randn({1, 1, 1, 4100}, 1)};
  near(results(x, at::kFloat, ours), results(x, at::kDouble, theirs), 3e-6, "4097 weights");
}

// Gradients that nobody wants are not computed, and inputs of another layout are put in order.
TEST(Functions, ComputeWhatIsWanted) {
  const shim::gpu::ActivationOptions leaky{1, 0.1, 0};
  const Tensor x = randn({2, 9, 6, 3}, 1).transpose(1, 3), weight = leaf(randn({6, 1, 2, 2}, 2), at::kFloat);
  const Tensor y = DepthwiseConv2d::call(x, weight, {}, {0, 0});
  y.sum().backward();
  EXPECT_TRUE(weight.grad().defined());
  EXPECT_FALSE(x.grad().defined());
  EXPECT_LE((y - at::conv2d(x, weight, {}, 1, at::IntArrayRef{0, 0}, 1, 3)).abs().max().item<float>(), 1e-5);
  EXPECT_TRUE(at::equal(ActivationPool::call(x, leaky, 2), ActivationPool::call(x.contiguous(), leaky, 2)));
}

namespace {
template <typename F> std::string error(const F &f) {
  try {
    f();
  } catch (const c10::Error &e) {
    return e.what_without_backtrace();
  } catch (const std::exception &e) {
    return e.what();
  }
  return "";
}
#define SAYS(expression, part)                                                                                         \
  do {                                                                                                                 \
    const std::string said = error([&] { expression; });                                                               \
    EXPECT_NE(said.find(part), std::string::npos) << "\"" << said << "\" does not say: " << part;                      \
  } while (0)
} // namespace

TEST(Functions, RefuseWhatTheyCannotCompute) {
  const shim::gpu::ActivationOptions leaky{1, 0.1, 0};
  const Tensor x = randn({2, 3, 4, 9}, 1), three = randn({3}, 2);
  SAYS(ActivationPool::call(x, leaky, 10), "windows of 10 do not fit rows of 9");
  SAYS(ActivationPool::call(x.view({6, 36}), leaky, 2), "not one of the shape [6, 36]");
  SAYS(ActivationPool::call(x.to(at::kDouble), leaky, 2), "input must be of float32");
  SAYS(BatchNorm::call(x, three, three, randn({2}, 1), three, 0.1, 1e-5), "running mean has the shape [2]");
  SAYS(BatchNorm::call(randn({1, 3, 1, 1}, 1), three, three, three, three, 0.1, 1e-5), "more than one value");
  SAYS(DepthwiseConv2d::call(x, randn({4, 1, 1, 1}, 1), {}, {0, 0}), "does not convolve every channel");
  SAYS(DepthwiseConv2d::call(x, randn({3, 1, 5, 1}, 1), {}, {0, 0}), "is larger than an input");
  SAYS(DepthwiseConv2d::call(x, randn({3, 1, 1, 1}, 1), {}, {0, -1}), "less than nothing");
  const Tensor twice = leaf(x, at::kFloat);
  SAYS(torch::autograd::grad({ActivationPool::call(twice, leaky, 3).sum()}, {twice}, {}, true, /*create_graph=*/true),
       "has no gradient of its own");
  // Nothing is counted, so that there is nothing to do on a CPU.
  SAYS(shim::gpu::activation_avg_pool2d(x, leaky, 3), "activation_pool_short is a kernel for GPUs");
}

// Where there is an NVRTC, which needs no GPU: in libtorch's folder, or in LD_LIBRARY_PATH.
TEST(NVRTC, CompilesTheKernels) {
  if (!shim::gpu::has_nvrtc())
    GTEST_SKIP() << "no libnvrtc here; scripts/compile_kernels.py gets one";
  const shim::gpu::Program known = shim::gpu::compile_kernels(90), newer = shim::gpu::compile_kernels(999);
  EXPECT_EQ(known.options, "--gpu-architecture=sm_90");
  EXPECT_EQ(known.code.substr(1, 3), "ELF");
  EXPECT_EQ(newer.options.rfind("--gpu-architecture=compute_", 0), 0u);
  EXPECT_NE(newer.code.find(".entry depthwise_weight_parts"), std::string::npos);
  SAYS(shim::gpu::compile_kernels(20), "nothing as old as a device of compute capability 2.0");
  SAYS(shim::gpu::compile("__global__ void f() { nonsense(); }", 90), "nonsense");
}
