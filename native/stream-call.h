// How a call of a stream differs from others: it takes its turn, and waits where it can be woken.
#pragma once
#include "call.h"
#include "stream.h"
#include "tags.h"

namespace virt {

template <class... Tags>
constexpr bool isOfStream = hasTag<Incoming, Tags...> || hasTag<Outgoing, Tags...> || hasTag<Last, Tags...>;

inline StreamObject& streamOf(const std::shared_ptr<Object>& receiver) {
  return static_cast<StreamObject&>(*receiver);
}

// A thread for each direction, and one for an abort that must not queue behind either.
template <class... Tags>
std::shared_ptr<Lane> laneOf(const std::shared_ptr<Object>& receiver) {
  if (!receiver) return nullptr;
  if constexpr (hasTag<Incoming, Tags...>)
    return streamOf(receiver).incoming;
  else if constexpr (hasTag<Outgoing, Tags...>)
    return streamOf(receiver).outgoing;
  else
    return streamOf(receiver).ending;
}

// On that thread. Nothing: the stream is over, or nobody wants the answer any more.
template <class... Tags, class Invoke>
std::optional<int> callOfStream(const Call& call, const std::shared_ptr<Object>& receiver, Invoke&& invoke) {
  auto& stream = streamOf(receiver);
  if constexpr (hasTag<Last, Tags...>)
    return stream.end(invoke);
  else
    return stream.whenReady(hasTag<Incoming, Tags...> ? VIR_STREAM_EVENT_READABLE : VIR_STREAM_EVENT_WRITABLE,
                            invoke, [&call] { return call.isSettled(); });
}

inline Failure streamIsOver() {
  Failure failure;
  failure.code = VIR_ERR_OPERATION_INVALID;
  failure.domain = VIR_FROM_STREAMS;
  failure.message = "the stream has been finished or aborted";
  return failure;
}

}  // namespace virt
