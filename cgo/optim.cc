// SGD and Adam. One call steps all parameters: with the operations of torch.optim's
// single-tensor forms, so that the same gradients give the same bits; or in torch.optim's
// fused form, a kernel or two that ask the host for nothing, so that a graph can hold them.
#include "internal.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <string_view>

struct ep_optimizer_s {
  std::vector<at::Tensor> parameters;
  virtual ~ep_optimizer_s() = default;
  // The rate of the steps from now on.
  virtual void set_lr(double value) { lr = value; }
  virtual void step() = 0;
  // The state of parameter i under torch.optim's name; undefined where there is none.
  virtual at::Tensor state(std::string_view name, size_t i) const = 0;
  virtual void set_state(std::string_view name, size_t i, const at::Tensor &value) = 0;

protected:
  double lr = 0;

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

  void step() override {
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

  void step() override {
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

// Shared by the fused forms: the rate lies on the device, and so does every state from the
// beginning, so that a step that was recorded in a graph is any step.
struct Fused : ep_optimizer_s {
  double weight_decay = 0;
  at::Tensor rate;

  explicit Fused(std::vector<at::Tensor> all) {
    parameters = std::move(all);
    rate = at::zeros({}, parameters[0].options().requires_grad(false));
  }

  void set_lr(double value) override {
    if (value != lr)
      rate.fill_(value);
    lr = value;
  }

protected:
  // The i of parameters that have a gradient; g becomes their gradients.
  std::vector<size_t> with_gradient(std::vector<at::Tensor> &g) const {
    std::vector<size_t> found;
    for (size_t i = 0; i < parameters.size(); ++i)
      if (parameters[i].grad().defined()) {
        found.push_back(i);
        g.push_back(parameters[i].grad());
      }
    return found;
  }

  // libtorch's fused steps do not count their writes.
  void written(const std::vector<size_t> &which) const {
    for (const size_t i : which)
      parameters[i].unsafeGetTensorImpl()->bump_version();
  }

  static std::vector<at::Tensor> pick(const std::vector<at::Tensor> &all, const std::vector<size_t> &which) {
    std::vector<at::Tensor> some;
    for (const size_t i : which)
      some.push_back(all[i]);
    return some;
  }

  std::vector<at::Tensor> zeros() const {
    std::vector<at::Tensor> all;
    for (const at::Tensor &p : parameters)
      all.push_back(at::zeros_like(p, p.options().requires_grad(false)));
    return all;
  }
};

struct FusedSGD final : Fused {
  double momentum;
  std::vector<at::Tensor> buffers; // none without momentum

  FusedSGD(std::vector<at::Tensor> all, double m) : Fused(std::move(all)), momentum(m) {
    if (momentum != 0)
      buffers = zeros();
  }

  void step() override {
    std::vector<at::Tensor> g;
    const std::vector<size_t> which = with_gradient(g);
    if (which.empty())
      return;
    // After the first step a buffer of zeros holds the gradient, as torch.optim's does.
    at::_fused_sgd_(pick(parameters, which), g, buffers.empty() ? buffers : pick(buffers, which), weight_decay,
                    momentum, rate, /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false);
    written(which);
  }

  at::Tensor state(std::string_view name, size_t i) const override {
    if (name != "momentum_buffer")
      no_state(name);
    return buffers.empty() ? at::Tensor() : buffers[i];
  }

  void set_state(std::string_view name, size_t i, const at::Tensor &value) override {
    if (name != "momentum_buffer" || buffers.empty())
      no_state(name);
    buffers[i].copy_(fitting(i, value));
  }
};

struct FusedAdam final : Fused {
  double beta1, beta2, eps;
  std::vector<at::Tensor> mean, square, steps;

  explicit FusedAdam(std::vector<at::Tensor> all) : Fused(std::move(all)), mean(zeros()), square(zeros()) {
    for (size_t i = 0; i < parameters.size(); ++i)
      steps.push_back(at::zeros_like(rate));
  }

  void step() override {
    std::vector<at::Tensor> g;
    const std::vector<size_t> which = with_gradient(g);
    if (which.empty())
      return;
    const std::vector<at::Tensor> counts = pick(steps, which);
    at::_foreach_add_(counts, 1);
    at::_fused_adam_(pick(parameters, which), g, pick(mean, which), pick(square, which), {}, counts, rate, beta1, beta2,
                     weight_decay, eps, /*amsgrad=*/false, /*maximize=*/false);
    written(which);
  }

  at::Tensor state(std::string_view name, size_t i) const override { return values_of(name)[i]; }

  void set_state(std::string_view name, size_t i, const at::Tensor &value) override {
    values_of(name)[i].copy_(name == "step" ? value : fitting(i, value));
  }

private:
  const std::vector<at::Tensor> &values_of(std::string_view name) const {
    if (name == "step")
      return steps;
    if (name == "exp_avg")
      return mean;
    if (name == "exp_avg_sq")
      return square;
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

ep_status ep_sgd_new(const ep_tensor *parameters, int32_t n, double momentum, double weight_decay, int32_t fused,
                     ep_optimizer *out) {
  return shim::call(false, [&] {
    if (fused) {
      auto o = std::make_unique<FusedSGD>(values(parameters, n), momentum);
      o->weight_decay = weight_decay;
      *out = o.release();
      return;
    }
    auto o = std::make_unique<SGD>();
    o->parameters = values(parameters, n);
    o->buffers.resize(n);
    o->momentum = momentum;
    o->weight_decay = weight_decay;
    *out = o.release();
  });
}

ep_status ep_adam_new(const ep_tensor *parameters, int32_t n, double beta1, double beta2, double eps,
                      double weight_decay, int32_t fused, ep_optimizer *out) {
  return shim::call(false, [&] {
    if (fused) {
      auto o = std::make_unique<FusedAdam>(values(parameters, n));
      o->beta1 = beta1;
      o->beta2 = beta2;
      o->eps = eps;
      o->weight_decay = weight_decay;
      *out = o.release();
      return;
    }
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

ep_status ep_optimizer_set_lr(ep_optimizer optimizer, double lr) {
  return shim::call(false, [&] { optimizer->set_lr(lr); });
}

ep_status ep_optimizer_step(ep_optimizer optimizer, double lr) {
  return shim::call(false, [&] {
    optimizer->set_lr(lr);
    optimizer->step();
  });
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
