// The kernel of nhwc.h, compiled once for each processor with KERNEL_NAME, KERNEL_WIDTH, the floats of a
// vector, and KERNEL_VECTORS, how many of them are a chunk.
#include "nhwc.h"
#include "vector.h"

namespace {

using shim::NHWCMap;
using shim::NHWCNorm;
using shim::NHWCWeight;

constexpr int vectors = KERNEL_VECTORS, chunk = width * vectors;

// How many rows are summed at once for so many vectors: as many as registers hold.
constexpr int64_t rows(int64_t v) { return v * 12 <= vectors * 6 ? 12 : 6; }

// Adds n products one after the other to the sums of M rows and V vectors of channels: a number
// of each row, `step` from one to the next, times a vector, `apart` from one to the next.
template <int M, int V>
inline __attribute__((always_inline)) void add(Vector (&sums)[M][V], const float *number, int64_t row, int64_t step,
                                               const float *vector, int64_t apart, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    Vector value[V];
    for (int v = 0; v < V; ++v)
      value[v] = load(vector + k * apart + v * width);
    for (int m = 0; m < M; ++m) {
      const float x = number[m * row + k * step];
      for (int v = 0; v < V; ++v)
        sums[m][v] += x * value[v];
    }
  }
}

// The part of a kernel along one axis that lies on the source, and where its first point lies.
struct Span {
  int64_t first, last, direction, source;
  Span(int64_t p, int64_t kernel, int64_t origin, int64_t size, bool mirrored) {
    direction = mirrored ? -1 : 1;
    const int64_t start = mirrored ? p + origin : p - origin;
    first = mirrored ? at_least(0, start - size + 1) : at_least(0, -start);
    last = mirrored ? at_most(kernel, start + 1) : at_most(kernel, size - start);
    source = start + direction * first;
  }
};

// One point of M clips and V vectors of channels.
template <int M, int V> void point(const NHWCMap &c, int64_t clip, int64_t channel, int64_t y, int64_t x) {
  const Span down(y, c.kernel[0], c.origin[0], c.height, c.mirrored), across(x, c.kernel[1], c.origin[1], c.width, c.mirrored);
  const int64_t row = c.height * c.width * c.channels;
  const int64_t wide = at_most(chunk, c.padded - channel);
  const float *source = c.source + clip * row, *weight = c.weight + channel * c.kernel[0] * c.kernel[1] * c.channels;
  Vector total[M][V] = {};
  for (int64_t group = 0; group < c.channels; group += c.order.group) {
    const bool begins = group == 0 && c.bias;
    Vector sums[M][V];
    for (int m = 0; m < M; ++m)
      for (int v = 0; v < V; ++v)
        sums[m][v] = begins && c.order.bias_first ? load(c.bias + channel + v * width) : Vector{};
    for (int64_t block = group; block < at_most(group + c.order.group, c.channels); block += c.order.block) {
      const int64_t n = at_most(c.order.block, c.channels - block);
      for (int64_t i = down.first; i < down.last; ++i)
        for (int64_t k = across.first; k < across.last; ++k) {
          const int64_t sy = down.source + down.direction * (i - down.first), sx = across.source + across.direction * (k - across.first);
          add<M, V>(sums, source + (sy * c.width + sx) * c.channels + block, row, 1,
                    weight + (block * c.kernel[0] * c.kernel[1] + (i * c.kernel[1] + k) * n) * wide, wide, n);
        }
    }
    for (int m = 0; m < M; ++m)
      for (int v = 0; v < V; ++v)
        if (group > 0)
          total[m][v] += sums[m][v];
        else if (begins && !c.order.bias_first)
          total[m][v] = sums[m][v] + load(c.bias + channel + v * width);
        else
          total[m][v] = sums[m][v];
  }
  for (int m = 0; m < M; ++m) {
    float *target = c.target + (((clip + m) * c.out_height + y) * c.out_width + x) * c.out + channel;
    for (int v = 0; v < V; ++v)
      store(target + v * width, total[m][v], c.out - channel - v * width);
  }
}

