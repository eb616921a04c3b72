/* The one lock that trainings on one GPU still need, plain C++ so that it is tested without
 * a GPU and under ThreadSanitizer. */
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace shim {

/* A recording changes state that all threads of a device share (generators, the allocator's routing), and
 * other threads' calls on the device meanwhile can fail or go into it: who records, or frees a
 * recording, has the device alone; every other call shares it. */
class Gate {
public:
  void share() { // within close and open it does nothing
    std::unique_lock<std::mutex> lock(mutex_);
    if (closed_ && owner_ == std::this_thread::get_id())
      return;
    // A recording that waits goes first: replays follow each other without a pause.
    changed_.wait(lock, [&] { return !closed_ && waiting_ == 0; });
    ++sharing_;
  }

  void unshare() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_ && owner_ == std::this_thread::get_id())
      return;
    if (--sharing_ == 0)
      changed_.notify_all();
  }

  void close() {
    std::unique_lock<std::mutex> lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [&] { return !closed_ && sharing_ == 0; });
    --waiting_;
    closed_ = true;
    owner_ = std::this_thread::get_id();
  }

  void open() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = false;
    owner_ = {};
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int sharing_ = 0, waiting_ = 0;
  bool closed_ = false;
  std::thread::id owner_;
};

} // namespace shim
