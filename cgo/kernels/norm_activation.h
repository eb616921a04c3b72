/* A BatchNorm's evaluation and an activation of all numbers of maps, in one pass, however the maps lie in memory.
 * Nothing of libtorch or of C++'s library is included here, nor by the kernel: see hwcn.h. */
#pragma once

#include <stdint.h>

namespace shim {

/* What becomes of numbers: they are multiplied with a factor; those that are not positive are exp(x) - 1 first; or they
 * are multiplied with the probability that a number of the normal or of the logistic distribution is below them. */
enum class Curve { line, exponential, normal, logistic };

struct NormActivation {
  const float *x; /* [total], in rows of `row` numbers, of which the last may have fewer */
  float *y;       /* may be x */
  int64_t total, row;
  const float *scale, *shift; /* may be null: of a row's channel, which follow one another, or of a row's numbers */
  int64_t channels;           /* 0 where they are of a row's numbers */
  float positive, negative;   /* the factors of positive and of other numbers */
  Curve curve;
};

struct NormActivationKernel {
  void (*rows)(const NormActivation &, int64_t begin, int64_t end);
};

extern const NormActivationKernel norm_activation_plain, norm_activation_avx2, norm_activation_avx512;
extern const NormActivationKernel norm_activation_wide; /* norm_activation_avx512 by any processor's instructions, for tests */

} // namespace shim
