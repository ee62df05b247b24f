// When a call waits for the guest's agent: always, or as its arguments say.
#pragma once
#include "session.h"
#include "tags.h"

namespace virt {

struct AskedAgent {
  bool always = false;
  unsigned flag = 0;  // where it is given
  Unflagged unflagged = Unflagged::AsksNobody;
  int position = -1;  // where this C parameter has this value
  unsigned value = 0;

  constexpr explicit operator bool() const { return always || flag || position >= 0; }

  // `valueAt`: of a C parameter.
  template <class ValueAt>
  Route::ToAgent by(unsigned flags, ValueAt&& valueAt) const {
    using enum Route::ToAgent;
    if (always) return Asks;
    if (position >= 0) return valueAt(position) == value ? Asks : Never;
    if (!flag) return Never;
    const bool isAsked = flags & flag;
    switch (unflagged) {
      case Unflagged::AsksNobody:
        return isAsked ? Asks : Never;
      case Unflagged::AsksAgent:
        return isAsked || !flags ? Asks : Never;
      case Unflagged::AsksAgentFirst:
        return flags == flag ? Asks : isAsked || !flags ? AsksFirst : Never;
    }
    return Never;
  }
};

}  // namespace virt
