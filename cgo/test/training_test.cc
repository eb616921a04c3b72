// Autograd, optimizers and generators.
#include "helpers.h"

#include <algorithm>
#include <cmath>

using namespace shim_test;

namespace {

// One step of an optimizer on loss = w*w from w = 1, whose gradient is 2w.
void step(ep_optimizer o, ep_tensor w, double lr) {
  Scope s(true);
  ep_tensor loss = nullptr;
  OK(ep_binary(s.handle, "mul", w, w, &loss));
  OK(ep_backward(s.handle, loss));
  OK(ep_optimizer_step(o, lr));
  OK(ep_optimizer_zero_grad(o));
}

// Both forms of an optimizer do the same here.
class Optimizer : public testing::TestWithParam<int32_t> {};
INSTANTIATE_TEST_SUITE_P(Form, Optimizer, testing::Values(0, 1), [](const testing::TestParamInfo<int32_t> &form) {
  return std::string(form.param ? "Fused" : "SingleTensor");
});

} // namespace

TEST_P(Optimizer, SgdWithMomentumAndWeightDecay) {
  Scope s;
  ep_tensor w = s.tensor({1}, {1});
  OK(ep_tensor_set_requires_grad(w, 1));
  ep_optimizer o = nullptr;
  OK(ep_sgd_new(&w, 1, 0.5, 0.1, GetParam(), &o));
  double expected = 1, velocity = 0;
  for (int i = 0; i < 3; ++i) {
    velocity = 0.5 * velocity + (2 + 0.1) * expected;
    expected -= 0.1 * velocity;
    step(o, w, 0.1);
    EXPECT_NEAR(read(w, 1)[0], expected, 1e-6);
  }
  OK(ep_optimizer_free(o));
}

TEST_P(Optimizer, AdamFirstStepIsTheLearningRate) {
  Scope s;
  ep_tensor w = s.tensor({1}, {1});
  OK(ep_tensor_set_requires_grad(w, 1));
  ep_optimizer o = nullptr;
  OK(ep_adam_new(&w, 1, 0.9, 0.999, 1e-8, 0, GetParam(), &o));
  step(o, w, 0.25);
  EXPECT_NEAR(read(w, 1)[0], 0.75, 1e-6);
  OK(ep_optimizer_free(o));
}

TEST_P(Optimizer, OutlivesTheHandlesOfItsParameters) {
  ep_optimizer o = nullptr;
  {
    Scope s;
    ep_tensor w = s.tensor({1}, {1});
    OK(ep_sgd_new(&w, 1, 0, 0, GetParam(), &o));
  }
  OK(ep_optimizer_step(o, 0.1));
  OK(ep_optimizer_free(o));
}

// One form goes on from the state of the other.
TEST(OptimizerState, PassesFromOneFormToTheOther) {
  for (const int32_t first : {0, 1}) {
    Scope s;
    ep_tensor a = s.tensor({1}, {1}), b = s.tensor({1}, {1});
    OK(ep_tensor_set_requires_grad(a, 1));
    OK(ep_tensor_set_requires_grad(b, 1));
    ep_optimizer from = nullptr, to = nullptr;
    OK(ep_adam_new(&a, 1, 0.9, 0.999, 1e-8, 0, first, &from));
    OK(ep_adam_new(&b, 1, 0.9, 0.999, 1e-8, 0, !first, &to));
    step(from, a, 0.25);
    step(from, a, 0.125);
    OK(ep_tensor_copy(b, a));
    for (const char *name : {"step", "exp_avg", "exp_avg_sq"}) {
      ep_tensor state = nullptr;
      OK(ep_optimizer_state(s.handle, from, name, 0, &state));
      OK(ep_optimizer_set_state(to, name, 0, state));
    }
    step(from, a, 0.125);
    step(to, b, 0.125);
    EXPECT_NEAR(read(a, 1)[0], read(b, 1)[0], 1e-6);
    OK(ep_optimizer_free(from));
    OK(ep_optimizer_free(to));
  }
}

TEST(Autocast, ProductsAreDoneInBfloat16AndSumsAreNot) {
  Scope s(true);
  OK(ep_scope_autocast(s.handle));
  ep_tensor x = s.tensor({1.00390625f, 1}, {1, 2}), w = s.tensor({1, 1}, {2, 1}), out = nullptr;
  OK(ep_tensor_set_requires_grad(w, 1));
  OK(ep_binary(s.handle, "matmul", x, w, &out));
  OK(ep_to(s.handle, out, EP_FLOAT32, {EP_CPU, 0}, &out));
  EXPECT_EQ(read(out, 1)[0], 2); // 1 + 2^-8 has nine bits
  OK(ep_binary(s.handle, "add", x, x, &out));
  EXPECT_EQ(read(out, 2)[0], 2.0078125f);
}

TEST(Graph, IsOfAGPU) {
  ep_graph g = nullptr;
  EXPECT_NE(text(ep_graph_begin({EP_CPU, 0}, nullptr, 0, 0, &g)), "");
  EXPECT_EQ(g, nullptr);
  OK(ep_graph_free(nullptr));
}

TEST(Generator, SameSeedSameNumbersAndStateRoundTrips) {
  ep_generator a = nullptr, b = nullptr;
  OK(ep_generator_new({EP_CPU, 0}, 7, &a));
  OK(ep_generator_new({EP_CPU, 0}, 7, &b));
  int64_t x = 0, y = 0;
  OK(ep_generator_int64(a, &x));
  OK(ep_generator_int64(b, &y));
  EXPECT_EQ(x, y);
  Scope s;
  ep_tensor state = nullptr;
  OK(ep_generator_state(s.handle, a, &state));
  OK(ep_generator_int64(a, &x));
  OK(ep_generator_set_state(a, state));
  OK(ep_generator_int64(a, &y));
  EXPECT_EQ(x, y);
  std::vector<int64_t> perm(100);
  OK(ep_generator_perm(a, 100, perm.data()));
  std::vector<bool> seen(100);
  for (int64_t i : perm)
    seen.at(i) = true;
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 100);
  OK(ep_generator_free(a));
  OK(ep_generator_free(b));
}

TEST(Dropout, KeepsTheExpectedShareAndScalesIt) {
  ep_generator g = nullptr;
  OK(ep_generator_new({EP_CPU, 0}, 1, &g));
  Scope s;
  ep_tensor x = s.tensor(std::vector<float>(20000, 1), {100, 10, 20}), out = nullptr;
  OK(ep_dropout(s.handle, x, 0.25, 0, g, &out));
  int kept = 0;
  for (float v : read(out, 20000)) {
    ASSERT_TRUE(v == 0 || std::fabs(v - 1 / 0.75f) < 1e-6f);
    kept += v != 0;
  }
  EXPECT_NEAR(kept / 20000.0, 0.75, 0.02); // five standard deviations are 0.015
  OK(ep_dropout(s.handle, x, 0.25, 1, g, &out));
  const auto v = read(out, 20000);
  for (int channel = 0; channel < 1000; ++channel)
    for (int i = 1; i < 20; ++i)
      ASSERT_EQ(v[channel * 20 + i], v[channel * 20]);
  EXPECT_NE(text(ep_dropout(s.handle, x, 1.5, 0, g, &out)), "");
  OK(ep_generator_free(g));
}
