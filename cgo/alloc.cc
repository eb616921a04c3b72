// Large blocks of memory, kept when they are freed. A training step frees and asks again for the
// same few. glibc keeps those that fit into a heap of 64 MB of a thread's arena; larger ones it gives
// back to the kernel each time, and pays for fresh zeroed pages: almost half of TSCeption's step on
// 512 clips.
#include "alloc.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <sys/mman.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>

namespace {

constexpr size_t large = size_t{56} << 20;
constexpr size_t page = size_t{1} << 21; // a huge one
constexpr size_t rounded(size_t n) { return (n + page - 1) / page * page; }

// Blocks that all began at a multiple of a page would lie in the same sets of the caches, and
// several that are read side by side would drive each other out: each begins a little further in
// its first page than the one before.
constexpr size_t shift = 4096 + 5 * 64, shifts = 61;

struct Block {
  void *start; // of its pages
  void *data;
  size_t size; // from data on
};

class Blocks {
public:
  void *take(size_t n) {
    const std::lock_guard<std::mutex> lock(mutex);
    // The smallest that is large enough and wastes little.
    auto best = free.end();
    for (auto it = free.begin(); it != free.end(); ++it)
      if (it->size >= n && it->size <= n + n / 4 + page && (best == free.end() || it->size < best->size))
        best = it;
    Block block{};
    if (best != free.end()) {
      block = *best;
      kept -= block.size;
      free.erase(best);
    } else {
      // So that all together are never more than a quarter above the most that was in use.
      keep(std::max(most, used + n) / 4);
      if (!map(n, &block)) {
        keep(0);
        if (!map(n, &block))
          TORCH_CHECK_WITH(OutOfMemoryError, false, "no memory left on the host for ", n, " bytes");
      }
    }
    owned.emplace(block.data, block);
    used += block.size;
    most = std::max(most, used);
    return block.data;
  }

  // Takes a block back; false where it is none of these.
  bool give(void *data) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto it = owned.find(data);
    if (it == owned.end())
      return false;
    free.push_front(it->second);
    kept += it->second.size;
    used -= it->second.size;
    owned.erase(it);
    return true;
  }

private:
  std::mutex mutex;
  std::unordered_map<void *, Block> owned; // by somebody else
  std::list<Block> free;                   // the last freed first
  size_t used = 0, kept = 0, most = 0;     // bytes
  size_t mapped = 0;                       // blocks so far

  void keep(size_t at_most) {
    while (kept > at_most) {
      const Block &oldest = free.back();
      munmap(oldest.start, static_cast<char *>(oldest.data) - static_cast<char *>(oldest.start) + oldest.size);
      kept -= oldest.size;
      free.pop_back();
    }
  }

  bool map(size_t n, Block *block) {
    const size_t in = shift * (mapped % shifts), size = rounded(in + n);
    void *const raw = mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED)
      return false;
    ++mapped;
    const auto address = reinterpret_cast<uintptr_t>(raw), aligned = rounded(address);
    if (aligned > address)
      munmap(raw, aligned - address);
    if (const size_t rest = address + page - aligned)
      munmap(reinterpret_cast<void *>(aligned + size), rest);
    void *const start = reinterpret_cast<void *>(aligned);
    madvise(start, size, MADV_HUGEPAGE);
    *block = {start, static_cast<char *>(start) + in, size - in};
    return true;
  }
};

// Never destroyed: threads may free tensors while the program ends.
Blocks &blocks() {
  static auto *all = new Blocks;
  return *all;
}

void give(void *data) {
  if (!blocks().give(data))
    c10::free_cpu(data);
}

struct Keeping final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    void *const data = n < large ? c10::alloc_cpu(n) : blocks().take(n);
    return {data, data, n < large ? &c10::free_cpu : &give, at::Device(at::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give; }
  void copy_data(void *to, const void *from, size_t n) const override { default_copy_data(to, from, n); }
};

} // namespace

void shim::keep_large_blocks() {
  static Keeping allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/1);
}
