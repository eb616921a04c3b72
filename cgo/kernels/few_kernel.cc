// The kernel of few.h, compiled once for each processor with KERNEL_NAME, KERNEL_WIDTH, the floats of a
// vector, and KERNEL_SUMS, how many vectors of sums its registers hold beside the operands.
#include "few.h"
#include "vector.h"

namespace {

using shim::Few;

constexpr int vectors = 2, chunk = width * vectors;
constexpr int64_t points = KERNEL_SUMS / vectors;

// Adds the product of a number of each of M points with V vectors of weights.
template <int M, int V>
inline __attribute__((always_inline)) void add(Vector (&sums)[M][V], const float *const (&x)[M], int64_t at, const float *weight) {
  Vector value[V];
  for (int v = 0; v < V; ++v)
    value[v] = load(weight + v * width);
  for (int m = 0; m < M; ++m) {
    const float number = x[m][at];
    for (int v = 0; v < V; ++v)
      sums[m][v] += number * value[v];
  }
}

// Adds n such products.
template <int M, int V>
inline __attribute__((always_inline)) void by_channels(Vector (&sums)[M][V], const float *const (&x)[M], int64_t at,
                                                       const float *weight, int64_t n) {
  for (int64_t k = 0; k < n; ++k)
    add<M, V>(sums, x, at + k, weight + k * V * width);
}

// Moves sums to their total. Short sums lose less to rounding than one long one.
template <int M, int V> inline __attribute__((always_inline)) void fold(Vector (&total)[M][V], Vector (&sums)[M][V]) {
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v) {
      total[m][v] += sums[m][v];
      sums[m][v] = Vector{};
    }
}

// The products of a large linear layer, whose weights come from memory: four of its parts at once come twice as fast.
template <int M, int V>
inline __attribute__((always_inline)) void by_parts(Vector (&total)[M][V], Vector (&sums)[M][V], const float *const (&x)[M],
                                                    const float *weight, int64_t n) {
  const int64_t part = n / 4;
  for (int64_t k = 0; k < part; ++k) {
    for (int64_t i = 0; i < 4; ++i)
      add<M, V>(sums, x, i * part + k, weight + (i * part + k) * V * width);
    if (k % 128 == 127)
      fold<M, V>(total, sums);
  }
  by_channels<M, V>(sums, x, 4 * part, weight + 4 * part * V * width, n - 4 * part);
}

// Writes what is computed of the sums of a point's V vectors of channels.
template <int V> inline __attribute__((always_inline)) void finish(const Few &c, int64_t group, int64_t channel, int64_t point, const Vector (&total)[V]) {
  for (int v = 0; v < V; ++v) {
    const int64_t at = channel + v * width;
    Vector value = rectified(total[v], c.slope);
    if (c.scale)
      value = value * load(c.scale + group * c.padded + at) + load(c.shift + group * c.padded + at);
    store(c.y + point * c.groups * c.out + group * c.out + at, value, c.out - at);
  }
}

// M points from `point` on, of V vectors of channels from `channel` on. Where the map lies without its zeros, the points
// see none.
template <int M, int V> void channels(const Few &c, int64_t group, int64_t channel, int64_t point) {
  const int64_t all = c.groups * c.in, taps = c.kernel[0] * c.kernel[1] * c.in;
  const bool bare = c.by_points();
  const int64_t above = bare ? c.top : 0, before = bare ? c.left : 0, row = bare ? c.width - c.left - c.right : c.width;
  const float *weight = c.weight + group * c.padded * taps + channel * taps;
  const float *x[M];
  for (int m = 0; m < M; ++m) {
    const int64_t y = (point + m) / c.out_width, at = (point + m) % c.out_width;
    x[m] = c.x + ((y * c.stride[0] - above) * row + at * c.stride[1] - before) * all + group * c.in;
  }
  Vector total[M][V], sums[M][V];
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v) {
      total[m][v] = c.bias ? load(c.bias + group * c.padded + channel + v * width) : Vector{};
      sums[m][v] = Vector{};
    }
  const int64_t highest = point / c.out_width * c.stride[0], lowest = (point + M - 1) / c.out_width * c.stride[0];
  for (int64_t i = 0; i < c.kernel[0]; ++i, weight += c.kernel[1] * c.in * V * width) {
    const int64_t down = i * c.dilation[0];
    if (lowest + down < c.top || highest + down >= c.height - c.bottom)
      continue;
    if (c.groups == 1 && c.kernel[0] * c.kernel[1] == 1 && c.in >= large)
      by_parts<M, V>(total, sums, x, weight, c.in);
    else if (c.groups == 1 && c.dilation[1] == 1)
      by_channels<M, V>(sums, x, down * row * all, weight, c.kernel[1] * c.in);
    else
      for (int64_t k = 0; k < c.kernel[1]; ++k)
        by_channels<M, V>(sums, x, (down * row + k * c.dilation[1]) * all, weight + k * c.in * V * width, c.in);
    fold<M, V>(total, sums);
  }
  for (int m = 0; m < M; ++m)
    finish<V>(c, group, channel, point + m, total[m]);
}

