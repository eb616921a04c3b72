// The kernel of norm_activation.h, compiled once for each processor with KERNEL_NAME and KERNEL_WIDTH, the floats of a
// vector.
#include "norm_activation.h"
#include "vector.h"

namespace {

using shim::NormActivation;

using Lanes = int32_t __attribute__((vector_size(width * sizeof(int32_t))));

// exp(x) - 1 of numbers that are not positive: 2^k (exp(r) - 1) + 2^k - 1 with r = x - k log 2 of at most half of
// log 2, where exp(r) - 1 is r and a polynomial of seven terms. Two units in the last place at most are lost.
inline Vector expm1(Vector x) {
  constexpr float log2e = 1.44269504f, high = 0.693359375f, low = -2.12194440e-4f, to_whole = 12582912.0f;
  x = x < -20.0f ? Vector{} - 20.0f : x;
  const Vector k = (x * log2e + to_whole) - to_whole, r = (x - k * high) - k * low;
  const Vector p = ((((r * (1.0f / 5040) + 1.0f / 720) * r + 1.0f / 120) * r + 1.0f / 24) * r + 1.0f / 6) * r + 0.5f;
  const Lanes exponent = (__builtin_convertvector(k, Lanes) + 127) << 23;
  const Vector power = reinterpret_cast<Vector>(exponent);
  return power * (r * r * p + r) + (power - 1.0f);
}

template <bool exponential> inline Vector activated(const NormActivation &c, Vector x) {
  if (!exponential && c.negative == 0) // of which an infinite number would make none
    return x < 0 ? Vector{} : c.positive * x;
  const Vector other = exponential ? expm1(x > 0 ? Vector{} : x) : x;
  return x > 0 ? c.positive * x : c.negative * other;
}

template <bool exponential> void rows(const NormActivation &c, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const int64_t from = i * c.row, n = at_most(c.row, c.total - from);
    const float *x = c.x + from;
    float *y = c.y + from;
    Vector scale = Vector{} + 1, shift = Vector{};
    if (c.scale && c.channels > 0)
      scale = scale * c.scale[i % c.channels], shift = shift + c.shift[i % c.channels];
    for (int64_t k = 0; k < n; k += width) {
      if (c.scale && c.channels == 0)
        scale = load(c.scale + k, n - k), shift = load(c.shift + k, n - k);
      Vector value = load(x + k, n - k);
      if (c.scale)
        value = value * scale + shift;
      store(y + k, activated<exponential>(c, value), n - k);
    }
  }
}

void all_rows(const NormActivation &c, int64_t begin, int64_t end) { (c.exponential ? rows<true> : rows<false>)(c, begin, end); }

} // namespace

extern const shim::NormActivationKernel shim::KERNEL_NAME = {all_rows};
