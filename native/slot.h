// One slot per C parameter, or per group of them that belongs together: built from JavaScript on its thread,
// passed to libvirt on a lane, turned back into JavaScript on its thread.
#pragma once
#include <napi.h>

#include <cstddef>
#include <memory>

#include "argument.h"
#include "word.h"

namespace virt {

class Slot {
 public:
  static constexpr size_t takes = 1;              // C parameters
  static constexpr bool fromJs = false;           // takes an argument of JavaScript
  static constexpr bool isOut = false;            // brings a result
  static constexpr bool isList = false;           // is filled by a call that returns how many there are
  static constexpr bool isHome = false;           // another connection, to which the result belongs
  static constexpr bool isProbe = false;          // may need a second call, with more room
  static constexpr bool isFlags = false;          // the flags, which TypeScript has read
  static constexpr bool takesParams = false;      // typed parameters, of the line's schema
  static constexpr const char* result = nullptr;  // what it brings

  Slot() = default;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  virtual ~Slot() = default;

  // On the JavaScript thread.
  virtual Refused read(const Reading&, Napi::Value) { return {}; }
  virtual void arrived(Napi::Env, int) {}  // before the result is made
  virtual Napi::Value give(Napi::Env env) { return env.Undefined(); }

  virtual size_t length() const { return 0; }  // of an array that was read

  // On a lane. As many words as it takes.
  virtual void pass(Word* words) = 0;
  // After a call: whether it must be made again, with more room.
  virtual bool grow(int) { return false; }
  virtual void returned(int, const std::shared_ptr<Session>&) {}
  // The session that the result belongs to, where it is not the call's own.
  virtual std::shared_ptr<Session> home() const { return nullptr; }
};

class In : public Slot {
 public:
  static constexpr bool fromJs = true;
};

class Out : public Slot {
 public:
  static constexpr bool isOut = true;
};

// A class of slots, for code that is no template.
struct SlotKind {
  size_t takes;
  bool fromJs, isOut, isList, isHome, isProbe, isFlags, takesParams;
  const char* result;
  std::unique_ptr<Slot> (*make)();
};

template <class S>
constexpr SlotKind slotKind{S::takes,   S::fromJs,
                            S::isOut,   S::isList,
                            S::isHome,  S::isProbe,
                            S::isFlags, S::takesParams,
                            S::result,  [] { return std::unique_ptr<Slot>(std::make_unique<S>()); }};

}  // namespace virt
