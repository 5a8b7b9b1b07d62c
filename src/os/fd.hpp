// Owns one file descriptor and closes it.
//
// Move-only. It does not open anything: each module of this layer opens its own, close-on-exec and
// (where it is waited for) non-blocking. Not thread-safe, as an int is not.
#pragma once

#include "base/result.hpp"

namespace wyndrvr::os {

class Fd {
 public:
  Fd() = default;
  // Takes ownership; -1 means none.
  explicit Fd(int descriptor) : descriptor_(descriptor) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : descriptor_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool valid() const { return descriptor_ >= 0; }
  // Gives up ownership without closing; -1 when there was none.
  [[nodiscard]] int release();
  // Closes now. errno is left as it was, so a failure can still be worded afterwards.
  void reset();

 private:
  int descriptor_ = -1;
};

// The same open file under another number, close-on-exec.
[[nodiscard]] Result<Fd> duplicate(const Fd& fd);

}  // namespace wyndrvr::os
