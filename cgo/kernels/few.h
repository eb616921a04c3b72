/* Convolutions of few clips in evaluation, of stride and groups of any number: with the channels of a
 * point side by side, or with the points of a row. Nothing of libtorch or of C++'s library is included
 * here, nor by the kernel: see hwcn.h. */
#pragma once

#include <stdint.h>

namespace shim {

struct Few {
  /* One clip: by channels [height, width, groups * in], by rows [groups * in, height, width], where rows may be read
   * `beyond` their end. It lies within its zeros, unless they are never read. */
  const float *x;
  /* By channels: chunks of [kernel height, kernel width, in, chunk] of each group, the last as wide as
   * is left of `padded`; by rows [groups * out, in, kernel height, kernel width]. */
  const float *weight;
  const float *bias, *scale, *shift; /* of each channel, `padded` of each group by channels; may be null */
  /* By channels [out_height, out_width, groups * out]; by rows [groups * out, out_height, out_width / pool]. */
  float *y;
  int64_t groups, in, out, padded; /* channels of one group; padded: up to whole vectors */
  int64_t height, width, out_height, out_width; /* out_width before pooling */
  int64_t top, bottom, left, right; /* zeros, which height and width count, most of which are not multiplied by channels */
  int64_t kernel[2], stride[2], dilation[2];    /* height before width; by rows, the stride along it is 1 */
  int64_t together;                             /* by rows: the most channels that are computed at once */
  int64_t pool;                                 /* by rows: how many points make one of y: their mean */
  float slope;                                  /* negative numbers are multiplied with it, before that */

  static constexpr int64_t beyond = 128;
  static constexpr int64_t deep = 64; /* channels of a map of which a kernel's points are taken one after the other */
  static constexpr int64_t longest = 4096; /* by rows: points that are kept before they are pooled, and so pools */
  int64_t tiles() const { return (out + together - 1) / together; }
  bool by_points() const { return in >= deep && kernel[0] * kernel[1] > 1; } /* by channels: then zeros are never read */
};

struct FewKernel {
  int64_t vector, chunk; /* channels of them */
  int64_t points;        /* that are computed at once by channels */
  int64_t together;      /* Few's */
  /* Pieces begin to end: by channels a chunk of a group and a tile of points, by rows a tile of channels
   * of a group and a row. */
  void (*channels)(const Few &, int64_t begin, int64_t end);
  void (*rows)(const Few &, int64_t begin, int64_t end);
};

extern const FewKernel few_plain, few_avx2, few_avx512;
extern const FewKernel few_wide; /* few_avx512 by any processor's instructions, for tests */

} // namespace shim
