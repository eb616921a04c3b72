/* In which order a recording begins, ends, is done again and is freed, plain C++: the GPU's part
 * is behind Capture, for which the tests have a stand-in. */
#pragma once

#include "gate.h"

#include <cstddef>
#include <memory>
#include <utility>

namespace shim {

/* A capture of the work of one stream. */
struct Capture {
  virtual ~Capture() = default;
  virtual void begin() = 0;
  virtual void end() = 0;
  /* After begin or end has thrown, or in place of end: leaves stream, pool and generators as
   * they were before begin. */
  virtual void abandon() noexcept = 0;
  virtual void replay() = 0;
  /* Frees the result of end, once it is done with. */
  virtual void release() noexcept = 0;
  /* Bytes that the pool has reserved. */
  virtual size_t memory() = 0;
};

class Recording {
public:
  Recording(Gate &gate, std::unique_ptr<Capture> capture) : gate_(gate), capture_(std::move(capture)) {
    gate_.close();
    try {
      capture_->begin();
    } catch (...) {
      give_up();
      throw;
    }
  }

  void end() {
    try {
      capture_->end();
    } catch (...) {
      give_up();
      throw;
    }
    state_ = ready;
    gate_.open();
  }

  void replay() {
    gate_.share();
    try {
      capture_->replay();
    } catch (...) {
      gate_.unshare();
      throw;
    }
    gate_.unshare();
  }

  size_t memory() { return capture_->memory(); }
  bool is_ready() const { return state_ == ready; }

  ~Recording() {
    if (state_ == recording)
      give_up();
    if (state_ == ready) {
      gate_.close();
      capture_->release();
      capture_.reset(); // with a pool of its own
      gate_.open();
    }
  }
  Recording(const Recording &) = delete;
  Recording &operator=(const Recording &) = delete;

private:
  void give_up() noexcept {
    capture_->abandon();
    capture_.reset();
    state_ = failed;
    gate_.open();
  }

  Gate &gate_;
  std::unique_ptr<Capture> capture_;
  enum { recording, ready, failed } state_ = recording;
};

} // namespace shim
