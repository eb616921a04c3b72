// The layers that the networks are made of.
#include "gpu/kernels.h"
#include "internal.h"
#include "kernels/kernels.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include <optional>

using at::IntArrayRef;
using at::Tensor;

ep_status ep_conv2d(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_conv2d_options o,
                    ep_tensor *out) {
  return shim::make(scope, out, [&] {
    const bool plain = o.groups == 1 && o.stride[0] == 1 && o.stride[1] == 1 && o.dilation[0] == 1 && o.dilation[1] == 1;
    if (plain && o.padding[0] == 0 && !scope->bf16) {
      Tensor ours = shim::temporal_conv2d(input->value, weight->value, shim::optional(bias), o.padding[1]);
      if (ours.defined())
        return ours;
    }
    return at::conv2d(input->value, weight->value, shim::optional(bias), IntArrayRef(o.stride, 2),
                      IntArrayRef(o.padding, 2), IntArrayRef(o.dilation, 2), o.groups);
  });
}

ep_status ep_conv2d_nhwc(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, const int64_t *pad,
                         int32_t relu, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    return shim::conv2d_nhwc(input->value, weight->value, shim::optional(bias), {pad[0], pad[1], pad[2], pad[3]}, relu != 0,
                             /*ours=*/!scope->bf16);
  });
}

ep_status ep_conv2d_nhwc_known(int32_t *out) {
  return shim::call(false, [&] { *out = shim::conv2d_nhwc_known(); });
}

ep_status ep_hwcn(ep_scope scope, ep_tensor input, ep_tensor *out) {
  return shim::make(scope, out, [&] { return shim::hwcn(input->value); });
}

ep_status ep_hwcn_together(int64_t *out) {
  return shim::call(false, [&] { *out = shim::hwcn_together(); });
}

ep_status ep_contiguous(ep_scope scope, ep_tensor input, ep_tensor *out) {
  return shim::make(scope, out, [&] { return shim::contiguous(input->value); });
}

ep_status ep_clips_as_channels(ep_scope scope, ep_tensor input, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    TORCH_CHECK(!scope->grad, "clips that lie innermost are for evaluation, without gradients");
    return shim::clips_as_channels(input->value);
  });
}

ep_status ep_channels_as_clips(ep_scope scope, ep_tensor input, int64_t clips, ep_tensor *out) {
  return shim::make(scope, out, [&] { return shim::channels_as_clips(input->value, clips); });
}

static shim::HWCNOptions options(const ep_hwcn_options &o) {
  return {.stride = {o.stride[0], o.stride[1]}, .dilation = {o.dilation[0], o.dilation[1]}, .pad = {o.pad[0], o.pad[1], o.pad[2], o.pad[3]},
          .groups = o.groups, .slope = o.slope, .pool = o.pool, .norm_weight = shim::optional(o.norm_weight),
          .norm_bias = shim::optional(o.norm_bias), .norm_mean = shim::optional(o.norm_mean),
          .norm_variance = shim::optional(o.norm_variance), .norm_eps = o.norm_eps};
}

struct ep_prepared_s {
  shim::Prepared weights;
};

ep_status ep_prepared_new(ep_prepared *out) {
  return shim::call(false, [&] { *out = new ep_prepared_s; });
}

ep_status ep_prepared_free(ep_prepared prepared) {
  return shim::call(false, [&] { delete prepared; });
}

ep_status ep_conv2d_hwcn(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_hwcn_options o, ep_prepared prepared,
                         ep_tensor *out) {
  return shim::make(scope, out, [&] {
    TORCH_CHECK(!scope->grad, "clips that lie innermost are for evaluation, without gradients");
    std::optional<shim::Prepared> once;
    return shim::conv2d_hwcn(input->value, weight->value, shim::optional(bias), options(o), prepared ? prepared->weights : once.emplace());
  });
}

ep_status ep_conv2d_few(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_hwcn_options o, ep_prepared prepared,
                        ep_tensor *out) {
  return shim::make(scope, out, [&] {
    TORCH_CHECK(!scope->grad, "prepared weights are for evaluation, without gradients");
    std::optional<shim::Prepared> once;
    return shim::conv2d_few(input->value, weight->value, shim::optional(bias), options(o), prepared ? prepared->weights : once.emplace());
  });
}

