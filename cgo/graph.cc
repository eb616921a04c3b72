// CUDA graphs: work that is recorded once and then asked of the device by one launch.
#include "internal.h"

#ifdef EP_WITH_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

struct ep_graph_s {
  at::cuda::CUDAGraph graph;
  c10::DeviceIndex device;
  bool ended = false;
};

namespace {

// libtorch 2.11 wants to be told of generators other than its own; later ones find them,
// and have no such function.
template <typename Graph>
auto tell(Graph &g, const at::Generator &of, int) -> decltype(g.register_generator_state(of)) {
  g.register_generator_state(of);
}
template <typename Graph> void tell(Graph &, const at::Generator &, long) {}

} // namespace

ep_status ep_graph_begin(ep_device device, const ep_generator *generators, int32_t n, ep_graph *out) {
  return shim::call(false, [&] {
    TORCH_CHECK(device.type == EP_CUDA, "only a GPU's work can be recorded");
    const c10::cuda::CUDAGuard guard(shim::device_index(device.index));
    auto g = std::make_unique<ep_graph_s>();
    g->device = guard.current_device().index();
    for (int32_t i = 0; i < n; ++i)
      tell(g->graph, generators[i]->value, 0);
    // Other threads go on allocating meanwhile.
    g->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    *out = g.release();
  });
}

ep_status ep_graph_end(ep_graph graph) {
  return shim::call(false, [&] {
    const c10::cuda::CUDAGuard guard(graph->device);
    graph->ended = true;
    graph->graph.capture_end();
  });
}

ep_status ep_graph_replay(ep_graph graph) {
  return shim::call(false, [&] {
    const c10::cuda::CUDAGuard guard(graph->device);
    graph->graph.replay();
  });
}

ep_status ep_graph_free(ep_graph graph) {
  return shim::call(false, [&] {
    const std::unique_ptr<ep_graph_s> owned(graph);
    if (!owned)
      return;
    const c10::cuda::CUDAGuard guard(owned->device);
    if (!owned->ended)
      owned->graph.capture_end(); // or the stream would go on recording
  });
}
#else
static ep_status no_graph() {
  return shim::failure(EP_DEVICE, "only a GPU's work can be recorded, and the shim was built without CUDA");
}
ep_status ep_graph_begin(ep_device, const ep_generator *, int32_t, ep_graph *) { return no_graph(); }
ep_status ep_graph_end(ep_graph) { return no_graph(); }
ep_status ep_graph_replay(ep_graph) { return no_graph(); }
ep_status ep_graph_free(ep_graph) { return {EP_OK, nullptr}; }
#endif
