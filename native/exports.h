// What the addon gives to JavaScript beside the tables' lines, file by file.
#pragma once
#include <napi.h>

#include <span>

#include "call.h"

namespace virt {

// settle, timeoutMs, urgent: how every call begins. It returns its ticket.
constexpr size_t kFrame = 3;
inline CallFrame frameOf(const Napi::CallbackInfo& info) {
  return {info[0], info[1].As<Napi::Number>().DoubleValue(), info[2].As<Napi::Boolean>().Value()};
}

inline Napi::Array textList(Napi::Env env, std::span<const char* const> texts) {
  auto js = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) js[i] = Napi::String::New(env, texts[i]);
  return js;
}

// Each enters its functions.
void exportMembers(Napi::Env env, Napi::Object exports);
void exportOpen(Napi::Env env, Napi::Object exports);
void exportClose(Napi::Env env, Napi::Object exports);
void exportEvents(Napi::Env env, Napi::Object exports);
void exportLeases(Napi::Env env, Napi::Object exports);

}  // namespace virt
