// Any operation of libtorch, by its name: the arguments are put once into the boxes that the
// operation's schema asks for, then it runs with other tensors each time.
#include "internal.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ScalarOps.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/List.h>
#include <ATen/core/enum_tag.h>
#include <ATen/core/ivalue.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

namespace {

using c10::IValue;
using c10::TypeKind;

// Where a run's tensors go: one, a list, or a list of which some may be missing.
struct Slot {
  enum { One, List, Optional } kind;
  size_t at;
  int64_t start, count;
};

// Whole numbers of which some are multiples of the number of clips.
struct Sizes {
  size_t at;
  bool list;
  std::vector<std::pair<int64_t, bool>> factors;
};

// The buffers that the arguments of an operation point into.
struct Values {
  const char *text;
  const int64_t *ints;
  const double *reals;
  at::Device device;
};

// libtorch's names of element types and memory formats.
int64_t choice(const std::string &name) {
  static const std::array<std::pair<const char *, at::ScalarType>, 12> types{
      {{"float32", at::kFloat}, {"float64", at::kDouble}, {"int64", at::kLong}, {"int32", at::kInt}, {"int16", at::kShort},
       {"int8", at::kChar}, {"uint8", at::kByte}, {"bool", at::kBool}, {"complex64", at::kComplexFloat},
       {"complex128", at::kComplexDouble}, {"float16", at::kHalf}, {"bfloat16", at::kBFloat16}}};
  static const std::array<std::pair<const char *, at::MemoryFormat>, 4> formats{
      {{"contiguous_format", at::MemoryFormat::Contiguous}, {"preserve_format", at::MemoryFormat::Preserve},
       {"channels_last", at::MemoryFormat::ChannelsLast}, {"channels_last_3d", at::MemoryFormat::ChannelsLast3d}}};
  for (const auto &[own, type] : types)
    if (name == own)
      return static_cast<int64_t>(type);
  for (const auto &[own, format] : formats)
    if (name == own)
      return static_cast<int64_t>(format);
  TORCH_CHECK(false, "there is no element type or memory format ", name);
}

int64_t integer(const ep_argument &a, const Values &v) {
  if (a.kind == EP_TEXT)
    return choice(v.text + a.start);
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
  case TypeKind::IntType:
  case TypeKind::SymIntType:
    return integer(a, v);
  default:
    TORCH_CHECK(false, "a ", type.str(), " can't be given");
  }
}

// A number in a tensor's place, of the type that the operation then has: as PyTorch takes it.
IValue wrapped(const ep_argument &a, const Values &v) {
  const at::Scalar number = a.kind == EP_BOOLEAN ? at::Scalar(integer(a, v) != 0) : a.kind == EP_INTS ? at::Scalar(integer(a, v)) : at::Scalar(real(a, v));
  at::Tensor t = c10::scalar_to_tensor(number);
  t.unsafeGetTensorImpl()->set_wrapped_number(true);
  return t;
}

// The type within an optional one.
const c10::Type &inner(const c10::Type &type) { return type.kind() == TypeKind::OptionalType ? *type.containedType(0) : type; }

bool is_list_of_tensors(const c10::Type &type) {
  return type.kind() == TypeKind::ListType && inner(*type.containedType(0)).kind() == TypeKind::TensorType;
}

// Has operations that can't be given a generator draw from one: the device's own has its state
// meanwhile. Nothing else draws from that.
class Drawing {
public:
  explicit Drawing(at::Generator generator)
      : lock_(mutex()), generator_(std::move(generator)), cuda_(generator_.device().is_cuda()),
        own_(cuda_ ? at::detail::getCUDAHooks().getDefaultGenerator(generator_.device().index()) : at::detail::getDefaultCPUGenerator()) {
    if (cuda_) {
      before_ = own_.graphsafe_get_state(); // shared, so that a recorded step draws anew each time
      own_.graphsafe_set_state(generator_.graphsafe_get_state());
    } else {
      own_.set_state(generator_.get_state());
    }
  }
  ~Drawing() {
    try {
      if (cuda_)
        own_.graphsafe_set_state(before_);
      else
        generator_.set_state(own_.get_state());
    } catch (...) { // a state that was there before can be set again
    }
  }
  Drawing(const Drawing &) = delete;
  Drawing &operator=(const Drawing &) = delete;

private:
  static std::mutex &mutex() {
    static std::mutex m;
    return m;
  }
  const std::lock_guard<std::mutex> lock_;
  at::Generator generator_;
  const bool cuda_;
  at::Generator own_, before_;
};

} // namespace

struct ep_operation_s {
  c10::OperatorHandle handle;
  std::vector<IValue> arguments; // those that are the same in each run
  std::vector<Slot> slots;
  std::vector<Sizes> sizes;
  std::optional<size_t> generator;
  bool draws;
};

