// What the kernels share, in front of them in the program that NVRTC compiles. Nothing but CUDA's plainest
// C++ is used, no intrinsics either: the tests compile the same text for the CPU.
//
// Every sum is taken in an order that depends on the shape alone, so that a training gives the same
// bits each time: no atomic operations, no dependence on how many multiprocessors there are.
using namespace shim::gpu;

// The place of number first, first + threads, ... in rows of width numbers, without a division for each.
struct Walk {
  unsigned row, column, width, rows, columns;
  __device__ Walk(unsigned first, unsigned w)
      : row(first / w), column(first % w), width(w), rows(threads / w), columns(threads % w) {}
  __device__ void next() {
    row += rows;
    column += columns;
    if (column >= width) {
      column -= width;
      ++row;
    }
  }
};

// How many of numbers first, first + threads, ... lie before end; a thread has `each` at most.
__device__ inline unsigned own(unsigned first, unsigned end) {
  const unsigned n = first < end ? (end - first + threads - 1) / threads : 0;
  return n < each ? n : each;
}

// The sum over the block's threads, known to all of them. Two steps of 16 take fewer barriers than eight of 2,
// and a sum may follow another: each array is read only between barriers at which none writes it.
template <typename T> __device__ T block_sum(T value) {
  __shared__ T all[threads], some[16];
  all[threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.x < 16) {
    T sum = 0;
    for (unsigned i = threadIdx.x; i < threads; i += 16)
      sum += all[i];
    some[threadIdx.x] = sum;
  }
  __syncthreads();
  T sum = 0;
  for (unsigned i = 0; i < 16; ++i)
    sum += some[i];
  return sum;
}

// N sums at once, which takes no more barriers than one: sum i is known to thread i. Once in a kernel.
template <int N> __device__ float block_sums(const float (&values)[N]) {
  __shared__ float all[N * threads], some[N * 16];
  for (unsigned i = 0; i < N; ++i)
    all[i * threads + threadIdx.x] = values[i];
  __syncthreads();
  if (threadIdx.x < N * 16) {
    float sum = 0;
    for (unsigned i = threadIdx.x % 16; i < threads; i += 16)
      sum += all[threadIdx.x / 16 * threads + i];
    some[threadIdx.x] = sum;
  }
  __syncthreads();
  float sum = 0;
  if (threadIdx.x < N)
    for (unsigned i = 0; i < 16; ++i)
      sum += some[threadIdx.x * 16 + i];
  return sum;
}
