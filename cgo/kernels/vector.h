/* Vectors of KERNEL_WIDTH floats and what else kernels share that are compiled for several processors. All of it is in an
 * unnamed namespace: else the linker would take one processor's copy of an inline function for all. */
#pragma once

#include <stdint.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace {

constexpr int width = KERNEL_WIDTH;
using Vector = float __attribute__((vector_size(width * sizeof(float))));
using Unaligned = float __attribute__((vector_size(width * sizeof(float)), aligned(sizeof(float)), may_alias));

constexpr int64_t large = 1024; /* features of a linear layer whose weights come from memory */

inline int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t up(int64_t n, int64_t by) { return (n + by - 1) / by; }

inline Vector load(const float *p) { return *reinterpret_cast<const Unaligned *>(p); }
inline void store(float *p, Vector v) { *reinterpret_cast<Unaligned *>(p) = v; }

/* The first n numbers alone, and zeros after them, where a vector has more: by an instruction of the processor's,
 * else one by one. */
#if defined(__AVX512F__) && KERNEL_WIDTH == 16
inline __mmask16 first(int64_t n) {
  return _mm512_cmpgt_epi32_mask(_mm512_set1_epi32(static_cast<int>(n)), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
inline Vector part(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
inline void put(float *p, Vector v, int64_t n) { _mm512_mask_storeu_ps(p, first(n), v); }
#elif defined(__AVX2__) && KERNEL_WIDTH == 8
inline __m256i first(int64_t n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
inline Vector part(const float *p, int64_t n) { return _mm256_maskload_ps(p, first(n)); }
inline void put(float *p, Vector v, int64_t n) { _mm256_maskstore_ps(p, first(n), v); }
#else
inline Vector part(const float *p, int64_t n) {
  Vector v{};
  for (int64_t i = 0; i < n; ++i)
    v[i] = p[i];
  return v;
}
inline void put(float *p, Vector v, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    p[i] = v[i];
}
#endif

inline Vector load(const float *p, int64_t n) { return n >= width ? load(p) : part(p, n); }
inline void store(float *p, Vector v, int64_t n) {
  if (n >= width)
    store(p, v);
  else
    put(p, v, n);
}

/* ReLU where slope is 0, LeakyReLU else. */
inline Vector rectified(Vector v, float slope) {
  if (slope == 0)
    return v < 0 ? Vector{} : v;
  return slope == 1 ? v : v < 0 ? slope * v : v;
}

template <int N> struct Constant {
  static constexpr int value = N;
};

/* Calls f with n, which is at least 1 and at most `most`, as a constant. */
template <int most, typename F> inline __attribute__((always_inline)) void as_constant(int64_t n, const F &f) {
  if (n == most)
    f(Constant<most>{});
  else if constexpr (most > 1)
    as_constant<most - 1>(n, f);
}

} // namespace
