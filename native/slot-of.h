// Which slot a C parameter becomes.
#pragma once
#include <type_traits>

#include "slots-adapted.h"
#include "slots-bytes.h"
#include "slots-in.h"
#include "slots-list.h"
#include "slots-names.h"
#include "slots-out.h"

namespace virt {

template <class S>
concept IsRecord = requires {
  Record<S>::name;
};
template <class S>
concept IsFilled = requires(S s) {
  Filled<S>::clear(s);
};

// What the tags of a line say about one of its C parameters.
struct Hints {
  bool isReceiver = false, isPlain = false, isBytes = false, hasRoom = false;
};

// Slot for a C parameter `A` before `Next` (void: it is the last); the first that fits, pairs before single
// ones.
template <Hints hints, class A, class Next>
struct SlotOf {
  static_assert(sizeof(A) == 0,
                "No slot fits this C parameter: add one to slots-*.h, list a struct in structs.h, or add a "
                "tag (tags.h)");
};

// clang-format off
template <Hints hints, class N, class Next> requires(std::is_arithmetic_v<N>)
struct SlotOf<hints, N, Next> { using type = NumberIn<N>; };
template <Hints hints> requires(!hints.isPlain)
struct SlotOf<hints, unsigned, void> { using type = FlagsIn; };
template <Hints hints, class Next>
struct SlotOf<hints, const char*, Next> { using type = TextIn; };
template <Hints hints> requires(hints.isBytes)
struct SlotOf<hints, const char*, size_t> { using type = BytesIn; };
template <Hints hints> requires(hints.isBytes)
struct SlotOf<hints, char*, size_t> { using type = BytesOut; };
template <Hints hints, class Next>
struct SlotOf<hints, const unsigned char*, Next> { using type = UuidIn; };
template <Hints hints, class T, class Next> requires IsHandle<T>
struct SlotOf<hints, T*, Next> { using type = HandleIn<T>; };
template <Hints hints, class Next>
struct SlotOf<hints, StreamObject*, Next> { using type = StreamIn; };
template <Hints hints, class Next> requires(!hints.isReceiver)
struct SlotOf<hints, virConnectPtr, Next> { using type = OtherConnectionIn; };
template <Hints hints, class T, class Next> requires IsHandle<T>
struct SlotOf<hints, T**, Next> { using type = HandleListIn<T>; };
template <Hints hints, class T, class Next> requires IsHandle<T>
struct SlotOf<hints, T***, Next> { using type = HandleListOut<T>; };
template <Hints hints, class N, class Next> requires(std::is_integral_v<N>)
struct SlotOf<hints, N*, Next> { using type = NumberOut<N>; };
template <Hints hints, class Next>
struct SlotOf<hints, char**, Next> { using type = TextOut; };
template <Hints hints, class Next>
struct SlotOf<hints, char*, Next> { using type = UuidTextOut; };
template <Hints hints, class Next>
struct SlotOf<hints, unsigned char*, Next> { using type = UuidOut; };
template <Hints hints, class S, class Next> requires IsStruct<S>
struct SlotOf<hints, S*, Next> { using type = StructOut<S>; };
template <Hints hints, class S, class Next> requires IsRecord<S>
struct SlotOf<hints, S***, Next> { using type = RecordListOut<S>; };
template <Hints hints, class S> requires IsStruct<S>
struct SlotOf<hints, S*, size_t> { using type = SizedStructOut<S>; };
template <Hints hints, class Next>
struct SlotOf<hints, char***, Next> { using type = TextListOut; };
template <Hints hints>
struct SlotOf<hints, char**, int> { using type = NamesFilled; };
template <Hints hints>
struct SlotOf<hints, int*, int> { using type = IdsFilled; };
template <Hints hints, class N, class Next>
struct SlotOf<hints, const std::vector<N>&, Next> { using type = NumbersIn<N>; };
template <Hints hints, class Next>
struct SlotOf<hints, const Buffer&, Next> { using type = BufferIn; };
template <Hints hints, class Next>
struct SlotOf<hints, Buffer*, Next> { using type = BufferOut; };
template <Hints hints>
struct SlotOf<hints, size_t, Buffer*> { using type = RoomIn; };
template <Hints hints, class Next>
struct SlotOf<hints, Descriptor*, Next> { using type = DescriptorOut; };
template <Hints hints, class Next>
struct SlotOf<hints, Descriptors*, Next> { using type = DescriptorsOut; };
template <Hints hints, class Next>
struct SlotOf<hints, Data*, Next> { using type = DataOut; };
template <Hints hints, class S, class Count> requires IsFilled<S>
struct SlotOf<hints, S*, Count> { using type = FilledListOut<S, Count>; };
template <Hints hints, class Count> requires(std::is_integral_v<Count>)
struct SlotOf<hints, const char**, Count> { using type = TextListIn<Count>; };
template <Hints hints>
struct SlotOf<hints, virTypedParameterPtr*, int*> { using type = ParamsOut; };
template <Hints hints>
struct SlotOf<hints, virTypedParameterPtr, int*> { using type = ParamsFilled<!hints.hasRoom>; };
template <Hints hints, class Count> requires(std::is_integral_v<Count>)
struct SlotOf<hints, virTypedParameterPtr, Count> { using type = ParamsIn<Count>; };
// clang-format on

template <class... Items>
struct Types {
  static constexpr size_t size = sizeof...(Items);
};

// The slots of the parameters `A...`.
template <Hints hints, class Done, class... A>
struct SlotsOf;
template <Hints hints, class... Done>
struct SlotsOf<hints, Types<Done...>> {
  using type = Types<Done...>;
};
template <Hints hints, class... Done, class Last>
struct SlotsOf<hints, Types<Done...>, Last> {
  using type = Types<Done..., typename SlotOf<hints, Last, void>::type>;
};
template <class Slot, Hints hints, class Done, class Second, class... Rest>
struct After : SlotsOf<hints, Done, Second, Rest...> {};
template <class Slot, Hints hints, class Done, class Second, class... Rest>
requires(Slot::takes == 2) struct After<Slot, hints, Done, Second, Rest...> : SlotsOf<hints, Done, Rest...> {
};
constexpr Hints afterReceiver(Hints hints) {
  hints.isReceiver = false;
  return hints;
}
template <Hints hints, class... Done, class First, class Second, class... Rest>
struct SlotsOf<hints, Types<Done...>, First, Second, Rest...> {
  using Slot = typename SlotOf<hints, First, Second>::type;
  using type = typename After<Slot, afterReceiver(hints), Types<Done..., Slot>, Second, Rest...>::type;
};

}  // namespace virt
