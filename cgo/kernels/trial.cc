#include "trial.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/arange.h>

namespace shim {

Processor processor() {
#if defined(__x86_64__)
  const std::string allowed = at::get_cpu_capability();
  if (allowed == "AVX512" && __builtin_cpu_supports("avx512f"))
    return Processor::avx512;
  if (allowed.starts_with("AVX") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return Processor::avx2;
#endif
  return Processor::other;
}

at::Tensor numbers(at::IntArrayRef shape, int64_t seed) {
  const at::Tensor t = at::arange(seed, seed + c10::multiply_integers(shape), at::kLong);
  return t.mul(7919).remainder(100003).to(at::kFloat).div(50001.5).sub(1).view(shape);
}

OneThread::OneThread() : before(at::get_num_threads()) { at::set_num_threads(1); }
OneThread::~OneThread() { at::set_num_threads(before); }

} // namespace shim
