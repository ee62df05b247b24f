// FN(virDomainSuspend): a member of a mirror class, deduced from the C function's own signature.
#pragma once
#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "call.h"
#include "slots.h"
#include "tags.h"
#include "thread.h"

namespace virt {

// ---- which slot a C parameter becomes
// -------------------------------------------------------------------------------- Slot for the parameters
// `A, Rest...` that begin at position `at`; the first that fits, pairs before single ones.
template <class Tags, size_t at, class... A>
struct SlotOf {
  static_assert(
      sizeof(Tags) == 0,
      "No slot fits this C parameter: add one to slots.h, list a struct in structs.h, or add a tag (tags.h)");
};

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

template <class S>
concept IsRecord = requires {
  Record<S>::name;
};
template <class S>
concept IsFilled = requires(S s) {
  Filled<S>::clear(s);
};

// clang-format off
template <class Tags, size_t at, class N, class... Rest> requires(std::is_arithmetic_v<N>)
struct SlotOf<Tags, at, N, Rest...> { using type = NumberIn<N, mayBeNull<Tags, at>>; };
template <class Tags, size_t at> requires(!Tags::template has<Plain>)
struct SlotOf<Tags, at, unsigned> { using type = FlagsIn; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, const char*, Rest...> { using type = TextIn<mayBeNull<Tags, at>>; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, const unsigned char*, Rest...> { using type = UuidIn; };
template <class Tags, size_t at, class T, class... Rest> requires IsHandle<T>
struct SlotOf<Tags, at, T*, Rest...> { using type = HandleIn<T>; };
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
template <class Tags, size_t at, class S, class Count, class... Rest> requires IsFilled<S>
struct SlotOf<Tags, at, S*, Count, Rest...> { using type = FilledListOut<S, Count>; };
template <class Tags, size_t at, class Count, class... Rest> requires(std::is_integral_v<Count>)
struct SlotOf<Tags, at, const char**, Count, Rest...> { using type = TextListIn<Count, mayBeNull<Tags, at>>; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, virTypedParameterPtr*, int*, Rest...> { using type = ParamsOut; };
template <class Tags, size_t at, class... Rest>
struct SlotOf<Tags, at, virTypedParameterPtr, int*, Rest...> { using type = ParamsFilled; };
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

// ---- what the function itself returns
// --------------------------------------------------------------------------------
template <class Tags, class R>
struct Returned;

template <class Tags>
struct Returned<Tags, int> {
  int r = -1;
  bool failed() const { return r < 0; }
  bool isNone() const { return Tags::template has<OrNull> && r == 0; }
  void keep(const std::shared_ptr<Session>&) {}
  static constexpr bool isResult = Tags::template has<Count> || Tags::template has<Bool>;
  static constexpr const char* result = isResult ? "value" : "nothing";
  Napi::Value give(Napi::Env env) {
    if constexpr (Tags::template has<Bool>) return Napi::Boolean::New(env, r > 0);
    if constexpr (Tags::template has<Count>) return numberToJs(env, r);
    return env.Undefined();
  }
};

template <class Tags>
struct Returned<Tags, unsigned> {
  static_assert(Tags::template has<Id>, "An unsigned result: only ids so far");
  unsigned r = 0;
  bool failed() const { return false; }
  bool isNone() const { return r == static_cast<unsigned>(-1); }
  void keep(const std::shared_ptr<Session>&) {}
  static constexpr const char* result = "value";
  Napi::Value give(Napi::Env env) { return numberToJs(env, r); }
};

template <class Tags>
struct Returned<Tags, char*> {  // ours to free
  char* r = nullptr;
  std::unique_ptr<char, TextOut::Free> text;
  bool failed() const { return !r; }
  bool isNone() const { return false; }
  void keep(const std::shared_ptr<Session>&) { text.reset(r); }
  static constexpr const char* result = "value";
  Napi::Value give(Napi::Env env) { return textToJs(env, text.get()); }
};

template <class Tags>
struct Returned<Tags, const char*> {  // belongs to an object that may be gone before JavaScript reads it
  const char* r = nullptr;
  std::string text;
  bool failed() const { return !r; }
  bool isNone() const { return false; }
  void keep(const std::shared_ptr<Session>&) { text = r; }
  static constexpr const char* result = "value";
  Napi::Value give(Napi::Env env) { return Napi::String::New(env, text); }
};

template <class Tags, IsHandle T>
struct Returned<Tags, T*> {  // a new reference
  T* r = nullptr;
  std::shared_ptr<Object> object;
  bool failed() const { return !r; }
  bool isNone() const { return false; }
  void keep(const std::shared_ptr<Session>& session) { object = adopt(r, session); }
  static constexpr const char* result = KindOf<T>::kind.name;
  Napi::Value give(Napi::Env env) { return Handle::toJs(env, std::move(object)); }
};

// ---- one line of a table
// ---------------------------------------------------------------------------------------------
struct Line {
  const char* name;
  mutable void* function;  // libvirt's, once it has been looked up
  const Kind* receiver;
  Route route;
  bool isSync, hasFlags, countsList;
  const char* resultTag;  // Status, Count, Bool, OrNull, Id
  const char* resultKind;
  size_t outCount;
  std::vector<const char*> outNames;
  std::vector<int> nullable;   // C parameters that may be null
  std::vector<int> positions;  // of the C parameter that each argument of JavaScript becomes
  std::shared_ptr<Call> (*make)(const Line& line, Napi::Env env, const std::shared_ptr<Session>& session,
                                std::shared_ptr<Object> receiver, unsigned flags, const napi_value* arguments,
                                Refused& refused);

