// Making, reading and freeing tensors, and autograd.
#include "internal.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <c10/core/AutogradState.h>

namespace {
// Has backward passes run on the thread that asks for them.
class OnThisThread {
public:
  OnThisThread() { state().set_multithreading_enabled(false); }
  ~OnThisThread() { state().set_multithreading_enabled(before_); }

private:
  static c10::AutogradState &state() { return c10::AutogradState::get_tls_state(); }
  const bool before_ = state().get_multithreading_enabled();
};
} // namespace

static at::TensorOptions options(int32_t dtype, ep_device device) {
  return at::TensorOptions().dtype(shim::scalar_type(dtype)).device(shim::device_of(device));
}

ep_status ep_tensor_from_data(ep_scope scope, const void *data, int32_t dtype, const int64_t *shape, int32_t dims,
                              ep_device device, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    at::Tensor host = at::empty(at::IntArrayRef(shape, dims), options(dtype, {EP_CPU, 0}));
    if (host.nbytes() != 0)
      std::memcpy(host.data_ptr(), data, host.nbytes());
    return host.to(shim::device_of(device));
  });
}

ep_status ep_tensor_wrap(ep_scope scope, void *data, int32_t dtype, const int64_t *shape, int32_t dims,
                         void (*release)(uintptr_t), uintptr_t context, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    // Released with the last copy, so also when from_blob throws before it has one.
    std::shared_ptr<void> owner(data, [=](void *) { release(context); });
    return at::from_blob(
        data, at::IntArrayRef(shape, dims), [owner](void *) mutable { owner.reset(); }, options(dtype, {EP_CPU, 0}));
  });
}

ep_status ep_tensor_full(ep_scope scope, double value, int32_t dtype, const int64_t *shape, int32_t dims,
                         ep_device device, ep_tensor *out) {
  return shim::make(scope, out,
                    [&] { return at::full(at::IntArrayRef(shape, dims), value, options(dtype, device)); });
}

ep_status ep_tensor_describe(ep_tensor tensor, int32_t *dtype, ep_device *device, int64_t *shape, int32_t *dims) {
  return shim::call(false, [&] {
    const at::Tensor &t = tensor->value;
    switch (t.scalar_type()) {
    case at::kFloat:
      *dtype = EP_FLOAT32;
      break;
    case at::kDouble:
      *dtype = EP_FLOAT64;
      break;
    case at::kLong:
      *dtype = EP_INT64;
      break;
    case at::kBool:
      *dtype = EP_BOOL;
      break;
    case at::kInt:
      *dtype = EP_INT32;
      break;
    case at::kShort:
      *dtype = EP_INT16;
      break;
    case at::kChar:
      *dtype = EP_INT8;
      break;
    case at::kByte:
      *dtype = EP_UINT8;
      break;
    default:
      TORCH_CHECK(false, "a tensor of element type ", t.scalar_type(), " has no counterpart here");
    }
    *device = {t.is_cuda() ? EP_CUDA : EP_CPU, t.is_cuda() ? t.get_device() : 0};
    const auto room = *dims;
    *dims = static_cast<int32_t>(t.dim());
    for (int32_t i = 0; i < *dims && i < room; ++i)
      shape[i] = t.size(i);
  });
}

ep_status ep_tensor_read(ep_tensor tensor, void *data, size_t bytes) {
  return shim::call(false, [&] {
    const at::Tensor host = tensor->value.detach().to(at::kCPU).contiguous();
    TORCH_CHECK(host.nbytes() == bytes, "the tensor has ", host.nbytes(), " bytes, room was given for ", bytes);
    if (bytes != 0)
      std::memcpy(data, host.data_ptr(), bytes);
  });
}

ep_status ep_tensor_item(ep_tensor tensor, double *out) {
  return shim::call(false, [&] {
    TORCH_CHECK(tensor->value.numel() == 1, "only a tensor of one element is a number");
    *out = tensor->value.detach().item().toDouble();
  });
}

ep_status ep_tensor_copy(ep_tensor dst, ep_tensor src) {
  return shim::call(false, [&] {
    // copy_ would broadcast: a copy between different shapes is a mistake here.
    TORCH_CHECK(dst->value.sizes() == src->value.sizes(), "the shapes differ");
    dst->value.copy_(src->value);
  });
}

ep_status ep_tensor_set_requires_grad(ep_tensor tensor, int32_t on) {
  return shim::call(false, [&] { tensor->value.requires_grad_(on != 0); });
}

ep_status ep_tensor_grad(ep_scope scope, ep_tensor tensor, ep_tensor *out) {
  return shim::call(false, [&] {
    TORCH_CHECK(tensor->value.is_leaf(), "gradients are kept for parameters only, not for outputs of operations");
    const at::Tensor &grad = tensor->value.grad();
    *out = grad.defined() ? shim::adopt(scope, grad) : nullptr;
  });
}

ep_status ep_backward(ep_scope scope, ep_tensor loss) {
  return shim::call(scope->grad, [&] {
    if (!loss->value.is_cuda()) {
      loss->value.backward();
      return;
    }
    // On this thread: libtorch's own would take the passes of all trainings one after another,
    // with one cuDNN handle, also while one of them is recorded.
    const OnThisThread here;
    loss->value.backward();
  });
}
