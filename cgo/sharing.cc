#include "sharing.h"

#include <array>
#include <atomic>
#include <bit>

namespace shim {

namespace {
constexpr size_t most_devices = 64; // as many as libtorch knows
std::atomic<uint64_t> streaming{0}; // a bit for each device on which threads have streams
thread_local uint64_t own_device = 0; // that of the calling thread's stream
} // namespace

Gate &gate(c10::DeviceIndex device) {
  static std::array<Gate, most_devices> gates;
  return gates.at(static_cast<size_t>(device));
}

void works_for(c10::DeviceIndex device) {
  own_device = uint64_t{1} << device;
  streaming.fetch_or(own_device);
}

// Who has no stream of its own may use any of them.
Sharing::Sharing() : devices_(own_device ? own_device : streaming.load(std::memory_order_relaxed)) {
  for (uint64_t rest = devices_; rest != 0; rest &= rest - 1)
    gate(static_cast<c10::DeviceIndex>(std::countr_zero(rest))).share();
}

Sharing::~Sharing() {
  for (uint64_t rest = devices_; rest != 0; rest &= rest - 1)
    gate(static_cast<c10::DeviceIndex>(std::countr_zero(rest))).unshare();
}

} // namespace shim
