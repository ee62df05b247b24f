// One slot per C parameter, or per group of them that belongs together: built from JavaScript on its thread,
// passed to libvirt on a lane, turned back into JavaScript on its thread.
#pragma once
#include <array>
#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include "handle.h"
#include "params.h"
#include "records.h"
#include "session.h"
#include "structs.h"

namespace virt {

struct Reading {
  Napi::Env env;
  const std::shared_ptr<Session>& session;
};

struct Slot {
  static constexpr size_t takes = 1;      // C parameters
  static constexpr bool fromJs = false;   // takes an argument of JavaScript
  static constexpr bool isOut = false;    // brings a result
  static constexpr bool isList = false;   // is filled by a call that returns how many there are
  static constexpr bool isProbe = false;  // is asked for its length first
  void grow(int) {}
  void returned(int, const std::shared_ptr<Session>&) {}
};

// ---- into libvirt
// ----------------------------------------------------------------------------------------------------
struct In : Slot {
  static constexpr bool fromJs = true;
};

template <class N, bool nullable>
struct NumberIn : In {
  N n{};
  Refused read(const Reading&, Napi::Value value) {
    if (nullable && isAbsent(value)) return {};
    return numberFromJs(value, n);
  }
  auto pass() { return std::tuple(n); }
};

struct FlagsIn
    : Slot {  // the convention of nearly all functions: a last `unsigned int`. TypeScript has read it.
  unsigned flags = 0;
  auto pass() { return std::tuple(flags); }
};

template <bool nullable>
struct TextIn : In {
  std::optional<std::string> text;
  Refused read(const Reading&, Napi::Value value) {
    if (nullable && isAbsent(value)) return {};
    auto refused = textFromJs(value, text.emplace());
    if (refused && nullable) refused->expected += " or null";
    return refused;
  }
  auto pass() { return std::tuple<const char*>(text ? text->c_str() : nullptr); }
};

struct UuidIn : In {  // const unsigned char *uuid
  std::array<unsigned char, VIR_UUID_BUFLEN> uuid{};
  Refused read(const Reading&, Napi::Value value) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
      return refuse(Refusal::Kind::Type, "a Uint8Array of 16 bytes");
    auto bytes = value.As<Napi::Uint8Array>();
    if (bytes.ByteLength() != uuid.size()) return refuse(Refusal::Kind::Value, "a Uint8Array of 16 bytes");
    std::memcpy(uuid.data(), bytes.Data(), uuid.size());
    return {};
  }
  auto pass() { return std::tuple<const unsigned char*>(uuid.data()); }
};

inline std::string anA(const char* name) {
  return (std::strchr("AEIOU", *name) ? "an " : "a ") + std::string(name);
}

// A handle of this session, open. `object` null where the session is closed.
inline Refused handleFromJs(const Reading& reading, Napi::Value value, const Kind& kind,
                            std::shared_ptr<Object>& object) {
  Handle* handle = Handle::fromJs(reading.env, value);
  if (!handle || &handle->kind != &kind) return refuse(Refusal::Kind::Type, anA(kind.name));
  if (handle->session != reading.session)
    return refuse(Refusal::Kind::Value, anA(kind.name) + " of the same connection");
  object = reading.session->objectOf(*handle);
  return {};
}

template <class T>
struct HandleIn : In {
  std::shared_ptr<Object> object;
  T* substitute = nullptr;  // the same guest, reached over another connection
  Refused read(const Reading& reading, Napi::Value value) {
    return handleFromJs(reading, value, KindOf<T>::kind, object);
  }
  auto pass() {
    return std::tuple<T*>(substitute ? substitute : object ? static_cast<T*>(object->p) : nullptr);
  }
};

