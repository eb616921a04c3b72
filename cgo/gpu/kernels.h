/* Operations by our own kernels on a GPU, in float32 of contiguous maps; an error where they don't fit. The same shapes
 * give the same bits each time. On a CPU they only count, where a thread's operations are counted: each launch is an
 * operation, and its numbers are zeros. */
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace shim::gpu {

/* In training: by the batch, which also moves mean and variance in place. */
at::Tensor batch_norm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                      const at::Tensor &running_mean, const at::Tensor &running_var, double momentum, double eps);

/* A positive number is multiplied by positive, another by negative, there after exp(exponent * x) - 1 unless the
 * exponent is zero: 1, 1, 0 is none, 1, 0.01, 0 a LeakyReLU, 1, 1, 1 an ELU. */
struct ActivationOptions {
  double positive, negative, exponent;
};

/* The activation, then means of `width` numbers of a row. */
at::Tensor activation_avg_pool2d(const at::Tensor &x, const ActivationOptions &activation, int64_t width);

/* Of stride 1, with as many groups as x has channels and zeros on both sides: pad is height, then width. The bias
 * may be undefined. */
at::Tensor depthwise_conv2d(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                            std::array<int64_t, 2> pad);

} // namespace shim::gpu