// Adds the products of one point of the kernel to the sums of M points.
template <int M, int V>
void one_point(float *const *to, const float *const *from, const float *weight, int64_t n) {
  Vector sums[M][V] = {};
  const float *x[M];
  for (int m = 0; m < M; ++m)
    x[m] = from[m];
  by_channels<M, V>(sums, x, 0, weight, n);
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v) {
      float *const sum = to[m] + v * width;
      store(sum, load(sum) + sums[m][v]);
    }
}

// Which outputs of a row or column see a number of the map, and no zeros, at point k of the kernel.
struct Seen {
  int64_t begin, end;
  Seen(int64_t k, int64_t stride, int64_t before, int64_t size, int64_t out)
      : begin(k < before ? up(before - k, stride) : 0), end(size > k ? at_most(out, up(size - k, stride)) : 0) {}
};

// Points `from` to `to`, at most `block` of them, of maps of many channels: the weights of one point of the kernel stay in
// the nearest cache while they meet all points that see no zero there; the map lies without its zeros.
constexpr int64_t block = 96;

template <int V> void deep(const Few &c, int64_t group, int64_t channel, int64_t from, int64_t to) {
  const int64_t all = c.groups * c.in, taps = c.kernel[0] * c.kernel[1] * c.in, first = from / c.out_width, last = (to - 1) / c.out_width;
  const int64_t row = c.width - c.left - c.right;
  const float *weight = c.weight + group * c.padded * taps + channel * taps;
  float sums[block * V * width];
  for (int64_t p = 0; p < to - from; ++p)
    for (int v = 0; v < V; ++v)
      store(sums + (p * V + v) * width, c.bias ? load(c.bias + group * c.padded + channel + v * width) : Vector{});
  for (int64_t i = 0; i < c.kernel[0]; ++i)
    for (int64_t k = 0; k < c.kernel[1]; ++k, weight += c.in * V * width) {
      const int64_t down = i * c.dilation[0], along = k * c.dilation[1];
      const Seen rows(down, c.stride[0], c.top, c.height - c.bottom, c.out_height), columns(along, c.stride[1], c.left, c.width - c.right, c.out_width);
      const float *x[block];
      float *sum[block];
      int64_t n = 0;
      for (int64_t y = at_least(first, rows.begin); y < at_most(last + 1, rows.end); ++y) {
        const int64_t begin = y == first ? from % c.out_width : 0, end = y == last ? (to - 1) % c.out_width + 1 : c.out_width;
        for (int64_t at = at_least(begin, columns.begin); at < at_most(end, columns.end); ++at, ++n) {
          x[n] = c.x + ((y * c.stride[0] + down - c.top) * row + at * c.stride[1] + along - c.left) * all + group * c.in;
          sum[n] = sums + (y * c.out_width + at - from) * V * width;
        }
      }
      constexpr int64_t most = KERNEL_SUMS / V;
      for (int64_t tiles = up(n, most), t = 0; t < tiles; ++t) {
        const int64_t begin = n * t / tiles;
        as_constant<most>(n * (t + 1) / tiles - begin, [&](auto m) { one_point<m.value, V>(sum + begin, x + begin, weight, c.in); });
      }
    }
  for (int64_t p = 0; p < to - from; ++p) {
    Vector total[V];
    for (int v = 0; v < V; ++v)
      total[v] = load(sums + (p * V + v) * width);
    finish<V>(c, group, channel, from + p, total);
  }
}

template <int V> void channels(const Few &c, int64_t group, int64_t channel, int64_t from, int64_t to) {
  as_constant<KERNEL_SUMS / V>(to - from, [&](auto m) { channels<m.value, V>(c, group, channel, from); });
}

// Whether points see zeros at any point of the kernel.
bool see_zeros(const Few &c, int64_t from, int64_t to) {
  const int64_t first = from / c.out_width, last = (to - 1) / c.out_width;
  const int64_t left = first == last ? from % c.out_width : 0, right = first == last ? (to - 1) % c.out_width : c.out_width - 1;
  return first * c.stride[0] < c.top || last * c.stride[0] + (c.kernel[0] - 1) * c.dilation[0] >= c.height - c.bottom ||
         left * c.stride[1] < c.left || right * c.stride[1] + (c.kernel[1] - 1) * c.dilation[1] >= c.width - c.right;
}

