#include "function.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;
using shim::Tensors;
using torch::autograd::AutogradContext;

namespace {

// libtorch keeps what its own kind of value holds.
struct Held : torch::CustomClassHolder {
  Held(std::unique_ptr<shim::Function> f, const Tensors &inputs) : function(std::move(f)) {
    for (const Tensor &t : inputs)
      defined.push_back(t.defined());
  }
  const std::unique_ptr<shim::Function> function;
  std::vector<bool> defined; // inputs
};

// libtorch takes inputs that are defined.
struct Node : torch::autograd::Function<Node> {
  static Tensor forward(AutogradContext *context, at::TensorList given, const c10::intrusive_ptr<Held> &held) {
    Tensors inputs, saved;
    for (size_t next = 0; const bool defined : held->defined)
      inputs.push_back(defined ? given[next++] : Tensor());
    Tensor y = held->function->forward(inputs, saved);
    context->save_for_backward(std::move(saved));
    context->saved_data["held"] = c10::IValue::make_capsule(held);
    return y;
  }

  static Tensors backward(AutogradContext *context, const Tensors &gradients) {
    const c10::intrusive_ptr<torch::CustomClassHolder> capsule = context->saved_data["held"].toCapsule();
    const Held &held = static_cast<const Held &>(*capsule);
    TORCH_CHECK(!at::GradMode::is_enabled(), "the gradient of ", held.function->name(), " has no gradient of its own");
    std::vector<bool> needed;
    for (size_t next = 0; const bool defined : held.defined)
      needed.push_back(defined && context->needs_input_grad(next++));
    Tensors all = held.function->backward(gradients[0], context->get_saved_variables(), needed), results;
    all.resize(needed.size());
    for (size_t i = 0; i < all.size(); ++i)
      if (held.defined[i])
        results.push_back(std::move(all[i]));
    results.emplace_back(); // of held
    return results;
  }
};

} // namespace

Tensor shim::apply(std::unique_ptr<Function> function, const Tensors &inputs) {
  const auto held = c10::make_intrusive<Held>(std::move(function), inputs);
  Tensors given;
  for (const Tensor &t : inputs)
    if (t.defined())
      given.push_back(t);
  return Node::apply(at::TensorList(given), held);
}
