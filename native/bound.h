// FN(virDomainSuspend): a member of a mirror class, deduced from the C function's own signature.
#pragma once
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "line.h"
#include "returned.h"
#include "slot-of.h"
#include "stream-call.h"
#include "thread.h"

namespace virt {

template <class Tags, class F>
class Bound;

template <class... Tags, class R, class... A>
class Bound<TagList<Tags...>, R (*)(A...)> final : public Call {
  using List = TagList<Tags...>;
  using Slots = typename SlotsOf<List, 0, std::tuple<A...>>::type;
  static constexpr size_t size = std::tuple_size_v<Slots>;
  template <size_t i>
  using SlotAt = std::tuple_element_t<i, Slots>;
  using All = std::make_index_sequence<size>;

  // The first parameter is the receiver, unless the line says that the member belongs to another class.
  static constexpr bool isOn = (!std::is_void_v<typename ReceiverOf<Tags>::type> || ...);

  template <size_t... i>
  static constexpr size_t countOuts(std::index_sequence<i...>) {
    return (size_t{SlotAt<i>::isOut} + ... + 0);
  }
  static constexpr size_t outs = countOuts(All{});

  static constexpr auto outNames() {
    std::array<const char*, outs> names{};
    [[maybe_unused]] size_t next = 0;
    [[maybe_unused]] const auto add = [&](const char* name) { names[next++] = name; };
    (std::ranges::for_each(OutNamesOf<Tags>::list, add), ...);
    return names;
  }
  static_assert(outs < 2 || (OutNamesOf<Tags>::list.size() + ... + 0) == outs,
                "Several out-parameters: the line needs Outs<\"...\"> with one name for each");

  template <size_t... i>
  static constexpr bool anyProbe(std::index_sequence<i...>) {
    return (SlotAt<i>::isProbe || ...);
  }

 public:
  Bound(const Line& line, std::shared_ptr<Session> session) : Call(std::move(session)), line_(line) {}

  // ---- what the line says about itself, for TypeScript and for the test of the tables
  static std::vector<int> positions() { return positionsOf(All{}); }
  static bool hasFlags() { return hasFlagsIn(All{}); }
  static bool countsList() { return countsListIn(All{}); }
  static std::vector<const char*> outputs() {
    if constexpr (outs < 2) return {};
    const auto names = outNames();
    return {names.begin(), names.end()};
  }
  // The argument of JavaScript that is the connection of the result; -1: the receiver's.
  static int home() { return homeIn(All{}); }
  static size_t outCount() { return outs; }
  static const char* resultKind() {
    if constexpr (outs > 1) return "object";
    if constexpr (outs == 1) return outKind(All{});
    return Returned<List, R>::result;
  }
  static const Kind* receiverKind() {
    const Kind* kind = nullptr;
    if constexpr (isOn)
      ((kind = kindOr<typename ReceiverOf<Tags>::type>(kind)), ...);
    else
      kind = &KindOf<std::remove_pointer_t<std::tuple_element_t<0, std::tuple<A...>>>>::kind;
    return kind;
  }

  // On the JavaScript thread.
  Refused read(Napi::Env env, std::shared_ptr<Object> receiver, unsigned flags, const napi_value* arguments) {
    receiver_ = std::move(receiver);
    int argument = 0;
    auto refused = readAll(Reading{env, session()}, flags, arguments, argument, All{});
    if (refused) refused->parameter = line_.positions[static_cast<size_t>(argument)];
    return refused;
  }

  std::shared_ptr<Lane> ownLane() const override {
    if constexpr (isOfStream<Tags...>) return laneOf<Tags...>(receiver_);
    return nullptr;
  }