// All points of the kernel of M channels of the gradient and V vectors of the source's, of clips begin to end.
template <int M, int V> void taps(const NHWCWeight &c, int64_t channel, int64_t vector, int64_t begin, int64_t end) {
  const int64_t points = c.kernel[0] * c.kernel[1], wide = at_most(chunk, c.padded - vector);
  const float *source = c.source + vector * c.clips * c.height * c.width;
  for (int64_t tap = 0; tap < points; ++tap) {
    const int64_t i = tap / c.kernel[1] - c.origin[0], k = tap % c.kernel[1] - c.origin[1];
    const int64_t left = at_least(0, -k), right = at_most(c.out_width, c.width - k);
    float *target = c.target + (channel * points + tap) * c.padded + vector;
    Vector sums[M][V];
    for (int m = 0; m < M; ++m)
      for (int v = 0; v < V; ++v)
        sums[m][v] = begin == 0 ? Vector{} : load(target + m * points * c.padded + v * width);
    for (int64_t n = begin; n < end; ++n)
      for (int64_t y = at_least(0, -i); y < at_most(c.out_height, c.height - i); ++y)
        add<M, V>(sums, c.gradient + ((n * c.out_height + y) * c.out_width + left) * c.out + channel, 1, c.out,
                  source + ((n * c.height + y + i) * c.width + left + k) * wide, wide, right - left);
    for (int m = 0; m < M; ++m)
      for (int v = 0; v < V; ++v)
        store(target + m * points * c.padded + v * width, sums[m][v]);
  }
}

// Calls f with both as constants.
template <typename F> void with_sizes(int64_t m, int64_t v, const F &f) {
  as_constant<vectors>(v, [&](auto V) { as_constant<rows(V.value)>(m, [&](auto M) { f.template operator()<M.value, V.value>(); }); });
}

// Vectors of channels in chunks, and rows in tiles that fit them: the last chunk may be narrower
// and its tiles higher. One of a tile and a chunk is kept while all of the other are computed with it, and so stays
// in the cache.
enum class Keep { tile, chunk };
template <Keep keep> struct Tiling {
  int64_t all, whole, tiles, last_vectors, last_tiles;
  Tiling(int64_t padded, int64_t n)
      : all(n), whole(padded / chunk), tiles(up(n, rows(vectors))), last_vectors(padded % chunk / width),
        last_tiles(last_vectors ? up(n, rows(last_vectors)) : 0) {}

  // How long all takes, `each` times, in vectors of rows.
  static constexpr int64_t one = vectors * rows(vectors);
  int64_t last_one() const { return last_vectors * rows(last_vectors); }
  int64_t work(int64_t each) const { return (whole * tiles * one + last_tiles * last_one()) * each; }
  // How many pieces begin before so much of it.
  int64_t pieces(int64_t work, int64_t each) const {
    const int64_t before = whole * tiles * each;
    return work <= before * one ? up(work, one) : before + up(work - before * one, last_one());
  }

  // Calls f with M, V, the first row and the first channel of piece i.
  template <typename F> void at(int64_t i, F f) const {
    const bool last = i >= whole * tiles;
    const int64_t parts = last ? last_tiles : tiles;
    const int64_t tile = last ? i - whole * tiles : keep == Keep::tile ? i / whole : i % tiles, from = all * tile / parts;
    const int64_t channel = (last ? whole : keep == Keep::tile ? i % whole : i / tiles) * chunk;
    with_sizes(all * (tile + 1) / parts - from, last ? last_vectors : vectors,
               [&]<int M, int V>() { f.template operator()<M, V>(from, channel); });
  }
};

// A double for each of a vector's channels.
struct Doubles {
  double lane[width] = {};
  void add(Vector v) {
    for (int i = 0; i < width; ++i)
      lane[i] += v[i];
  }
};

// libtorch's order: one number after the other.
void moments(const NHWCNorm &c, int64_t begin, int64_t end) {
  const int64_t points = c.clips * c.points;
  for (int64_t k = begin; k < end; k += width) {
    const int64_t n = at_most(width, end - k);
    Doubles sum, squares;
    for (int64_t i = 0; i < points; ++i)
      sum.add(load(c.x + i * c.channels + k, n));
    Vector mean{};
    for (int i = 0; i < width; ++i)
      mean[i] = static_cast<float>(sum.lane[i] / points);
    store(c.mean + k, mean, n);
    for (int64_t i = 0; i < points; ++i) {
      const Vector d = load(c.x + i * c.channels + k, n) - mean;
      squares.add(d * d);
    }
    for (int64_t i = 0; i < n; ++i)
      c.squares[k + i] = static_cast<float>(squares.lane[i]);
  }
}

// libtorch's total of the sums that it keeps side by side: of all of them halves are added, of
// fewer one after the other.
inline Vector together(Vector *lanes, int64_t all, int64_t n) {
  if (n < all) {
    for (int64_t i = 1; i < n; ++i)
      lanes[0] += lanes[i];
    return lanes[0];
  }
  for (int64_t half = all / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half; ++i)
      lanes[i] += lanes[i + half];
  return lanes[0];
}

