// A JavaScript value that native code may hold on any thread, a function among them.
#pragma once
#include <napi.h>

#include <initializer_list>
#include <memory>

namespace virt {

class Environment;

class Held {
 public:
  Held(Napi::Env env, napi_value value);
  ~Held();
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  // On the JavaScript thread.
  Napi::Value value(Napi::Env env) const;

 private:
  const std::shared_ptr<Environment> environment_;
  const napi_ref reference_;
};

class Callback : Held {
 public:
  using Held::Held;

  // On the JavaScript thread. Empty: it threw, or its environment is ending.
  Napi::Value call(Napi::Env env, std::initializer_list<napi_value> arguments) const;
};

// Calls into JavaScript with nobody above to catch: an exception there is reported as uncaught, and
// nothing comes back.
Napi::Value callBack(Napi::Env env, napi_value function, std::initializer_list<napi_value> arguments);

}  // namespace virt
