// Generators of random numbers. libtorch's global generator is never drawn from:
// runs side by side would disturb each other.
#include "internal.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randperm.h>

ep_status ep_generator_new(ep_device device, uint64_t seed, ep_generator *out) {
  return shim::call(false, [&] {
    at::Generator g = device.type == EP_CUDA
                          ? at::detail::getCUDAHooks().getNewGenerator(shim::device_index(device.index))
                          : at::detail::createCPUGenerator();
    g.set_current_seed(seed);
    *out = new ep_generator_s{std::move(g)};
  });
}

ep_status ep_generator_free(ep_generator generator) {
  return shim::call(false, [&] { delete generator; });
}

ep_status ep_generator_int64(ep_generator generator, int64_t *out) {
  return shim::call(false, [&] {
    const auto &g = generator->value;
    *out = at::empty({}, at::TensorOptions(at::kLong).device(g.device())).random_(g).item<int64_t>();
  });
}

ep_status ep_generator_perm(ep_generator generator, int64_t n, int64_t *out) {
  return shim::call(false, [&] {
    const auto &g = generator->value;
    const at::Tensor perm =
        at::randperm(n, g, at::TensorOptions(at::kLong).device(g.device())).to(at::kCPU).contiguous();
    std::memcpy(out, perm.const_data_ptr<int64_t>(), perm.nbytes());
  });
}

ep_status ep_uniform_(ep_tensor tensor, double low, double high, ep_generator generator) {
  return shim::call(false, [&] { tensor->value.uniform_(low, high, generator->value); });
}

ep_status ep_normal_(ep_tensor tensor, double mean, double sd, ep_generator generator) {
  return shim::call(false, [&] { tensor->value.normal_(mean, sd, generator->value); });
}

ep_status ep_generator_state(ep_scope scope, ep_generator generator, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    // Bytes have no element type in this interface; int64 holds each exactly.
    return generator->value.get_state().to(at::kLong);
  });
}

ep_status ep_generator_set_state(ep_generator generator, ep_tensor state) {
  return shim::call(false, [&] { generator->value.set_state(state->value.to(at::kByte)); });
}
