// A JavaScript function that native code may hold on any thread and call on the JavaScript thread.
#pragma once
#include <napi.h>

#include <initializer_list>
#include <memory>

namespace virt {

class Environment;

class Callback {
 public:
  Callback(Napi::Env env, napi_value function);
  ~Callback();
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

  // On the JavaScript thread.
  void call(Napi::Env env, std::initializer_list<napi_value> arguments) const;

 private:
  const std::shared_ptr<Environment> environment_;
  napi_ref reference_ = nullptr;
};

// Calls into JavaScript with nobody above to catch: an exception there is reported as uncaught.
void callBack(Napi::Env env, napi_value function, std::initializer_list<napi_value> arguments);

}  // namespace virt