ep_status ep_norm_activation(ep_scope scope, ep_tensor input, ep_hwcn_options o, const double *activation, int32_t over, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    TORCH_CHECK(!scope->grad, "it is for evaluation, without gradients");
    const double exponent = activation[2], gate = activation[3];
    TORCH_CHECK(exponent == 0 || exponent == 1, "an exponent of ", exponent, ": only 1 is known");
    TORCH_CHECK(gate == 0 || gate == 1 || gate == 2, "a gate of ", gate, ": 1 and 2 are known");
    using shim::Curve;
    const Curve curve = gate == 1 ? Curve::normal : gate == 2 ? Curve::logistic : exponent == 1 ? Curve::exponential : Curve::line;
    return shim::norm_activation(input->value, options(o), {activation[0], activation[1], curve}, over != 0);
  });
}

ep_status ep_batch_norm(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_tensor mean,
                        ep_tensor variance, ep_tensor batches, int32_t training, double momentum, double eps,
                        ep_tensor *out) {
  return shim::make(scope, out, [&] {
    Tensor y = shim::batch_norm(input->value, shim::optional(weight), shim::optional(bias), mean->value, variance->value,
                                training != 0, momentum, eps);
    if (training && batches)
      batches->value.add_(1);
    return y;
  });
}

ep_status ep_linear(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_tensor *out) {
  return shim::make(scope, out, [&] { return at::linear(input->value, weight->value, shim::optional(bias)); });
}

ep_status ep_zero_pad2d(ep_scope scope, ep_tensor input, const int64_t *pad, ep_tensor *out) {
  return shim::make(scope, out, [&] { return at::constant_pad_nd(input->value, IntArrayRef(pad, 4), 0); });
}

ep_status ep_avg_pool2d(ep_scope scope, ep_tensor input, const int64_t *kernel, const int64_t *stride,
                        ep_tensor *out) {
  return shim::make(scope, out,
                    [&] { return at::avg_pool2d(input->value, IntArrayRef(kernel, 2), IntArrayRef(stride, 2)); });
}

ep_status ep_leaky_relu_avg_pool2d(ep_scope scope, ep_tensor input, double slope, int64_t width, ep_tensor *out) {
  return shim::make(scope, out, [&] { return shim::leaky_relu_avg_pool2d(input->value, slope, width); });
}

ep_status ep_gpu_batch_norm(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_tensor mean,
                            ep_tensor variance, ep_tensor batches, double momentum, double eps, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    Tensor y = shim::gpu::batch_norm(input->value, weight->value, bias->value, mean->value, variance->value, momentum, eps);
    if (batches)
      batches->value.add_(1);
    return y;
  });
}

ep_status ep_gpu_activation_avg_pool2d(ep_scope scope, ep_tensor input, const double *activation, int64_t width,
                                       ep_tensor *out) {
  return shim::make(scope, out, [&] {
    TORCH_CHECK(activation[3] == 0, "an activation with a gate has no kernel");
    return shim::gpu::activation_avg_pool2d(input->value, {activation[0], activation[1], activation[2]}, width);
  });
}

ep_status ep_gpu_depthwise_conv2d(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, const int64_t *padding,
                                  ep_tensor *out) {
  return shim::make(scope, out, [&] {
    return shim::gpu::depthwise_conv2d(input->value, weight->value, shim::optional(bias), {padding[0], padding[1]});
  });
}

ep_status ep_dropout(ep_scope scope, ep_tensor input, double p, int32_t per_channel, ep_generator generator,
                     ep_tensor *out) {
  return shim::make(scope, out, [&] {
    const Tensor &x = input->value;
    TORCH_CHECK(p >= 0 && p < 1, "the dropout probability must be in [0,1), got ", p);
    std::vector<int64_t> shape = x.sizes().vec();
    for (size_t i = 2; per_channel && i < shape.size(); ++i)
      shape[i] = 1;
    Tensor mask = at::empty(shape, x.options().requires_grad(false));
    mask.bernoulli_(1 - p, generator->value).div_(1 - p);
    return x.mul(mask);
  });
}

ep_status ep_cross_entropy(ep_scope scope, ep_tensor logits, ep_tensor target, ep_tensor *out) {
  return shim::make(scope, out, [&] { return at::cross_entropy_loss(logits->value, target->value); });
}
