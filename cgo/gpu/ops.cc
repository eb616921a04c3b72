// The operations on a GPU.
#include "kernels.h"

#ifdef EP_WITH_CUDA
#include "functions.h"
#include "nvrtc.h"

#include <c10/cuda/CUDAStream.h>

using at::Tensor;

namespace {

// On the stream that is the device's current one when a pass begins, from which its memory comes too.
class Launcher {
public:
  explicit Launcher(at::Device device) : stream_(c10::cuda::getCurrentCUDAStream(device.index())) {}

  template <typename... Arguments> void operator()(const char *kernel, int64_t blocks, Arguments... arguments) {
    void *pointers[] = {&arguments...};
    shim::gpu::launch(stream_.device_index(), stream_.stream(), kernel, shim::gpu::narrow(blocks), pointers);
  }

private:
  const c10::cuda::CUDAStream stream_;
};

void check_device(const char *operation, const Tensor &x) {
  TORCH_CHECK(x.defined() && x.is_cuda(), operation, " by the GPU kernels takes an input on a GPU");
}

} // namespace

Tensor shim::gpu::batch_norm(const Tensor &x, const Tensor &weight, const Tensor &bias, const Tensor &running_mean,
                             const Tensor &running_var, double momentum, double eps) {
  check_device("batch_norm", x);
  return BatchNorm<Launcher>::call(x, weight, bias, running_mean, running_var, momentum, eps);
}

Tensor shim::gpu::leaky_relu_avg_pool2d(const Tensor &x, double slope, int64_t width) {
  check_device("leaky_relu_avg_pool2d", x);
  return LeakyPool<Launcher>::call(x, slope, width);
}

Tensor shim::gpu::depthwise_conv2d(const Tensor &x, const Tensor &weight, const Tensor &bias,
                                   std::array<int64_t, 2> pad) {
  check_device("depthwise_conv2d", x);
  return DepthwiseConv2d<Launcher>::call(x, weight, bias, pad);
}
#else
#include <c10/util/Exception.h>

using at::Tensor;

namespace {
[[noreturn]] void without() { TORCH_CHECK(false, "the GPU kernels can't run: the shim was built without CUDA"); }
} // namespace

Tensor shim::gpu::batch_norm(const Tensor &, const Tensor &, const Tensor &, const Tensor &, const Tensor &, double,
                             double) {
  without();
}
Tensor shim::gpu::leaky_relu_avg_pool2d(const Tensor &, double, int64_t) { without(); }
Tensor shim::gpu::depthwise_conv2d(const Tensor &, const Tensor &, const Tensor &, std::array<int64_t, 2>) {
  without();
}
#endif
