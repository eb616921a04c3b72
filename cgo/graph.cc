// CUDA graphs: work that is recorded once and then asked of the device by one launch.
#include "recording.h"
#include "stream.h"

#ifdef EP_WITH_CUDA
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

// libtorch 2.11 wants to be told of generators other than its own, and leaves them recording
// where a capture fails; later ones find them, keep their recorded state by the capture, and
// have no such members.
template <typename Graph> auto tell(Graph &g, const at::Generator &generator, int) -> decltype(g.register_generator_state(generator)) {
  g.register_generator_state(generator);
}
template <typename Graph> void tell(Graph &, const at::Generator &, long) {}
template <typename State> auto stop(State &s, int) -> decltype(s.capturing_ = false, void()) { s.capturing_ = false; }
template <typename State> void stop(State &, long) {}

struct Graph final : at::cuda::CUDAGraph {
  void stop_generators() {
    for (auto &entry : captured_generator_states_)
      stop(*entry.first, 0);
  }
};

void ignoring_errors(const auto &body) noexcept {
  try {
    body();
  } catch (...) { // the error that led here is the one that is told
  }
}

class GraphCapture final : public shim::Capture {
public:
  GraphCapture(std::shared_ptr<shim::Pool> pool, std::vector<at::Generator> generators)
      : pool_(std::move(pool)), generators_(std::move(generators)) {}

  void begin() override {
    const c10::cuda::CUDAGuard guard(pool_->device);
    users_ = users();
    stream_ = c10::cuda::getCurrentCUDAStream(pool_->device);
    graph_ = std::make_unique<Graph>();
    for (const at::Generator &g : generators_)
      tell(*graph_, g, 0);
    // Other threads go on allocating meanwhile.
    graph_->capture_begin(pool_->id, cudaStreamCaptureModeThreadLocal);
  }

  void end() override {
    const c10::cuda::CUDAGuard guard(pool_->device);
    graph_->capture_end();
  }

  void abandon() noexcept override {
    const c10::cuda::CUDAGuard guard(pool_->device);
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    if (stream_ && cudaStreamIsCapturing(stream_->stream(), &status) == cudaSuccess && status == cudaStreamCaptureStatusActive)
      ignoring_errors([&] { graph_->capture_end(); });
    else if (status == cudaStreamCaptureStatusInvalidated) {
      cudaGraph_t broken = nullptr;
      cudaStreamEndCapture(stream_->stream(), &broken);
    }
    if (graph_)
      ignoring_errors([&] { graph_->stop_generators(); });
    graph_.reset();
    if (users() > users_) { // a libtorch that forgets the pool of a capture that failed
      ignoring_errors([&] { allocator::endAllocateToPool(pool_->device, pool_->id); });
      ignoring_errors([&] { allocator::releasePool(pool_->device, pool_->id); });
      ignoring_errors([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool_->id); });
      ignoring_errors([&] { at::getHostAllocator(at::kCUDA)->release_pool(pool_->id); });
    }
    cudaGetLastError(); // or the next call would report it
  }

  void replay() override {
    const c10::cuda::CUDAGuard guard(pool_->device);
    graph_->replay();
  }

  // Its work must be done: its memory, and the generators', are used again.
  void release() noexcept override {
    const c10::cuda::CUDAGuard guard(pool_->device);
    cudaStreamSynchronize(stream_->stream());
    graph_.reset();
  }

  size_t memory() override {
    size_t bytes = 0;
    for (const auto &segment : allocator::snapshot(pool_->id).segments)
      if (segment.owner_private_pool_id == pool_->id)
        bytes += segment.total_size;
    return bytes;
  }

private:
  int users() const { return allocator::getPoolUseCount(pool_->device, pool_->id); }

  const std::shared_ptr<shim::Pool> pool_;
  const std::vector<at::Generator> generators_;
  std::unique_ptr<Graph> graph_;
  std::optional<c10::cuda::CUDAStream> stream_;
  int users_ = 0;
};

} // namespace

struct ep_graph_s : shim::Recording {
  using shim::Recording::Recording;
};

ep_status ep_graph_begin(ep_device device, const ep_generator *generators, int32_t n, int32_t measure, ep_graph *out) {
  return shim::call_unshared(false, [&] {
    TORCH_CHECK(device.type == EP_CUDA, "only a GPU's work can be recorded");
    const c10::DeviceIndex index = shim::device_index(device.index);
    std::shared_ptr<shim::Pool> pool = shim::thread_pool(index);
    TORCH_CHECK(pool, "work is recorded on a stream of its own, and the thread has none");
    if (measure)
      pool = std::make_shared<shim::Pool>(index);
    std::vector<at::Generator> values;
    for (int32_t i = 0; i < n; ++i)
      values.push_back(generators[i]->value);
    *out = new ep_graph_s(shim::gate(index), std::make_unique<GraphCapture>(std::move(pool), std::move(values)));
  });
}

ep_status ep_graph_end(ep_graph graph) {
  return shim::call_unshared(false, [&] { graph->end(); });
}

ep_status ep_graph_replay(ep_graph graph) {
  return shim::call_unshared(false, [&] { graph->replay(); });
}

ep_status ep_graph_memory(ep_graph graph, int64_t *bytes) {
  return shim::call(false, [&] { *bytes = static_cast<int64_t>(graph->memory()); });
}

ep_status ep_graph_free(ep_graph graph) {
  return shim::call_unshared(false, [&] { delete graph; });
}
#else
static ep_status no_graph() {
  return shim::failure(EP_DEVICE, "only a GPU's work can be recorded, and the shim was built without CUDA");
}
ep_status ep_graph_begin(ep_device, const ep_generator *, int32_t, int32_t, ep_graph *) { return no_graph(); }
ep_status ep_graph_end(ep_graph) { return no_graph(); }
ep_status ep_graph_replay(ep_graph) { return no_graph(); }
ep_status ep_graph_memory(ep_graph, int64_t *) { return no_graph(); }
ep_status ep_graph_free(ep_graph) { return {EP_OK, nullptr}; }
#endif
