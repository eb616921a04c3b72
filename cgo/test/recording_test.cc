// In which order trainings on one GPU may use it, on a stand-in for one: run under
// ThreadSanitizer, since it needs nothing of libtorch.
#include "recording.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

// A device as calls see it: it must never see a recording beside anything else.
struct Device {
  shim::Gate gate;
  int state = 0;                  // as a generator's: written by whoever records, read by all others
  std::atomic<int> sharing{0}, recording{0}, clashes{0};

  void use() {
    gate.share();
    ++sharing;
    if (recording != 0 && !records)
      ++clashes;
    seen = state;
    --sharing;
    gate.unshare();
  }
  static thread_local int seen;
  static thread_local bool records; // this thread, which may use the gate that it has closed
};
thread_local int Device::seen = 0;
thread_local bool Device::records = false;

enum Failure { nowhere, at_begin, at_end };

struct Pretended final : shim::Capture {
  Device &device;
  const Failure failure;
  std::vector<std::string> &said;
  Pretended(Device &d, Failure f, std::vector<std::string> &s) : device(d), failure(f), said(s) {}

  void begin() override {
    said.push_back("begin");
    Device::records = true;
    if (++device.recording != 1 || device.sharing != 0)
      ++device.clashes;
    ++device.state;
    if (failure == at_begin)
      throw std::runtime_error("begin");
  }
  void end() override {
    said.push_back("end");
    if (failure == at_end)
      throw std::runtime_error("end");
    Device::records = false;
    --device.recording;
  }
  void abandon() noexcept override {
    said.push_back("abandon");
    Device::records = false;
    --device.recording;
  }
  void replay() override { said.push_back("replay"); }
  void release() noexcept override {
    said.push_back("release");
    if (device.sharing != 0 || device.recording != 0)
      ++device.clashes;
    ++device.state;
  }
  size_t memory() override { return 7; }
};

std::unique_ptr<Pretended> capture(Device &d, std::vector<std::string> &said, Failure f = nowhere) {
  return std::make_unique<Pretended>(d, f, said);
}

using Said = std::vector<std::string>;

} // namespace

TEST(Recording, GoesInOrder) {
  Device d;
  Said said;
  {
    shim::Recording r(d.gate, capture(d, said));
    d.use(); // the backward pass that is recorded shares the gate that its thread has closed
    r.end();
    r.replay();
    r.replay();
  }
  EXPECT_EQ(said, (Said{"begin", "end", "replay", "replay", "release"}));
  EXPECT_EQ(d.recording, 0);
}

TEST(Recording, ThatFailsLeavesTheDeviceToOthers) {
  for (const Failure f : {at_begin, at_end, nowhere}) {
    Device d;
    Said said;
    if (f == at_begin) {
      EXPECT_THROW(shim::Recording(d.gate, capture(d, said, f)), std::runtime_error);
    } else {
      shim::Recording r(d.gate, capture(d, said, f));
      if (f == at_end) {
        EXPECT_THROW(r.end(), std::runtime_error);
      }
    }
    // Once, however it failed; a capture that was never made is not released.
    EXPECT_EQ(std::count(said.begin(), said.end(), "abandon"), 1);
    EXPECT_EQ(std::count(said.begin(), said.end(), "release"), 0);
    EXPECT_EQ(d.recording, 0);
    std::thread([&] { d.use(); }).join();
    Said again;
    shim::Recording r(d.gate, capture(d, again));
    r.end();
  }
}

TEST(Recording, NeverMeetsWhatOthersDo) {
  Device d;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&d, t] {
      Said said;
      for (int i = 0; i < 200; ++i) {
        if (i % 10 != t) {
          d.use();
          continue;
        }
        try {
          shim::Recording r(d.gate, capture(d, said, static_cast<Failure>(i / 10 % 3)));
          d.use();
          r.end();
          r.replay();
        } catch (const std::runtime_error &) {
        }
      }
    });
  for (std::thread &t : threads)
    t.join();
  EXPECT_EQ(d.clashes, 0);
}

// Replays that follow each other without a pause do not keep a recording waiting.
TEST(Gate, LetsARecordingIn) {
  Device d;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      while (!stop)
        d.use();
    });
  for (int i = 0; i < 100; ++i) {
    Said said;
    shim::Recording r(d.gate, capture(d, said));
    r.end();
  }
  stop = true;
  for (std::thread &t : threads)
    t.join();
  EXPECT_EQ(d.clashes, 0);
}
