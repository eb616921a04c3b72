// LeakyReLU followed by means of k numbers side by side in a row, as TSCeption has it: the map is read
// once and never written. Numbers are rounded as libtorch rounds them one operation after the other.

__device__ inline float leaky(float x, float slope) { return x > 0 ? x : x * slope; }

// Windows that a block's shared memory holds several of. Threads read numbers side by side and add up windows
// of their own: one unused number after each 32 keeps them out of each other's banks.
extern "C" __global__ void leaky_pool_short(const float *x, float *y, float slope, unsigned width, unsigned k,
                                            unsigned windows, unsigned all, unsigned of_block) {
  __shared__ float tile[chunk + chunk / 32];
  const unsigned begin = blockIdx.x * of_block, count = all - begin < of_block ? all - begin : of_block;
  Walk w(begin * k + threadIdx.x, windows * k);
  for (unsigned i = threadIdx.x; i < count * k; i += threads, w.next())
    tile[i + i / 32] = leaky(x[w.row * width + w.column], slope);
  __syncthreads();
  if (threadIdx.x >= count)
    return;
  float sum = 0;
  for (unsigned i = threadIdx.x * k; i < (threadIdx.x + 1) * k; ++i)
    sum += tile[i + i / 32];
  y[begin + threadIdx.x] = sum / static_cast<float>(k);
}

// A block for each window.
extern "C" __global__ void leaky_pool_long(const float *x, float *y, float slope, unsigned width, unsigned k,
                                           unsigned windows) {
  const float *window = x + blockIdx.x / windows * width + blockIdx.x % windows * k;
  float sum = 0;
  for (unsigned i = threadIdx.x; i < k; i += threads)
    sum += leaky(window[i], slope);
  sum = block_sum(sum);
  if (threadIdx.x == 0)
    y[blockIdx.x] = sum / static_cast<float>(k);
}

extern "C" __global__ void leaky_pool_gradient(const float *x, const float *dy, float *dx, float slope, unsigned width,
                                               unsigned k, unsigned windows, unsigned n) {
  const unsigned begin = blockIdx.x * chunk + threadIdx.x, have = own(begin, n);
  Walk w(begin, width);
  for (unsigned i = 0; i < have; ++i, w.next()) {
    const unsigned at = begin + i * threads, window = w.column / k;
    float d = 0; // of the row's rest, which no window has
    if (window < windows) {
      const float share = dy[w.row * windows + window] / static_cast<float>(k);
      d = x[at] > 0 ? share : share * slope;
    }
    dx[at] = d;
  }
}
