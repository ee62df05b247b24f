// One line of a table: plain data that the compiler deduced from a C signature (bound.h), read by the one
// piece of code that makes the calls (bound-call.cc), by JavaScript, and by the test of the tables.
#pragma once
#include <atomic>
#include <span>

#include "asked-agent.h"
#include "convert.h"
#include "library.h"
#include "returned.h"
#include "session.h"
#include "slot.h"
#include "stream.h"

namespace virt {

constexpr size_t kMostParameters = 9;

// How a call of a stream differs from others.
struct StreamRole {
  bool isIncoming = false, isOutgoing = false, isLast = false;
  bool isBytes = false, isHole = false;  // what comes
  explicit operator bool() const { return isIncoming || isOutgoing || isLast; }

  StreamObject::Come come(int result, const Word* words) const {
    if (isHole && result == 0)
      return {.bytes = static_cast<unsigned long long>(*words[1].as<long long*>()), .isHole = true};
    if (isBytes && result >= 0)
      return {.bytes = static_cast<unsigned long long>(result), .isEnd = result == 0};
    return {};
  }
};

struct Line {
  const char* name;
  const Kind* receiver;
  bool passesReceiver;  // as the first C parameter
  Route route;
  AskedAgent agent;
  StreamRole stream;
  unsigned flags;  // always given
  bool isSync;
  const char* resultTag;  // Status, Count, Bool, OrNull, Id, NotZero, Adapted
  const Result* result;
  std::span<const SlotKind* const> slots;
  std::span<const char* const> outNames;
  std::span<const int> nullable;    // C parameters that may be null
  std::span<const int> bits;        // C parameters that are bits, combined with |
  std::span<const int> sameLength;  // two C parameters, whose arrays have the same length; or none
  bool isAdapted;
  std::span<const int> at;  // of a line with an adapter: the C parameter that each argument becomes
  std::span<const ParamField> schema;
  Word (*call)(void* function, const Word* words);
  mutable void* function;  // libvirt's, once it has been looked up

  // Null: the installed libvirt has no such function. Looked up anew each time then, for it costs nothing
  // that matters.
  void* resolve() const {
    std::atomic_ref known(function);
    void* found = known.load(std::memory_order_relaxed);
    if (!found) known.store(found = symbolOf(name), std::memory_order_relaxed);
    return found;
  }
};

using Table = std::span<const Line>;

}  // namespace virt
