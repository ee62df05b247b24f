// Which slot a C parameter becomes.
#pragma once
#include <tuple>
#include <type_traits>

#include "slots-adapted.h"
#include "slots-bytes.h"
#include "slots-in.h"
#include "slots-list.h"
#include "slots-names.h"
#include "slots-out.h"
#include "tag-list.h"

namespace virt {

template <class S>
concept IsRecord = requires {
  Record<S>::name;
};
template <class S>
concept IsFilled = requires(S s) {
  Filled<S>::clear(s);
};

// Slot for the parameters `A, Rest...` that begin at position `at`; the first that fits, pairs before single
// ones.
template <class Tags, size_t at, class... A>
struct SlotOf {
  static_assert(sizeof(Tags) == 0,
                "No slot fits this C parameter: add one to slots-*.h, list a struct in structs.h, or add a "
                "tag (tags.h)");
};

// clang-format off
template <class Tags, size_t at, class N, class... Rest> requires(std::is_arithmetic_v<N>)
struct SlotOf<Tags, at, N, Rest...> { using type = NumberIn<N, mayBeNull<Tags, at>>; };
template <class Tags, size_t at> requires(!Tags::template has<Plain>)
struct SlotOf<Tags, at, unsigned> { using type = FlagsIn; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, const char*, Rest...> { using type = TextIn<mayBeNull<Tags, at>>; };
template <class Tags, size_t at, class... Rest> requires(Tags::template has<Bytes>)
struct SlotOf<Tags, at, const char*, size_t, Rest...> { using type = BytesIn; };
template <class Tags, size_t at, class... Rest> requires(Tags::template has<Bytes>)
struct SlotOf<Tags, at, char*, size_t, Rest...> { using type = BytesOut; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, const unsigned char*, Rest...> { using type = UuidIn; };
template <class Tags, size_t at, class T, class... Rest> requires IsHandle<T>
struct SlotOf<Tags, at, T*, Rest...> { using type = HandleIn<T>; };
template <class Tags, size_t at, class... Rest> requires(at > 0)
struct SlotOf<Tags, at, virConnectPtr, Rest...> { using type = OtherConnectionIn; };
template <class Tags, size_t at, class T, class... Rest> requires IsHandle<T>
struct SlotOf<Tags, at, T**, Rest...> { using type = HandleListIn<T>; };
template <class Tags, size_t at, class T, class... Rest> requires IsHandle<T>
struct SlotOf<Tags, at, T***, Rest...> { using type = HandleListOut<T>; };
template <class Tags, size_t at, class N, class... Rest> requires(std::is_integral_v<N>)
struct SlotOf<Tags, at, N*, Rest...> { using type = NumberOut<N>; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, char**, Rest...> { using type = TextOut; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, char*, Rest...> { using type = UuidTextOut; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, unsigned char*, Rest...> { using type = UuidOut; };
template <class Tags, size_t at, class S, class... Rest> requires IsStruct<S>
struct SlotOf<Tags, at, S*, Rest...> { using type = StructOut<S>; };
template <class Tags, size_t at, class S, class... Rest> requires IsRecord<S>
struct SlotOf<Tags, at, S***, Rest...> { using type = RecordListOut<S>; };
template <class Tags, size_t at, class S> requires IsStruct<S>
struct SlotOf<Tags, at, S*, size_t> { using type = SizedStructOut<S>; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, char***, Rest...> { using type = TextListOut; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, char**, int, Rest...> { using type = NamesFilled; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, int*, int, Rest...> { using type = IdsFilled; };
template <class Tags, size_t at, class N, class... Rest>
struct SlotOf<Tags, at, const std::vector<N>&, Rest...> { using type = NumbersIn<N>; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, const Buffer&, Rest...> { using type = BufferIn; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, Buffer*, Rest...> { using type = BufferOut; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, Data*, Rest...> { using type = DataOut; };
template <class Tags, size_t at, class S, class Count, class... Rest> requires IsFilled<S>
struct SlotOf<Tags, at, S*, Count, Rest...> { using type = FilledListOut<S, Count>; };
template <class Tags, size_t at, class Count, class... Rest> requires(std::is_integral_v<Count>)
struct SlotOf<Tags, at, const char**, Count, Rest...> { using type = TextListIn<Count, mayBeNull<Tags, at>>; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, virTypedParameterPtr*, int*, Rest...> { using type = ParamsOut; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, virTypedParameterPtr, int*, Rest...> { using type = ParamsFilled<!Tags::template has<Room>>; };
template <class Tags, size_t at, class Count, class... Rest> requires(std::is_integral_v<Count>)
struct SlotOf<Tags, at, virTypedParameterPtr, Count, Rest...> { using type = ParamsIn<Count, SchemaIn<Tags>::list, mayBeNull<Tags, at>>; };
// clang-format on

template <class Slot, class Tuple>
struct Prepend;
template <class Slot, class... Slots>
struct Prepend<Slot, std::tuple<Slots...>> {
  using type = std::tuple<Slot, Slots...>;
};
template <size_t count, class Tuple>
struct Drop;
template <class... A>
struct Drop<0, std::tuple<A...>> {
  using type = std::tuple<A...>;
};
template <size_t count, class First, class... A>
requires(count > 0) struct Drop<count, std::tuple<First, A...>> : Drop<count - 1, std::tuple<A...>> {
};

template <class Tags, size_t at, class Parameters>
struct SlotsOf;
template <class Tags, size_t at>
struct SlotsOf<Tags, at, std::tuple<>> {
  using type = std::tuple<>;
};
template <class Tags, size_t at, class... A>
struct SlotsOf<Tags, at, std::tuple<A...>> {
  using First = typename SlotOf<Tags, at, A...>::type;
  using Others = SlotsOf<Tags, at + First::takes, typename Drop<First::takes, std::tuple<A...>>::type>;
  using type = typename Prepend<First, typename Others::type>::type;
};

}  // namespace virt
