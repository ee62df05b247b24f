// Slots for the parameters of adapters (adapters.h), whose types are C++'s.
#pragma once
#include <cstring>
#include <vector>

#include "data.h"
#include "slots-in.h"

namespace virt {

template <class N>
struct NumbersIn : In {  // const std::vector<N> &
  std::vector<N> numbers;
  Refused read(const Reading&, Napi::Value value) override {
    if (!value.IsArray()) return refuse(Refusal::Kind::Type, "an array of numbers");
    auto array = value.As<Napi::Array>();
    numbers.resize(array.Length());
    for (uint32_t i = 0; i < numbers.size(); ++i)
      if (auto refused = numberFromJs<N>(array[i], numbers[i])) {
        refused->expected = "an array, each item " + refused->expected;
        return refused;
      }
    return {};
  }
  void pass(Word* words) override { *words = Word(&numbers); }
};

struct BufferIn : In {  // const Buffer &
  Buffer bytes;
  Refused read(const Reading&, Napi::Value value) override {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
      return refuse(Refusal::Kind::Type, "a Uint8Array");
    auto array = value.As<Napi::Uint8Array>();
    bytes.assign(array.Data(), array.Data() + array.ByteLength());
    return {};
  }
  void pass(Word* words) override { *words = Word(&bytes); }
};

struct BufferOut : Out {  // Buffer *
  static constexpr const char* result = "buffer";
  Buffer bytes;
  void pass(Word* words) override { *words = Word(&bytes); }
  Napi::Value give(Napi::Env env) override {
    auto js = Napi::ArrayBuffer::New(env, bytes.size());
    if (!bytes.empty()) std::memcpy(js.Data(), bytes.data(), bytes.size());
    return js;
  }
};

struct DataOut : Out {  // Data *
  static constexpr const char* result = "data";
  Data data;
  void pass(Word* words) override { *words = Word(&data); }
  Napi::Value give(Napi::Env env) override { return data.toJs(env); }
};

}  // namespace virt
