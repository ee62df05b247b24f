// Slots of single values that libvirt fills.
#pragma once
#include <array>
#include <cstdlib>
#include <memory>
#include <tuple>

#include "convert.h"
#include "slot.h"
#include "structs.h"

namespace virt {

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

// A struct whose size the caller gives, for it may grow.
template <IsStruct S>
struct SizedStructOut : StructOut<S> {
  static constexpr size_t takes = 2;
  auto pass() { return std::tuple<S*, size_t>(&this->s, sizeof(S)); }
};

}  // namespace virt
