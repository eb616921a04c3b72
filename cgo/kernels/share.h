/* How work is shared among threads. */
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace shim {

/* Calls work(begin, end) for parts of 0 to n, which threads take as they come for them: one that the machine slows
 * down, or that comes late, holds up the others by a part at most. `worth` says how many are worth a thread. */
template <typename Work> void share(int64_t n, int64_t worth, const Work &work) {
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), n / std::max<int64_t>(worth, 1));
  if (threads < 2 || at::in_parallel_region()) {
    if (n > 0)
      work(0, n);
    return;
  }
  const int64_t part = std::max<int64_t>(1, n / (threads * 8));
  std::atomic<int64_t> next{0};
  at::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    for (int64_t begin; (begin = next.fetch_add(part, std::memory_order_relaxed)) < n;)
      work(begin, std::min(n, begin + part));
  });
}

} // namespace shim
