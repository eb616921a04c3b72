// The versions that the shim was built with, and the parts that need the CUDA runtime's headers. Without them the
// same interface says that there is no device.
#include "internal.h"

#include <torch/version.h>

#ifdef EP_WITH_CUDA
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#endif

ep_status ep_versions(const char **torch, const char **cuda) {
  return shim::call(false, [&] {
    *torch = TORCH_VERSION;
#ifdef EP_WITH_CUDA
    static const std::string version =
        std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10);
    *cuda = version.c_str();
#else
    *cuda = "";
#endif
  });
}

ep_status ep_cuda_device_count(int32_t *n) {
  return shim::call(false, [&] {
#ifdef EP_WITH_CUDA
    *n = c10::cuda::device_count();
#else
    *n = 0;
#endif
  });
}

ep_status ep_cuda_state(int32_t index, int32_t *code, int32_t *driver, int32_t *runtime) {
  return shim::call(false, [&] {
    *code = *driver = *runtime = 0;
#ifdef EP_WITH_CUDA
    cudaDriverGetVersion(driver);
    cudaRuntimeGetVersion(runtime);
    int before = 0, n = 0;
    cudaError_t error = cudaGetDeviceCount(&n);
    if (error == cudaSuccess && index >= 0 && (error = cudaGetDevice(&before)) == cudaSuccess) {
      if ((error = cudaSetDevice(index)) == cudaSuccess)
        error = cudaFree(nullptr); // makes the device's context
      cudaSetDevice(before);
    }
    cudaGetLastError();
    *code = static_cast<int32_t>(error);
#else
    (void)index;
#endif
  });
}

ep_status ep_cuda_device(int32_t index, char *name, size_t size, int64_t *free_bytes, int64_t *total_bytes) {
  return shim::call(false, [&] {
#ifdef EP_WITH_CUDA
    TORCH_CHECK(index >= 0 && index < c10::cuda::device_count(), "there is no CUDA device ", index);
    cudaDeviceProp properties;
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
    std::strncpy(name, properties.name, size - 1);
    name[size - 1] = 0;
    const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(index));
    size_t free = 0, total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    *free_bytes = static_cast<int64_t>(free);
    *total_bytes = static_cast<int64_t>(total);
#else
    (void)name, (void)size, (void)free_bytes, (void)total_bytes;
    TORCH_CHECK(false, "there is no CUDA device ", index, ": the shim was built without CUDA");
#endif
  });
}
