/* Convolution of maps whose clips lie innermost: [height, width, channels, clips]. Neither this
 * header nor the kernel includes anything of libtorch or of C++'s library: the kernel is compiled
 * for several processors, and an inline function of theirs could then be linked for all. */
#pragma once

#include <stdint.h>

namespace shim {

struct HWCN {
  const float *x, *weight, *bias; /* weight: [groups * out, kernel height, kernel width, in]; bias may be null */
  const float *scale, *shift;     /* of each channel, last of all; may be null */
  float *y;                       /* [out_height, out_width, groups * out, clips] */
  int64_t clips;                  /* a multiple of 16 */
  int64_t groups, in, out;        /* channels of one group */
  int64_t height, width, out_height, out_width;
  int64_t kernel[2], stride[2], top, left; /* height before width; zeros above and to the left */
  int64_t pool;                            /* how many points of a row make one of y: their mean */
  float slope;                             /* negative numbers are multiplied with it, before that */

  /* Channels are computed a few at a time. */
  static constexpr int64_t together = 6;
  int64_t tiles() const { return (out + together - 1) / together; }
  int64_t pieces() const { return groups * tiles() * out_height * out_width; }
};

/* Pieces begin to end of y, for processors with the instructions of the name. */
void hwcn_plain(const HWCN &c, int64_t begin, int64_t end);
void hwcn_avx2(const HWCN &c, int64_t begin, int64_t end);
void hwcn_avx512(const HWCN &c, int64_t begin, int64_t end);
void hwcn_wide(const HWCN &c, int64_t begin, int64_t end); /* hwcn_avx512 by any processor's instructions, for tests */

} // namespace shim
