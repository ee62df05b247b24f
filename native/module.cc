// What JavaScript sees of the addon: each part enters its functions.
#include "convert.h"
#include "exports.h"
#include "library.h"

namespace virt {

namespace {

// (ticket) => undefined
Napi::Value abandon(const Napi::CallbackInfo& info) {
  auto& calls = Environment::of(info.Env()).calls;
  const auto found = calls.find(info[0].As<Napi::Number>().Uint32Value());
  if (found == calls.end()) return info.Env().Undefined();
  if (auto call = found->second.lock()) call->abandon(Call::Abandoned);
  return info.Env().Undefined();
}

// (hold) => undefined: a waiting consumer keeps the process alive
Napi::Value hold(const Napi::CallbackInfo& info) {
  auto& environment = Environment::of(info.Env());
  if (info[0].As<Napi::Boolean>().Value())
    environment.hold(info.Env());
  else
    environment.letGo(info.Env());
  return info.Env().Undefined();
}

// () => number | failure
Napi::Value version(const Napi::CallbackInfo& info) {
  if (!symbolOf("virGetVersion")) return Failure::unavailable("virGetVersion").toJs(info.Env());
  unsigned long version = 0;
  if (VIR(virGetVersion)(&version, nullptr, nullptr) < 0) return Failure::last().toJs(info.Env());
  return numberToJs(info.Env(), version);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  guardExit();
  Environment::create(env);
  exportMembers(env, exports);
  exportOpen(env, exports);
  exportClose(env, exports);
  exportEvents(env, exports);
  exportLeases(env, exports);
  exports.Set("abandon", Napi::Function::New(env, abandon, "abandon"));
  exports.Set("hold", Napi::Function::New(env, hold, "hold"));
  exports.Set("version", Napi::Function::New(env, version, "version"));
  return exports;
}

}  // namespace

NODE_API_MODULE(disksnapshot_native, init)

}  // namespace virt
