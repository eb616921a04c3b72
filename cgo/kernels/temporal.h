/* Convolutions along the rows of maps of one channel, the first of networks of signals, whose sums are
 * taken in the order of oneDNN's with AVX-512. Nothing of libtorch or of C++'s library is included
 * here, nor by the kernel: see hwcn.h. */
#pragma once

#include <stdint.h>

namespace shim {

/* Rows have a margin of zeros on both sides and, after the last, of at least 16 numbers. */
struct Temporal {
  const float *x;             /* [clips, rows, width] */
  const float *weight, *bias; /* [out, kernel]; [out] or null */
  float *y;                   /* [clips, out, rows, out_width], out_width at least 16 */
  int64_t clips, rows, width, out, kernel, out_width;

  const float *dy;
  float *dweight; /* of zeros */
};

/* Rows begin to end of all clips. */
void temporal_forward(const Temporal &c, int64_t begin, int64_t end);
/* Channels are computed a few at a time, of so many tiles, and points of the kernel in `parts`. */
int64_t temporal_tiles(const Temporal &c);
void temporal_weight(const Temporal &c, int64_t parts, int64_t begin, int64_t end, float *scratch);
int64_t temporal_scratch(const Temporal &c); /* floats */

} // namespace shim
