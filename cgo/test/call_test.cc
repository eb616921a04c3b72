// Operations called by their names: arguments of every kind, and those that do not fit.
#include "helpers.h"

using namespace shim_test;

namespace {

// Arguments as the Go side packs them.
struct Call {
  std::string text;
  std::vector<int64_t> ints;
  std::vector<double> reals;
  std::vector<ep_tensor> tensors;
  std::vector<ep_argument> arguments;
  int64_t clips = 1;
  ep_generator generator = nullptr;

  void add(const char *name, int32_t kind, int64_t start, int64_t count) {
    arguments.push_back({static_cast<int64_t>(text.size()), start, count, kind});
    text += name;
    text += '\0';
  }
  Call &tensor(const char *name, const std::vector<ep_tensor> &v) {
    add(name, EP_TENSORS, tensors.size(), v.size());
    tensors.insert(tensors.end(), v.begin(), v.end());
    return *this;
  }
  Call &whole(const char *name, const std::vector<int64_t> &v, int32_t kind = EP_INTS) {
    add(name, kind, ints.size(), v.size());
    ints.insert(ints.end(), v.begin(), v.end());
    return *this;
  }
  Call &sizes(const char *name, const std::vector<std::pair<int64_t, bool>> &v) {
    add(name, EP_SIZES, ints.size(), v.size());
    for (const auto &[factor, of_clips] : v)
      ints.insert(ints.end(), {factor, of_clips});
    return *this;
  }
  Call &real(const char *name, double v) {
    add(name, EP_REALS, reals.size(), 1);
    reals.push_back(v);
    return *this;
  }
  Call &words(const char *name, const char *v) {
    add(name, EP_TEXT, 0, 1);
    arguments.back().start = text.size();
    text += v;
    text += '\0';
    return *this;
  }
  std::string run(Scope &s, const char *op, const char *overload, std::vector<ep_tensor> &out, int32_t room = 4) {
    out.assign(room, nullptr);
    int32_t n = room;
    ep_operation operation = nullptr;
    std::string said = shim_test::text(ep_operation_new(op, overload, arguments.data(), arguments.size(), text.data(), ints.data(),
                                                        reals.data(), {EP_CPU, 0}, &operation));
    if (said.empty()) {
      said = shim_test::text(ep_operation_run(operation, s.handle, tensors.data(), clips, generator, out.data(), &n));
      EXPECT_EQ(shim_test::text(ep_operation_free(operation)), "");
    }
    if (said.empty())
      out.resize(n);
    return said;
  }
};

} // namespace

TEST(Call, ArgumentsOfEveryKind) {
  Scope s;
  ep_tensor a = s.tensor({-1, 2, 3, 4}, {2, 2});
  std::vector<ep_tensor> out;
  ASSERT_EQ(Call().tensor("self", {a}).tensor("other", {a}).whole("alpha", {2}).run(s, "aten::add", "Tensor", out), "");
  EXPECT_EQ(read(out[0], 4), (std::vector<float>{-3, 6, 9, 12}));
  ASSERT_EQ(Call().tensor("self", {a}).real("min", 2.5).run(s, "aten::clamp", "", out), ""); // max is left out
  EXPECT_EQ(read(out[0], 4), (std::vector<float>{2.5, 2.5, 3, 4}));
  ASSERT_EQ(Call().tensor("tensors", {a, a}).whole("dim", {1}).run(s, "aten::cat", "", out), "");
  EXPECT_EQ(read(out[0], 8), (std::vector<float>{-1, 2, -1, 2, 3, 4, 3, 4}));
  ASSERT_EQ(Call().tensor("self", {a}).whole("dim", {0}).whole("keepdim", {1}, EP_BOOLEAN).run(s, "aten::mean", "dim", out), "");
  EXPECT_EQ(read(out[0], 2), (std::vector<float>{1, 3}));
  ASSERT_EQ(Call().tensor("self", {a}).words("approximate", "tanh").run(s, "aten::gelu", "", out), "");
  ASSERT_EQ(Call().tensor("self", {a}).whole("split_size", {1}).whole("dim", {0}).run(s, "aten::split", "Tensor", out), "");
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(read(out[1], 2), (std::vector<float>{3, 4}));
}

