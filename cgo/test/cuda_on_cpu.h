// Runs the kernels of a .cu file on the CPU, from the very text that NVRTC compiles: blocks one after the
// other, a block's threads as threads that wait for each other in __syncthreads. What only a GPU can show,
// speed and its own rounding, is not tested so; a missing barrier is, by ThreadSanitizer.
#pragma once

#include <barrier>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeindex>
#include <utility>
#include <vector>

namespace cuda_on_cpu {

struct Index {
  unsigned x = 0;
};
inline thread_local Index thread_index, block_index;
inline thread_local std::barrier<> *block_barrier = nullptr;

// A grid of one dimension. A thread that returns early no longer counts in barriers, as on a GPU, until the next block,
// before which all meet in a barrier of their own.
template <typename Body> void run(unsigned blocks, unsigned threads, const Body &body) {
  struct Block {
    std::barrier<> inside;
    explicit Block(unsigned n) : inside(n) {}
  };
  std::unique_ptr<Block> block;
  unsigned number = 0;
  // Runs in one thread, when all have left a block: the next one begins with a fresh barrier.
  const auto next = [&]() noexcept { block = ++number < blocks ? std::make_unique<Block>(threads) : nullptr; };
  std::barrier between(threads, next);
  block = std::make_unique<Block>(threads);
  const auto thread = [&](unsigned t) {
    for (unsigned b = 0; b < blocks; ++b) {
      thread_index = {t};
      block_index = {b};
      block_barrier = &block->inside;
      body();
      block_barrier->arrive_and_drop();
      between.arrive_and_wait();
    }
  };
  std::vector<std::thread> all;
  for (unsigned t = 0; t < threads; ++t)
    all.emplace_back(thread, t);
  for (std::thread &t : all)
    t.join();
}

// Kernels by name, as a module has them; arguments must have the very types of the kernel's, which no
// compiler checks where a driver launches it.
class Kernels {
public:
  template <typename... Parameters> void add(const char *name, void (*kernel)(Parameters...)) {
    kernels_[name] = {{std::type_index(typeid(Parameters))...}, [kernel](void **arguments) {
                        call(kernel, arguments, std::index_sequence_for<Parameters...>());
                      }};
  }

  template <typename... Arguments>
  void launch(const std::string &name, unsigned blocks, unsigned threads, Arguments... arguments) const {
    const auto found = kernels_.find(name);
    if (found == kernels_.end())
      throw std::logic_error("no kernel " + name);
    if (found->second.types != std::vector<std::type_index>{std::type_index(typeid(Arguments))...})
      throw std::logic_error(name + " is launched with arguments of other types");
    if (blocks == 0)
      throw std::logic_error(name + " is launched with no blocks, which a driver refuses");
    void *pointers[] = {&arguments...};
    run(blocks, threads, [&] { found->second.call(pointers); });
  }

private:
  struct Kernel {
    std::vector<std::type_index> types;
    std::function<void(void **)> call;
  };

  template <typename... Parameters, size_t... I>
  static void call(void (*kernel)(Parameters...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<Parameters *>(arguments[I])...);
  }

  std::map<std::string, Kernel> kernels_;
};

} // namespace cuda_on_cpu

// Shared memory outlives its block here: what a kernel reads before it wrote it is another block's, which numbers
// that don't agree would show.
#define __global__
#define __device__
#define __shared__ static
#define threadIdx cuda_on_cpu::thread_index
#define blockIdx cuda_on_cpu::block_index
#define __syncthreads() cuda_on_cpu::block_barrier->arrive_and_wait()
