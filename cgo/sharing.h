/* Who uses a GPU while threads record on it: see gate.h. */
#pragma once

#include "gate.h"

#include <c10/core/Device.h>

#include <cstdint>

namespace shim {

/* The gate of each device. */
Gate &gate(c10::DeviceIndex device);

/* Says that the calling thread has from now on a stream of its own on the device, and works for no other. */
void works_for(c10::DeviceIndex device);

/* Shares the GPUs on which threads record, for as long as it lives. */
class Sharing {
public:
  Sharing();
  ~Sharing();
  Sharing(const Sharing &) = delete;
  Sharing &operator=(const Sharing &) = delete;

private:
  uint64_t devices_; // a bit for each
};

} // namespace shim
