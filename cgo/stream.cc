// Streams of their own for the threads that train on a GPU.
#include "stream.h"

#include <ATen/Context.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#ifdef EP_WITH_CUDA
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace shim {

namespace allocator = c10::cuda::CUDACachingAllocator;

// It is held from the beginning, since libtorch takes a pool that nobody holds for freed. There is
// one on the host for the recordings' copies there, which can be held by beginning only.
Pool::Pool(c10::DeviceIndex index) : device(index), id(at::cuda::graph_pool_handle()) {
  allocator::createOrIncrefPool(device, id);
  at::HostAllocator *host = at::getHostAllocator(at::kCUDA);
  host->begin_allocate_to_pool(id, [](c10::Stream) { return false; });
  host->end_allocate_to_pool(id);
}

Pool::~Pool() {
  try {
    at::getHostAllocator(at::kCUDA)->release_pool(id);
    allocator::releasePool(device, id);
    allocator::emptyCache(id);
  } catch (...) { // the device failed: its memory goes with the process
  }
}

namespace {
struct Own {
  c10::cuda::CUDAStream stream;
  std::shared_ptr<Pool> pool;
};
thread_local std::unique_ptr<Own> own; // a thread works for one device
} // namespace

std::shared_ptr<Pool> thread_pool(c10::DeviceIndex device) {
  return own && own->pool->device == device ? own->pool : nullptr;
}

} // namespace shim
#endif

ep_status ep_stream_own(ep_device device, int32_t *has) {
  return shim::call(false, [&] {
#ifdef EP_WITH_CUDA
    *has = device.type == EP_CUDA && shim::thread_pool(shim::device_index(device.index)) != nullptr;
#else
    (void)device;
    *has = 0;
#endif
  });
}

// Its pool is made while nobody records, as in every call.
ep_status ep_stream_take(ep_device device) {
  return shim::call(false, [&] {
#ifdef EP_WITH_CUDA
    TORCH_CHECK(device.type == EP_CUDA, "only a GPU has streams");
    const c10::DeviceIndex index = shim::device_index(device.index);
    TORCH_CHECK(!shim::own, "the thread has a stream of its own already");
    at::globalContext().lazyInitDevice(at::kCUDA); // the first that a program asks of CUDA may be this
    const c10::cuda::CUDAGuard guard(index);
    // Not one of libtorch's 32, which it gives out again and again.
    cudaStream_t raw = nullptr;
    C10_CUDA_CHECK(cudaStreamCreateWithFlags(&raw, cudaStreamNonBlocking));
    const c10::cuda::CUDAStream stream = c10::cuda::getStreamFromExternal(raw, index);
    shim::own = std::make_unique<shim::Own>(shim::Own{stream, std::make_shared<shim::Pool>(index)});
    c10::cuda::setCurrentCUDAStream(stream);
    shim::works_for(index);
#else
    (void)device;
    TORCH_CHECK(false, "the shim was built without CUDA: no GPU has streams");
#endif
  });
}

// On whatever stream the thread has: waiting for the device would be an error while another
// thread records.
ep_status ep_synchronize(ep_device device) {
  return shim::call(false, [&] {
    if (device.type == EP_CUDA)
      c10::impl::VirtualGuardImpl(at::kCUDA).getStream(shim::device_of(device)).synchronize();
  });
}

ep_status ep_stream_follow(ep_device device) {
  return shim::call(false, [&] {
    if (device.type != EP_CUDA)
      return;
    const at::Device gpu = shim::device_of(device);
    const c10::impl::VirtualGuardImpl cuda(at::kCUDA);
    c10::Event asked(at::kCUDA);
    asked.record(cuda.getDefaultStream(gpu));
    asked.block(cuda.getStream(gpu));
  });
}
