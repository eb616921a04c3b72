// SGD and Adam, operation for operation what torch.optim's single-tensor forms do,
// so that the same gradients give the same bits. One call steps all parameters.
#include "internal.h"

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <string_view>

struct ep_optimizer_s {
  std::vector<at::Tensor> parameters;
  virtual ~ep_optimizer_s() = default;
  virtual void step(double lr) = 0;
  // What it remembers of parameter i under torch.optim's name; undefined where nothing.
  virtual at::Tensor state(std::string_view name, size_t i) const = 0;
  virtual void set_state(std::string_view name, size_t i, const at::Tensor &value) = 0;

protected:
  // A copy of value that can stand where one for parameter i stands.
  at::Tensor fitting(size_t i, const at::Tensor &value) const {
    TORCH_CHECK(value.sizes() == parameters[i].sizes(), "the state has shape ", value.sizes(), ", its parameter ",
                parameters[i].sizes());
    return value.detach().to(parameters[i].options().requires_grad(false), false, true);
  }
};

[[noreturn]] static void no_state(std::string_view name) {
  TORCH_CHECK(false, "this optimizer has no state ", std::string(name));
}

namespace {

struct SGD final : ep_optimizer_s {
  double momentum, weight_decay;
  std::vector<at::Tensor> buffers; // undefined until a parameter's first gradient

  void step(double lr) override {
    for (size_t i = 0; i < parameters.size(); ++i) {
      at::Tensor &p = parameters[i], g = p.grad();
      if (!g.defined())
        continue;
      if (weight_decay != 0)
        g = g.add(p, weight_decay);
      if (momentum != 0) {
        if (buffers[i].defined())
          buffers[i].mul_(momentum).add_(g);
        else
          buffers[i] = g.clone();
        g = buffers[i];
      }
      p.add_(g, -lr);
    }
  }

  at::Tensor state(std::string_view name, size_t i) const override {
    if (name != "momentum_buffer")
      no_state(name);
    return buffers[i];
  }

  void set_state(std::string_view name, size_t i, const at::Tensor &value) override {
    if (name != "momentum_buffer")
      no_state(name);
    buffers[i] = fitting(i, value);
  }
};

struct Adam final : ep_optimizer_s {
  double beta1, beta2, eps, weight_decay;
  std::vector<at::Tensor> mean, square;
  std::vector<int64_t> steps;

  void step(double lr) override {
    for (size_t i = 0; i < parameters.size(); ++i) {
      at::Tensor &p = parameters[i], g = p.grad();
      if (!g.defined())
        continue;
      if (steps[i]++ == 0) {
        mean[i] = at::zeros_like(p);
        square[i] = at::zeros_like(p);
      }
      if (weight_decay != 0)
        g = g.add(p, weight_decay);
      mean[i].lerp_(g, 1 - beta1);
      square[i].mul_(beta2).addcmul_(g, g, 1 - beta2);
      const double correction1 = 1 - std::pow(beta1, steps[i]);
      const double correction2 = std::sqrt(1 - std::pow(beta2, steps[i]));
      const at::Tensor denominator = square[i].sqrt().div_(correction2).add_(eps);
      p.addcdiv_(mean[i], denominator, -(lr / correction1));
    }
  }

  at::Tensor state(std::string_view name, size_t i) const override {
    if (steps[i] == 0)
      return {};
    if (name == "step")
      return at::scalar_tensor(steps[i], at::kLong);
    if (name == "exp_avg")
      return mean[i];
    if (name == "exp_avg_sq")
      return square[i];
    no_state(name);
  }

  void set_state(std::string_view name, size_t i, const at::Tensor &value) override {
    if (name == "step")
      steps[i] = value.item<int64_t>();
    else if (name == "exp_avg")
      mean[i] = fitting(i, value);
    else if (name == "exp_avg_sq")
      square[i] = fitting(i, value);
    else
      no_state(name);
  }
};

std::vector<at::Tensor> values(const ep_tensor *tensors, int32_t n) {
  std::vector<at::Tensor> v;
  for (int32_t i = 0; i < n; ++i)
    v.push_back(tensors[i]->value);
  return v;
}

} // namespace

ep_status ep_sgd_new(const ep_tensor *parameters, int32_t n, double momentum, double weight_decay,
                     ep_optimizer *out) {
  return shim::call(false, [&] {
    auto o = std::make_unique<SGD>();
    o->parameters = values(parameters, n);
    o->buffers.resize(n);
    o->momentum = momentum;
    o->weight_decay = weight_decay;
    *out = o.release();
  });
}

ep_status ep_adam_new(const ep_tensor *parameters, int32_t n, double beta1, double beta2, double eps,
                      double weight_decay, ep_optimizer *out) {
  return shim::call(false, [&] {
    auto o = std::make_unique<Adam>();
    o->parameters = values(parameters, n);
    o->mean.resize(n);
    o->square.resize(n);
    o->steps.resize(n);
    o->beta1 = beta1;
    o->beta2 = beta2;
    o->eps = eps;
    o->weight_decay = weight_decay;
    *out = o.release();
  });
}

ep_status ep_optimizer_step(ep_optimizer optimizer, double lr) {
  return shim::call(false, [&] { optimizer->step(lr); });
}

ep_status ep_optimizer_zero_grad(ep_optimizer optimizer) {
  return shim::call(false, [&] {
    for (at::Tensor &p : optimizer->parameters)
      p.mutable_grad().reset();
  });
}

ep_status ep_optimizer_state(ep_scope scope, ep_optimizer optimizer, const char *name, int32_t index,
                             ep_tensor *out) {
  return shim::call(false, [&] {
    TORCH_CHECK(index >= 0 && size_t(index) < optimizer->parameters.size(), "there is no parameter ", index);
    const at::Tensor found = optimizer->state(name, index);
    *out = found.defined() ? shim::adopt(scope, found.clone()) : nullptr;
  });
}

ep_status ep_optimizer_set_state(ep_optimizer optimizer, const char *name, int32_t index, ep_tensor value) {
  return shim::call(false, [&] {
    TORCH_CHECK(index >= 0 && size_t(index) < optimizer->parameters.size(), "there is no parameter ", index);
    optimizer->set_state(name, index, value->value);
  });
}

ep_status ep_optimizer_free(ep_optimizer optimizer) {
  return shim::call(false, [&] { delete optimizer; });
}
