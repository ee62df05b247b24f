// Deadlines, kept by one thread of the process: they pass also while JavaScript is stuck.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

namespace virt {

class Expiring {
 public:
  virtual ~Expiring() = default;
  virtual void expire() = 0;  // on the timer's thread: must not block
};

// One deadline; it is cancelled when this is destroyed.
class Deadline {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  Deadline() = default;
  ~Deadline() { cancel(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set(std::chrono::milliseconds after, std::weak_ptr<Expiring> what);
  void cancel();

 private:
  std::pair<Moment, uint64_t> key_{};  // serial 0: none
};

}  // namespace virt
