/* Convolutions of stride 1 of maps whose channels lie innermost, [clips, height, width, channels],
 * whose sums are taken in the order of oneDNN's. Nothing of libtorch or of C++'s library is
 * included here, nor by the kernel: see hwcn.h. */
#pragma once

#include <stdint.h>

namespace shim {

/* In which order a sum over kernel and channels is taken: products are added one after the
 * other, of `block` channels for each point of the kernel, then of the next; after `group` channels
 * a new sum begins, which is added to those before. */
struct SumOrder {
  int64_t block, group;
  bool bias_first; /* else after the first group */
};

/* A map, or the gradient of its source: target point p is the sum over the kernel's points k
 * of source point p + k - origin, or, mirrored, of p - k + origin. */
struct NHWCMap {
  /* weight: chunks of blocks of order.block channels of [kernel height, kernel width, channels, chunk], as they are read;
   * bias may be null */
  const float *source, *weight, *bias;
  float *target;
  int64_t clips, height, width, channels; /* of the source */
  int64_t out_height, out_width, out;     /* of the target */
  int64_t padded;                         /* out, rounded up to a multiple of 16: weights of 0 and any bias */
  int64_t kernel[2], origin[2];           /* height before width */
  bool mirrored;
  SumOrder order;
};

/* The gradient of a weight: sums over clips, rows and points, in this order. */
struct NHWCWeight {
  const float *source, *gradient; /* chunks of [clips, height, width, chunk]; [clips, out_height, out_width, out] */
  float *target;                  /* [out, kernel height, kernel width, padded] */
  int64_t clips, height, width, padded, out_height, out_width, out;
  int64_t kernel[2], origin[2];
};

/* A BatchNorm of maps [clips, points, channels] in training. */
struct NHWCNorm {
  const float *x;
  int64_t clips, points, channels;
  float *mean, *squares; /* of each channel: its mean, and the sum of squared differences from it */

  const float *dy, *invstd, *weight;
  float *dx, *dweight, *dbias; /* dx may be null */
  int64_t lanes;               /* how many sums libtorch takes side by side along a map */
};

/* A processor's functions: all of one of them, or from so much of the work to so much. Vectors of channels
 * come in chunks of so many, the last of the rest of `padded`. */
struct NHWCKernel {
  int64_t chunk;
  int64_t (*map_work)(const NHWCMap &);
  void (*map)(const NHWCMap &, int64_t begin, int64_t end);
  int64_t (*weight_work)(const NHWCWeight &);
  void (*weight)(const NHWCWeight &, int64_t begin, int64_t end);
  SumOrder forward, backward;
  /* Of channels begin to end: the moments, and the gradients by them. */
  void (*moments)(const NHWCNorm &, int64_t begin, int64_t end);
  void (*norm_backward)(const NHWCNorm &, int64_t begin, int64_t end);
};

extern const NHWCKernel nhwc_avx2, nhwc_avx512;

/* The one for this processor, or for the lesser one that libtorch is told to take it for; null where
 * the order of libtorch's sums is not known. */
const NHWCKernel *nhwc_kernel();

} // namespace shim
