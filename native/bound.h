// FN(virDomainSuspend): a member of a mirror class, deduced from the C function's own signature. All that is
// made for each line is data, and for each signature one function: what runs is in bound-call.cc.
#pragma once
#include <array>
#include <utility>

#include "line.h"
#include "slot-of.h"
#include "tag-list.h"

namespace virt {

template <class Slots>
constexpr std::array<const SlotKind*, 0> slotKinds{};
template <class... Slots>
constexpr std::array<const SlotKind*, sizeof...(Slots)> slotKinds<Types<Slots...>>{&slotKind<Slots>...};

template <class F>
struct Signature;
template <class R, class First, class... Rest>
struct Signature<R (*)(First*, Rest...)> {
  static_assert(sizeof...(Rest) < kMostParameters);
  using Receiver = First;
  using Returns = R;
  template <Hints hints>
  using Slots = typename SlotsOf<hints, Types<>, First*, Rest...>::type;

  static Word call(void* function, const Word* words) {
    return [&]<size_t... i>(std::index_sequence<i...>) {
      const auto typed = reinterpret_cast<R (*)(First*, Rest...)>(function);
      return Word(typed(words[0].as<First*>(), words[i + 1].template as<Rest>()...));
    }
    (std::index_sequence_for<Rest...>());
  }
};

template <auto adapter>
Word callAdapter(void*, const Word* words) {
  return Signature<decltype(adapter)>::call(reinterpret_cast<void*>(adapter), words);
}

template <class R, class... Tags>
constexpr const Result& resultOf() {
  constexpr bool isUnsigned = std::is_unsigned_v<R>;
  static_assert(!isUnsigned || hasTag<Id, Tags...> || hasTag<NotZero, Tags...>,
                "An unsigned result: the line needs Id or NotZero");
  if constexpr (std::is_same_v<R, char*>) return result::text;
  if constexpr (std::is_same_v<R, const char*>) return result::borrowedText;
  if constexpr (std::is_same_v<R, unsigned>) return result::id;
  if constexpr (std::is_same_v<R, unsigned long>) return result::notZero;
  if constexpr (std::is_same_v<R, unsigned long long>) return result::notZeroWide;
  if constexpr (IsHandle<std::remove_pointer_t<R>>) return result::handle<std::remove_pointer_t<R>>;
  if constexpr (hasTag<Bytes, Tags...>)
    return hasTag<Count, Tags...> ? result::countOfBytes : result::statusOfBytes;
  return hasTag<Count, Tags...>    ? result::count
         : hasTag<Bool, Tags...>   ? result::truth
         : hasTag<OrNull, Tags...> ? result::orNull
                                   : result::status;
}

template <class F, class... Tags>
constexpr Line line(const char* name, Word (*adapted)(void*, const Word*) = nullptr) {
  constexpr bool isOn = (isOnAnother<Tags> || ...);
  constexpr Hints hints{.isReceiver = !isOn,
                        .isPlain = hasTag<Plain, Tags...>,
                        .isBytes = hasTag<Bytes, Tags...>,
                        .hasRoom = hasTag<Room, Tags...>};
  using Slots = typename Signature<F>::template Slots<hints>;
  constexpr auto outNames = theOne<const char* const>({outNamesOf<Tags>...});
  constexpr size_t outs = std::ranges::count_if(slotKinds<Slots>, &SlotKind::isOut);
  static_assert(outs < 2 || outNames.size() == outs,
                "Several out-parameters: the line needs Outs<\"...\"> with one name for each");
  constexpr bool takesParams = std::ranges::count_if(slotKinds<Slots>, &SlotKind::takesParams) > 0;
  using Returns = std::remove_pointer_t<typename Signature<F>::Returns>;
  static_assert(!theAskedAgent({askedAgentOf<Tags>...}) || !IsHandle<Returns> || result::comesHome<Returns>,
                "A handle that came over an agent's connection has to be brought home");
  static_assert(!takesParams || !theOne<const ParamField>({schemaOf<Tags>...}).empty(),
                "Typed parameters as input: the line needs Schema<...>");
  return {
      .name = name,
      .receiver = isOn ? theOther({receiverOf<Tags>...}) : kindOrNull<typename Signature<F>::Receiver>,
      .passesReceiver = !isOn,
      .route = {.urgent = hasTag<Urgent, Tags...>,
                .prompt = hasTag<Prompt, Tags...>,
                .pins = hasTag<Pins, Tags...>},
      .agent = theAskedAgent({askedAgentOf<Tags>...}),
      .stream = {hasTag<Incoming, Tags...>, hasTag<Outgoing, Tags...>, hasTag<Last, Tags...>,
                 hasTag<Bytes, Tags...>, hasTag<OfHole, Tags...>},
      .flags = hasTag<NonBlocking, Tags...> ? unsigned{VIR_STREAM_NONBLOCK} : 0,
      .isSync = hasTag<Sync, Tags...>,
      .resultTag = hasTag<Count, Tags...>     ? "Count"
                   : hasTag<Bool, Tags...>    ? "Bool"
                   : hasTag<OrNull, Tags...>  ? "OrNull"
                   : hasTag<Id, Tags...>      ? "Id"
                   : hasTag<NotZero, Tags...> ? "NotZero"
                   : adapted                  ? "Adapted"
                                              : "Status",
      .result = &resultOf<typename Signature<F>::Returns, Tags...>(),
      .slots = slotKinds<Slots>,
      .outNames = outNames,
      .nullable = theOne<const int>({nullsOf<Tags>...}),
      .bits = theOne<const int>({bitsOf<Tags>...}),
      .sameLength = theOne<const int>({sameLengthOf<Tags>...}),
      .isAdapted = adapted != nullptr,
      .at = theOne<const int>({placesOf<Tags>...}),
      .schema = theOne<const ParamField>({schemaOf<Tags>...}),
      .call = adapted ? adapted : &Signature<F>::call,
      .function = nullptr,
  };
}

// Uses of the function are its type and its name: nothing is linked.
#define FN(function, ...) ::virt::line<decltype(&function) __VA_OPT__(, ) __VA_ARGS__>(#function)

// By an adapter (adapters.h) in place of the function itself, which has to be there all the same.
#define FN_BY(function, by, ...)                                           \
  ::virt::line<decltype(&::virt::adapter::by) __VA_OPT__(, ) __VA_ARGS__>( \
      #function, ::virt::callAdapter<&::virt::adapter::by>)

}  // namespace virt
