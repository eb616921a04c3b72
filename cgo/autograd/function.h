/* Operations of our own that libtorch's autograd goes back through. One class of theirs stands for all: the compiler
 * needs as long for each torch::autograd::Function as for a whole file. */
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

namespace shim {

using Tensors = std::vector<at::Tensor>;

/* One pass of an operation, with what it needs to know beside tensors. */
class Function {
public:
  virtual ~Function() = default;
  virtual const char *name() const = 0;
  /* Its output, computed without gradients. Tensors that the backward pass needs go to saved: they are kept
   * until it is over, and to overwrite one before is an error. */
  virtual at::Tensor forward(const Tensors &inputs, Tensors &saved) = 0;
  /* The gradients of the first inputs, of that of the output; of those that need none they may be undefined. */
  virtual Tensors backward(const at::Tensor &dy, const Tensors &saved, const std::vector<bool> &needed) = 0;
};

/* Inputs may be undefined. The gradients have none of their own: to ask for one is an error. */
at::Tensor apply(std::unique_ptr<Function> function, const Tensors &inputs);

template <typename F, typename... Arguments> at::Tensor apply(const Tensors &inputs, Arguments &&...arguments) {
  return shim::apply(std::make_unique<F>(std::forward<Arguments>(arguments)...), inputs);
}

} // namespace shim