  // Null: the installed libvirt has no such function. Looked up anew each time then, for it costs nothing
  // that matters.
  void* resolve() const {
    std::atomic_ref known(function);
    void* found = known.load(std::memory_order_relaxed);
    if (!found) known.store(found = symbolOf(name), std::memory_order_relaxed);
    return found;
  }
};

// ---- the call
// --------------------------------------------------------------------------------------------------------
template <class Tag>
struct OutNamesOf {
  static constexpr std::array<const char*, 0> list{};
};
template <Name... names>
struct OutNamesOf<Outs<names...>> : Outs<names...> {};
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
    return readAll(Reading{env, session()}, flags, arguments, All{});
  }

 protected:
  std::optional<Failure> perform(virDomainPtr substitute) override {
    const auto function = reinterpret_cast<R (*)(A...)>(line_.resolve());
    if (!function) return Failure::unavailable(line_.name);
    if constexpr (!isOn && std::is_same_v<std::tuple_element_t<0, std::tuple<A...>>, virDomainPtr>)
      std::get<0>(slots_).substitute = substitute;
    VIR(virResetLastError)();
    const auto invoke = [&] {
      return farBelow([&] {
        return std::apply([&](auto&... slot) { return std::apply(function, std::tuple_cat(slot.pass()...)); },
                          slots_);
      });
    };
    returned_.r = invoke();
    if (returned_.failed()) return Failure::last();
    if constexpr (anyProbe(All{})) {
      std::apply([&](auto&... slot) { (slot.grow(static_cast<int>(returned_.r)), ...); }, slots_);
      returned_.r = invoke();
      if (returned_.failed()) return Failure::last();
    }
    returned_.keep(session());
    if constexpr (std::is_same_v<R, int>)
      std::apply([&](auto&... slot) { (slot.returned(returned_.r, session()), ...); }, slots_);
    return {};
  }

  virDomainPtr receiver() const override {
    return receiver_ && &receiver_->kind == &KindOf<virDomain>::kind ? static_cast<virDomainPtr>(receiver_->p)
                                                                     : nullptr;
  }

  Napi::Value result(Napi::Env env) override {
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
  Refused readAll(const Reading& reading, unsigned flags, const napi_value* arguments,
                  std::index_sequence<i...>) {
    Refused refused;
    int at = 0;
    (void)(readOne<i>(reading, flags, arguments, at, refused) && ...);
    return refused;
  }
  template <size_t i>
  bool readOne(const Reading& reading, unsigned flags, const napi_value*& arguments, int& at,
               Refused& refused) {
    auto& slot = std::get<i>(slots_);
    using S = SlotAt<i>;
    if constexpr (!isOn && i == 0) {
      slot.object = receiver_;
    } else if constexpr (std::is_same_v<S, FlagsIn>) {
      slot.flags = flags;
    } else if constexpr (S::fromJs) {
      refused = slot.read(reading, Napi::Value(reading.env, *arguments++));
      if (refused) refused->parameter = at;
    }
    at += int{S::takes};
    return !refused;
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

// ---- the tables
// ------------------------------------------------------------------------------------------------------
using Table = std::vector<Line>;

template <class F, class... Tags>
Line line(const char* name) {
  using B = Bound<TagList<Tags...>, F>;
  Line line{};
  line.name = name;
  line.receiver = B::receiverKind();
  line.route = {.agent = hasTag<Agent, Tags...>, .urgent = hasTag<Urgent, Tags...>};
  line.isSync = hasTag<Sync, Tags...>;
  line.hasFlags = B::hasFlags();
  line.countsList = B::countsList();
  line.resultTag = hasTag<Count, Tags...>    ? "Count"
                   : hasTag<Bool, Tags...>   ? "Bool"
                   : hasTag<OrNull, Tags...> ? "OrNull"
                   : hasTag<Id, Tags...>     ? "Id"
                                             : "Status";
  line.resultKind = B::resultKind();
  line.outCount = B::outCount();
  line.outNames = B::outputs();
  line.positions = B::positions();
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

const Table& connectionTable();
const Table& domainTable();
const Table& domainSnapshotTable();
const Table& storageTable();

}  // namespace virt
