// Slots for the parameters of adapters (adapters.h), whose types are C++'s.
#pragma once
#include <cstring>
#include <vector>

#include "data.h"
#include "slots-in.h"
#include "stream.h"

namespace virt {

// What libvirt's protocol carries; more it refuses, but only after we have made room for it.
constexpr size_t kMostBytes = 4 * 1024 * 1024;
constexpr uint32_t kMostNumbers = 1024;

struct RoomIn : NumberIn<size_t> {  // size_t before Buffer *: how much is wanted
  Refused read(const Reading& reading, Napi::Value value) override {
    if (auto refused = NumberIn::read(reading, value)) return refused;
    if (n > kMostBytes) return refuse(Refusal::Kind::Range, "an integer from 0 to 4194304");
    return {};
  }
};

template <class N>
struct NumbersIn : In {  // const std::vector<N> &
  std::vector<N> numbers;
  Refused read(const Reading&, Napi::Value value) override {
    if (!value.IsArray()) return refuse(Refusal::Kind::Type, "an array of numbers");
    auto array = value.As<Napi::Array>();
    if (array.Length() > kMostNumbers)
      return refuse(Refusal::Kind::Range, "an array of at most 1024 numbers");
    numbers.resize(array.Length());
    for (uint32_t i = 0; i < numbers.size(); ++i)
      if (auto refused = numberFromJs<N>(array[i], numbers[i])) {
        refused->expected = "an array, each item " + refused->expected;
        return refused;
      }
    return {};
  }
  size_t length() const override { return numbers.size(); }
  void pass(Word* words) override { *words = Word(&numbers); }
};

struct StreamIn : HandleIn<virStream> {  // StreamObject *
  void pass(Word* words) override { *words = Word(static_cast<StreamObject*>(object.get())); }
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
    if (js.IsEmpty()) return env.Undefined();  // the environment is ending: nobody will see it
    if (!bytes.empty()) std::memcpy(js.Data(), bytes.data(), bytes.size());
    return js;
  }
};

struct DescriptorsOut : Out {  // Descriptors *
  static constexpr const char* result = "list";
  Descriptors descriptors;
  void pass(Word* words) override { *words = Word(&descriptors); }
  Napi::Value give(Napi::Env env) override {
    const auto taken = descriptors.take();
    auto js = Napi::Array::New(env, taken.size());
    for (uint32_t i = 0; i < taken.size(); ++i) js[i] = Napi::Number::New(env, taken[i]);
    return js;
  }
};

struct DescriptorOut : DescriptorsOut {  // Descriptor *
  static constexpr const char* result = "value";
  Napi::Value give(Napi::Env env) override { return Napi::Number::New(env, descriptors.take().front()); }
};

struct DataOut : Out {  // Data *
  static constexpr const char* result = "data";
  Data data;
  void pass(Word* words) override { *words = Word(&data); }
  Napi::Value give(Napi::Env env) override { return data.toJs(env); }
};

}  // namespace virt
