// An activation followed by means of k numbers side by side in a row, as TSCeption and EEGNet have it: the map is
// read once and never written. Numbers are rounded as libtorch rounds them one operation after the other.

__device__ inline float activated(float x, Activation a) {
  if (x > 0)
    return x * a.positive;
  return (a.exponent != 0 ? expm1f(x * a.exponent) : x) * a.negative;
}

// The gradient of x for that of its activation.
__device__ inline float through(float dy, float x, Activation a) {
  if (x > 0)
    return dy * a.positive;
  return a.exponent != 0 ? dy * a.exponent * a.negative * expf(x * a.exponent) : dy * a.negative;
}

// Windows that a block's shared memory holds several of. Threads read numbers side by side and add up windows
// of their own: one unused number after each 32 keeps them out of each other's banks.
extern "C" __global__ void activation_pool_short(const float *x, float *y, Activation a, unsigned width, unsigned k,
                                                 unsigned windows, unsigned all, unsigned of_block) {
  __shared__ float tile[chunk + chunk / 32];
  const unsigned begin = blockIdx.x * of_block, count = all - begin < of_block ? all - begin : of_block;
  Walk w(begin * k + threadIdx.x, windows * k);
  for (unsigned i = threadIdx.x; i < count * k; i += threads, w.next())
    tile[i + i / 32] = activated(x[w.row * width + w.column], a);
  __syncthreads();
  if (threadIdx.x >= count)
    return;
  float sum = 0;
  for (unsigned i = threadIdx.x * k; i < (threadIdx.x + 1) * k; ++i)
    sum += tile[i + i / 32];
  y[begin + threadIdx.x] = sum / static_cast<float>(k);
}

// A block for each window.
extern "C" __global__ void activation_pool_long(const float *x, float *y, Activation a, unsigned width, unsigned k,
                                                unsigned windows) {
  const float *window = x + blockIdx.x / windows * width + blockIdx.x % windows * k;
  float sum = 0;
  for (unsigned i = threadIdx.x; i < k; i += threads)
    sum += activated(window[i], a);
  sum = block_sum(sum);
  if (threadIdx.x == 0)
    y[blockIdx.x] = sum / static_cast<float>(k);
}

extern "C" __global__ void activation_pool_gradient(const float *x, const float *dy, float *dx, Activation a,
                                                    unsigned width, unsigned k, unsigned windows, unsigned n) {
  const unsigned begin = blockIdx.x * chunk + threadIdx.x, have = own(begin, n);
  Walk w(begin, width);
  for (unsigned i = 0; i < have; ++i, w.next()) {
    const unsigned at = begin + i * threads, window = w.column / k;
    // The row's rest no window has.
    dx[at] = window < windows ? through(dy[w.row * windows + window] / static_cast<float>(k), x[at], a) : 0;
  }
}
