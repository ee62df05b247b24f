// What a C signature leaves open, and a table line adds. A test holds every tag against libvirt's description
// of its API.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

namespace virt {

// How an `int` result is read; Status where nothing is said. An `int` that counts what a list holds needs no
// tag.
struct Status {};  // < 0: failed; otherwise nothing
struct Count {};   // how many
struct Bool {};    // 1: true
struct OrNull {};  // 0: there is none, the result is null; 1: the out-parameter holds it
struct Id {};      // an unsigned that is (unsigned)-1 where there is none

struct NotZero {};  // 0: failed

struct Room {};  // typed parameters that are not asked for their number first: room for all there are

struct Sync {};    // read from the handle: returns at once, without a promise
struct Prompt {};  // libvirtd takes no job and asks no monitor: it answers from its own memory
struct Urgent {};  // must get through while other calls hang
struct Agent {};   // waits for the guest's agent; AgentIf, AgentAt: sometimes
struct Pins {};    // tells this connection something that others to the same host do not know
struct Plain {};   // the last `unsigned int` is no flags

// What a call without any flag does, of a function that waits for the agent where a flag says so.
enum class Unflagged { AsksNobody, AsksAgent, AsksAgentFirst };
// Waits for the agent where `flag` is given. AsksAgentFirst: without flags, or with others beside it, the
// driver asks an agent that it knows first, and finds another way where that does not answer.
template <unsigned flag, Unflagged unflagged = Unflagged::AsksNobody>
struct AgentIf {};
// Waits for the agent where the C parameter at this position has this value.
template <int position, unsigned value>
struct AgentAt {};

// Of streams.
struct Bytes {};        // a buffer and its size are a Uint8Array; results below -1 are answers, not failures
struct Incoming {};     // waits for data to come
struct OfHole {};       // what has come is a hole; the out-parameter is its length
struct Outgoing {};     // waits for room to write
struct Last {};         // the stream is over with it
struct NonBlocking {};  // makes a stream that libvirt's own calls never wait for

// The member belongs to this class although the C function does not begin with it.
template <class T>
struct On {};

template <std::size_t size>
struct Name {
  char text[size];
  constexpr Name(const char (&literal)[size]) { std::copy_n(literal, size, text); }
};
// Names of several out-parameters: the keys of the result. They are the C names.
template <Name... names>
struct Outs {
  static constexpr std::array<const char*, sizeof...(names)> list{names.text...};
};
// Positions of C parameters, counted from 0, that may be null (or, numbers, left out).
template <int... positions>
struct Null {
  static constexpr std::array<int, sizeof...(positions)> list{positions...};
};
// Positions of C parameters that are bits, combined with |: JavaScript may give a list of them.
template <int... positions>
struct Bits {
  static constexpr std::array<int, sizeof...(positions)> list{positions...};
};
// Two C parameters whose arrays have the same length: one item of the second for each of the first.
template <int first, int second>
struct SameLength {
  static constexpr std::array<int, 2> list{first, second};
};
// Of a line with an adapter: which C parameter each argument of JavaScript becomes.
template <int... positions>
struct At {
  static constexpr std::array<int, sizeof...(positions)> list{positions...};
};
// Names and types of the typed parameters that the function takes.
template <const auto& fields>
struct Schema {};

template <class Tag, class... Tags>
constexpr bool hasTag = (std::is_same_v<Tag, Tags> || ...);

}  // namespace virt
