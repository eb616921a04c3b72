/* Threads of a GPU's trainings: each has a stream, and a pool of memory for the recordings on it. */
#pragma once

#include "internal.h"

#ifdef EP_WITH_CUDA
namespace shim {

/* A pool of the device's memory that belongs to whoever holds this. */
class Pool {
public:
  explicit Pool(c10::DeviceIndex device);
  ~Pool();
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

  const c10::DeviceIndex device;
  const c10::MempoolId_t id;
};

/* That of the calling thread's own stream; NULL where it has none on the device. */
std::shared_ptr<Pool> thread_pool(c10::DeviceIndex device);

} // namespace shim
#endif