 protected:
  std::optional<Failure> perform(virDomainPtr substitute) override {
    void* const found = line_.resolve();
    if (!found) return Failure::unavailable(line_.name);
    const auto function = reinterpret_cast<R (*)(A...)>(line_.adapter ? line_.adapter : found);
    if constexpr (!isOn && std::is_same_v<std::tuple_element_t<0, std::tuple<A...>>, virDomainPtr>)
      std::get<0>(slots_).substitute = substitute;
    VIR(virResetLastError)();
    const auto invoke = [&] {
      return farBelow([&] {
        return std::apply([&](auto&... slot) { return std::apply(function, std::tuple_cat(slot.pass()...)); },
                          slots_);
      });
    };
    if constexpr (isOfStream<Tags...>) {
      const auto result = callOfStream<Tags...>(*this, receiver_, invoke);
      if (!result) return streamIsOver();
      returned_.r = *result;
    } else {
      returned_.r = invoke();
    }
    if (returned_.failed()) return Failure::last();
    if constexpr (anyProbe(All{})) {
      const auto mustGrow = [&](auto&... slot) { return (slot.grow(static_cast<int>(returned_.r)) | ...); };
      while (std::apply(mustGrow, slots_)) {
        returned_.r = invoke();
        if (returned_.failed()) return Failure::last();
      }
    }
    auto home = session();
    std::apply([&](auto&... slot) { (keepHome(slot, home), ...); }, slots_);
    returned_.keep(home);
    if constexpr (std::is_same_v<R, int>)
      std::apply([&](auto&... slot) { (slot.returned(returned_.r, session()), ...); }, slots_);
    return {};
  }

  void abandoned() override {
    if constexpr (isOfStream<Tags...>)
      if (receiver_) streamOf(receiver_).wake();
  }

  virDomainPtr receiver() const override {
    return receiver_ && &receiver_->kind == &KindOf<virDomain>::kind ? static_cast<virDomainPtr>(receiver_->p)
                                                                     : nullptr;
  }

  Napi::Value result(Napi::Env env) override {
    std::apply([&](auto&... slot) { (slot.arrived(env, returned_.r), ...); }, slots_);
    if (returned_.isNone()) return env.Null();
    if constexpr (outs == 0) {
      return returned_.give(env);
    } else if constexpr (outs == 1) {
      Napi::Value only;
      std::apply([&](auto&... slot) { (giveOnly(env, slot, only), ...); }, slots_);
      return only;
    } else {
      auto js = Napi::Object::New(env);
      static constexpr auto names = outNames();
      [[maybe_unused]] size_t next = 0;
      std::apply([&](auto&... slot) { (giveNamed(env, slot, js, names, next), ...); }, slots_);
      return js;
    }
  }

 private:
  template <class T>
  static const Kind* kindOr(const Kind* kind) {
    if constexpr (!std::is_void_v<T>) return &KindOf<T>::kind;
    return kind;
  }
  template <size_t... i>
  static std::vector<int> positionsOf(std::index_sequence<i...>) {
    std::vector<int> found;
    int at = 0;
    ((SlotAt<i>::fromJs && (isOn || i > 0) ? found.push_back(at) : void(), at += int{SlotAt<i>::takes}), ...);
    return found;
  }
  template <size_t... i>
  static int homeIn(std::index_sequence<i...>) {
    int argument = 0, found = -1;
    ((SlotAt<i>::isHome ? void(found = argument) : void(),
      SlotAt<i>::fromJs && (isOn || i > 0) ? ++argument : 0),
     ...);
    return found;
  }
  template <size_t... i>
  static bool hasFlagsIn(std::index_sequence<i...>) {
    return (std::is_same_v<SlotAt<i>, FlagsIn> || ...);
  }
  template <size_t... i>
  static bool countsListIn(std::index_sequence<i...>) {
    return (SlotAt<i>::isList || ...);
  }
  template <size_t... i>
  static const char* outKind(std::index_sequence<i...>) {
    const char* kind = nullptr;
    ((kind = outKindOr<SlotAt<i>>(kind)), ...);
    return kind;
  }
  template <class S>
  static const char* outKindOr(const char* kind) {
    if constexpr (S::isOut) return S::result;
    return kind;
  }

