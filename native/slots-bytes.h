// A buffer and its size: bytes on their way into a stream, and out of it. libvirt never sees JavaScript's
// memory, which may be gone before a call that was given up returns.
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "argument.h"
#include "callback.h"
#include "slot.h"

namespace virt {

inline Refused bytesFromJs(Napi::Value value) {
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) return {};
  return refuse(Refusal::Kind::Type, "a Uint8Array");
}

struct BytesIn : In {  // const char *, size_t
  static constexpr size_t takes = 2;
  std::vector<char> bytes;
  Refused read(const Reading&, Napi::Value value) override {
    if (auto refused = bytesFromJs(value)) return refused;
    auto array = value.As<Napi::Uint8Array>();
    bytes.assign(array.Data(), array.Data() + array.ByteLength());
    return {};
  }
  void pass(Word* words) override {
    words[0] = Word(bytes.data());
    words[1] = Word(bytes.size());
  }
};

struct BytesOut : In {  // char *, size_t: filled, and copied into the array when JavaScript has its turn
  static constexpr size_t takes = 2;
  std::unique_ptr<Held> array;
  std::unique_ptr<char[]> bytes;
  size_t size = 0;
  Refused read(const Reading& reading, Napi::Value value) override {
    if (auto refused = bytesFromJs(value)) return refused;
    size = value.As<Napi::Uint8Array>().ByteLength();
    bytes = std::make_unique_for_overwrite<char[]>(size);
    array = std::make_unique<Held>(reading.env, value);
    return {};
  }
  void pass(Word* words) override {
    words[0] = Word(bytes.get());
    words[1] = Word(size);
  }
  void arrived(Napi::Env env, int count) override {
    auto js = array->value(env).As<Napi::Uint8Array>();
    // It may have been detached or shrunk meanwhile.
    if (count > 0) std::copy_n(bytes.get(), std::min<size_t>(count, js.ByteLength()), js.Data());
  }
};

}  // namespace virt
