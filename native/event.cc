#include "event.h"

namespace virt {

EventValue eventParams(virTypedParameterPtr list, int count) {
  auto params = std::make_shared<ParamList>();
  copyParams(list, count, *params);
  return params;
}

namespace {
struct ToJs {
  Napi::Env env;
  Napi::Value operator()(std::nullptr_t) const { return env.Null(); }
  Napi::Value operator()(double n) const { return Napi::Number::New(env, n); }
  Napi::Value operator()(int64_t n) const { return Napi::BigInt::New(env, n); }
  Napi::Value operator()(uint64_t n) const { return Napi::BigInt::New(env, n); }
  Napi::Value operator()(const std::string& text) const { return Napi::String::New(env, text); }
  Napi::Value operator()(const std::shared_ptr<ParamList>& params) const {
    return paramsToJs(env, params->list, params->count);
  }
};
}  // namespace

Napi::Value Event::toJs(Napi::Env env, const std::vector<const char*>& names) const {
  auto js = Napi::Object::New(env);
  js.Set("domain", Handle::toJs(env, domain));
  for (size_t i = 0; i < names.size(); ++i) js.Set(names[i], std::visit(ToJs{env}, values[i]));
  return js;
}

}  // namespace virt
