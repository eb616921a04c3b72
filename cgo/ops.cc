// Elementwise, reducing and shaping operations.
#include "internal.h"
#include "kernels/kernels.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/flatten.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/narrow.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/renorm.h>
#include <ATen/ops/selu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sum.h>

namespace {

using Tensor = at::Tensor;

// The operator of that name in a table of {name, function}.
template <typename Table> auto find(const Table &table, const char *name) {
  for (const auto &entry : table)
    if (std::strcmp(entry.name, name) == 0)
      return entry.function;
  TORCH_CHECK(false, "there is no operation ", name, " of this kind");
}

struct Unary {
  const char *name;
  Tensor (*function)(const Tensor &);
};
const Unary unary[] = {
    {"relu", [](const Tensor &a) { return at::relu(a); }},
    {"relu_", [](const Tensor &a) { return Tensor(a).relu_(); }},
    {"selu", [](const Tensor &a) { return at::selu(a); }},
    {"abs", [](const Tensor &a) { return a.abs(); }},
    {"exp", [](const Tensor &a) { return a.exp(); }},
    {"log", [](const Tensor &a) { return a.log(); }},
    {"sqrt", [](const Tensor &a) { return a.sqrt(); }},
    {"neg", [](const Tensor &a) { return a.neg(); }},
    {"sign", [](const Tensor &a) { return a.sign(); }},
    {"detach", [](const Tensor &a) { return a.detach(); }},
    {"clone", [](const Tensor &a) { return a.clone(); }},
    {"isnan", [](const Tensor &a) { return at::isnan(a); }},
};

struct Binary {
  const char *name;
  Tensor (*function)(const Tensor &, const Tensor &);
};
const Binary binary[] = {
    {"add", [](const Tensor &a, const Tensor &b) { return a.add(b); }},
    {"sub", [](const Tensor &a, const Tensor &b) { return a.sub(b); }},
    {"mul", [](const Tensor &a, const Tensor &b) { return a.mul(b); }},
    {"div", [](const Tensor &a, const Tensor &b) { return a.div(b); }},
    {"eq", [](const Tensor &a, const Tensor &b) { return a.eq(b); }},
    {"matmul", [](const Tensor &a, const Tensor &b) { return at::matmul(a, b); }},
    {"maximum", [](const Tensor &a, const Tensor &b) { return at::maximum(a, b); }},
};

struct Scalar {
  const char *name;
  Tensor (*function)(const Tensor &, double);
};
const Scalar scalar[] = {
    {"add", [](const Tensor &a, double x) { return a.add(x); }},
    {"mul", [](const Tensor &a, double x) { return a.mul(x); }},
    {"pow", [](const Tensor &a, double x) { return a.pow(x); }},
    {"gt", [](const Tensor &a, double x) { return a.gt(x); }},
    {"le", [](const Tensor &a, double x) { return a.le(x); }},
    {"leaky_relu", [](const Tensor &a, double x) { return at::leaky_relu(a, x); }},
    {"leaky_relu_", [](const Tensor &a, double x) { Tensor t(a); return at::leaky_relu_(t, x); }},
    {"elu", [](const Tensor &a, double x) { return at::elu(a, x); }},
    {"renorm", [](const Tensor &a, double x) { return at::renorm(a, 2, 0, x); }},
};

struct Reduce {
  const char *name;
  Tensor (*function)(const Tensor &, at::OptionalIntArrayRef);
};
const Reduce reduce[] = {
    {"sum", [](const Tensor &a, at::OptionalIntArrayRef d) { return d ? at::sum(a, d) : at::sum(a); }},
    {"mean", [](const Tensor &a, at::OptionalIntArrayRef d) { return d ? at::mean(a, d) : at::mean(a); }},
};

struct Along {
  const char *name;
  Tensor (*function)(const Tensor &, int64_t);
};
const Along along[] = {
    {"argmax", [](const Tensor &a, int64_t d) { return a.argmax(d); }},
    {"softmax", [](const Tensor &a, int64_t d) { return at::softmax(a, d); }},
    {"log_softmax", [](const Tensor &a, int64_t d) { return at::log_softmax(a, d); }},
};

} // namespace

ep_status ep_unary(ep_scope scope, const char *name, ep_tensor a, ep_tensor *out) {
  return shim::make(scope, out, [&] { return find(unary, name)(a->value); });
}

ep_status ep_binary(ep_scope scope, const char *name, ep_tensor a, ep_tensor b, ep_tensor *out) {
  return shim::make(scope, out, [&] { return find(binary, name)(a->value, b->value); });
}

ep_status ep_scalar(ep_scope scope, const char *name, ep_tensor a, double value, ep_tensor *out) {
  return shim::make(scope, out, [&] { return find(scalar, name)(a->value, value); });
}

ep_status ep_reduce(ep_scope scope, const char *name, ep_tensor a, const int64_t *dim, int32_t dims, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    const at::OptionalIntArrayRef over =
        dims == 0 ? at::OptionalIntArrayRef() : at::OptionalIntArrayRef(at::IntArrayRef(dim, dims));
    return find(reduce, name)(a->value, over);
  });
}

ep_status ep_along(ep_scope scope, const char *name, ep_tensor a, int64_t dim, ep_tensor *out) {
  return shim::make(scope, out, [&] { return find(along, name)(a->value, dim); });
}

ep_status ep_mul_(ep_tensor dst, ep_tensor src) {
  return shim::call(false, [&] { dst->value.mul_(src->value); });
}

ep_status ep_add_(ep_tensor dst, ep_tensor src, double alpha) {
  return shim::call(false, [&] { dst->value.add_(src->value, alpha); });
}

ep_status ep_reshape(ep_scope scope, ep_tensor a, const int64_t *shape, int32_t dims, ep_tensor *out) {
  return shim::make(scope, out, [&] { return a->value.reshape(at::IntArrayRef(shape, dims)); });
}

ep_status ep_flatten(ep_scope scope, ep_tensor a, int64_t start, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    const Tensor &x = a->value;
    // Features [n, f] whose clips lie innermost too.
    return start == 1 && shim::is_hwcn(x) ? x.permute({1, 2, 3, 0}).flatten(0, 2).t() : at::flatten(x, start);
  });
}

ep_status ep_cat(ep_scope scope, const ep_tensor *a, int32_t n, int64_t dim, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    std::vector<Tensor> parts;
    bool hwcn = n > 0 && dim >= 0 && dim < 4;
    for (int32_t i = 0; i < n; ++i) {
      parts.push_back(a[i]->value);
      hwcn = hwcn && shim::is_hwcn(parts.back());
    }
    if (!hwcn)
      return at::cat(parts, dim);
    // libtorch would lay the result out as PyTorch does.
    const int64_t inner[] = {3, 2, 0, 1};
    for (Tensor &x : parts)
      x = x.permute({2, 3, 1, 0});
    return at::cat(parts, inner[dim]).permute({3, 2, 0, 1});
  });
}

ep_status ep_narrow(ep_scope scope, ep_tensor a, int64_t dim, int64_t start, int64_t length, ep_tensor *out) {
  return shim::make(scope, out, [&] { return at::narrow(a->value, dim, start, length); });
}

ep_status ep_index_select(ep_scope scope, ep_tensor a, int64_t dim, ep_tensor index, ep_tensor *out) {
  return shim::make(scope, out, [&] { return at::index_select(a->value, dim, index->value); });
}

ep_status ep_to(ep_scope scope, ep_tensor a, int32_t dtype, ep_device device, ep_tensor *out) {
  return shim::make(scope, out, [&] { return a->value.to(shim::device_of(device), shim::scalar_type(dtype)); });
}
