// Any operation of libtorch, by its name: the arguments are put into the boxes that the
// operation's schema asks for.
#include "internal.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/List.h>
#include <ATen/core/ivalue.h>

namespace {

using c10::IValue;
using c10::TypeKind;

// What the arguments of a call point into.
struct Values {
  const char *text;
  const int64_t *ints;
  const double *reals;
  const ep_tensor *tensors;
  ep_generator generator;
};

int64_t integer(const ep_argument &a, const Values &v) {
  TORCH_CHECK((a.kind == EP_INTS || a.kind == EP_BOOLEAN) && a.count == 1, "a whole number is needed");
  return v.ints[a.start];
}

double real(const ep_argument &a, const Values &v) {
  TORCH_CHECK((a.kind == EP_REALS || a.kind == EP_INTS) && a.count == 1, "a number is needed");
  return a.kind == EP_REALS ? v.reals[a.start] : static_cast<double>(v.ints[a.start]);
}

template <typename T> IValue list(int64_t count, T element) {
  c10::List<decltype(element(int64_t{}))> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(element(i));
  return IValue(std::move(all));
}

IValue boxed_list(const c10::Type &type, const ep_argument &a, const Values &v) {
  switch (type.kind()) {
  case TypeKind::TensorType:
    TORCH_CHECK(a.kind == EP_TENSORS, "tensors are needed");
    return list(a.count, [&](int64_t i) { return v.tensors[a.start + i]->value; });
  case TypeKind::OptionalType: // of tensors: as an index has them
    TORCH_CHECK(a.kind == EP_TENSORS, "tensors are needed");
    return list(a.count, [&](int64_t i) {
      const ep_tensor t = v.tensors[a.start + i];
      return t ? std::optional<at::Tensor>(t->value) : std::nullopt;
    });
  case TypeKind::IntType:
  case TypeKind::SymIntType:
    TORCH_CHECK(a.kind == EP_INTS, "whole numbers are needed");
    return list(a.count, [&](int64_t i) { return v.ints[a.start + i]; });
  case TypeKind::FloatType:
    TORCH_CHECK(a.kind == EP_REALS || a.kind == EP_INTS, "numbers are needed");
    return list(a.count, [&](int64_t i) { return a.kind == EP_REALS ? v.reals[a.start + i] : static_cast<double>(v.ints[a.start + i]); });
  case TypeKind::BoolType:
    TORCH_CHECK(a.kind == EP_BOOLEAN, "truth values are needed");
    return list(a.count, [&](int64_t i) { return v.ints[a.start + i] != 0; });
  default:
    TORCH_CHECK(false, "lists of ", type.str(), " can't be given");
  }
}

IValue boxed(const c10::Type &type, const ep_argument &a, const Values &v) {
  switch (type.kind()) {
  case TypeKind::OptionalType:
    return a.kind == EP_NONE ? IValue() : boxed(*type.containedType(0), a, v);
  case TypeKind::TensorType:
    TORCH_CHECK(a.kind == EP_TENSORS && a.count == 1 && v.tensors[a.start], "a tensor is needed");
    return v.tensors[a.start]->value;
  case TypeKind::ListType:
    return boxed_list(*type.containedType(0), a, v);
  case TypeKind::NumberType:
    if (a.kind == EP_BOOLEAN)
      return integer(a, v) != 0;
    return a.kind == EP_INTS ? IValue(integer(a, v)) : IValue(real(a, v));
  case TypeKind::FloatType:
    return real(a, v);
  case TypeKind::BoolType:
    return integer(a, v) != 0;
  case TypeKind::StringType:
    TORCH_CHECK(a.kind == EP_TEXT, "a text is needed");
    return std::string(v.text + a.start);
  case TypeKind::GeneratorType:
    TORCH_CHECK(v.generator, "random numbers were asked for without a generator");
    return v.generator->value;
  case TypeKind::IntType:
  case TypeKind::SymIntType:
    return integer(a, v);
  case TypeKind::ScalarTypeType:
    return static_cast<int64_t>(shim::scalar_type(static_cast<int32_t>(integer(a, v))));
  default:
    TORCH_CHECK(false, "a ", type.str(), " can't be given");
  }
}

} // namespace

ep_status ep_call(ep_scope scope, const char *name, const char *overload, const ep_argument *arguments, int32_t n, const char *text,
                  const int64_t *ints, const double *reals, const ep_tensor *tensors, ep_generator generator, ep_tensor *out,
                  int32_t *outs) {
  return shim::call(scope->grad, [&] {
    const shim::Autocast bf16(scope->bf16);
    const Values values{text, ints, reals, tensors, generator};
    const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    TORCH_CHECK(found.has_value(), "this libtorch has no operation ", name, ".", overload);
    std::vector<IValue> stack;
    int32_t used = 0;
    for (const c10::Argument &want : found->schema().arguments()) {
      const ep_argument *given = nullptr;
      for (int32_t i = 0; i < n && !given; ++i)
        if (want.name() == text + arguments[i].name)
          given = &arguments[i];
      if (given) {
        try {
          stack.push_back(boxed(*want.type(), *given, values));
        } catch (const c10::Error &e) {
          TORCH_CHECK(false, "its argument ", want.name(), ": ", e.what_without_backtrace());
        }
        ++used;
      } else if (want.type()->kind() == TypeKind::OptionalType && generator &&
                 want.type()->containedType(0)->kind() == TypeKind::GeneratorType) {
        stack.emplace_back(generator->value);
      } else {
        TORCH_CHECK(want.default_value().has_value(), "it needs the argument ", want.name());
        stack.push_back(*want.default_value());
      }
    }
    TORCH_CHECK(used == n, "it has fewer arguments than were given, or others");
    found->callBoxed(stack);
    std::vector<at::Tensor> results;
    for (const IValue &v : stack) {
      if (v.isTensor())
        results.push_back(v.toTensor());
      else if (v.isTensorList())
        for (const at::Tensor &t : v.toTensorVector())
          results.push_back(t);
      else
        TORCH_CHECK(false, "it gives something other than tensors");
    }
    TORCH_CHECK(results.size() <= static_cast<size_t>(*outs), "it gives ", results.size(), " tensors, room is for ", *outs);
    *outs = static_cast<int32_t>(results.size());
    for (size_t i = 0; i < results.size(); ++i)
      out[i] = shim::adopt(scope, std::move(results[i]));
  });
}
