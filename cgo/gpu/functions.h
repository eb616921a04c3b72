/* The operations with their gradients. A launcher is made for each pass, from the device that it is on:
 * gradients are computed by another thread than the one that asked for them. */
#pragma once

#include "../autograd/function.h"
#include "kernels.h"
#include "launch.h"

#include <vector>

namespace shim::gpu {

inline bool plain(const at::Tensor &t) { return t.defined() && t.scalar_type() == at::kFloat && t.numel() > 0; }

/* What every kernel takes for granted of a tensor. */
inline void check_numbers(const char *operation, const char *name, const at::Tensor &t, const at::Tensor &x) {
  TORCH_CHECK(plain(t), operation, " by the GPU kernels: ", name, " must be of float32, with at least one number");
  TORCH_CHECK(t.device() == x.device(), operation, ": ", name, " is on ", t.device(), " and the input on ", x.device());
  TORCH_CHECK(t.numel() < int64_t{1} << 31, operation, " by the GPU kernels takes fewer than 2^31 numbers, and ", name,
              " has the shape ", t.sizes());
}

template <typename Launcher> struct BatchNorm : Function {
  BatchNorm(const at::Tensor &mean, const at::Tensor &variance, double momentum, double eps)
      : mean(mean), variance(variance), momentum(momentum), eps(eps) {}
  const at::Tensor mean, variance;
  const double momentum, eps;
  const char *name() const override { return "batch_norm by the GPU kernels"; }

  at::Tensor forward(const Tensors &inputs, Tensors &saved) override {
    const at::Tensor &x = inputs[0], &weight = inputs[1];
    const at::Tensor statistics = scratch(x, {3, x.size(1)}), y = at::empty_like(x);
    Launcher launch(x.device());
    batch_norm_forward(launch, x, weight, inputs[2], mean, variance, momentum, eps, statistics, y);
    saved = {x, weight, statistics};
    return y;
  }

  Tensors backward(const at::Tensor &gradient, const Tensors &saved, const std::vector<bool> &needed) override {
    const at::Tensor &x = saved[0], &weight = saved[1], dy = gradient.contiguous();
    const at::Tensor dx = needed[0] ? at::empty_like(x) : at::Tensor();
    const at::Tensor dweight = at::empty_like(weight), dbias = at::empty_like(weight);
    Launcher launch(x.device());
    batch_norm_backward(launch, dy, x, weight, saved[2], dx, dweight, dbias);
    return {dx, dweight, dbias};
  }

  static at::Tensor call(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const at::Tensor &mean,
                         const at::Tensor &variance, double momentum, double eps) {
    const char *const name = "batch_norm";
    check_numbers(name, "input", x, x);
    TORCH_CHECK(x.dim() >= 2, "batch_norm takes an input [clips, channels, ...], not one of the shape ", x.sizes());
    TORCH_CHECK(x.numel() != x.size(1), "training needs more than one value per channel, the input has shape ",
                x.sizes());
    const auto check = [&](const char *what, const at::Tensor &t) {
      check_numbers(name, what, t, x);
      TORCH_CHECK(t.numel() == x.size(1) && t.is_contiguous(), "batch_norm: ", what, " has the shape ", t.sizes(),
                  " where ", x.size(1), " contiguous numbers are wanted, one for each channel");
    };
    check("weight", weight);
    check("bias", bias);
    check("running mean", mean);
    check("running variance", variance);
    return apply<BatchNorm>({x.contiguous(), weight, bias}, mean, variance, momentum, eps);
  }
};

template <typename Launcher> struct ActivationPool : Function {
  ActivationPool(const ActivationOptions &a, int64_t width)
      : activation{static_cast<float>(a.positive), static_cast<float>(a.negative), static_cast<float>(a.exponent)},
        width(width) {}
  const Activation activation;
  const int64_t width;
  const char *name() const override { return "avg_pool2d by the GPU kernels"; }

  at::Tensor forward(const Tensors &inputs, Tensors &saved) override {
    const at::Tensor &x = inputs[0];
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() /= width;
    const at::Tensor y = scratch(x, shape);
    Launcher launch(x.device());
    activation_pool_forward(launch, x, activation, width, y);
    saved = {x};
    return y;
  }

  Tensors backward(const at::Tensor &gradient, const Tensors &saved, const std::vector<bool> &) override {
    const at::Tensor &x = saved[0], dy = gradient.contiguous(), dx = at::empty_like(x);
    Launcher launch(x.device());
    activation_pool_backward(launch, dy, x, activation, width, dx);
    return {dx};
  }

  static at::Tensor call(const at::Tensor &x, const ActivationOptions &a, int64_t width) {
    const char *const name = "avg_pool2d";
    check_numbers(name, "input", x, x);
    TORCH_CHECK(x.dim() == 4, name, " takes an input [clips, channels, rows, points], not one of the shape ",
                x.sizes());
    TORCH_CHECK(width > 0 && width <= x.size(3), name, ": windows of ", width, " do not fit rows of ", x.size(3));
    return apply<ActivationPool>({x.contiguous()}, a, width);
  }
};

template <typename Launcher> struct DepthwiseConv2d : Function {
  explicit DepthwiseConv2d(std::array<int64_t, 2> pad) : pad(pad) {}
  const std::array<int64_t, 2> pad; // above and below, left and right
  const char *name() const override { return "depthwise_conv2d by the GPU kernels"; }

  at::Tensor forward(const Tensors &inputs, Tensors &saved) override {
    const at::Tensor &x = inputs[0], &weight = inputs[1];
    const at::Tensor y = scratch(x, {x.size(0), weight.size(0), x.size(2) + 2 * pad[0] - weight.size(2) + 1,
                                     x.size(3) + 2 * pad[1] - weight.size(3) + 1});
    Launcher launch(x.device());
    depthwise_forward(launch, x, weight, inputs[2], pad, y);
    saved = {x, weight};
    return y;
  }

  Tensors backward(const at::Tensor &gradient, const Tensors &saved, const std::vector<bool> &needed) override {
    const at::Tensor &x = saved[0], &weight = saved[1], dy = gradient.contiguous();
    at::Tensor dx, dweight, dbias;
    Launcher launch(x.device());
    if (needed[0]) {
      dx = at::empty_like(x);
      depthwise_backward_input(launch, dy, x, weight, pad, dx);
    }
    if (needed[1] || needed[2]) {
      dweight = at::empty_like(weight);
      if (needed[2])
        dbias = scratch(weight, {weight.size(0)});
      depthwise_backward_weight(launch, dy, x, weight, pad, dweight, dbias);
    }
    return {dx, dweight, dbias};
  }

  static at::Tensor call(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                         std::array<int64_t, 2> pad) {
    const char *const name = "depthwise_conv2d";
    check_numbers(name, "input", x, x);
    check_numbers(name, "weight", weight, x);
    TORCH_CHECK(x.dim() == 4 && weight.dim() == 4 && weight.size(1) == 1 && weight.size(0) % x.size(1) == 0, name,
                ": a weight of the shape ", weight.sizes(),
                " does not convolve every channel of an input of the shape ", x.sizes(), " alone");
    TORCH_CHECK(pad[0] >= 0 && pad[1] >= 0, name, " can't pad by less than nothing: ", pad[0], " and ", pad[1]);
    for (const int d : {0, 1})
      TORCH_CHECK(weight.size(2 + d) <= x.size(2 + d) + 2 * pad[d], name, ": a kernel of the shape ", weight.sizes(),
                  " is larger than an input of the shape ", x.sizes(), " with zeros around it");
    if (bias.defined()) {
      check_numbers(name, "bias", bias, x);
      TORCH_CHECK(bias.numel() == weight.size(0) && bias.is_contiguous(), name, ": a bias of the shape ", bias.sizes(),
                  " is not one number for each of ", weight.size(0), " channels");
    }
    return apply<DepthwiseConv2d>({x.contiguous(), weight.contiguous(), bias}, pad);
  }
};

} // namespace shim::gpu
