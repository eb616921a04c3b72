// The layers that the networks are made of.
#include "internal.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

using at::IntArrayRef;
using at::Tensor;

ep_status ep_conv2d(ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_conv2d_options o,
                    ep_tensor *out) {
  return shim::make(scope, out, [&] {
    const Tensor ours = scope->bf16 ? Tensor() : shim::temporal_conv2d(input->value, weight->value, shim::optional(bias), o);
    if (ours.defined())
      return ours;
    return at::conv2d(input->value, weight->value, shim::optional(bias), IntArrayRef(o.stride, 2),
                      IntArrayRef(o.padding, 2), IntArrayRef(o.dilation, 2), o.groups);
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
