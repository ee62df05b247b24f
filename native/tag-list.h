// What the tags of one line say, asked at compile time.
#pragma once
#include <initializer_list>
#include <span>

#include "asked-agent.h"
#include "handle.h"
#include "params.h"
#include "tags.h"

namespace virt {

template <class Tag>
constexpr std::span<const int> nullsOf{};
template <int... positions>
constexpr std::span<const int> nullsOf<Null<positions...>> = Null<positions...>::list;

template <class Tag>
constexpr std::span<const int> placesOf{};
template <int... positions>
constexpr std::span<const int> placesOf<At<positions...>> = At<positions...>::list;

template <class Tag>
constexpr std::span<const int> bitsOf{};
template <int... positions>
constexpr std::span<const int> bitsOf<Bits<positions...>> = Bits<positions...>::list;

template <class Tag>
constexpr std::span<const int> sameLengthOf{};
template <int first, int second>
constexpr std::span<const int> sameLengthOf<SameLength<first, second>> = SameLength<first, second>::list;

template <class Tag>
constexpr AskedAgent askedAgentOf{};
template <>
inline constexpr AskedAgent askedAgentOf<Agent>{.always = true};
template <unsigned flag, Unflagged unflagged>
constexpr AskedAgent askedAgentOf<AgentIf<flag, unflagged>>{.flag = flag, .unflagged = unflagged};
template <int position, unsigned value>
constexpr AskedAgent askedAgentOf<AgentAt<position, value>>{.position = position, .value = value};
constexpr AskedAgent theAskedAgent(std::initializer_list<AskedAgent> all) {
  for (const auto& one : all)
    if (one) return one;
  return {};
}

template <class Tag>
constexpr std::span<const char* const> outNamesOf{};
template <Name... names>
constexpr std::span<const char* const> outNamesOf<Outs<names...>> = Outs<names...>::list;

template <class Tag>
constexpr std::span<const ParamField> schemaOf{};
template <const auto& fields>
constexpr std::span<const ParamField> schemaOf<Schema<fields>> = fields;

template <class T>
constexpr const Kind* kindOrNull = nullptr;
template <IsHandle T>
constexpr const Kind* kindOrNull<T> = &KindOf<T>::kind;

template <class Tag>
constexpr const Kind* receiverOf = nullptr;
template <class T>
constexpr const Kind* receiverOf<On<T>> = kindOrNull<T>;
template <class Tag>
constexpr bool isOnAnother = false;
template <class T>
constexpr bool isOnAnother<On<T>> = true;
// The class of the line's member, where it is not the one that the function begins with.
constexpr const Kind* theOther(std::initializer_list<const Kind*> kinds) {
  for (const Kind* kind : kinds)
    if (kind) return kind;
  return nullptr;
}

// What the one tag that says something says.
template <class T>
constexpr std::span<T> theOne(std::initializer_list<std::span<T>> all) {
  for (const auto& one : all)
    if (!one.empty()) return one;
  return {};
}

}  // namespace virt