TEST(Call, WhatDoesNotFitIsSaid) {
  Scope s;
  ep_tensor a = s.tensor({1, 2, 3, 4}, {4});
  std::vector<ep_tensor> out;
  const auto says = [](const std::string &said, const char *what) { EXPECT_NE(said.find(what), std::string::npos) << said; };
  says(Call().tensor("self", {a}).run(s, "aten::nosuch", "", out), "no operation aten::nosuch");
  says(Call().tensor("self", {a}).run(s, "aten::add", "Nosuch", out), "no operation");
  says(Call().tensor("self", {a}).run(s, "aten::add", "Tensor", out), "it needs the argument other");
  says(Call().tensor("self", {a}).tensor("more", {a}).run(s, "aten::relu", "", out), "fewer arguments");
  says(Call().words("self", "x").run(s, "aten::relu", "", out), "its argument self: a tensor is needed");
  says(Call().tensor("self", {nullptr}).run(s, "aten::relu", "", out), "a tensor is needed");
  says(Call().tensor("self", {a}).words("dim", "x").run(s, "aten::mean", "dim", out), "its argument dim");
  says(Call().tensor("self", {a}).whole("split_size", {1}).run(s, "aten::split", "Tensor", out, 2), "it gives 4 tensors, room is for 2");
  says(Call().tensor("self", {a}).tensor("other", {a}).run(s, "aten::equal", "", out), "something other than tensors");
}

TEST(Call, SizesAreMultiplesOfTheClips) {
  Scope s;
  ep_tensor a = s.tensor({1, 2, 3, 4, 5, 6}, {6});
  std::vector<ep_tensor> out;
  Call call;
  call.clips = 3;
  ASSERT_EQ(call.tensor("self", {a}).sizes("size", {{1, true}, {2, false}}).run(s, "aten::view", "", out), "");
  std::vector<ep_tensor> rows;
  ASSERT_EQ(Call().tensor("self", {out[0]}).whole("dim", {0}).run(s, "aten::unbind", "int", rows), "");
  EXPECT_EQ(rows.size(), 3u);
}

// In a tensor's place a number takes the tensors' type.
TEST(Call, NumbersForTensors) {
  Scope s;
  ep_tensor a = s.tensor({1, 2}, {2});
  std::vector<ep_tensor> out;
  ASSERT_EQ(Call().tensor("self", {a}).real("other", 0.5).run(s, "aten::mul", "Tensor", out), "");
  EXPECT_EQ(read(out[0], 2), (std::vector<float>{0.5, 1}));
}

TEST(Call, TypesHaveNames) {
  Scope s;
  ep_tensor a = s.tensor({1.5, 2}, {2});
  std::vector<ep_tensor> out;
  ASSERT_EQ(Call().tensor("self", {a}).words("dtype", "float64").run(s, "aten::to", "dtype", out), "");
  EXPECT_NE(Call().tensor("self", {a}).words("dtype", "float3").run(s, "aten::to", "dtype", out), "");
}

// Operations without a generator argument draw from it all the same, in the order of those with one.
TEST(Call, DrawsFromTheGeneratorGiven) {
  Scope s;
  ep_tensor x = s.tensor(std::vector<float>(64, 1), {64});
  const auto twice = [&](uint64_t seed) {
    ep_generator g = nullptr;
    EXPECT_EQ(text(ep_generator_new({EP_CPU, 0}, seed, &g)), "");
    std::vector<float> all;
    for (int i = 0; i < 2; ++i) {
      std::vector<ep_tensor> out;
      Call call;
      call.generator = g;
      EXPECT_EQ(call.tensor("input", {x}).real("p", 0.5).whole("train", {1}, EP_BOOLEAN).run(s, "aten::dropout", "", out), "");
      const std::vector<float> v = read(out[0], 64);
      all.insert(all.end(), v.begin(), v.end());
    }
    EXPECT_EQ(text(ep_generator_free(g)), "");
    return all;
  };
  EXPECT_EQ(twice(1), twice(1));
  EXPECT_NE(twice(1), twice(2));
  const std::vector<float> both = twice(1);
  EXPECT_NE(std::vector<float>(both.begin(), both.begin() + 64), std::vector<float>(both.begin() + 64, both.end()));
}

TEST(Call, LeavesNothingAlive) {
  const int64_t before = live();
  {
    Scope s;
    std::vector<ep_tensor> out;
    ep_tensor a = s.tensor({1, 2, 3, 4}, {4});
    ASSERT_EQ(Call().tensor("self", {a}).whole("split_size", {1}).run(s, "aten::split", "Tensor", out), "");
    EXPECT_NE(Call().tensor("self", {a}).whole("split_size", {1}).run(s, "aten::split", "Tensor", out, 1), "");
  }
  EXPECT_EQ(live(), before);
}
