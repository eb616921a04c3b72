/* What a kernel and the code that launches it must agree on: read by the C++ compiler and, in front of the
 * kernels, by NVRTC. Nothing can be included here. */
#ifndef EP_GPU_SHAPE_H
#define EP_GPU_SHAPE_H

namespace shim::gpu {

constexpr unsigned threads = 256; /* of every block */
constexpr unsigned each = 16;     /* numbers that a thread adds up before the block adds up its threads */
constexpr unsigned chunk = threads * each;
constexpr unsigned taps = 8;     /* of a weight's gradient that one block computes */
constexpr unsigned together = 4; /* output channels of one input channel that a thread computes at once */

/* A number where it is positive and where it isn't: multiplied, there after exp(exponent * x) - 1 unless the exponent
 * is zero. */
struct Activation {
  float positive, negative, exponent;
};

/* A convolution of every channel alone. */
struct Depthwise {
  int channels, height, width; /* of the input */
  int multiplier;              /* output channels of each */
  int kernel_height, kernel_width;
  int top, left; /* zeros before */
  int out_height, out_width;
};

} // namespace shim::gpu

#endif
