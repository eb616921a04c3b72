/* Convolution of maps whose clips lie innermost: [height, width, channels, clips]. Neither this
 * header nor the kernel includes anything of libtorch or of C++'s library: the kernel is compiled
 * for several processors, and an inline function of theirs could then be linked for all. */
#pragma once

#include <stdint.h>

namespace shim {

struct HWCN {
  const float *x;                          /* [height, width, groups * in, clips] */
  const float *weight;                     /* tiles of [kernel height, kernel width, in, channels of the tile] */
  const float *bias, *scale, *shift;       /* of each channel; scale and shift last of all; may be null */
  float *y;                                /* [out_height, out_width, groups * out, clips] */
  int64_t clips;                           /* a multiple of 16 */
  int64_t groups, in, out;                 /* channels of one group */
  int64_t height, width, out_height, out_width;
  int64_t kernel[2], stride[2], dilation[2], top, left; /* height before width; zeros above and to the left */
  int64_t pool;                            /* how many points of a row make one of y: their mean */
  float slope;                             /* negative numbers are multiplied with it, before that */
  int64_t together;                        /* the most channels of a group that a tile has */

  int64_t tiles() const { return (out + together - 1) / together; } /* of a group, as even as they can be */
  int64_t begin(int64_t tile) const { return out * tile / tiles(); }
  int64_t pieces() const { return groups * tiles() * out_height * out_width; }
};

struct HWCNKernel {
  int64_t clips;    /* that are best computed at once */
  int64_t together; /* HWCN's */
  void (*pieces)(const HWCN &, int64_t begin, int64_t end);
};

extern const HWCNKernel hwcn_plain, hwcn_avx2, hwcn_avx512;
extern const HWCNKernel hwcn_wide; /* hwcn_avx512 by any processor's instructions, for tests */

} // namespace shim
