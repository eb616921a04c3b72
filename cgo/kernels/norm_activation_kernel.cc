// The kernel of norm_activation.h, compiled once for each processor with KERNEL_NAME and KERNEL_WIDTH, the floats of a
// vector.
#include "norm_activation.h"
#include "vector.h"

namespace {

using shim::Curve;
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

// erf(x), within 2.2 units in the last place of 1: an odd polynomial over an even one, with Eigen's coefficients.
inline Vector erf(Vector x) {
  x = x > 4.0f ? Vector{} + 4.0f : x;
  x = x < -4.0f ? Vector{} - 4.0f : x;
  const Vector s = x * x;
  const Vector p = ((((((s * -2.72614225801306e-10f + 2.77068142495902e-08f) * s - 2.10102402082508e-06f) * s - 5.69250639462346e-05f) * s - 7.34990630326855e-04f) * s -
                     2.95459980854025e-03f) * s - 1.60960333262415e-02f) * x;
  const Vector q = (((s * -1.45660718464996e-05f - 2.13374055278905e-04f) * s - 1.68282697438203e-03f) * s - 7.37332916720468e-03f) * s - 1.42647390514189e-02f;
  return p / q;
}

template <Curve curve> inline Vector activated(const NormActivation &c, Vector x) {
  switch (curve) {
  case Curve::normal:
    return 0.5f * x * (1.0f + erf(0.707106781f * x));
  case Curve::logistic: {
    const Vector below = expm1(x < 0 ? x : -x) + 1.0f;
    return (x < 0 ? x * below : x) / (1.0f + below);
  }
  case Curve::exponential:
    return x > 0 ? c.positive * x : c.negative * expm1(x > 0 ? Vector{} : x);
  case Curve::line:
    break;
  }
  if (c.negative == 0) // of which an infinite number would make none
    return x < 0 ? Vector{} : c.positive * x;
  return x > 0 ? c.positive * x : c.negative * x;
}

template <Curve curve> void rows(const NormActivation &c, int64_t begin, int64_t end) {
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
      store(y + k, activated<curve>(c, value), n - k);
    }
  }
}

void all_rows(const NormActivation &c, int64_t begin, int64_t end) {
  switch (c.curve) {
  case Curve::line:
    return rows<Curve::line>(c, begin, end);
  case Curve::exponential:
    return rows<Curve::exponential>(c, begin, end);
  case Curve::normal:
    return rows<Curve::normal>(c, begin, end);
  case Curve::logistic:
    return rows<Curve::logistic>(c, begin, end);
  }
}

} // namespace

extern const shim::NormActivationKernel shim::KERNEL_NAME = {all_rows};
