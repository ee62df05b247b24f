// Slots of single values that libvirt fills.
#pragma once
#include <array>
#include <cstdlib>
#include <memory>

#include "convert.h"
#include "returned.h"
#include "slot.h"
#include "structs.h"

namespace virt {

template <class N>
struct NumberOut : Out {
  static constexpr const char* result = "value";
  N n{};
  void pass(Word* words) override { *words = Word(&n); }
  Napi::Value give(Napi::Env env) override { return numberToJs(env, n); }
};

struct TextOut : Out {  // char **: libvirt allocates
  static constexpr const char* result = "value";
  char* raw = nullptr;
  std::unique_ptr<char, Free> text;
  void pass(Word* words) override { *words = Word(&raw); }
  void returned(int, const std::shared_ptr<Session>&) override { text.reset(raw); }
  Napi::Value give(Napi::Env env) override { return textToJs(env, text.get()); }
};

struct UuidOut : Out {  // unsigned char *uuid
  static constexpr const char* result = "bytes";
  std::array<unsigned char, VIR_UUID_BUFLEN> uuid{};
  void pass(Word* words) override { *words = Word(uuid.data()); }
  Napi::Value give(Napi::Env env) override {
    auto js = Napi::Array::New(env, uuid.size());
    for (uint32_t i = 0; i < uuid.size(); ++i) js[i] = Napi::Number::New(env, uuid[i]);
    return js;
  }
};

struct UuidTextOut : Out {  // char *buf
  static constexpr const char* result = "value";
  std::array<char, VIR_UUID_STRING_BUFLEN> text{};
  void pass(Word* words) override { *words = Word(text.data()); }
  Napi::Value give(Napi::Env env) override { return textToJs(env, text.data()); }
};

template <IsStruct S>
struct StructOut : Out {
  static constexpr const char* result = "object";
  S s{};
  void pass(Word* words) override { *words = Word(&s); }
  Napi::Value give(Napi::Env env) override { return structToJs(env, s); }
};

// A struct whose size the caller gives, for it may grow.
template <IsStruct S>
struct SizedStructOut : StructOut<S> {
  static constexpr size_t takes = 2;
  void pass(Word* words) override {
    words[0] = Word(&this->s);
    words[1] = Word(sizeof(S));
  }
};

}  // namespace virt