  template <size_t... i>
  Refused readAll(const Reading& reading, unsigned flags, const napi_value* arguments, int& argument,
                  std::index_sequence<i...>) {
    Refused refused;
    (void)(readOne<i>(reading, flags, arguments, argument, refused) && ...);
    return refused;
  }
  template <size_t i>
  bool readOne(const Reading& reading, unsigned flags, const napi_value* arguments, int& argument,
               Refused& refused) {
    auto& slot = std::get<i>(slots_);
    using S = SlotAt<i>;
    if constexpr (!isOn && i == 0) {
      slot.object = receiver_;
    } else if constexpr (std::is_same_v<S, FlagsIn>) {
      slot.flags = flags | (hasTag<NonBlocking, Tags...> ? VIR_STREAM_NONBLOCK : 0);
    } else if constexpr (S::fromJs) {
      refused = slot.read(reading, Napi::Value(reading.env, arguments[argument]));
      if (!refused) ++argument;
    }
    return !refused;
  }

  template <class S>
  static void keepHome(const S& slot, std::shared_ptr<Session>& home) {
    if constexpr (S::isHome) home = slot.home();
  }
  template <class S>
  static void giveOnly(Napi::Env env, S& slot, Napi::Value& only) {
    if constexpr (S::isOut) only = slot.give(env);
  }
  template <class S, class Names>
  static void giveNamed(Napi::Env env, S& slot, Napi::Object& js, const Names& names, size_t& next) {
    if constexpr (S::isOut) js.Set(names[next++], slot.give(env));
  }

  const Line& line_;
  std::shared_ptr<Object> receiver_;
  Slots slots_;
  Returned<List, R> returned_;
};

template <class F, class... Tags>
Line line(const char* name, void* adapter = nullptr) {
  using B = Bound<TagList<Tags...>, F>;
  Line line{};
  line.name = name;
  line.adapter = adapter;
  line.receiver = B::receiverKind();
  line.route = {.agent = hasTag<Agent, Tags...>, .urgent = hasTag<Urgent, Tags...>};
  line.isSync = hasTag<Sync, Tags...>;
  line.hasFlags = B::hasFlags();
  line.countsList = B::countsList();
  line.resultTag = hasTag<Count, Tags...>     ? "Count"
                   : hasTag<Bool, Tags...>    ? "Bool"
                   : hasTag<OrNull, Tags...>  ? "OrNull"
                   : hasTag<Id, Tags...>      ? "Id"
                   : hasTag<NotZero, Tags...> ? "NotZero"
                   : adapter                  ? "Adapted"
                                              : "Status";
  line.resultKind = B::resultKind();
  line.outCount = B::outCount();
  line.outNames = B::outputs();
  line.positions = B::positions();
  line.home = B::home();
  (AtOf<Tags>::replace(line.positions), ...);
  (NullListOf<Tags>::add(line.nullable), ...);
  line.make = [](const Line& line, Napi::Env env, const std::shared_ptr<Session>& session,
                 std::shared_ptr<Object> receiver, unsigned flags, const napi_value* arguments,
                 Refused& refused) -> std::shared_ptr<Call> {
    auto call = std::make_shared<B>(line, session);
    refused = call->read(env, std::move(receiver), flags, arguments);
    return call;
  };
  return line;
}

// Uses of the function are its type and its name: nothing is linked.
#define FN(function, ...) ::virt::line<decltype(&function) __VA_OPT__(, ) __VA_ARGS__>(#function)

// By an adapter (adapters.h) in place of the function itself, which has to be there all the same.
#define FN_BY(function, by, ...)                                           \
  ::virt::line<decltype(&::virt::adapter::by) __VA_OPT__(, ) __VA_ARGS__>( \
      #function, reinterpret_cast<void*>(&::virt::adapter::by))

}  // namespace virt