// Keeps the compiler from rounding a product together with the sum that it is added to.
inline Vector rounded(Vector product) {
  asm("" : "+x"(product));
  return product;
}

// Rounds them together.
inline Vector fused(Vector a, Vector b, Vector sum) {
  for (int i = 0; i < width; ++i)
    sum[i] = __builtin_fmaf(a[i], b[i], sum[i]);
  return sum;
}

void norm_backward(const NHWCNorm &c, int64_t begin, int64_t end) {
  constexpr int64_t most = 16;
  for (int64_t k = begin; k < end; k += width) {
    const int64_t n = at_most(width, end - k), points = c.clips * c.points;
    const Vector mean = load(c.mean + k, n), invstd = load(c.invstd + k, n), weight = load(c.weight + k, n);
    const int64_t whole = c.points / c.lanes * c.lanes; // libtorch's compiler fuses the rest alone
    Doubles sum, dot;
    for (int64_t clip = 0; clip < c.clips; ++clip) {
      Vector gradients[most], products[most];
      const float *x = c.x + clip * c.points * c.channels + k, *dy = c.dy + clip * c.points * c.channels + k;
      for (int64_t i = 0; i < c.points; ++i, x += c.channels, dy += c.channels) {
        const Vector g = load(dy, n), centred = load(x, n) - mean;
        const int64_t lane = i % c.lanes;
        if (i < c.lanes) {
          gradients[lane] = g;
          products[lane] = centred * g;
        } else {
          gradients[lane] += g;
          products[lane] = i < whole ? products[lane] + rounded(centred * g) : fused(centred, g, products[lane]);
        }
      }
      sum.add(together(gradients, c.lanes, c.points));
      dot.add(together(products, c.lanes, c.points));
    }
    Vector factor{}, shift{};
    for (int64_t i = 0; i < n; ++i) {
      factor[i] = static_cast<float>(dot.lane[i]) * invstd[i] * invstd[i] / static_cast<float>(points);
      shift[i] = static_cast<float>(sum.lane[i] / points);
      c.dweight[k + i] = static_cast<float>(dot.lane[i] * invstd[i]);
      c.dbias[k + i] = static_cast<float>(sum.lane[i]);
    }
    for (int64_t i = 0; c.dx && i < points; ++i) {
      const int64_t offset = i * c.channels + k;
      store(c.dx + offset, (load(c.dy + offset, n) - shift - (load(c.x + offset, n) - mean) * factor) * invstd * weight, n);
    }
  }
}

using MapTiling = Tiling<Keep::tile>;
using WeightTiling = Tiling<Keep::chunk>;

int64_t map_work(const NHWCMap &c) { return MapTiling(c.padded, c.clips).work(c.out_height * c.out_width); }

void map(const NHWCMap &c, int64_t begin, int64_t end) {
  const MapTiling tiling(c.padded, c.clips);
  const int64_t points = c.out_height * c.out_width;
  for (int64_t i = tiling.pieces(begin, points), last = tiling.pieces(end, points); i < last; ++i)
    tiling.at(i / points, [&]<int M, int V>(int64_t clip, int64_t channel) {
      point<M, V>(c, clip, channel, i % points / c.out_width, i % c.out_width);
    });
}

int64_t weight_work(const NHWCWeight &c) { return WeightTiling(c.padded, c.out).work(1); }

// As many clips at once as leave all channels of their gradient in the cache.
void weight(const NHWCWeight &c, int64_t begin, int64_t end) {
  constexpr int64_t cache = 40000; // floats
  const WeightTiling tiling(c.padded, c.out);
  const int64_t clips = at_least(1, cache / (c.out_height * c.out_width * c.out)), last = tiling.pieces(end, 1);
  for (int64_t clip = 0; clip < c.clips; clip += clips)
    for (int64_t i = tiling.pieces(begin, 1); i < last; ++i)
      tiling.at(i, [&]<int M, int V>(int64_t channel, int64_t vector) {
        taps<M, V>(c, channel, vector, clip, at_most(clip + clips, c.clips));
      });
}

} // namespace

#if KERNEL_WIDTH == 16
const shim::NHWCKernel shim::KERNEL_NAME = {chunk, map_work, map, weight_work, weight, {16, 16, false}, {16, 16, false}, moments, norm_backward};
#else
const shim::NHWCKernel shim::KERNEL_NAME = {chunk, map_work, map, weight_work, weight, {8, INT64_MAX, true}, {8, 32, true}, moments, norm_backward};
#endif
