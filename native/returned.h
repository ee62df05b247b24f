// What the C function itself returns.
#pragma once
#include <memory>
#include <string>

#include "handle.h"
#include "slots-out.h"
#include "tag-list.h"

namespace virt {

template <class Tags, class R>
struct Returned;

template <class Tags>
struct Returned<Tags, int> {
  int r = -1;
  bool failed() const { return Tags::template has<Bytes> ? r == -1 : r < 0; }
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

// 0 where it failed.
template <class Tags, class N>
requires(std::is_same_v<N, unsigned long> || std::is_same_v<N, unsigned long long>) struct Returned<Tags, N> {
  static_assert(Tags::template has<NotZero>, "An unsigned result: the line needs NotZero");
  N r = 0;
  bool failed() const { return r == 0; }
  bool isNone() const { return false; }
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

}  // namespace virt