template <class T>
struct HandleListIn : In {  // T **, ended by a null
  std::vector<std::shared_ptr<Object>> objects;
  std::vector<T*> list;
  Refused read(const Reading& reading, Napi::Value value) {
    const std::string expected = "an array of " + std::string(KindOf<T>::kind.name);
    if (!value.IsArray()) return refuse(Refusal::Kind::Type, expected);
    auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); ++i) {
      auto refused = handleFromJs(reading, array[i], KindOf<T>::kind, objects.emplace_back());
      if (refused) {
        refused->expected =
            expected + (refused->kind == Refusal::Kind::Value ? " of the same connection" : "");
        return refused;
      }
      list.push_back(objects.back() ? static_cast<T*>(objects.back()->p) : nullptr);
    }
    list.push_back(nullptr);
    return {};
  }
  auto pass() { return std::tuple<T**>(list.data()); }
};

template <class Count, bool nullable>
struct TextListIn : In {  // const char **, count
  static constexpr size_t takes = 2;
  std::vector<std::string> texts;
  std::vector<const char*> list;
  Refused read(const Reading&, Napi::Value value) {
    if (nullable && isAbsent(value)) return {};
    if (!value.IsArray())
      return refuse(Refusal::Kind::Type, nullable ? "an array of strings or null" : "an array of strings");
    auto array = value.As<Napi::Array>();
    texts.resize(array.Length());
    for (uint32_t i = 0; i < texts.size(); ++i)
      if (auto refused = textFromJs(array[i], texts[i])) {
        refused->expected = "an array, each item " + refused->expected;
        return refused;
      }
    for (auto& text : texts) list.push_back(text.c_str());
    return {};
  }
  auto pass() {
    return std::tuple<const char**, Count>(list.empty() ? nullptr : list.data(),
                                           static_cast<Count>(list.size()));
  }
};

template <class Count, const auto& schema, bool nullable>
struct ParamsIn : In {  // virTypedParameterPtr, count
  static constexpr size_t takes = 2;
  std::unique_ptr<ParamList> params = std::make_unique<ParamList>();
  Refused read(const Reading&, Napi::Value value) {
    if (nullable && isAbsent(value)) return {};
    return paramsFromJs(value, schema, *params);
  }
  auto pass() {
    return std::tuple<virTypedParameterPtr, Count>(params->list, static_cast<Count>(params->count));
  }
};

// ---- out of libvirt
// --------------------------------------------------------------------------------------------------
struct Out : Slot {
  static constexpr bool isOut = true;
};

template <class N>
struct NumberOut : Out {
  static constexpr const char* result = "value";
  N n{};
  auto pass() { return std::tuple<N*>(&n); }
  Napi::Value give(Napi::Env env) { return numberToJs(env, n); }
};

struct TextOut : Out {  // char **: libvirt allocates
  static constexpr const char* result = "value";
  struct Free {
    void operator()(char* text) const { ::free(text); }
  };
  char* raw = nullptr;
  std::unique_ptr<char, Free> text;
  auto pass() { return std::tuple<char**>(&raw); }
  void returned(int, const std::shared_ptr<Session>&) { text.reset(raw); }
  Napi::Value give(Napi::Env env) { return textToJs(env, text.get()); }
};

struct UuidOut : Out {  // unsigned char *uuid
  static constexpr const char* result = "bytes";
  std::array<unsigned char, VIR_UUID_BUFLEN> uuid{};
  auto pass() { return std::tuple<unsigned char*>(uuid.data()); }
  Napi::Value give(Napi::Env env) {
    auto js = Napi::Array::New(env, uuid.size());
    for (uint32_t i = 0; i < uuid.size(); ++i) js[i] = Napi::Number::New(env, uuid[i]);
    return js;
  }
};

struct UuidTextOut : Out {  // char *buf
  static constexpr const char* result = "value";
  std::array<char, VIR_UUID_STRING_BUFLEN> text{};
  auto pass() { return std::tuple<char*>(text.data()); }
  Napi::Value give(Napi::Env env) { return textToJs(env, text.data()); }
};

template <IsStruct S>
struct StructOut : Out {
  static constexpr const char* result = "object";
  S s{};
  auto pass() { return std::tuple<S*>(&s); }
  Napi::Value give(Napi::Env env) { return structToJs(env, s); }
};