void all_channels(const Few &c, int64_t begin, int64_t end) {
  const int64_t area = c.out_height * c.out_width, chunks = up(c.padded, chunk), tiles = up(area, points);
  const auto at = [&](int64_t tile) { return area * tile / tiles; };
  const auto takes_points = [&](int64_t tile) { return c.by_points() && see_zeros(c, at(tile), at(tile + 1)); };
  for (int64_t i = begin; i < end;) {
    const int64_t group = i / tiles / chunks, channel = i / tiles % chunks * chunk, tile = i % tiles;
    const int64_t most = at_most(at_most(end - i, tiles - tile), block / points);
    const bool many = takes_points(tile);
    int64_t run = 1;
    while (many && run < most && takes_points(tile + run))
      ++run;
    const int64_t from = at(tile), to = at(tile + run);
    i += run;
    if (c.padded - channel >= chunk)
      (many ? deep<vectors> : channels<vectors>)(c, group, channel, from, to);
    else
      (many ? deep<1> : channels<1>)(c, group, channel, from, to);
  }
}

// M channels from `channel` on, of V vectors of points of row y from x on.
template <int M, int V>
inline __attribute__((always_inline)) void by_rows(const Few &c, int64_t group, int64_t channel, int64_t y, int64_t x,
                                                   Vector (&sums)[M][V]) {
  const int64_t taps = c.in * c.kernel[0] * c.kernel[1];
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      sums[m][v] = Vector{} + (c.bias ? c.bias[channel + m] : 0);
  const float *weight = c.weight + channel * taps;
  for (int64_t in = 0; in < c.in; ++in)
    for (int64_t i = 0; i < c.kernel[0]; ++i, weight += c.kernel[1]) {
      const float *row = c.x + ((group * c.in + in) * c.height + y * c.stride[0] + i * c.dilation[0]) * c.width + x;
      for (int64_t k = 0; k < c.kernel[1]; ++k) {
        Vector value[V];
        for (int v = 0; v < V; ++v)
          value[v] = load(row + k * c.dilation[1] + v * width);
        for (int m = 0; m < M; ++m) {
          const float number = weight[m * taps + k];
          for (int v = 0; v < V; ++v)
            sums[m][v] += number * value[v];
        }
      }
    }
  for (int m = 0; m < M; ++m)
    for (int v = 0; v < V; ++v)
      sums[m][v] = rectified(sums[m][v], c.slope);
}

// By rows: channels that are computed at once, and of how many vectors each. More channels read a map less often.
constexpr int64_t together = KERNEL_SUMS < 24 ? 6 : 12;
constexpr int vectors_of(int channels) {
  return KERNEL_SUMS / (channels == 1 ? 3 : channels < 5 ? 4 : channels < 7 ? 6 : channels);
}

template <int M, int V> void rows(const Few &c, int64_t group, int64_t channel, int64_t y) {
  const int64_t pooled = c.out_width / c.pool, used = pooled * c.pool, step = V * width;
  constexpr int64_t longest = Few::longest;
  float kept[M][longest + V * width];
  for (int64_t first = 0; first < used;) {
    // Whole pools that are kept at once.
    const int64_t last = at_most(used, first + longest / c.pool * c.pool);
    for (int64_t x = first; x < last; x += step) {
      // The last vectors of a row begin earlier rather than run over its end.
      const int64_t at = x + step > c.out_width && c.out_width >= step ? c.out_width - step : x;
      Vector sums[M][V];
      by_rows<M, V>(c, group, channel, y, at, sums);
      for (int m = 0; m < M; ++m)
        for (int v = 0; v < V; ++v)
          if (at >= first)
            store(&kept[m][at - first + v * width], sums[m][v]);
          else
            for (int64_t l = 0; l < width; ++l)
              if (const int64_t to = at + v * width + l - first; to >= 0)
                kept[m][to] = sums[m][v][l];
    }
    for (int m = 0; m < M; ++m) {
      float *out = c.y + ((channel + m) * c.out_height + y) * pooled + first / c.pool;
      const float scale = c.scale ? c.scale[channel + m] : 1, shift = c.scale ? c.shift[channel + m] : 0;
      if (c.pool == 1)
        for (int64_t x = 0; x < last - first; ++x)
          out[x] = kept[m][x] * scale + shift;
      else
        for (int64_t x = 0; x < (last - first) / c.pool; ++x) {
          float sum = 0;
          for (int64_t k = 0; k < c.pool; ++k)
            sum += kept[m][x * c.pool + k];
          out[x] = sum / static_cast<float>(c.pool) * scale + shift;
        }
    }
    first = last;
  }
}

void all_rows(const Few &c, int64_t begin, int64_t end) {
  const int64_t tiles = c.tiles();
  for (int64_t i = begin; i < end; ++i) {
    const int64_t group = i / c.out_height / tiles, tile = i / c.out_height % tiles, y = i % c.out_height;
    const int64_t from = group * c.out + c.out * tile / tiles, to = group * c.out + c.out * (tile + 1) / tiles;
    as_constant<together>(to - from, [&](auto m) { rows<m.value, vectors_of(m.value)>(c, group, from, y); });
  }
}

} // namespace

extern const shim::FewKernel shim::KERNEL_NAME = {width, chunk, points, together, all_channels, all_rows};
