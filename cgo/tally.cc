// Counts what libtorch computes: on a GPU an operation that computes is a launch, give or take those that
// one library call makes, and the bytes that it reads and writes bound its time from below.
#include "internal.h"

#include <ATen/core/function_schema.h>
#include <ATen/record_function.h>

#include <map>
#include <string_view>

namespace {

struct Count {
  int64_t calls = 0, bytes = 0;
};

// One operation that is being computed: what computes within it is counted in its place, unless it is one of those
// that a GPU computes as a whole. Its inputs are known only when it begins.
struct Frame final : at::ObserverContext {
  bool whole = false, calls_others = false;
  int64_t bytes = 0, overwritten = 0;                        // of inputs that it writes and returns nothing of
  std::vector<std::pair<const void *, const void *>> inputs; // tensors and their memory
};

struct Tally {
  at::CallbackHandle handle = 0;
  std::vector<Frame *> open;
  std::map<std::string, Count> counts;
};

thread_local std::unique_ptr<Tally> tally;

template <typename Visit> void each_tensor(const c10::IValue &v, const Visit &visit) {
  if (v.isTensor()) {
    if (v.toTensor().defined() && v.toTensor().has_storage())
      visit(v.toTensor());
  } else if (v.isTensorList()) {
    for (const at::Tensor &t : v.toTensorVector())
      each_tensor(c10::IValue(t), visit);
  }
}

// What is repeated along a dimension is read once.
int64_t bytes_of(const at::Tensor &t) { return std::min<int64_t>(t.nbytes(), t.storage().nbytes()); }

// Whether outputs share the memory of an input without being it: nothing was computed.
bool is_view(const Frame &frame, const at::Tensor &out) {
  bool shares = false;
  for (const auto &[tensor, memory] : frame.inputs) {
    if (tensor == out.unsafeGetTensorImpl())
      return false;
    shares = shares || memory == out.storage().unsafeGetStorageImpl();
  }
  return shares;
}

// Memory that is taken, and numbers that are asked for.
bool computes_nothing(std::string_view name) {
  for (const std::string_view other : {"aten::empty", "aten::new_empty", "aten::resize_", "aten::set_", "aten::detach",
                                       "aten::is_", "aten::_has", "aten::as_strided", "aten::resolve_"})
    if (name.starts_with(other))
      return true;
  return false;
}

// What a CPU computes by several operations and a GPU by one.
bool is_whole(std::string_view name) {
  for (const std::string_view one :
       {"aten::convolution", "aten::convolution_backward", "aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm",
        "aten::native_batch_norm", "aten::native_batch_norm_backward", "aten::im2col", "aten::col2im",
        "aten::_fused_sgd_", "aten::_fused_adam_", "aten::_foreach_add_"})
    if (name == one)
      return true;
  return false;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &f) {
  auto frame = std::make_unique<Frame>();
  if (!tally)
    return frame;
  frame->whole = is_whole(f.name()) || (!tally->open.empty() && tally->open.back()->whole);
  tally->open.push_back(frame.get());
  const std::optional<c10::FunctionSchema> schema = f.operator_schema();
  const bool returns = !schema || !schema->returns().empty();
  size_t i = 0;
  for (const c10::IValue &v : f.inputs()) {
    const c10::AliasInfo *alias = returns ? nullptr : schema->arguments()[i++].alias_info();
    each_tensor(v, [&](const at::Tensor &t) {
      frame->bytes += bytes_of(t);
      frame->overwritten += alias && alias->isWrite() ? bytes_of(t) : 0;
      frame->inputs.emplace_back(t.unsafeGetTensorImpl(), t.storage().unsafeGetStorageImpl());
    });
  }
  return frame;
}

void end(const at::RecordFunction &f, at::ObserverContext *context) {
  if (!tally || tally->open.empty() || tally->open.back() != context)
    return;
  tally->open.pop_back();
  auto &frame = static_cast<Frame &>(*context);
  const std::string_view name = f.name();
  const bool within = !tally->open.empty() && tally->open.back()->whole;
  bool computes = !within && !frame.calls_others && !computes_nothing(name);
  for (const c10::IValue &v : f.outputs())
    each_tensor(v, [&](const at::Tensor &t) {
      frame.bytes += bytes_of(t);
      computes = computes && !is_view(frame, t);
    });
  if (!tally->open.empty())
    tally->open.back()->calls_others = tally->open.back()->calls_others || frame.calls_others || computes;
  if (!computes || (f.outputs().empty() && frame.overwritten == 0))
    return;
  Count &count = tally->counts[std::string(name)];
  ++count.calls;
  count.bytes += frame.bytes + frame.overwritten;
}

} // namespace

ep_status ep_tally_begin(void) {
  return shim::call(false, [] {
    TORCH_CHECK(!tally, "the thread's operations are being counted already");
    tally = std::make_unique<Tally>();
    tally->handle = at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                                   .needsInputs(true)
                                                   .needsOutputs(true)
                                                   .scopes({at::RecordScope::FUNCTION}));
  });
}

ep_status ep_tally_end(char **counts) {
  return shim::call(false, [&] {
    TORCH_CHECK(tally, "the thread's operations are not being counted");
    const std::unique_ptr<Tally> done = std::move(tally);
    at::removeCallback(done->handle);
    std::string text;
    for (const auto &[name, count] : done->counts)
      text += name + " " + std::to_string(count.calls) + " " + std::to_string(count.bytes) + "\n";
    *counts = static_cast<char *>(std::malloc(text.size() + 1));
    if (!*counts)
      throw std::bad_alloc();
    std::memcpy(*counts, text.c_str(), text.size() + 1);
  });
}
