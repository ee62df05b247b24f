// One slot per C parameter, or per group of them that belongs together: built from JavaScript on its thread,
// passed to libvirt on a lane, turned back into JavaScript on its thread.
#pragma once
#include <napi.h>

#include <cstddef>
#include <memory>

namespace virt {

class Session;

struct Slot {
  static constexpr size_t takes = 1;      // C parameters
  static constexpr bool fromJs = false;   // takes an argument of JavaScript
  static constexpr bool isOut = false;    // brings a result
  static constexpr bool isList = false;   // is filled by a call that returns how many there are
  static constexpr bool isHome = false;   // another connection, to which the result belongs
  static constexpr bool isProbe = false;  // may need a second call, with more room
  // After a call: whether it must be made again, with more room.
  bool grow(int) { return false; }
  // The session that the result belongs to, where it is not the call's own.
  std::shared_ptr<Session> home() const { return nullptr; }
  void returned(int, const std::shared_ptr<Session>&) {}
  template <class R>
  void arrived(Napi::Env, R) {}  // on the JavaScript thread, before the result is made
};

struct In : Slot {
  static constexpr bool fromJs = true;
};

struct Out : Slot {
  static constexpr bool isOut = true;
};

}  // namespace virt
