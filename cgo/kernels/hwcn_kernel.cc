// The kernel of hwcn.h, compiled once for each processor with KERNEL_NAME and KERNEL_WIDTH, the floats
// of a vector. A vector holds as many clips, so that any number of channels fills it, and
// a clip's output depends neither on the others nor on the processor's width.
#include "hwcn.h"
#include "vector.h"

namespace {

using shim::HWCN;

// Adds to sums the products of n numbers of each clip, `apart` from one another, with M rows of
// weights.
template <int M, int V>
inline __attribute__((always_inline)) void add(Vector (&sums)[M][V], const float *x, int64_t apart, const float *weight,
                                               int64_t row, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    Vector value[V];
    for (int v = 0; v < V; ++v) {
      value[v] = load(x + k * apart + v * width);
#if defined(__x86_64__) && KERNEL_WIDTH * 4 <= __BIGGEST_ALIGNMENT__
      // Keeps it in a register, where a vector fits in one: GCC has each product read it anew, and a core reads less
      // than it multiplies.
      __asm__("" : "+v"(value[v]));
#endif
    }
    for (int m = 0; m < M; ++m) {
      const float w = weight[m * row + k];
      for (int v = 0; v < V; ++v)
        sums[m][v] += w * value[v];
    }
  }
}

// M channels from `channel` on, of V vectors of clips, at one point before pooling.
template <int M, int V>
inline __attribute__((always_inline)) void point(const HWCN &c, int64_t group, int64_t channel, int64_t clip, int64_t y,
                                                 int64_t x, Vector (&sums)[M][V]) {
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      sums[m][v] = Vector{} + (c.bias ? c.bias[channel + m] : 0);
  const int64_t all = c.groups * c.in, row = c.kernel[0] * c.kernel[1] * c.in;
  // The part of the kernel that lies on the map: zeros around it are not multiplied.
  const int64_t top = y * c.stride[0] - c.top, left = x * c.stride[1] - c.left;
  const int64_t first = at_least(0, -left), last = at_most(c.kernel[1], c.width - left);
  for (int64_t k = at_least(0, -top); k < at_most(c.kernel[0], c.height - top); ++k) {
    const float *in = c.x + (((top + k) * c.width + left + first) * all + group * c.in) * c.clips + clip;
    const float *weight = c.weight + channel * row + (k * c.kernel[1] + first) * c.in;
    if (c.groups == 1) {
      add<M, V>(sums, in, c.clips, weight, row, (last - first) * c.in);
      continue;
    }
    for (int64_t i = first; i < last; ++i, in += all * c.clips, weight += c.in)
      add<M, V>(sums, in, c.clips, weight, row, c.in);
  }
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      sums[m][v] = rectified(sums[m][v], c.slope);
}

template <int M, int V>
void piece(const HWCN &c, int64_t group, int64_t channel, int64_t clip, int64_t y, int64_t x) {
  Vector sums[M][V];
  point<M, V>(c, group, channel, clip, y, x * c.pool, sums);
  for (int64_t i = 1; i < c.pool; ++i) {
    Vector next[M][V];
    point<M, V>(c, group, channel, clip, y, x * c.pool + i, next);
    for (int m = 0; m < M; ++m)
      for (int v = 0; v < V; ++v)
        sums[m][v] += next[m][v];
  }
  float *out = c.y + ((y * c.out_width + x) * c.groups * c.out + channel) * c.clips + clip;
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v) {
      Vector value = c.pool == 1 ? sums[m][v] : sums[m][v] / static_cast<float>(c.pool);
      if (c.scale)
        value = value * c.scale[channel + m] + c.shift[channel + m];
      store(out + m * c.clips + v * width, value);
    }
}

template <int V> void piece(const HWCN &c, int64_t group, int64_t from, int64_t to, int64_t clip, int64_t y, int64_t x) {
  as_constant<HWCN::together>(to - from, [&](auto m) { piece<m.value, V>(c, group, from, clip, y, x); });
}

} // namespace

void shim::KERNEL_NAME(const HWCN &c, int64_t begin, int64_t end) {
  const int64_t points = c.out_height * c.out_width, tiles = c.tiles();
  for (int64_t i = begin; i < end; ++i) {
    const int64_t group = i / points / tiles, tile = i / points % tiles, y = i % points / c.out_width,
                  x = i % c.out_width;
    const int64_t from = group * c.out + c.out * tile / tiles, to = group * c.out + c.out * (tile + 1) / tiles;
    int64_t clip = 0;
#if KERNEL_WIDTH == 16
    for (; clip + 64 <= c.clips; clip += 64)
      piece<4>(c, group, from, to, clip, y, x);
    for (; clip + 32 <= c.clips; clip += 32)
      piece<2>(c, group, from, to, clip, y, x);
#endif
    for (; clip < c.clips; clip += 16)
      piece<16 / width>(c, group, from, to, clip, y, x);
  }
}
