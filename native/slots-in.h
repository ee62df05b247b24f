// Slots of what goes into libvirt.
#pragma once
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "params.h"
#include "slot.h"

namespace virt {

template <class N>
struct NumberIn : In {
  N n{};
  Refused read(const Reading&, Napi::Value value) override { return numberFromJs(value, n); }
  void pass(Word* words) override { *words = Word(n); }
};

struct FlagsIn : Slot {  // the convention of nearly all functions: a last `unsigned int`
  static constexpr bool isFlags = true;
  void pass(Word*) override {}  // the call has them
};

struct TextIn : In {
  std::optional<std::string> text;
  Refused read(const Reading&, Napi::Value value) override { return textFromJs(value, text.emplace()); }
  void pass(Word* words) override { *words = Word(text ? text->c_str() : nullptr); }
};

struct UuidIn : In {  // const unsigned char *uuid
  std::array<unsigned char, VIR_UUID_BUFLEN> uuid{};
  Refused read(const Reading&, Napi::Value value) override {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
      return refuse(Refusal::Kind::Type, "a Uint8Array of 16 bytes");
    auto bytes = value.As<Napi::Uint8Array>();
    if (bytes.ByteLength() != uuid.size()) return refuse(Refusal::Kind::Value, "a Uint8Array of 16 bytes");
    std::memcpy(uuid.data(), bytes.Data(), uuid.size());
    return {};
  }
  void pass(Word* words) override { *words = Word(uuid.data()); }
};

template <class T>
struct HandleIn : In {
  std::shared_ptr<Object> object;
  Refused read(const Reading& reading, Napi::Value value) override {
    return handleFromJs(reading, value, KindOf<T>::kind, object);
  }
  void pass(Word* words) override { *words = Word(object ? object->p : nullptr); }
};

// A connection that is not the call's own: the other end of a migration.
struct OtherConnectionIn : In {
  static constexpr bool isHome = true;
  std::shared_ptr<Object> object;
  Refused read(const Reading& reading, Napi::Value value) override {
    Handle* handle = Handle::fromJs(reading.env, value);
    if (!handle || &handle->kind != &KindOf<virConnect>::kind)
      return refuse(Refusal::Kind::Type, "a Connection");
    object = handle->session->objectOf(*handle);
    if (!object) return refuse(Refusal::Kind::Value, "an open Connection");
    return {};
  }
  void pass(Word* words) override { *words = Word(object->p); }
  std::shared_ptr<Session> home() const override { return object->session; }
};

template <class T>
struct HandleListIn : In {  // T **, ended by a null
  std::vector<std::shared_ptr<Object>> objects;
  std::vector<T*> list;
  Refused read(const Reading& reading, Napi::Value value) override {
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
  void pass(Word* words) override { *words = Word(list.data()); }
};

template <class Count>
struct TextListIn : In {  // const char **, count
  static constexpr size_t takes = 2;
  std::vector<std::string> texts;
  std::vector<const char*> list;
  Refused read(const Reading&, Napi::Value value) override {
    if (!value.IsArray()) return refuse(Refusal::Kind::Type, "an array of strings");
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
  void pass(Word* words) override {
    words[0] = Word(list.empty() ? nullptr : list.data());
    words[1] = Word(static_cast<Count>(list.size()));
  }
};

template <class Count>
struct ParamsIn : In {  // virTypedParameterPtr, count
  static constexpr bool takesParams = true;
  static constexpr size_t takes = 2;
  std::unique_ptr<ParamList> params = std::make_unique<ParamList>();
  Refused read(const Reading& reading, Napi::Value value) override {
    return paramsFromJs(value, reading.schema, *params);
  }
  void pass(Word* words) override {
    words[0] = Word(params->list);
    words[1] = Word(static_cast<Count>(params->count));
  }
};

}  // namespace virt
