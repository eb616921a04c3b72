/* How it is found out whether a kernel of ours gives libtorch's bits. */
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <map>
#include <mutex>

namespace shim {

/* This processor's instruction set, or the smaller one that libtorch is told to use. */
enum class Processor { other, avx2, avx512 };
Processor processor();

/* The kernel of this processor; others than x86's have the plain one alone. */
#if defined(__x86_64__)
#define SHIM_KERNEL(name) ::shim::of_processor(::shim::name##_plain, ::shim::name##_avx2, ::shim::name##_avx512)
template <typename Kernel> const Kernel &of_processor(const Kernel &plain, const Kernel &avx2, const Kernel &avx512) {
  const Processor now = processor();
  return now == Processor::avx512 ? avx512 : now == Processor::avx2 ? avx2 : plain;
}
#else
#define SHIM_KERNEL(name) ::shim::name##_plain
#endif

/* Made-up float32 numbers between -1 and 1. */
at::Tensor numbers(at::IntArrayRef shape, int64_t seed);

/* Has libtorch use one thread. */
class OneThread {
public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread &) = delete;
  OneThread &operator=(const OneThread &) = delete;

private:
  const int before;
};

/* Properties of this libtorch found by trying, once for each key: with one thread, and without
 * gradients. */
template <typename Key, typename Value> class Known {
public:
  template <typename Try> Value operator()(const Key &key, Try find_out) {
    const std::lock_guard lock(mutex);
    const auto found = known.find(key);
    if (found != known.end())
      return found->second;
    const OneThread one;
    c10::AutoGradMode off(false);
    return known[key] = find_out();
  }

private:
  std::mutex mutex;
  std::map<Key, Value> known;
};

} // namespace shim
