// Convolutions of every channel alone, as EEGNet has them over the electrodes and along time. Zeros before and after
// the map are not read: each thread knows which of the kernel's rows and columns meet the map.

__device__ inline int least(int a, int b) { return a < b ? a : b; }
__device__ inline int most(int a, int b) { return a > b ? a : b; }

// The weights of a block in shared memory, where they fit.
__device__ inline const float *shared_weights(const float *weight, int n) {
  __shared__ float copy[chunk];
  if (n > static_cast<int>(chunk))
    return weight;
  for (int i = threadIdx.x; i < n; i += threads)
    copy[i] = weight[i];
  __syncthreads();
  return copy;
}

// One point of N output channels, which all see the same numbers.
template <int N>
__device__ void convolve(const float *x, const float *weight, const float *bias, float *y, const Depthwise &s, int at) {
  const int row = at / s.out_width - s.top, column = at % s.out_width - s.left;
  const int begin = most(0, -column), end = least(s.kernel_width, s.width - column);
  float sum[N];
  for (int k = 0; k < N; ++k)
    sum[k] = bias ? bias[k] : 0;
  for (int a = most(0, -row); a < least(s.kernel_height, s.height - row); ++a)
    for (int b = begin; b < end; ++b) {
      const float v = x[(row + a) * s.width + column + b];
      for (int k = 0; k < N; ++k)
        sum[k] += weight[(k * s.kernel_height + a) * s.kernel_width + b] * v;
    }
  for (int k = 0; k < N; ++k)
    y[k * s.out_height * s.out_width + at] = sum[k];
}

extern "C" __global__ void depthwise(const float *x, const float *weight, const float *bias, float *y, Depthwise s,
                                     unsigned parts, unsigned tiles) {
  const int tile = blockIdx.x % tiles, part = blockIdx.x / tiles % parts;
  const int plane = blockIdx.x / tiles / parts; // clip and channel
  const int first = plane % s.channels * s.multiplier + part * together, points = s.out_height * s.out_width;
  const int n = least(together, s.multiplier - part * together), each_kernel = s.kernel_height * s.kernel_width;
  const float *w = shared_weights(weight + first * each_kernel, n * each_kernel);
  const int at = tile * threads + threadIdx.x;
  if (at >= points)
    return;
  x += plane * s.height * s.width;
  y += (plane * s.multiplier + part * static_cast<int>(together)) * points;
  bias = bias ? bias + first : nullptr;
  if (n == 1)
    convolve<1>(x, w, bias, y, s, at);
  else if (n == 2)
    convolve<2>(x, w, bias, y, s, at);
  else if (n == 3)
    convolve<3>(x, w, bias, y, s, at);
  else
    convolve<4>(x, w, bias, y, s, at);
}

// The gradient of one point of the input, from each output channel that saw it.
extern "C" __global__ void depthwise_input(const float *dy, const float *weight, float *dx, Depthwise s,
                                           unsigned tiles) {
  const int tile = blockIdx.x % tiles, plane = blockIdx.x / tiles, points = s.out_height * s.out_width;
  const int weights = s.multiplier * s.kernel_height * s.kernel_width;
  const float *w = shared_weights(weight + plane % s.channels * weights, weights);
  const int at = tile * threads + threadIdx.x;
  if (at >= s.height * s.width)
    return;
  const int row = at / s.width + s.top, column = at % s.width + s.left;
  const int begin = most(0, column - s.out_width + 1), end = least(s.kernel_width, column + 1);
  dy += plane * s.multiplier * points;
  float sum = 0;
  for (int k = 0; k < s.multiplier; ++k, dy += points, w += s.kernel_height * s.kernel_width)
    for (int a = most(0, row - s.out_height + 1); a < least(s.kernel_height, row + 1); ++a)
      for (int b = begin; b < end; ++b)
        sum += w[a * s.kernel_width + b] * dy[(row - a) * s.out_width + column - b];
  dx[plane * s.height * s.width + at] = sum;
}

// A chunk's part of the gradients of a few weights of one output channel, and of its bias: parts are
// [output channels, weights of one and its bias, chunks].
extern "C" __global__ void depthwise_weight_parts(const float *x, const float *dy, float *parts, Depthwise s,
                                                  unsigned n, unsigned chunks, unsigned tiles) {
  const int tile = blockIdx.x % tiles, outputs = s.channels * s.multiplier, kernel = s.kernel_height * s.kernel_width;
  const int output = blockIdx.x / tiles % outputs, number = blockIdx.x / tiles / outputs;
  const int points = s.out_height * s.out_width, channel = output / s.multiplier;
  int rows[taps], columns[taps];
  float sum[taps + 1] = {}; // the last one is the bias's
  for (unsigned t = 0; t < taps; ++t) {
    const int tap = tile * taps + t;
    rows[t] = tap < kernel ? tap / s.kernel_width - s.top : s.height; // else it meets no row
    columns[t] = tap % s.kernel_width - s.left;
  }
  const unsigned begin = number * chunk + threadIdx.x, have = own(begin, n);
  Walk w(begin, points);
  for (unsigned i = 0; i < have; ++i, w.next()) {
    const int clip = w.row, at = w.column, row = at / s.out_width, column = at % s.out_width;
    const float d = dy[(clip * outputs + output) * points + at];
    const float *map = x + (clip * s.channels + channel) * s.height * s.width;
    sum[taps] += d;
    for (unsigned t = 0; t < taps; ++t) {
      const int r = row + rows[t], c = column + columns[t];
      if (r >= 0 && r < s.height && c >= 0 && c < s.width)
        sum[t] += d * map[r * s.width + c];
    }
  }
  const float mine = block_sums(sum);
  const int tap = threadIdx.x == taps ? kernel : tile * taps + threadIdx.x;
  if (threadIdx.x < taps ? tap < kernel : threadIdx.x == taps && tile == 0)
    parts[(static_cast<unsigned>(output) * (kernel + 1) + tap) * chunks + number] = mine;
}

extern "C" __global__ void depthwise_weight(const float *parts, float *dweight, float *dbias, unsigned kernel,
                                            unsigned chunks) {
  const float *part = parts + blockIdx.x * chunks;
  double sum = 0;
  for (unsigned i = threadIdx.x; i < chunks; i += threads)
    sum += part[i];
  sum = block_sum(sum);
  if (threadIdx.x != 0)
    return;
  const unsigned output = blockIdx.x / (kernel + 1), weight = blockIdx.x % (kernel + 1);
  if (weight < kernel)
    dweight[output * kernel + weight] = static_cast<float>(sum);
  else if (dbias)
    dbias[output] = static_cast<float>(sum);
}
