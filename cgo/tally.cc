// Counts what libtorch computes: on a GPU an operation that computes is a launch, give or take those that
// one library call makes, and the bytes that it reads and writes bound its time from below.
#include "internal.h"

#include <ATen/record_function.h>

#include <map>
#include <string_view>

namespace {

struct Count {
  int64_t calls = 0, bytes = 0;
};

// One operation that is being computed: what it calls is counted in its place.
struct Frame final : at::ObserverContext {
  bool calls_others = false;
};

struct Tally {
  at::CallbackHandle handle = 0;
  std::vector<Frame *> open;
  std::map<std::string, Count> counts;
};

thread_local std::unique_ptr<Tally> tally;

int64_t bytes_of(const c10::IValue &v) {
  int64_t bytes = 0;
  if (v.isTensor()) {
    const at::Tensor &t = v.toTensor();
    // What is repeated along a dimension is read once.
    if (t.defined() && t.has_storage())
      bytes += std::min<int64_t>(t.nbytes(), t.storage().nbytes());
  } else if (v.isTensorList()) {
    for (const at::Tensor &t : v.toTensorVector())
      bytes += bytes_of(t);
  }
  return bytes;
}

// Whether outputs share the memory of an input without being it: nothing was computed.
bool is_view(c10::ArrayRef<const c10::IValue> in, const std::vector<c10::IValue> &out) {
  for (const c10::IValue &o : out) {
    if (!o.isTensor() || !o.toTensor().defined() || !o.toTensor().has_storage())
      return false;
    for (const c10::IValue &i : in)
      if (i.isTensor() && i.toTensor().defined() && i.toTensor().has_storage() && i.toTensor().storage().is_alias_of(o.toTensor().storage()))
        return !i.toTensor().is_same(o.toTensor());
  }
  return false;
}

// Memory that is taken, and numbers that are asked for.
bool computes_nothing(std::string_view name) {
  for (const std::string_view other : {"aten::empty", "aten::new_empty", "aten::resize_", "aten::set_", "aten::detach", "aten::is_", "aten::_has"})
    if (name.starts_with(other))
      return true;
  return false;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &) {
  auto frame = std::make_unique<Frame>();
  if (tally) {
    if (!tally->open.empty())
      tally->open.back()->calls_others = true;
    tally->open.push_back(frame.get());
  }
  return frame;
}

void end(const at::RecordFunction &f, at::ObserverContext *context) {
  if (!tally || tally->open.empty() || tally->open.back() != context)
    return;
  tally->open.pop_back();
  const std::vector<c10::IValue> out = f.outputs();
  const std::string_view name = f.name();
  if (static_cast<Frame *>(context)->calls_others || out.empty() || computes_nothing(name) || is_view(f.inputs(), out))
    return;
  Count &count = tally->counts[std::string(name)];
  ++count.calls;
  for (const c10::IValue &v : f.inputs())
    count.bytes += bytes_of(v);
  for (const c10::IValue &v : out)
    count.bytes += bytes_of(v);
}

} // namespace

ep_status ep_tally_begin(void) {
  return shim::call(false, [] {
    TORCH_CHECK(!tally, "the thread's operations are being counted already");
    tally = std::make_unique<Tally>();
    tally->handle = at::addThreadLocalCallback(
        at::RecordFunctionCallback(begin, end).needsInputs(true).needsOutputs(true).scopes({at::RecordScope::FUNCTION}));
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
