#include "bound-call.h"

#include <algorithm>

#include "stream-call.h"
#include "thread.h"

namespace virt {

std::vector<int> positionsOf(const Line& line) {
  if (line.isAdapted) return {line.at.begin(), line.at.end()};
  std::vector<int> positions;
  size_t position = 0;
  for (size_t i = 0; i < line.slots.size(); position += line.slots[i++]->takes)
    if (line.slots[i]->fromJs && !isReceiver(line, i)) positions.push_back(static_cast<int>(position));
  return positions;
}

Refused BoundCall::read(Napi::Env env, const napi_value* arguments) {
  const Reading reading{env, session(), line_.schema};
  int position = 0;
  size_t argument = 0;
  for (size_t i = 0; i < line_.slots.size(); position += static_cast<int>(line_.slots[i++]->takes)) {
    const SlotKind& kind = *line_.slots[i];
    if (isReceiver(line_, i) || kind.isFlags) continue;
    slots_[i] = kind.make();
    if (!kind.fromJs) continue;
    const Napi::Value value(env, arguments[argument++]);
    const bool mayBeNull = std::ranges::count(line_.nullable, position) > 0;
    if (mayBeNull && isAbsent(value)) continue;
    auto refused = slots_[i]->read(reading, value);
    if (!refused) continue;
    if (mayBeNull) refused->expected = "null or " + refused->expected;
    refused->parameter = positionsOf(line_)[argument - 1];
    return refused;
  }
  return refuseLengths();
}

Refused BoundCall::refuseLengths() {
  if (line_.sameLength.empty()) return {};
  const auto lengthAt = [&](int position) {
    const auto positions = positionsOf(line_);
    size_t argument = 0;
    for (size_t i = 0; i < line_.slots.size(); ++i)
      if (line_.slots[i]->fromJs && !isReceiver(line_, i) && positions[argument++] == position)
        return slots_[i]->length();
    return size_t{0};
  };
  const size_t wanted = lengthAt(line_.sameLength[0]), given = lengthAt(line_.sameLength[1]);
  if (wanted == given) return {};
  return Refusal{Refusal::Kind::Range,
                 "an array of " + std::to_string(wanted) + " numbers, one for each of '{" +
                     std::to_string(line_.sameLength[0]) + "}', and not of " + std::to_string(given),
                 line_.sameLength[1]};
}

Route::ToAgent BoundCall::toAgent() {
  return line_.agent.by(flags_, [this](int position) {
    Word words[kMostParameters];
    pass(words, receiver_ ? receiver_->p : nullptr);
    return words[position].as<unsigned>();
  });
}

std::shared_ptr<Lane> BoundCall::ownLane() const {
  return line_.stream ? laneOf(line_.stream, receiver_) : nullptr;
}

std::optional<Failure> BoundCall::perform(virDomainPtr substitute) {
  void* const function = line_.resolve();
  if (!function) return Failure::unavailable(line_.name);
  VIR(virResetLastError)();
  Word words[kMostParameters];
  const auto invokeFor = [&](void* receiver) {
    pass(words, receiver);
    return farBelow([&] { return line_.call(function, words); });
  };
  const auto invoke = [&] { return invokeFor(substitute ? substitute : receiver_->p); };
  if (line_.stream) {
    const auto result = callOfStream(
        line_.stream, *this, receiver_, [&](virStreamPtr stream) { return invokeFor(stream).as<int>(); },
        [&](int result) { return line_.stream.come(result, words); });
    if (!result) return streamIsOver();
    returned_.word = Word(*result);
  } else {
    returned_.word = invoke();
  }
  if (line_.result->failed(returned_.word)) return Failure::last();
  while (mustGrow()) {
    returned_.word = invoke();
    if (line_.result->failed(returned_.word)) return Failure::last();
  }
  if (substitute && line_.result->bringHome)
    session()->ask([&] { return line_.result->bringHome(returned_.word, receiver()); });
  auto home = session();
  for (auto& slot : slots_) {
    if (!slot) continue;
    if (auto other = slot->home()) home = std::move(other);
    slot->returned(returned_.word.as<int>(), session());
  }
  line_.result->keep(returned_, home);
  if (line_.route.pins) session()->pin();
  return {};
}

void BoundCall::pass(Word* words, void* receiver) {
  size_t position = 0;
  for (size_t i = 0; i < line_.slots.size(); position += line_.slots[i++]->takes)
    if (isReceiver(line_, i))
      words[position] = Word(receiver);
    else if (slots_[i])
      slots_[i]->pass(words + position);
    else
      words[position] = Word(flags_);
}

bool BoundCall::mustGrow() {
  bool must = false;
  for (size_t i = 0; i < line_.slots.size(); ++i)
    if (line_.slots[i]->isProbe) must |= slots_[i]->grow(returned_.word.as<int>());
  return must;
}

void BoundCall::abandoned() {
  if (line_.stream && receiver_) streamOf(receiver_).wake();
}

virDomainPtr BoundCall::receiver() const {
  return receiver_ && &receiver_->kind == &KindOf<virDomain>::kind ? static_cast<virDomainPtr>(receiver_->p)
                                                                   : nullptr;
}

Napi::Value BoundCall::result(Napi::Env env) {
  for (auto& slot : slots_)
    if (slot) slot->arrived(env, returned_.word.as<int>());
  if (line_.result->isNone(returned_.word)) return env.Null();
  return outs(env);
}

Napi::Value BoundCall::outs(Napi::Env env) {
  Napi::Object named;
  size_t next = 0;
  for (size_t i = 0; i < line_.slots.size(); ++i) {
    if (!line_.slots[i]->isOut) continue;
    const auto value = slots_[i]->give(env);
    if (line_.outNames.size() < 2) return value;
    if (next == 0) named = Napi::Object::New(env);
    named.Set(line_.outNames[next++], value);
  }
  return next ? Napi::Value(named) : line_.result->give(returned_, env);
}

}  // namespace virt
