// What the C function itself returns.
#pragma once
#include <napi.h>

#include <memory>
#include <type_traits>

#include "handle.h"
#include "library.h"
#include "word.h"

namespace virt {

// What was returned, and what of it is ours.
struct Returned {
  Word word;
  std::unique_ptr<char, Free> text;
  std::shared_ptr<Object> object;
};

// How it is read.
struct Result {
  const char* shown;  // what JavaScript gets, unless there are out-parameters
  bool (*failed)(Word);
  bool (*isNone)(Word);
  void (*keep)(Returned&, const std::shared_ptr<Session>&);  // on a lane, where libvirt may be called
  Napi::Value (*give)(Returned&, Napi::Env);
  // Of a handle that came over an agent's connection: the same of the receiver's own takes its place.
  bool (*bringHome)(Word&, virDomainPtr receiver) = nullptr;
};

namespace result {

// An `int`, and how its tag reads it. Bytes: below -1 are answers, not failures.
extern const Result status, count, truth, orNull, statusOfBytes, countOfBytes;
extern const Result id;                    // an `unsigned` that is -1 where there is none
extern const Result notZero, notZeroWide;  // `unsigned long` and `unsigned long long`; 0: failed
extern const Result text,
    borrowedText;  // ours to free; an object's that may be gone before JavaScript reads it

template <class T>  // it may come over an agent's connection
constexpr bool comesHome = std::is_same_v<T, virDomainSnapshot>;
bool bringHomeSnapshot(Word& word, virDomainPtr receiver);

template <class T>  // a new reference
constexpr Result handle{
    KindOf<T>::kind.name,
    [](Word word) { return !word.as<T*>(); },
    [](Word) { return false; },
    [](Returned& returned, const std::shared_ptr<Session>& session) {
      returned.object = adopt(returned.word.as<T*>(), session);
    },
    [](Returned& returned, Napi::Env env) { return Handle::toJs(env, std::move(returned.object)); },
    comesHome<T> ? &bringHomeSnapshot : nullptr};

}  // namespace result

}  // namespace virt
