// JavaScript values to C values, with a refusal where they do not fit, and back.
#pragma once
#include <napi.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "error.h"

namespace virt {

using Refused = std::optional<Refusal>;
inline Refused refuse(Refusal::Kind kind, std::string expected) {
  return Refusal{kind, std::move(expected), -1};
}

// `long` is 64 bits wide here and 32 on other hosts of the same protocol: what it counts (KiB, versions,
// MiB/s) fits a number.
template <class N>
constexpr bool isBigInt = std::is_same_v<N, long long> || std::is_same_v<N, unsigned long long>;

template <class N>
Napi::Value numberToJs(Napi::Env env, N n) {
  if constexpr (!isBigInt<N>)
    return Napi::Number::New(env, static_cast<double>(n));
  else if constexpr (std::is_signed_v<N>)
    return Napi::BigInt::New(env, static_cast<int64_t>(n));
  else
    return Napi::BigInt::New(env, static_cast<uint64_t>(n));
}

template <class N>
std::string rangeText() {
  if constexpr (std::is_floating_point_v<N>)
    return "a finite number";
  else
    return "an integer from " + std::to_string(std::numeric_limits<N>::min()) + " to " +
           std::to_string(std::numeric_limits<N>::max());
}

template <class N>
Refused numberFromJs(Napi::Value value, N& n) {
  const auto tooFar = [] { return refuse(Refusal::Kind::Range, rangeText<N>()); };
  if (value.IsNumber()) {
    const double d = value.As<Napi::Number>().DoubleValue();
    if constexpr (std::is_floating_point_v<N>) {
      if (!std::isfinite(d)) return tooFar();
    } else {
      constexpr double safe = 9007199254740991.0;  // beyond it a number does not say which integer is meant
      if (d != std::trunc(d) || std::abs(d) > safe) return tooFar();
      if (d < static_cast<double>(std::numeric_limits<N>::min()) ||
          d > static_cast<double>(std::numeric_limits<N>::max()))
        return tooFar();
    }
    n = static_cast<N>(d);
    return {};
  }
  if (value.IsBigInt()) {
    bool lossless = false;
    if constexpr (std::is_floating_point_v<N>) {
      n = static_cast<N>(value.As<Napi::BigInt>().Int64Value(&lossless));
    } else if constexpr (std::is_signed_v<N>) {
      const int64_t wide = value.As<Napi::BigInt>().Int64Value(&lossless);
      n = static_cast<N>(wide);
      lossless = lossless && static_cast<int64_t>(n) == wide;
    } else {
      const uint64_t wide = value.As<Napi::BigInt>().Uint64Value(&lossless);
      n = static_cast<N>(wide);
      lossless = lossless && static_cast<uint64_t>(n) == wide;
    }
    if (lossless) return {};
    return tooFar();
  }
  return refuse(Refusal::Kind::Type, "a number or a bigint");
}

inline bool hasLoneSurrogate(const std::u16string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xF800) != 0xD800) continue;
    const bool isPair = text[i] < 0xDC00 && i + 1 < text.size() && (text[i + 1] & 0xFC00) == 0xDC00;
    if (!isPair) return true;
    ++i;
  }
  return false;
}

inline Refused textFromJs(Napi::Value value, std::string& text) {
  if (!value.IsString()) return refuse(Refusal::Kind::Type, "a string");
  text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos)
    return refuse(Refusal::Kind::Value, "a string without NUL characters");
  // Node-API writes U+FFFD for half a character: libvirt would hear another name than the one meant.
  if (text.find("\uFFFD") != std::string::npos && hasLoneSurrogate(value.As<Napi::String>().Utf16Value()))
    return refuse(Refusal::Kind::Value, "a string without lone surrogates");
  return {};
}

inline bool isAbsent(Napi::Value value) { return value.IsNull() || value.IsUndefined(); }

inline Napi::Value textToJs(Napi::Env env, const char* text) {
  return text ? Napi::Value(Napi::String::New(env, text)) : env.Null();
}

}  // namespace virt
