// The kernel of temporal.h, for AVX-512.
#include "temporal.h"
#include "vector.h"

namespace {

using shim::Temporal;

using Lanes = int32_t __attribute__((vector_size(width * sizeof(int32_t))));

constexpr int64_t rows = 6, many = 4; // channels and points of the kernel together

// M channels of 16 V points of a row. The bias is added last.
template <int M, int V> void points(const Temporal &c, const float *x, int64_t channel, float *y) {
  Vector sums[M][V] = {};
  const float *weight = c.weight + channel * c.kernel;
  for (int64_t k = 0; k < c.kernel; ++k) {
    Vector value[V];
    for (int v = 0; v < V; ++v)
      value[v] = load(x + k + v * width);
    for (int m = 0; m < M; ++m) {
      const float w = weight[m * c.kernel + k];
      for (int v = 0; v < V; ++v)
        sums[m][v] += w * value[v];
    }
  }
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      store(y + m * c.rows * c.out_width + v * width, c.bias ? sums[m][v] + c.bias[channel + m] : sums[m][v]);
}

// oneDNN adds the halves of its 16 sums until one is left.
inline float total(Vector sums) {
  float s[width];
  store(s, sums);
  for (int half = width / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i)
      s[i] += s[i + half];
  return s[0];
}

// The sums that M channels of a clip add to the gradients of J points of the kernel: the products of
// the whole map in a row, in 16 sums in turn. Numbers begin to end of the map come now: sums go on
// from those in `kept`, and are added up after the last.
template <int M, int J>
void taps(const Temporal &c, int64_t clip, int64_t channel, int64_t tap, int64_t begin, int64_t end, float *kept) {
  const Lanes lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const int64_t n = c.rows * c.out_width;
  const float *x = c.x + (clip * c.rows + begin / c.out_width) * c.width + tap, *dy = c.dy + (clip * c.out + channel) * n;
  Vector sums[M][J];
  for (int m = 0; m < M; ++m)
    for (int j = 0; j < J; ++j)
      sums[m][j] = begin == 0 ? Vector{} : load(kept + (m * J + j) * width);
  const auto add = [&](const Vector(&value)[J], auto gradient) __attribute__((always_inline)) {
    for (int m = 0; m < M; ++m) {
      const Vector g = gradient(m);
      for (int j = 0; j < J; ++j)
        sums[m][j] += g * value[j];
    }
  };
  int64_t column = begin % c.out_width; // the place in its row of the first of 16
  for (int64_t i = begin; i < end;) {
    for (; column + width <= c.out_width && i < end; column += width, i += width) {
      Vector value[J];
      for (int j = 0; j < J; ++j)
        value[j] = load(x + column + j);
      add(value, [&](int m) { return load(dy + m * n + i); });
    }
    if (i >= end)
      break;
    // Some of the next 16 are of the next row, or behind the last.
    const int32_t here = static_cast<int32_t>(c.out_width - column), all = static_cast<int32_t>(at_most(width, n - i));
    Vector value[J];
    for (int j = 0; j < J; ++j)
      value[j] = lane < here || here >= all ? load(x + column + j) : load(x + c.width - here + j);
    add(value, [&](int m) {
      if (all == width)
        return load(dy + m * n + i);
      Vector g{};
      for (int32_t k = 0; k < all; ++k)
        g[k] = dy[m * n + i + k];
      return g;
    });
    i += width;
    column += width - c.out_width;
    x += c.width;
  }
  for (int m = 0; m < M; ++m)
    for (int j = 0; j < J; ++j)
      if (end >= n)
        c.dweight[(channel + m) * c.kernel + tap + j] += total(sums[m][j]);
      else
        store(kept + (m * J + j) * width, sums[m][j]);
}

} // namespace

void shim::temporal_forward(const Temporal &c, int64_t begin, int64_t end) {
  const int64_t tiles = up(c.out, rows);
  for (int64_t i = begin; i < end; ++i) {
    const float *x = c.x + i * c.width;
    float *y = c.y + (i / c.rows * c.out * c.rows + i % c.rows) * c.out_width;
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t channel = c.out * t / tiles;
      as_constant<rows>(c.out * (t + 1) / tiles - channel, [&](auto m) {
        float *row = y + channel * c.rows * c.out_width;
        int64_t column = 0;
        for (; column + 4 * width <= c.out_width; column += 4 * width)
          points<m.value, 4>(c, x + column, channel, row + column);
        for (; column + width <= c.out_width; column += width)
          points<m.value, 1>(c, x + column, channel, row + column);
        if (column < c.out_width) // some of those before again
          points<m.value, 1>(c, x + c.out_width - width, channel, row + c.out_width - width);
      });
    }
  }
}

int64_t shim::temporal_tiles(const Temporal &c) { return up(c.out, rows); }

int64_t shim::temporal_scratch(const Temporal &c) { return up(c.kernel, many) * many * rows * width; }

void shim::temporal_weight(const Temporal &c, int64_t parts, int64_t begin, int64_t end, float *scratch) {
  constexpr int64_t block = 48 * width; // of which maps and sums stay in the cache while the kernel's points go by
  const int64_t tiles = temporal_tiles(c), quads = up(c.kernel, many), n = c.rows * c.out_width;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t tile = i / parts, part = i % parts, channel = c.out * tile / tiles;
    as_constant<rows>(c.out * (tile + 1) / tiles - channel, [&](auto m) {
      for (int64_t clip = 0; clip < c.clips; ++clip)
        for (int64_t from = 0; from < n; from += block)
          for (int64_t q = quads * part / parts; q < quads * (part + 1) / parts; ++q) {
            const int64_t tap = q * many, to = at_most(from + block, n);
            float *kept = scratch + tap * rows * width;
            as_constant<many>(at_most(many, c.kernel - tap), [&](auto j) { taps<m.value, j.value>(c, clip, channel, tap, from, to, kept); });
          }
    });
  }
}
