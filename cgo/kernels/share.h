/* How work is shared among threads. */
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

namespace shim {

/* Calls work(begin, end) for parts of 0 to n. Each thread has a range of its own, the same of one operation as of the
 * next, so that it finds in its core's cache what it wrote there; then it takes parts of the others': one that the
 * machine slows down, or that comes late, holds them up by a part at most. `worth` says how many are worth a thread. */
template <typename Work> void share(int64_t n, int64_t worth, const Work &work) {
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), n / std::max<int64_t>(worth, 1));
  if (threads < 2 || at::in_parallel_region()) {
    if (n > 0)
      work(0, n);
    return;
  }
  const int64_t part = std::max<int64_t>(1, n / (threads * 8));
  struct alignas(64) Range {
    std::atomic<int64_t> next;
  };
  std::vector<Range> ranges(threads);
  for (int64_t t = 0; t < threads; ++t)
    ranges[t].next = n * t / threads;
  at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t)
      for (int64_t k = 0; k < threads; ++k) {
        const int64_t of = (t + k) % threads, end = n * (of + 1) / threads;
        for (int64_t begin; (begin = ranges[of].next.fetch_add(part, std::memory_order_relaxed)) < end;)
          work(begin, std::min(end, begin + part));
      }
  });
}

} // namespace shim
