#include "error.h"

#include <libvirt/libvirt.h>

#include "library.h"

namespace virt {

namespace {
std::optional<std::string> optional(const char* text) {
  return text ? std::optional<std::string>(text) : std::nullopt;
}
Napi::Value textOrNull(Napi::Env env, const std::optional<std::string>& text) {
  return text ? Napi::Value(Napi::String::New(env, *text)) : env.Null();
}
}  // namespace

Failure Failure::last() {
  Failure failure;
  const virError* error = VIR(virGetLastError)();
  if (!error || error->code == VIR_ERR_OK) return failure;
  failure.code = error->code, failure.domain = error->domain, failure.level = error->level;
  if (error->message) failure.message = error->message;
  failure.str1 = optional(error->str1), failure.str2 = optional(error->str2),
  failure.str3 = optional(error->str3);
  failure.int1 = error->int1, failure.int2 = error->int2;
  return failure;
}

Failure Failure::unavailable(const char* function) {
  Failure failure;
  failure.code = VIR_ERR_NO_SUPPORT;
  if (const auto& problem = libraryProblem(function)) {
    failure.soname = problem.soname;
    failure.message = problem.reason;
    return failure;
  }
  const auto version = libraryVersion();
  failure.message = "this function is not supported by the installed libvirt " +
                    std::to_string(version / 1000000) + "." + std::to_string(version / 1000 % 1000) + "." +
                    std::to_string(version % 1000) + ": " + function;
  return failure;
}

Failure Failure::closed() {
  Failure failure;
  failure.code = VIR_ERR_INVALID_CONN;
  failure.message = "the connection is closed";
  return failure;
}

Failure Failure::noThread() {
  Failure failure;
  failure.code = VIR_ERR_NO_MEMORY;
  failure.message = "the system refused to start a thread";
  return failure;
}

Napi::Value Failure::toJs(Napi::Env env) const {
  auto js = Napi::Object::New(env);
  js.Set("kind", soname.empty() ? "libvirt" : "library");
  js.Set("code", code), js.Set("domain", domain), js.Set("level", level);
  js.Set("message", message);
  js.Set("str1", textOrNull(env, str1)), js.Set("str2", textOrNull(env, str2)),
      js.Set("str3", textOrNull(env, str3));
  js.Set("int1", int1), js.Set("int2", int2);
  if (!soname.empty()) js.Set("soname", soname);
  return js;
}

Napi::Value Refusal::toJs(Napi::Env env) const {
  static constexpr const char* codes[] = {"ERR_INVALID_ARG_TYPE", "ERR_INVALID_ARG_VALUE",
                                          "ERR_OUT_OF_RANGE"};
  auto js = Napi::Object::New(env);
  js.Set("code", codes[static_cast<int>(kind)]);
  js.Set("expected", expected);
  js.Set("parameter", parameter);
  return js;
}

}  // namespace virt
