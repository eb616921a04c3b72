// Who owns what, and how errors come back.
#include "helpers.h"

#include <thread>

using namespace shim_test;

TEST(Scope, FreesWhatItOwnsAndKeepsWhatWasTaken) {
  const int64_t before = live();
  ep_tensor kept = nullptr;
  {
    Scope s;
    ep_tensor a = s.tensor({1, 2, 3}, {3}), sum = nullptr;
    OK(ep_binary(s.handle, "add", a, a, &sum));
    EXPECT_EQ(live(), before + 2);
    OK(ep_tensor_keep(sum));
    kept = sum;
  }
  EXPECT_EQ(live(), before + 1);
  EXPECT_EQ(read(kept, 3), (std::vector<float>{2, 4, 6}));
  OK(ep_tensor_free(kept));
  EXPECT_EQ(live(), before);
}

TEST(Scope, KeepingTwiceIsAnError) {
  Scope s;
  ep_tensor a = s.tensor({1}, {1});
  OK(ep_tensor_keep(a));
  EXPECT_NE(text(ep_tensor_keep(a)), "");
  OK(ep_tensor_free(a));
}

TEST(Scope, ATensorFreedEarlyIsNotFreedAgain) {
  const int64_t before = live();
  {
    Scope s;
    OK(ep_tensor_free(s.tensor({1, 2}, {2})));
    EXPECT_EQ(live(), before);
  }
  EXPECT_EQ(live(), before);
}

TEST(Status, SaysWhatWasWrongInOneLineAndMakesNothing) {
  Scope s;
  const int64_t before = live();
  ep_tensor out = nullptr;
  ep_status st = ep_binary(s.handle, "matmul", s.tensor({1, 2}, {1, 2}), s.tensor({1, 2, 3}, {1, 3}), &out);
  EXPECT_EQ(st.code, EP_INVALID);
  const std::string message = text(st);
  EXPECT_NE(message, "");
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_EQ(out, nullptr);
  EXPECT_EQ(live(), before + 2);
}

TEST(Status, AnUnknownOperationIsNamed) {
  Scope s;
  ep_tensor out = nullptr;
  EXPECT_NE(text(ep_unary(s.handle, "frobnicate", s.tensor({1}, {1}), &out)).find("frobnicate"), std::string::npos);
}

TEST(Status, HostMemoryThatIsNotThereIsOutOfMemory) {
  Scope s;
  const int64_t shape[] = {int64_t{1} << 45};
  ep_tensor out = nullptr;
  ep_status st = ep_tensor_full(s.handle, 0, EP_FLOAT32, shape, 1, {EP_CPU, 0}, &out);
  EXPECT_EQ(st.code, EP_OUT_OF_MEMORY);
  text(st);
}

TEST(Stream, TheCPUHasNoneAndADeviceThatIsNotThereIsAnError) {
  int32_t has = 1;
  OK(ep_stream_own({EP_CPU, 0}, &has));
  EXPECT_EQ(has, 0);
  OK(ep_stream_follow({EP_CPU, 0}));
  OK(ep_synchronize({EP_CPU, 0}));
  EXPECT_NE(text(ep_stream_take({EP_CPU, 0})), "");
  EXPECT_NE(text(ep_stream_take({EP_CUDA, 200})), "");
  ep_graph graph = nullptr;
  EXPECT_NE(text(ep_graph_begin({EP_CUDA, 0}, nullptr, 0, 0, &graph)), "");
}

TEST(Wrap, ReleasesWhenTheLastUserIsGoneAndOnFailure) {
  static int released;
  released = 0;
  auto release = [](uintptr_t by) { released += static_cast<int>(by); };
  float data[] = {1, 2, 3, 4};
  const int64_t shape[] = {2, 2}, bad[] = {-1, 2};
  {
    Scope s;
    ep_tensor t = nullptr, view = nullptr;
    OK(ep_tensor_wrap(s.handle, data, EP_FLOAT32, shape, 2, release, 1, &t));
    OK(ep_flatten(s.handle, t, 0, &view));
    OK(ep_tensor_free(t));
    EXPECT_EQ(released, 0) << "a view still reads the memory";
    EXPECT_EQ(read(view, 4), (std::vector<float>{1, 2, 3, 4}));
  }
  EXPECT_EQ(released, 1);
  Scope s;
  ep_tensor t = nullptr;
  EXPECT_NE(text(ep_tensor_wrap(s.handle, data, EP_FLOAT32, bad, 2, release, 10, &t)), "");
  EXPECT_NE(text(ep_tensor_wrap(s.handle, data, 99, shape, 2, release, 100, &t)), "");
  EXPECT_EQ(released, 111);
}

TEST(Threads, GradModeBelongsToTheScopeNotToTheThread) {
  Scope recording(true), quiet(false);
  ep_tensor w = recording.tensor({2}, {1});
  OK(ep_tensor_set_requires_grad(w, 1));
  ep_tensor loss = nullptr, unrecorded = nullptr;
  std::thread([&] { EXPECT_EQ(text(ep_binary(recording.handle, "mul", w, w, &loss)), ""); }).join();
  std::thread([&] { EXPECT_EQ(text(ep_binary(quiet.handle, "mul", w, w, &unrecorded)), ""); }).join();
  EXPECT_NE(text(ep_backward(quiet.handle, unrecorded)), "");
  std::thread([&] { EXPECT_EQ(text(ep_backward(recording.handle, loss)), ""); }).join();
  ep_tensor grad = nullptr;
  OK(ep_tensor_grad(recording.handle, w, &grad));
  ASSERT_NE(grad, nullptr);
  EXPECT_EQ(read(grad, 1)[0], 4);
}

TEST(Threads, ManyScopesAtOnce) {
  const int64_t before = live();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([i] {
      for (int n = 0; n < 200; ++n) {
        Scope s;
        ep_tensor a = s.tensor({static_cast<float>(i), 1}, {2}), b = nullptr;
        ASSERT_EQ(text(ep_scalar(s.handle, "mul", a, 2, &b)), "");
        ASSERT_EQ(read(b, 2), (std::vector<float>{2.0f * i, 2}));
      }
    });
  for (auto &t : threads)
    t.join();
  EXPECT_EQ(live(), before);
}

TEST(Devices, CudaThatIsNotThereIsAnError) {
  int32_t n = 0;
  OK(ep_cuda_device_count(&n));
  char name[64];
  int64_t free_bytes, total_bytes;
  EXPECT_NE(text(ep_cuda_device(n, name, sizeof name, &free_bytes, &total_bytes)), "");
}
