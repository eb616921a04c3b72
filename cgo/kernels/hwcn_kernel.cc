// The kernel of hwcn.h, compiled once for each processor with KERNEL_NAME, KERNEL_WIDTH, the floats of a vector, and
// KERNEL_SUMS, how many vectors of sums its registers hold beside the operands. A vector holds clips, so that any number
// of channels fills it, and a clip's output depends neither on the others nor on the processor's width.
#include "hwcn.h"
#include "vector.h"

namespace {

using shim::HWCN;

// The most channels of a tile: more of few clips, whose sums leave registers free.
constexpr int64_t together = KERNEL_SUMS * width / 16 < 12 ? KERNEL_SUMS * width / 16 : 12;

// Adds to sums the products of a number of each clip with M weights.
template <int M, int V> inline __attribute__((always_inline)) void add(Vector (&sums)[M][V], const float *x, const float *weight) {
  Vector value[V];
  for (int v = 0; v < V; ++v) {
    value[v] = load(x + v * width);
#if defined(__x86_64__) && KERNEL_WIDTH * 4 <= __BIGGEST_ALIGNMENT__
    // Keeps it in a register, where a vector fits in one: GCC has each product read it anew, and a core reads less
    // than it multiplies.
    __asm__("" : "+v"(value[v]));
#endif
  }
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      sums[m][v] += weight[m] * value[v];
}

// Adds those of n numbers, `apart` from one another, with the weights of a tile of `row` channels.
template <int M, int V>
inline __attribute__((always_inline)) void add(Vector (&sums)[M][V], const float *x, int64_t apart, const float *weight,
                                               int64_t row, int64_t n) {
  for (int64_t k = 0; k < n; ++k)
    add<M, V>(sums, x + k * apart, weight + k * row);
}

// The same of a large linear layer, whose weights come from memory: four of its parts at once come faster.
template <int M, int V>
inline __attribute__((always_inline)) void by_parts(Vector (&sums)[M][V], const float *x, int64_t apart, const float *weight,
                                                    int64_t row, int64_t n) {
  const int64_t part = n / 4;
  for (int64_t k = 0; k < part; ++k)
    for (int64_t i = 0; i < 4; ++i)
      add<M, V>(sums, x + (i * part + k) * apart, weight + (i * part + k) * row);
  add<M, V>(sums, x + 4 * part * apart, apart, weight + 4 * part * row, row, n - 4 * part);
}

// Channels of a tile and their weights.
struct Channels {
  int64_t group, first, of_tile; /* the first of them among all channels, and how many the tile has */
  const float *weight;           /* of the first */
};

// M channels of V vectors of clips, at one point before pooling. `whole` says that the tile has no others.
template <int M, int V, bool whole>
inline __attribute__((always_inline)) void point(const HWCN &c, const Channels &of, int64_t clip, int64_t y, int64_t x,
                                                 Vector (&sums)[M][V]) {
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      sums[m][v] = Vector{} + (c.bias ? c.bias[of.first + m] : 0);
  const int64_t all = c.groups * c.in, row = whole ? M : of.of_tile;
  // The part of the kernel that lies on the map: zeros around it are not multiplied.
  const int64_t top = y * c.stride[0] - c.top, left = x * c.stride[1] - c.left;
  const int64_t *apart = c.dilation;
  const auto steps = [](int64_t n, int64_t by) { return by == 1 ? n : up(n, by); }; // divisions take long
  const int64_t first = at_least(0, steps(-left, apart[1])), last = at_most(c.kernel[1], steps(c.width - left, apart[1]));
  const int64_t end = at_most(c.kernel[0], steps(c.height - top, apart[0]));
  for (int64_t k = at_least(0, steps(-top, apart[0])); k < end; ++k) {
    const float *in = c.x + (((top + k * apart[0]) * c.width + left + first * apart[1]) * all + of.group * c.in) * c.clips + clip;
    const float *weight = of.weight + (k * c.kernel[1] + first) * c.in * row;
    if (c.groups == 1 && c.kernel[0] * c.kernel[1] == 1 && c.in >= large) {
      by_parts<M, V>(sums, in, c.clips, weight, row, c.in);
      continue;
    }
    if (c.groups == 1 && apart[1] == 1) {
      add<M, V>(sums, in, c.clips, weight, row, (last - first) * c.in);
      continue;
    }
    for (int64_t i = first; i < last; ++i, in += apart[1] * all * c.clips, weight += c.in * row)
      add<M, V>(sums, in, c.clips, weight, row, c.in);
  }
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      sums[m][v] = rectified(sums[m][v], c.slope);
}

template <int M, int V, bool whole> void piece(const HWCN &c, const Channels &of, int64_t clip, int64_t y, int64_t x) {
  Vector sums[M][V];
  point<M, V, whole>(c, of, clip, y, x * c.pool, sums);
  for (int64_t i = 1; i < c.pool; ++i) {
    Vector next[M][V];
    point<M, V, whole>(c, of, clip, y, x * c.pool + i, next);
    for (int m = 0; m < M; ++m)
      for (int v = 0; v < V; ++v)
        sums[m][v] += next[m][v];
  }
  float *out = c.y + ((y * c.out_width + x) * c.groups * c.out + of.first) * c.clips + clip;
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v) {
      Vector value = c.pool == 1 ? sums[m][v] : sums[m][v] / static_cast<float>(c.pool);
      if (c.scale)
        value = value * c.scale[of.first + m] + c.shift[of.first + m];
      store(out + m * c.clips + v * width, value);
    }
}

// All channels of a tile, as many at once as the registers hold sums of.
template <int V> void tile(const HWCN &c, const Channels &of, int64_t clip, int64_t y, int64_t x) {
  constexpr int64_t most = KERNEL_SUMS / V < together ? KERNEL_SUMS / V : together;
  if (of.of_tile <= most) {
    as_constant<most>(of.of_tile, [&](auto m) { piece<m.value, V, true>(c, of, clip, y, x); });
    return;
  }
  for (int64_t parts = up(of.of_tile, most), i = 0; i < parts; ++i) {
    const int64_t begin = of.of_tile * i / parts, end = of.of_tile * (i + 1) / parts;
    const Channels part{of.group, of.first + begin, of.of_tile, of.weight + begin};
    as_constant<most>(end - begin, [&](auto m) { piece<m.value, V, false>(c, part, clip, y, x); });
  }
}

void pieces(const HWCN &c, int64_t begin, int64_t end) {
  const int64_t points = c.out_height * c.out_width, tiles = c.tiles(), row = c.kernel[0] * c.kernel[1] * c.in;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t group = i / points / tiles, at = i / points % tiles, y = i % points / c.out_width, x = i % c.out_width;
    const int64_t first = group * c.out + c.begin(at);
    const Channels of{group, first, c.begin(at + 1) - c.begin(at), c.weight + first * row};
    int64_t clip = 0;
#if KERNEL_WIDTH == 16
    for (; clip + 64 <= c.clips; clip += 64)
      tile<4>(c, of, clip, y, x);
    for (; clip + 32 <= c.clips; clip += 32)
      tile<2>(c, of, clip, y, x);
#endif
    for (; clip < c.clips; clip += 16)
      tile<16 / width>(c, of, clip, y, x);
  }
}

} // namespace

// With 16 registers there is room for the sums of 16 clips, and more clips would only leave the cache.
extern const shim::HWCNKernel shim::KERNEL_NAME = {KERNEL_WIDTH == 16 ? 64 : 16, together, pieces};
