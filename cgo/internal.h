/* Shared by the shim's source files. No libtorch operator is included here:
 * each file includes the narrow headers that it needs, since torch/torch.h alone
 * takes half a minute to compile. */
#pragma once

#include "sharing.h"
#include "shim.h"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct ep_tensor_s {
  at::Tensor value;
  ep_scope owner; // NULL once kept
  size_t slot;    // where owner->tensors holds this one
};

struct ep_scope_s {
  bool grad, bf16;
  std::vector<ep_tensor> tensors; // NULL where one was kept or freed
};

struct ep_generator_s {
  at::Generator value;
};

namespace shim {

ep_tensor adopt(ep_scope scope, at::Tensor value);
ep_status failure(int32_t code, const char *message);

/* Sets the thread's number of OpenMP threads where it differs from the number asked for. */
void use_num_threads();

/* torch.autocast in bfloat16, for the operations of one call, where on. */
class Autocast {
public:
  explicit Autocast(bool on) : on(on) {
    if (on)
      set(true);
  }
  ~Autocast() {
    if (on)
      set(false);
  }
  Autocast(const Autocast &) = delete;
  Autocast &operator=(const Autocast &) = delete;

private:
  const bool on;
  static void set(bool to);
};

/* libtorch's index has 8 bits: 256 would be device 0. */
inline c10::DeviceIndex device_index(int32_t index) {
  TORCH_CHECK(index >= 0 && index <= INT8_MAX, "there is no CUDA device ", index);
  return static_cast<c10::DeviceIndex>(index);
}

inline at::Device device_of(ep_device d) {
  return d.type == EP_CUDA ? at::Device(at::kCUDA, device_index(d.index)) : at::Device(at::kCPU);
}

at::ScalarType scalar_type(int32_t dtype);

inline at::Tensor optional(ep_tensor t) { return t ? t->value : at::Tensor(); }

/* The frame of the functions that record, and, with a share of the gate, of all others: sets the
 * thread's libtorch state, runs body and turns whatever it throws into a status. */
template <typename Body> ep_status call_unshared(bool grad, Body body) noexcept {
  try {
    use_num_threads();
    c10::AutoGradMode mode(grad);
    body();
    return {EP_OK, nullptr};
  } catch (const c10::OutOfMemoryError &e) {
    return failure(EP_OUT_OF_MEMORY, e.what_without_backtrace());
  } catch (const std::bad_alloc &) {
    return failure(EP_OUT_OF_MEMORY, "no memory left on the host");
  } catch (const c10::AcceleratorError &e) {
    return failure(EP_DEVICE, e.what_without_backtrace());
  } catch (const c10::Error &e) {
    const char *message = e.what_without_backtrace();
    // libtorch's CPU allocator has no exception class of its own.
    return failure(std::strstr(message, "DefaultCPUAllocator") ? EP_OUT_OF_MEMORY : EP_INVALID, message);
  } catch (const std::exception &e) {
    return failure(EP_INTERNAL, e.what());
  } catch (...) {
    return failure(EP_INTERNAL, "an exception of unknown type");
  }
}

/* The frame of every other function of the interface. */
template <typename Body> ep_status call(bool grad, Body body) noexcept {
  return call_unshared(grad, [&] {
    const Sharing sharing;
    body();
  });
}

/* call for an operation that makes one tensor in a scope. */
template <typename Body> ep_status make(ep_scope scope, ep_tensor *out, Body body) noexcept {
  return call(scope->grad, [&] {
    const Autocast bf16(scope->bf16);
    *out = adopt(scope, body());
  });
}

} // namespace shim
