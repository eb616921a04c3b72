/* The operations with their gradients. A launcher is made for each pass, from the device that it is on:
 * gradients are computed by another thread than the one that asked for them. */
#pragma once

#include "kernels.h"
#include "launch.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <vector>

namespace shim::gpu {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/* A gradient's gradient would be wrong without a word: its kernels leave no trace for it. */
inline void no_second_gradient(const char *operation) {
  TORCH_CHECK(!at::GradMode::is_enabled(), "the gradient of ", operation,
              " by the GPU kernels has no gradient of its own");
}

inline bool plain(const at::Tensor &t) { return t.defined() && t.scalar_type() == at::kFloat && t.numel() > 0; }

/* What every kernel takes for granted of a tensor. */
inline void check_numbers(const char *operation, const char *name, const at::Tensor &t, const at::Tensor &x) {
  TORCH_CHECK(plain(t), operation, " by the GPU kernels: ", name, " must be of float32, with at least one number");
  TORCH_CHECK(t.device() == x.device(), operation, ": ", name, " is on ", t.device(), " and the input on ", x.device());
  TORCH_CHECK(t.numel() < int64_t{1} << 31, operation, " by the GPU kernels takes fewer than 2^31 numbers, and ", name,
              " has the shape ", t.sizes());
}

template <typename Launcher> struct BatchNorm : torch::autograd::Function<BatchNorm<Launcher>> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const at::Tensor &bias, const at::Tensor &mean, const at::Tensor &variance, double momentum,
                            double eps) {
    const at::Tensor statistics = scratch(x, {3, x.size(1)}), y = at::empty_like(x);
    Launcher launch(x.device());
    batch_norm_forward(launch, x, weight, bias, mean, variance, momentum, eps, statistics, y);
    context->save_for_backward({x, weight, statistics});
    return y;
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    no_second_gradient("batch_norm");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], dy = grads[0].contiguous();
    const at::Tensor dx = context->needs_input_grad(0) ? at::empty_like(x) : at::Tensor();
    const at::Tensor dweight = at::empty_like(weight), dbias = at::empty_like(weight);
    Launcher launch(x.device());
    batch_norm_backward(launch, dy, x, weight, saved[2], dx, dweight, dbias);
    return {dx, dweight, dbias, {}, {}, {}, {}};
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
    return BatchNorm::apply(x.contiguous(), weight, bias, mean, variance, momentum, eps);
  }
};

inline Activation activation(double positive, double negative, double exponent) {
  return {static_cast<float>(positive), static_cast<float>(negative), static_cast<float>(exponent)};
}

template <typename Launcher> struct ActivationPool : torch::autograd::Function<ActivationPool<Launcher>> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, double positive, double negative,
                            double exponent, int64_t k) {
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() /= k;
    const at::Tensor y = scratch(x, shape);
    Launcher launch(x.device());
    activation_pool_forward(launch, x, activation(positive, negative, exponent), k, y);
    context->save_for_backward({x});
    context->saved_data["positive"] = positive;
    context->saved_data["negative"] = negative;
    context->saved_data["exponent"] = exponent;
    context->saved_data["k"] = k;
    return y;
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    no_second_gradient("avg_pool2d");
    const at::Tensor x = context->get_saved_variables()[0], dy = grads[0].contiguous(), dx = at::empty_like(x);
    Launcher launch(x.device());
    const auto number = [&](const char *name) { return context->saved_data[name].toDouble(); };
    activation_pool_backward(launch, dy, x, activation(number("positive"), number("negative"), number("exponent")),
                             context->saved_data["k"].toInt(), dx);
    return {dx, {}, {}, {}, {}};
  }

  static at::Tensor call(const at::Tensor &x, const ActivationOptions &a, int64_t width) {
    const char *const name = "avg_pool2d";
    check_numbers(name, "input", x, x);
    TORCH_CHECK(x.dim() == 4, name, " takes an input [clips, channels, rows, points], not one of the shape ",
                x.sizes());
    TORCH_CHECK(width > 0 && width <= x.size(3), name, ": windows of ", width, " do not fit rows of ", x.size(3));
    return ActivationPool::apply(x.contiguous(), a.positive, a.negative, a.exponent, width);
  }
};

template <typename Launcher> struct DepthwiseConv2d : torch::autograd::Function<DepthwiseConv2d<Launcher>> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const std::optional<at::Tensor> &bias, int64_t top, int64_t left) {
    const at::Tensor y = scratch(x, {x.size(0), weight.size(0), x.size(2) + 2 * top - weight.size(2) + 1,
                                     x.size(3) + 2 * left - weight.size(3) + 1});
    Launcher launch(x.device());
    depthwise_forward(launch, x, weight, bias.value_or(at::Tensor()), {top, left}, y);
    context->save_for_backward({x, weight});
    context->saved_data["top"] = top;
    context->saved_data["left"] = left;
    context->saved_data["bias"] = bias.has_value();
    return y;
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    no_second_gradient("depthwise_conv2d");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], dy = grads[0].contiguous();
    const std::array<int64_t, 2> pad{context->saved_data["top"].toInt(), context->saved_data["left"].toInt()};
    const bool bias = context->saved_data["bias"].toBool();
    at::Tensor dx, dweight, dbias;
    Launcher launch(x.device());
    if (context->needs_input_grad(0)) {
      dx = at::empty_like(x);
      depthwise_backward_input(launch, dy, x, weight, pad, dx);
    }
    if (context->needs_input_grad(1) || (bias && context->needs_input_grad(2))) {
      dweight = at::empty_like(weight);
      if (bias)
        dbias = scratch(weight, {weight.size(0)});
      depthwise_backward_weight(launch, dy, x, weight, pad, dweight, dbias);
    }
    return {dx, dweight, dbias, {}, {}};
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
    const std::optional<at::Tensor> given = bias.defined() ? std::optional(bias) : std::nullopt;
    return DepthwiseConv2d::apply(x.contiguous(), weight.contiguous(), given, pad[0], pad[1]);
  }
};

} // namespace shim::gpu
