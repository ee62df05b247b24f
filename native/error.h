// Why a call failed, as plain data: the errors that JavaScript sees are made in TypeScript.
#pragma once
#include <libvirt/virterror.h>
#include <napi.h>

#include <optional>
#include <string>

namespace virt {

// libvirt's last error is thread-local: taken on the thread of the failing call, right after it.
struct Failure {
  int code = VIR_ERR_INTERNAL_ERROR, domain = VIR_FROM_NONE, level = VIR_ERR_ERROR;
  std::string message = "libvirt reported a failure without an error";
  std::optional<std::string> str1, str2, str3;
  int int1 = 0, int2 = 0;
  std::string soname;  // the library that is not installed, where that is the reason

  static Failure last();
  static Failure unavailable(const char* function);  // no such function, or no libvirt at all
  static Failure closed();
  static Failure noThread();
  Napi::Value toJs(Napi::Env env) const;
};

// A bad argument, refused before libvirt is called. TypeScript adds the names of function and parameter, and
// writes the name of the parameter at position 2 for `{2}` in `expected`.
struct Refusal {
  enum class Kind { Type, Value, Range };
  Kind kind;
  std::string expected;
  int parameter = -1;  // position in the C function; -1: the receiver

  Napi::Value toJs(Napi::Env env) const;
};

}  // namespace virt
