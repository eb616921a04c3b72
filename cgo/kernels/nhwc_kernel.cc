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
  static constexpr int half = width / 2;
  using Half = float __attribute__((vector_size(half * sizeof(float))));
  using Wide = double __attribute__((vector_size(half * sizeof(double))));
  Wide sum[2] = {};
  void add(Vector v) {
    Half part[2];
    __builtin_memcpy(part, &v, sizeof v);
    for (int i = 0; i < 2; ++i)
      sum[i] += __builtin_convertvector(part[i], Wide);
  }
  double operator[](int64_t i) const { return sum[i / half][i % half]; }
};

// Calls f for channels begin to end: with several vectors of them as a constant, the first one, and how many the
// only vector has of the last ones.
template <typename F> inline void by_vectors(int64_t begin, int64_t end, const F &f) {
  constexpr int most = 4;
  int64_t k = begin;
  for (; k + most * width <= end; k += most * width)
    f(Constant<most>{}, k, width);
  for (; k < end; k += width)
    f(Constant<1>{}, k, at_most(width, end - k));
}

// libtorch's order: one number after the other.
template <int V> void moments(const NHWCNorm &c, int64_t k, int64_t n) {
  const int64_t points = c.clips * c.points;
  Doubles sum[V], squares[V];
  for (int64_t i = 0; i < points; ++i)
    for (int v = 0; v < V; ++v)
      sum[v].add(load(c.x + i * c.channels + k + v * width, n));
  Vector mean[V] = {};
  for (int v = 0; v < V; ++v) {
    for (int i = 0; i < width; ++i)
      mean[v][i] = static_cast<float>(sum[v][i] / points);
    store(c.mean + k + v * width, mean[v], n);
  }
  for (int64_t i = 0; i < points; ++i)
    for (int v = 0; v < V; ++v) {
      const Vector d = load(c.x + i * c.channels + k + v * width, n) - mean[v];
      squares[v].add(d * d);
    }
  for (int v = 0; v < V; ++v)
    for (int64_t i = 0; i < n; ++i)
      c.squares[k + v * width + i] = static_cast<float>(squares[v][i]);
}

void all_moments(const NHWCNorm &c, int64_t begin, int64_t end) {
  by_vectors(begin, end, [&](auto V, int64_t k, int64_t n) { moments<V.value>(c, k, n); });
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

// What libtorch takes side by side along a clip's map of V vectors: sums of the gradient, and of its products with
// the centred numbers.
template <int V> struct Lanes {
  static constexpr int most = 16;
  Vector gradients[V][most], products[V][most];
};

template <int V> void norm_backward(const NHWCNorm &c, int64_t k, int64_t n) {
  const int64_t points = c.clips * c.points;
  Vector mean[V], invstd[V], weight[V];
  for (int v = 0; v < V; ++v)
    mean[v] = load(c.mean + k + v * width, n), invstd[v] = load(c.invstd + k + v * width, n), weight[v] = load(c.weight + k + v * width, n);
  Doubles sum[V], dot[V];
  for (int64_t clip = 0; clip < c.clips; ++clip) {
    Lanes<V> lanes;
    const auto along = [&](int64_t first, const auto &take) {
      for (int64_t lane = 0; lane < at_most(c.lanes, c.points - first); ++lane) {
        const int64_t at = (clip * c.points + first + lane) * c.channels + k;
        for (int v = 0; v < V; ++v) {
          const Vector g = load(c.dy + at + v * width, n);
          take(lanes.gradients[v][lane], lanes.products[v][lane], g, load(c.x + at + v * width, n) - mean[v]);
        }
      }
    };
    along(0, [](Vector &gradient, Vector &product, Vector g, Vector centred) { gradient = g, product = centred * g; });
    int64_t first = c.lanes;
    for (; first + c.lanes <= c.points; first += c.lanes)
      along(first, [](Vector &gradient, Vector &product, Vector g, Vector centred) { gradient += g, product += rounded(centred * g); });
    // libtorch's compiler fuses the rest alone.
    along(first, [](Vector &gradient, Vector &product, Vector g, Vector centred) { gradient += g, product = fused(centred, g, product); });
    for (int v = 0; v < V; ++v) {
      sum[v].add(together(lanes.gradients[v], c.lanes, c.points));
      dot[v].add(together(lanes.products[v], c.lanes, c.points));
    }
  }
  Vector factor[V] = {}, shift[V] = {};
  for (int v = 0; v < V; ++v)
    for (int64_t i = 0; i < n; ++i) {
      const int64_t channel = k + v * width + i;
      factor[v][i] = static_cast<float>(dot[v][i]) * invstd[v][i] * invstd[v][i] / static_cast<float>(points);
      shift[v][i] = static_cast<float>(sum[v][i] / points);
      c.dweight[channel] = static_cast<float>(dot[v][i] * invstd[v][i]);
      c.dbias[channel] = static_cast<float>(sum[v][i]);
    }
  for (int64_t i = 0; c.dx && i < points; ++i)
    for (int v = 0; v < V; ++v) {
      const int64_t at = i * c.channels + k + v * width;
      store(c.dx + at, (load(c.dy + at, n) - shift[v] - (load(c.x + at, n) - mean[v]) * factor[v]) * invstd[v] * weight[v], n);
    }
}

void all_norm_backward(const NHWCNorm &c, int64_t begin, int64_t end) {
  by_vectors(begin, end, [&](auto V, int64_t k, int64_t n) { norm_backward<V.value>(c, k, n); });
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
const shim::NHWCKernel shim::KERNEL_NAME = {chunk, map_work, map, weight_work, weight, {16, 16, false}, {16, 16, false}, all_moments, all_norm_backward};
#else
const shim::NHWCKernel shim::KERNEL_NAME = {chunk, map_work, map, weight_work, weight, {8, INT64_MAX, true}, {8, 32, true}, all_moments, all_norm_backward};
#endif
