#include "callback.h"

#include "environment.h"

namespace virt {

namespace {
// References are let go on the JavaScript thread; where the environment has gone, it has deleted them.
class Forget final : public Deliverable {
 public:
  explicit Forget(napi_ref reference) : reference_(reference) {}
  void deliver(Napi::Env env, int) override { Environment::of(env).forget(env, reference_); }

 private:
  napi_ref reference_;
};
}  // namespace

Held::Held(Napi::Env env, napi_value value)
    : environment_(Environment::of(env).shared_from_this()), reference_(environment_->refer(env, value)) {}

Held::~Held() { environment_->post(std::make_shared<Forget>(reference_), 0); }

Napi::Value Held::value(Napi::Env env) const {
  napi_value value = nullptr;
  napi_get_reference_value(env, reference_, &value);
  return Napi::Value(env, value);
}

Napi::Value Callback::call(Napi::Env env, std::initializer_list<napi_value> arguments) const {
  const auto function = value(env);
  return function.IsEmpty() ? Napi::Value() : callBack(env, function, arguments);
}

Napi::Value callBack(Napi::Env env, napi_value function, std::initializer_list<napi_value> arguments) {
  napi_value returned = nullptr;
  napi_call_function(env, env.Undefined(), function, arguments.size(), arguments.begin(), &returned);
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) return {env, returned};
  napi_value exception;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
  return {};
}

}  // namespace virt
