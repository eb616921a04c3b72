// ReLU followed by zero padding, as CCNN has it before each of its convolutions: one pass over
// the map instead of three forwards (the activation, the zeros, the copy) and two backwards.
#include "internal.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

using Four = float __attribute__((vector_size(16)));

Four load(const float *x) {
  Four v;
  std::memcpy(&v, x, sizeof v);
  return v;
}

// Computes a row of w numbers. Rows are short: the last four may be some of those before again.
template <typename F> void row(const float *a, const float *b, float *out, int64_t w, F f) {
  const auto four = [=](int64_t i) {
    const Four v = f(load(a + i), load(b + i), Four{});
    std::memcpy(out + i, &v, sizeof v);
  };
  if (w < 4) {
    for (int64_t i = 0; i < w; ++i)
      out[i] = f(a[i], b[i], 0.0f);
    return;
  }
  for (int64_t i = 0; i + 4 < w; i += 4)
    four(i);
  four(w - 4);
}

// NaN and -0 stay what they are, as in libtorch's.
constexpr auto relu = [](auto x, auto, auto zero) { return x < 0 ? zero : x; };
constexpr auto relu_gradient = [](auto grad, auto out, auto zero) { return out <= 0 ? zero : grad; };

// The planes of a map and where each lies in the padded one.
struct Planes {
  int64_t n, height, width, padded_width, padded, first;
  Planes(const Tensor &x, const int64_t *pad)
      : n(x.size(0) * x.size(1)), height(x.size(2)), width(x.size(3)), padded_width(width + pad[0] + pad[1]),
        padded(padded_width * (height + pad[2] + pad[3])), first(pad[2] * padded_width + pad[0]) {}

  template <typename Body> void each(Body body) const {
    const int64_t grain = std::max<int64_t>(1, 32768 / padded);
    at::parallel_for(0, n, grain, [=, this](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t y = 0; y < height; ++y)
          body((i * height + y) * width, i * padded + first + y * padded_width);
    });
  }
};

struct ReLUPad : torch::autograd::Function<ReLUPad> {
  static Tensor forward(AutogradContext *context, const Tensor &x, const std::vector<int64_t> &pad) {
    const Planes p(x, pad.data());
    Tensor out = x.new_zeros({x.size(0), x.size(1), p.padded / p.padded_width, p.padded_width});
    const float *in = x.const_data_ptr<float>();
    float *o = out.mutable_data_ptr<float>();
    p.each([=, w = p.width](int64_t from, int64_t to) { row(in + from, in + from, o + to, w, relu); });
    context->save_for_backward({out});
    context->saved_data["pad"] = pad;
    context->saved_data["shape"] = x.sizes().vec();
    return out;
  }

  static variable_list backward(AutogradContext *context, const variable_list &grads) {
    const Tensor out = context->get_saved_variables()[0], grad = grads[0].contiguous();
    Tensor dx = out.new_empty(context->saved_data["shape"].toIntVector());
    const Planes p(dx, context->saved_data["pad"].toIntVector().data());
    const float *o = out.const_data_ptr<float>(), *g = grad.const_data_ptr<float>();
    float *d = dx.mutable_data_ptr<float>();
    p.each([=, w = p.width](int64_t to, int64_t from) { row(g + from, o + from, d + to, w, relu_gradient); });
    return {dx, Tensor()};
  }
};

} // namespace

ep_status ep_relu_zero_pad2d(ep_scope scope, ep_tensor input, const int64_t *pad, ep_tensor *out) {
  return shim::make(scope, out, [&] {
    const Tensor &x = input->value;
    const bool none = std::any_of(pad, pad + 4, [](int64_t p) { return p < 0; });
    if (x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 4 && x.is_contiguous() && x.numel() > 0 && !none)
      return ReLUPad::apply(x, std::vector<int64_t>(pad, pad + 4));
    return at::constant_pad_nd(at::relu(x), at::IntArrayRef(pad, 4), 0);
  });
}
