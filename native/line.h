// One line of a table, as JavaScript and the test of the tables read it.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "call.h"
#include "convert.h"
#include "library.h"

namespace virt {

struct Line {
  const char* name;
  mutable void* function;  // libvirt's, once it has been looked up
  void* adapter;           // called in its place, where the line has one
  const Kind* receiver;
  Route route;
  bool isSync, hasFlags, countsList;
  const char* resultTag;  // Status, Count, Bool, OrNull, Id, NotZero, Adapted
  const char* resultKind;
  size_t outCount;
  int home;  // the argument that is the connection of the result; -1: the receiver's
  std::vector<const char*> outNames;
  std::vector<int> nullable;   // C parameters that may be null
  std::vector<int> positions;  // of the C parameter that each argument of JavaScript becomes
  std::shared_ptr<Call> (*make)(const Line& line, Napi::Env env, const std::shared_ptr<Session>& session,
                                std::shared_ptr<Object> receiver, unsigned flags, const napi_value* arguments,
                                Refused& refused);

  // Null: the installed libvirt has no such function. Looked up anew each time then, for it costs nothing
  // that matters.
  void* resolve() const {
    std::atomic_ref known(function);
    void* found = known.load(std::memory_order_relaxed);
    if (!found) known.store(found = symbolOf(name), std::memory_order_relaxed);
    return found;
  }
};

using Table = std::vector<Line>;

}  // namespace virt
