// Shared by the tests: a scope that closes itself and short forms of the calls.
#pragma once

#include "shim.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shim_test {

// The status of a call as text, "" when it was fine; frees the message.
inline std::string text(ep_status s) {
  if (s.code == EP_OK)
    return "";
  std::string t = s.message ? s.message : "(no message)";
  ep_message_free(s.message);
  return t;
}

#define OK(call) ASSERT_EQ(shim_test::text(call), "")

struct Scope {
  ep_scope handle = nullptr;
  explicit Scope(bool grad = false) { EXPECT_EQ(text(ep_scope_new(grad, &handle)), ""); }
  ~Scope() { EXPECT_EQ(text(ep_scope_free(handle)), ""); }
  Scope(const Scope &) = delete;
  Scope &operator=(const Scope &) = delete;

  ep_tensor tensor(const std::vector<float> &data, const std::vector<int64_t> &shape) {
    ep_tensor t = nullptr;
    EXPECT_EQ(text(ep_tensor_from_data(handle, data.data(), EP_FLOAT32, shape.data(), shape.size(), {EP_CPU, 0}, &t)),
              "");
    return t;
  }
};

inline std::vector<float> read(ep_tensor t, size_t n) {
  std::vector<float> v(n);
  EXPECT_EQ(text(ep_tensor_read(t, v.data(), n * sizeof(float))), "");
  return v;
}

inline int64_t live() {
  int64_t n = -1;
  ep_live_tensors(&n);
  return n;
}

} // namespace shim_test
