// How a call of a stream differs from others: it takes its turn, and waits where it can be woken.
#pragma once
#include "call.h"
#include "line.h"
#include "stream.h"

namespace virt {

inline StreamObject& streamOf(const std::shared_ptr<Object>& receiver) {
  return static_cast<StreamObject&>(*receiver);
}

// A thread for each direction, and one for an abort that must not queue behind either.
inline std::shared_ptr<Lane> laneOf(const StreamRole& role, const std::shared_ptr<Object>& receiver) {
  if (!receiver) return nullptr;
  auto& stream = streamOf(receiver);
  return role.isIncoming ? stream.incoming : role.isOutgoing ? stream.outgoing : stream.ending;
}

// On that thread. Nothing: the stream is over, or nobody wants the answer any more.
template <class Invoke, class ComeBy>
std::optional<int> callOfStream(const StreamRole& role, const Call& call,
                                const std::shared_ptr<Object>& receiver, Invoke&& invoke, ComeBy&& come) {
  auto& stream = streamOf(receiver);
  if (role.isLast) return stream.end(invoke);
  return stream.whenReady(role.isIncoming ? VIR_STREAM_EVENT_READABLE : VIR_STREAM_EVENT_WRITABLE, invoke,
                          come, [&call] { return call.isSettled(); });
}

inline Failure streamIsOver() {
  Failure failure;
  failure.code = VIR_ERR_OPERATION_INVALID;
  failure.domain = VIR_FROM_STREAMS;
  failure.message = "the stream has been finished or aborted";
  return failure;
}

}  // namespace virt