template <class T>
struct HandleListOut : Out {  // T ***
  static constexpr bool isList = true;
  static constexpr const char* result = KindOf<T>::kind.listName;
  T** list = nullptr;
  std::vector<std::shared_ptr<Object>> objects;
  auto pass() { return std::tuple<T***>(&list); }
  void returned(int count, const std::shared_ptr<Session>& session) {
    for (int i = 0; i < count; ++i) objects.push_back(adopt(list[i], session));
    ::free(list);
  }
  Napi::Value give(Napi::Env env) {
    auto js = Napi::Array::New(env, objects.size());
    for (uint32_t i = 0; i < objects.size(); ++i) js[i] = Handle::toJs(env, std::move(objects[i]));
    return js;
  }
};

template <class S>
struct RecordListOut : Out {  // S ***
  static constexpr bool isList = true;
  static constexpr const char* result = Record<S>::name;
  struct Free {
    void operator()(S* record) const { Record<S>::free(record); }
  };
  struct Item {
    std::unique_ptr<S, Free> record;
    std::shared_ptr<Object> kept;
  };
  S** list = nullptr;
  std::vector<Item> items;
  auto pass() { return std::tuple<S***>(&list); }
  void returned(int count, const std::shared_ptr<Session>& session) {
    for (int i = 0; i < count; ++i) {
      auto& item = items.emplace_back();
      item.record.reset(list[i]);
      Record<S>::keep(*list[i], session, item.kept);
    }
    ::free(list);
  }
  Napi::Value give(Napi::Env env) {
    auto js = Napi::Array::New(env, items.size());
    for (uint32_t i = 0; i < items.size(); ++i) js[i] = Record<S>::toJs(env, *items[i].record, items[i].kept);
    return js;
  }
};

template <class S, class Count>
struct FilledListOut : Out {  // S *, room
  static constexpr size_t takes = 2;
  static constexpr bool isList = true, isProbe = true;
  static constexpr const char* result = "object[]";
  std::vector<S> list;
  int found = 0;
  FilledListOut() = default;
  FilledListOut(const FilledListOut&) = delete;
  FilledListOut& operator=(const FilledListOut&) = delete;
  ~FilledListOut() {
    for (auto& s : list) Filled<S>::clear(s);
  }
  auto pass() {
    return std::tuple<S*, Count>(list.empty() ? nullptr : list.data(), static_cast<Count>(list.size()));
  }
  void grow(int probed) { list.resize(static_cast<size_t>(probed)); }
  void returned(int count, const std::shared_ptr<Session>&) { found = list.empty() ? 0 : count; }
  Napi::Value give(Napi::Env env) {
    auto js = Napi::Array::New(env, static_cast<size_t>(found));
    for (int i = 0; i < found; ++i)
      js[static_cast<uint32_t>(i)] = Filled<S>::toJs(env, list[static_cast<size_t>(i)]);
    return js;
  }
};

struct ParamsOut : Out {  // virTypedParameterPtr *, int *: libvirt allocates
  static constexpr size_t takes = 2;
  static constexpr const char* result = "object";
  ParamList params;
  auto pass() { return std::tuple<virTypedParameterPtr*, int*>(&params.list, &params.count); }
  Napi::Value give(Napi::Env env) { return paramsToJs(env, params.list, params.count); }
};

struct ParamsFilled : Out {  // virTypedParameterPtr, int *: asked for their number, then filled
  static constexpr size_t takes = 2;
  static constexpr bool isProbe = true;
  static constexpr const char* result = "object";
  std::vector<virTypedParameter> list;
  int count = 0;
  ParamsFilled() = default;
  ParamsFilled(const ParamsFilled&) = delete;
  ParamsFilled& operator=(const ParamsFilled&) = delete;
  ~ParamsFilled() {
    if (!list.empty()) VIR(virTypedParamsClear)(list.data(), static_cast<int>(list.size()));
  }
  auto pass() { return std::tuple<virTypedParameterPtr, int*>(list.empty() ? nullptr : list.data(), &count); }
  void grow(int) { list.resize(static_cast<size_t>(count)); }
  Napi::Value give(Napi::Env env) { return paramsToJs(env, list.data(), list.empty() ? 0 : count); }
};

}  // namespace virt
