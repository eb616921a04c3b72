/* Our kernels on GPUs: compiled by NVRTC when they are first wanted, launched by the driver. Both are libraries
 * that a CUDA libtorch has opened itself; nothing of the toolkit is needed to build this. Errors are
 * std::runtime_error. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shim::gpu {

/* A program that a GPU's driver loads. */
struct Program {
  std::string options, code;
};

/* Whether an NVRTC is found. */
bool has_nvrtc();
/* Our kernels for a GPU of the compute capability major.minor as 10 * major + minor. */
Program compile_kernels(int capability);
/* Any program, for one. */
Program compile(const std::string &source, int capability);

/* Launches a kernel by name on a stream of the device. Loads what isn't loaded, which is an error while the stream
 * is recorded. The arguments are copied before this returns. */
void launch(int device, void *stream, const char *kernel, unsigned blocks, void **arguments);

} // namespace shim::gpu
