// BatchNorm in training. EEG networks have 4 to 64 channels of maps with millions of numbers: a channel is
// shared among many blocks, each of which adds up one chunk of it, and a second kernel adds up the chunks.
//
// Statistics are [3, channels]: the mean as a float, what that float lacks, and 1 / sqrt(variance + eps).
// Signals whose mean is far from zero lose no digits so.

// Where a channel's number lies in the map.
__device__ inline unsigned place(const Walk &w, unsigned channel, unsigned channels) {
  return (w.row * channels + channel) * w.width + w.column;
}

// The mean of a chunk and the squared distances from it, of numbers that stay in registers. The chunk's mean
// in float is rounded: the sum of the distances from it, which would else be zero, mends both.
extern "C" __global__ void batch_norm_moments(const float *x, double *parts, unsigned n, unsigned points,
                                              unsigned channels, unsigned chunks) {
  const unsigned channel = blockIdx.x / chunks, begin = blockIdx.x % chunks * chunk;
  const unsigned have = own(begin + threadIdx.x, n), count = n - begin < chunk ? n - begin : chunk;
  Walk w(begin + threadIdx.x, points);
  float v[each], sum = 0;
  for (unsigned i = 0; i < each; ++i, w.next()) {
    v[i] = i < have ? x[place(w, channel, channels)] : 0;
    sum += v[i];
  }
  const float mean = block_sum(sum) / static_cast<float>(count);
  float first = 0, second = 0;
  for (unsigned i = 0; i < each; ++i) {
    const float d = i < have ? v[i] - mean : 0;
    first += d;
    second += d * d;
  }
  first = block_sum(first);
  second = block_sum(second);
  if (threadIdx.x == 0) {
    const double d = first;
    parts[2 * blockIdx.x] = mean + d / count;
    parts[2 * blockIdx.x + 1] = second - d * d / count;
  }
}

// Chunks are few: doubles cost nothing here. Means are taken from the first one's, as above.
extern "C" __global__ void batch_norm_statistics(const double *parts, float *statistics, float *running_mean,
                                                 float *running_var, unsigned n, unsigned channels, unsigned chunks,
                                                 double momentum, double eps) {
  const unsigned channel = blockIdx.x;
  const double *part = parts + 2ul * channel * chunks;
  const double origin = part[0];
  double first = 0, second = 0;
  for (unsigned i = threadIdx.x; i < chunks; i += threads) {
    const double count = i + 1 < chunks ? chunk : n - i * chunk, d = part[2 * i] - origin;
    first += count * d;
    second += part[2 * i + 1] + count * d * d;
  }
  first = block_sum(first);
  second = block_sum(second);
  if (threadIdx.x != 0)
    return;
  const double mean = origin + first / n, rest = second - first * first / n, squares = rest < 0 ? 0 : rest;
  const float rounded = static_cast<float>(mean);
  statistics[channel] = rounded;
  statistics[channels + channel] = static_cast<float>(mean - rounded);
  statistics[2 * channels + channel] = static_cast<float>(1 / sqrt(squares / n + eps));
  running_mean[channel] = static_cast<float>((1 - momentum) * running_mean[channel] + momentum * mean);
  running_var[channel] = static_cast<float>((1 - momentum) * running_var[channel] + momentum * (squares / (n - 1)));
}

extern "C" __global__ void batch_norm_apply(const float *x, const float *statistics, const float *weight,
                                            const float *bias, float *y, unsigned n, unsigned points, unsigned channels,
                                            unsigned chunks) {
  const unsigned channel = blockIdx.x / chunks, begin = blockIdx.x % chunks * chunk + threadIdx.x;
  const float mean = statistics[channel], rest = statistics[channels + channel],
              scale = statistics[2 * channels + channel] * weight[channel], offset = bias[channel];
  const unsigned have = own(begin, n);
  Walk w(begin, points);
  for (unsigned i = 0; i < have; ++i, w.next()) {
    const unsigned at = place(w, channel, channels);
    y[at] = (x[at] - mean - rest) * scale + offset;
  }
}

// A chunk's sums of the gradient, and of its products with the normalised numbers.
extern "C" __global__ void batch_norm_gradient_sums(const float *x, const float *dy, const float *statistics,
                                                    float *parts, unsigned n, unsigned points, unsigned channels,
                                                    unsigned chunks) {
  const unsigned channel = blockIdx.x / chunks, begin = blockIdx.x % chunks * chunk + threadIdx.x;
  const float mean = statistics[channel], rest = statistics[channels + channel];
  const unsigned have = own(begin, n);
  Walk w(begin, points);
  float sum = 0, product = 0;
  for (unsigned i = 0; i < have; ++i, w.next()) {
    const unsigned at = place(w, channel, channels);
    sum += dy[at];
    product += dy[at] * (x[at] - mean - rest);
  }
  sum = block_sum(sum);
  product = block_sum(product);
  if (threadIdx.x == 0) {
    parts[2 * blockIdx.x] = sum;
    parts[2 * blockIdx.x + 1] = product * statistics[2 * channels + channel];
  }
}

// The gradients of weight and bias, and both divided by n: [2, channels].
extern "C" __global__ void batch_norm_gradients(const float *parts, float *dweight, float *dbias, float *means,
                                                unsigned n, unsigned channels, unsigned chunks) {
  const unsigned channel = blockIdx.x;
  const float *part = parts + 2ul * channel * chunks;
  double sum = 0, product = 0;
  for (unsigned i = threadIdx.x; i < chunks; i += threads) {
    sum += part[2 * i];
    product += part[2 * i + 1];
  }
  sum = block_sum(sum);
  product = block_sum(product);
  if (threadIdx.x != 0)
    return;
  dbias[channel] = static_cast<float>(sum);
  dweight[channel] = static_cast<float>(product);
  means[channel] = static_cast<float>(sum / n);
  means[channels + channel] = static_cast<float>(product / n);
}

extern "C" __global__ void batch_norm_gradient(const float *x, const float *dy, const float *statistics,
                                               const float *means, const float *weight, float *dx, unsigned n,
                                               unsigned points, unsigned channels, unsigned chunks) {
  const unsigned channel = blockIdx.x / chunks, begin = blockIdx.x % chunks * chunk + threadIdx.x;
  const float mean = statistics[channel], rest = statistics[channels + channel],
              invstd = statistics[2 * channels + channel], scale = invstd * weight[channel], sum = means[channel],
              product = means[channels + channel] * invstd;
  const unsigned have = own(begin, n);
  Walk w(begin, points);
  for (unsigned i = 0; i < have; ++i, w.next()) {
    const unsigned at = place(w, channel, channels);
    dx[at] = (dy[at] - sum - (x[at] - mean - rest) * product) * scale;
  }
}
