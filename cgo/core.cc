// Status, threads, scopes and devices.
#include "alloc.h"
#include "internal.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include <algorithm>
#include <thread>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace shim {

namespace {
std::atomic<int64_t> live_tensors{0};
std::atomic<int32_t> num_threads{0}; // 0: libtorch's own choice
thread_local int32_t applied_threads = 0;

void allow_tf32(bool convolutions, bool products) {
  at::globalContext().setAllowTF32CuDNN(convolutions);
  at::globalContext().setAllowTF32CuBLAS(products);
}

// Where libtorch has a form of an operation that gives the same bits each time, it is used;
// that it has none is an error.
void be_deterministic(bool on) {
  at::globalContext().setDeterministicCuDNN(on);
  at::globalContext().setDeterministicAlgorithms(on, false);
  // Not its other half, which writes every new tensor to show who reads it too early.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}
} // namespace

void use_num_threads() {
  const int32_t want = num_threads.load(std::memory_order_relaxed);
  if (want == 0 || want == applied_threads)
    return;
  // OpenMP's count is a thread-local variable, and the caller may come on any
  // thread.
  at::set_num_threads(want);
  applied_threads = want;
}

void Autocast::set(bool to) {
  for (const at::DeviceType type : {at::kCPU, at::kCUDA}) {
    at::autocast::set_autocast_dtype(type, at::kBFloat16);
    at::autocast::set_autocast_enabled(type, to);
  }
  // It keeps weights for as long as a forward pass, of which one call knows nothing.
  at::autocast::set_autocast_cache_enabled(!to);
}

ep_tensor adopt(ep_scope scope, at::Tensor value) {
  auto *t = new ep_tensor_s{std::move(value), scope, scope->tensors.size()};
  try {
    scope->tensors.push_back(t);
  } catch (...) {
    delete t;
    throw;
  }
  live_tensors.fetch_add(1, std::memory_order_relaxed);
  return t;
}

ep_status failure(int32_t code, const char *message) {
  // libtorch puts the operator's registration notes on further lines.
  size_t length = std::strcspn(message, "\n");
  auto *copy = static_cast<char *>(std::malloc(length + 1));
  if (copy) {
    std::memcpy(copy, message, length);
    copy[length] = 0;
  }
  return {code, copy};
}

at::ScalarType scalar_type(int32_t dtype) {
  switch (dtype) {
  case EP_FLOAT32:
    return at::kFloat;
  case EP_FLOAT64:
    return at::kDouble;
  case EP_INT64:
    return at::kLong;
  case EP_BOOL:
    return at::kBool;
  case EP_INT32:
    return at::kInt;
  case EP_INT16:
    return at::kShort;
  case EP_INT8:
    return at::kChar;
  case EP_UINT8:
    return at::kByte;
  }
  TORCH_CHECK(false, "unknown element type ", dtype);
}

static void release(ep_tensor t) {
  delete t;
  live_tensors.fetch_sub(1, std::memory_order_relaxed);
}

} // namespace shim

ep_status ep_init(void) {
  return shim::call(false, [] {
#ifdef __GLIBC__
    // A training step frees and asks again for the same few large blocks.
    // glibc's defaults give them back to the kernel each time and pay for
    // fresh zeroed pages.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 2147483647);
    mallopt(M_TOP_PAD, 64 << 20);
    // Each arena keeps the most that was ever in use of it; threads beyond the cores
    // gain nothing from one of their own.
    mallopt(M_ARENA_MAX, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
#endif
#ifndef __SANITIZE_ADDRESS__ // which watches its own allocator only
    shim::keep_large_blocks();
#endif
    // Numbers are compared with PyTorch's CPU: no silent 10-bit mantissas.
    shim::allow_tf32(false, false);
    // libtorch refuses deterministic products without it; cuBLAS reads it at its first call.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    shim::be_deterministic(true);
  });
}

ep_status ep_message_free(char *message) {
  std::free(message);
  return {EP_OK, nullptr};
}

ep_status ep_set_num_threads(int32_t n) {
  return shim::call(false, [&] {
    TORCH_CHECK(n > 0, "the number of threads must be positive, got ", n);
    shim::num_threads.store(n, std::memory_order_relaxed);
  });
}

ep_status ep_num_threads(int32_t *n) {
  return shim::call(false, [&] { *n = at::get_num_threads(); });
}

ep_status ep_allow_tf32(int32_t convolutions, int32_t products) {
  return shim::call(false, [&] { shim::allow_tf32(convolutions != 0, products != 0); });
}

ep_status ep_set_deterministic(int32_t on) {
  return shim::call(false, [&] { shim::be_deterministic(on != 0); });
}

ep_status ep_set_cudnn_benchmark(int32_t on) {
  return shim::call(false, [&] { at::globalContext().setBenchmarkCuDNN(on != 0); });
}

ep_status ep_live_tensors(int64_t *n) {
  *n = shim::live_tensors.load(std::memory_order_relaxed);
  return {EP_OK, nullptr};
}

ep_status ep_scope_new(int32_t grad, ep_scope *out) {
  return shim::call(false, [&] { *out = new ep_scope_s{grad != 0, false, {}}; });
}

ep_status ep_scope_autocast(ep_scope scope) {
  return shim::call(false, [&] { scope->bf16 = true; });
}

ep_status ep_scope_free(ep_scope scope) {
  return shim::call(false, [&] {
    // Last made, first freed: an autograd graph then goes node by node.
    for (auto it = scope->tensors.rbegin(); it != scope->tensors.rend(); ++it)
      if (*it)
        shim::release(*it);
    delete scope;
  });
}

ep_status ep_tensor_keep(ep_tensor tensor) {
  return shim::call(false, [&] {
    TORCH_CHECK(tensor->owner, "the tensor was taken out of its scope before");
    tensor->owner->tensors[tensor->slot] = nullptr;
    tensor->owner = nullptr;
  });
}

ep_status ep_tensor_free(ep_tensor tensor) {
  return shim::call(false, [&] {
    if (tensor->owner)
      tensor->owner->tensors[tensor->slot] = nullptr;
    shim::release(tensor);
  });
}

extern "C" __attribute__((visibility("default"))) const int ep_abi_version = EP_ABI_VERSION;
