// Operations against values worked out by hand.
#include "helpers.h"

#include <cmath>
#include <cstring>

using namespace shim_test;

TEST(Ops, ReduceOverAllOrSomeDimensions) {
  Scope s;
  ep_tensor a = s.tensor({1, 2, 3, 4, 5, 6}, {2, 3}), out = nullptr;
  double item = 0;
  OK(ep_reduce(s.handle, "sum", a, nullptr, 0, &out));
  OK(ep_tensor_item(out, &item));
  EXPECT_EQ(item, 21);
  const int64_t last[] = {-1};
  OK(ep_reduce(s.handle, "mean", a, last, 1, &out));
  EXPECT_EQ(read(out, 2), (std::vector<float>{2, 5}));
}

TEST(Ops, CatNarrowAndSelect) {
  Scope s;
  ep_tensor a = s.tensor({1, 2, 3, 4}, {2, 2}), out = nullptr, index = nullptr;
  const ep_tensor both[] = {a, a};
  OK(ep_cat(s.handle, both, 2, 1, &out));
  EXPECT_EQ(read(out, 8), (std::vector<float>{1, 2, 1, 2, 3, 4, 3, 4}));
  OK(ep_narrow(s.handle, a, 0, 1, 1, &out));
  EXPECT_EQ(read(out, 2), (std::vector<float>{3, 4}));
  const int64_t rows[] = {1, 0}, n[] = {2};
  OK(ep_tensor_from_data(s.handle, rows, EP_INT64, n, 1, {EP_CPU, 0}, &index));
  OK(ep_index_select(s.handle, a, 0, index, &out));
  EXPECT_EQ(read(out, 4), (std::vector<float>{3, 4, 1, 2}));
  EXPECT_NE(text(ep_narrow(s.handle, a, 0, 1, 5, &out)), "");
}

TEST(Ops, ConvolutionOfOnesCountsTheNeighbours) {
  Scope s;
  ep_tensor x = s.tensor(std::vector<float>(9, 1), {1, 1, 3, 3});
  ep_tensor w = s.tensor(std::vector<float>(9, 1), {1, 1, 3, 3}), out = nullptr;
  OK(ep_conv2d(s.handle, x, w, nullptr, {{1, 1}, {1, 1}, {1, 1}, 1}, &out));
  EXPECT_EQ(read(out, 9), (std::vector<float>{4, 6, 4, 6, 9, 6, 4, 6, 4}));
}

TEST(Ops, BatchNormUpdatesItsStatisticsOnlyInTraining) {
  Scope s;
  ep_tensor x = s.tensor({1, 3}, {2, 1, 1, 1}), out = nullptr;
  ep_tensor mean = s.tensor({0}, {1}), variance = s.tensor({1}, {1});
  OK(ep_batch_norm(s.handle, x, nullptr, nullptr, mean, variance, nullptr, 0, 0.1, 0, &out));
  EXPECT_EQ(read(out, 2), (std::vector<float>{1, 3}));
  EXPECT_EQ(read(mean, 1)[0], 0);
  OK(ep_batch_norm(s.handle, x, nullptr, nullptr, mean, variance, nullptr, 1, 0.1, 0, &out));
  EXPECT_EQ(read(out, 2), (std::vector<float>{-1, 1}));
  EXPECT_FLOAT_EQ(read(mean, 1)[0], 0.2f);     // 0.9*0 + 0.1*2
  EXPECT_FLOAT_EQ(read(variance, 1)[0], 1.1f); // 0.9*1 + 0.1*2, the unbiased variance
}

TEST(Ops, ReadAndCopyCheckTheSize) {
  Scope s;
  ep_tensor a = s.tensor({1, 2}, {2});
  float three[3] = {};
  EXPECT_NE(text(ep_tensor_read(a, three, sizeof three)), "");
  OK(ep_tensor_copy(a, s.tensor({7, 8}, {2})));
  EXPECT_EQ(read(a, 2), (std::vector<float>{7, 8}));
  EXPECT_NE(text(ep_tensor_copy(a, s.tensor({1}, {1}))), "");
}

TEST(Ops, DescribeNeverWritesPastTheRoomGiven) {
  Scope s;
  ep_tensor a = s.tensor({1, 2, 3, 4}, {1, 2, 2});
  int64_t shape[3] = {-1, -1, -1};
  int32_t dtype = -1, dims = 2;
  ep_device device{-1, -1};
  OK(ep_tensor_describe(a, &dtype, &device, shape, &dims));
  EXPECT_EQ(dims, 3);
  EXPECT_EQ(shape[1], 2);
  EXPECT_EQ(shape[2], -1);
  EXPECT_EQ(dtype, EP_FLOAT32);
}
