// What the tags of one line say, asked at compile time.
#pragma once
#include <array>
#include <vector>

#include "tags.h"

namespace virt {

template <class... Tags>
struct TagList {
  template <class Tag>
  static constexpr bool has = hasTag<Tag, Tags...>;
};

template <class Tag>
struct NullOf {
  static constexpr bool has(size_t) { return false; }
};
template <size_t... positions>
struct NullOf<Null<positions...>> : Null<positions...> {};
template <class Tags, size_t at>
constexpr bool mayBeNull = false;
template <class... Tags, size_t at>
constexpr bool mayBeNull<TagList<Tags...>, at> = (NullOf<Tags>::has(at) || ...);

template <class Tag>
struct SchemaOf;
template <const auto& fields>
struct SchemaOf<Schema<fields>> {
  static constexpr const auto& list = fields;
};
template <class Tag>
constexpr bool isSchema = requires {
  SchemaOf<Tag>::list;
};
template <class Tags>
struct SchemaIn {
  static_assert(sizeof(Tags) == 0, "Typed parameters as input: the line needs Schema<...>");
};
template <class First, class... Rest>
struct SchemaIn<TagList<First, Rest...>> : SchemaIn<TagList<Rest...>> {};
template <const auto& fields, class... Rest>
struct SchemaIn<TagList<Schema<fields>, Rest...>> : SchemaOf<Schema<fields>> {};

template <class Tag>
struct OutNamesOf {
  static constexpr std::array<const char*, 0> list{};
};
template <Name... names>
struct OutNamesOf<Outs<names...>> : Outs<names...> {};
template <class Tag>
struct AtOf {
  static void replace(std::vector<int>&) {}
};
template <int... positions>
struct AtOf<At<positions...>> {
  static void replace(std::vector<int>& list) { list = {positions...}; }
};
template <class Tag>
struct NullListOf {
  static void add(std::vector<int>&) {}
};
template <size_t... positions>
struct NullListOf<Null<positions...>> {
  static void add(std::vector<int>& list) { (list.push_back(int{positions}), ...); }
};
template <class Tag>
struct ReceiverOf {
  using type = void;
};
template <class T>
struct ReceiverOf<On<T>> {
  using type = T;
};

}  // namespace virt
