// The operations on a GPU, and counted on a CPU.
#include "kernels.h"

#include "functions.h"

#include <ATen/record_function.h>

#include <cstring>
#include <vector>

#ifdef EP_WITH_CUDA
#include "nvrtc.h"

#include <c10/cuda/CUDAStream.h>
#endif

using at::Tensor;

namespace {

#ifdef EP_WITH_CUDA
// On the stream that is the device's current one when a pass begins, from which its memory comes too.
class Launcher {
public:
  explicit Launcher(at::Device device) : stream_(c10::cuda::getCurrentCUDAStream(device.index())) {}

  template <typename... Arguments>
  void operator()(const char *kernel, int64_t blocks, const Arguments &...arguments) const {
    run(kernel, shim::gpu::narrow(blocks), shim::gpu::value(arguments)...);
  }

private:
  template <typename... Values> void run(const char *kernel, unsigned blocks, Values... values) const {
    void *pointers[] = {&values...};
    shim::gpu::launch(stream_.device_index(), stream_.stream(), kernel, blocks, pointers);
  }

  const c10::cuda::CUDAStream stream_;
};
#endif

// Reports a launch as libtorch reports its operations to who counts them, and computes nothing.
class Counter {
public:
  explicit Counter(at::Device) {}

  template <typename... Arguments> void operator()(const char *kernel, int64_t, const Arguments &...arguments) const {
    at::RecordFunction report(at::RecordScope::FUNCTION);
    TORCH_CHECK(report.isActive(), kernel, " is a kernel for GPUs, and its input is on a CPU");
    std::vector<c10::IValue> read, written;
    (note(arguments, read, written), ...);
    report.before(kernel, &read);
    report.setOutputs(std::move(written));
  }

private:
  using Values = std::vector<c10::IValue>;
  template <typename T> static void note(const T &, Values &, Values &) {}
  template <typename T> static void note(const shim::gpu::In<T> &a, Values &read, Values &) {
    if (a.tensor.defined())
      read.emplace_back(a.tensor);
  }
  template <typename T> static void note(const shim::gpu::Out<T> &a, Values &, Values &written) {
    if (!a.tensor.defined())
      return;
    std::memset(a.tensor.mutable_data_ptr(), 0, a.tensor.nbytes());
    written.emplace_back(a.tensor);
  }
};

// What an operation is on the device of its input.
template <template <typename> typename Operation, typename... Arguments>
Tensor call(const char *name, const Tensor &x, const Arguments &...arguments) {
#ifdef EP_WITH_CUDA
  if (x.defined() && x.is_cuda())
    return Operation<Launcher>::call(x, arguments...);
#endif
  TORCH_CHECK(x.defined() && x.is_cpu(), name, " by the GPU kernels takes an input on a GPU");
  return Operation<Counter>::call(x, arguments...);
}

} // namespace

Tensor shim::gpu::batch_norm(const Tensor &x, const Tensor &weight, const Tensor &bias, const Tensor &running_mean,
                             const Tensor &running_var, double momentum, double eps) {
  return call<BatchNorm>("batch_norm", x, weight, bias, running_mean, running_var, momentum, eps);
}

Tensor shim::gpu::activation_avg_pool2d(const Tensor &x, const ActivationOptions &activation, int64_t width) {
  return call<ActivationPool>("avg_pool2d", x, activation, width);
}

Tensor shim::gpu::depthwise_conv2d(const Tensor &x, const Tensor &weight, const Tensor &bias,
                                   std::array<int64_t, 2> pad) {
  return call<DepthwiseConv2d>("depthwise_conv2d", x, weight, bias, pad);
}