ep_status ep_operation_new(const char *name, const char *overload, const ep_argument *arguments, int32_t n, const char *text,
                           const int64_t *ints, const double *reals, ep_device device, ep_operation *out) {
  return shim::call(false, [&] {
    const Values values{text, ints, reals, shim::device_of(device)};
    const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    TORCH_CHECK(found.has_value(), "this libtorch has no operation ", name, ".", overload);
    auto op = std::make_unique<ep_operation_s>(
        ep_operation_s{*found, {}, {}, {}, std::nullopt, found->hasTag(at::Tag::nondeterministic_seeded)});
    int32_t used = 0;
    for (const c10::Argument &want : found->schema().arguments()) {
      const size_t at = op->arguments.size();
      const c10::Type &type = inner(*want.type());
      const auto *given = std::find_if(arguments, arguments + n, [&](const ep_argument &a) { return want.name() == text + a.name; });
      used += given != arguments + n;
      if (given == arguments + n || (given->kind == EP_NONE && want.type()->kind() == TypeKind::OptionalType)) {
        if (type.kind() == TypeKind::GeneratorType)
          op->generator = at;
        const bool placed = type.kind() == TypeKind::DeviceObjType && (device.type == EP_CUDA || !want.default_value());
        TORCH_CHECK(placed || given != arguments + n || want.default_value().has_value(), "it needs the argument ", want.name());
        op->arguments.push_back(placed ? IValue(values.device) : given != arguments + n ? IValue() : *want.default_value());
        continue;
      }
      try {
        if (type.kind() == TypeKind::TensorType && given->kind != EP_TENSORS && given->kind != EP_NONE && given->kind != EP_TEXT) {
          op->arguments.push_back(wrapped(*given, values));
        } else if (type.kind() == TypeKind::TensorType || is_list_of_tensors(type)) {
          const bool one = type.kind() == TypeKind::TensorType;
          TORCH_CHECK(given->kind == EP_TENSORS && (!one || given->count == 1), one ? "a tensor is needed" : "tensors are needed");
          const bool gaps = !one && type.containedType(0)->kind() == TypeKind::OptionalType;
          op->slots.push_back({one ? Slot::One : gaps ? Slot::Optional : Slot::List, at, given->start, given->count});
          op->arguments.emplace_back();
        } else if (given->kind == EP_SIZES) {
          const bool several = type.kind() == TypeKind::ListType;
          const TypeKind kind = several ? type.containedType(0)->kind() : type.kind();
          TORCH_CHECK((several || given->count == 1) && (kind == TypeKind::IntType || kind == TypeKind::SymIntType || kind == TypeKind::NumberType),
                      "it is no size");
          Sizes s{at, several, {}};
          for (int64_t i = 0; i < given->count; ++i)
            s.factors.emplace_back(ints[given->start + 2 * i], ints[given->start + 2 * i + 1] != 0);
          op->sizes.push_back(std::move(s));
          op->arguments.emplace_back();
        } else {
          op->arguments.push_back(boxed(*want.type(), *given, values));
        }
      } catch (const c10::Error &e) {
        TORCH_CHECK(false, "its argument ", want.name(), ": ", e.what_without_backtrace());
      }
    }
    TORCH_CHECK(used == n, "it has fewer arguments than were given, or others");
    *out = op.release();
  });
}

ep_status ep_operation_free(ep_operation operation) {
  return shim::call(false, [&] { delete operation; });
}

ep_status ep_operation_run(ep_operation op, ep_scope scope, const ep_tensor *tensors, int64_t clips, ep_generator generator,
                           ep_tensor *out, int32_t *outs) {
  return shim::call(scope->grad, [&] {
    const shim::Autocast bf16(scope->bf16);
    std::vector<IValue> stack = op->arguments;
    for (const Slot &slot : op->slots) {
      const ep_tensor *const given = tensors + slot.start;
      for (int64_t i = 0; i < slot.count; ++i)
        TORCH_CHECK(given[i] || slot.kind == Slot::Optional, "a tensor is needed");
      switch (slot.kind) {
      case Slot::One:
        stack[slot.at] = given[0]->value;
        break;
      case Slot::List:
        stack[slot.at] = list(slot.count, [&](int64_t i) { return given[i]->value; });
        break;
      case Slot::Optional:
        stack[slot.at] = list(slot.count, [&](int64_t i) { return given[i] ? std::optional<at::Tensor>(given[i]->value) : std::nullopt; });
      }
    }
    for (const Sizes &s : op->sizes) {
      const auto size = [&](int64_t i) { return s.factors[i].first * (s.factors[i].second ? clips : 1); };
      stack[s.at] = s.list ? list(static_cast<int64_t>(s.factors.size()), size) : IValue(size(0));
    }
    std::optional<Drawing> drawing;
    if (op->generator && generator)
      stack[*op->generator] = generator->value;
    else if (op->draws && generator)
      drawing.emplace(generator->value);
    op->handle.callBoxed(stack);
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
