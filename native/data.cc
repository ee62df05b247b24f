#include "data.h"

#include "convert.h"

namespace virt {

namespace {

struct ToJs {
  Napi::Env env;
  Napi::Value operator()(std::nullptr_t) const { return env.Null(); }
  Napi::Value operator()(bool flag) const { return Napi::Boolean::New(env, flag); }
  Napi::Value operator()(double n) const { return Napi::Number::New(env, n); }
  Napi::Value operator()(int64_t n) const { return Napi::BigInt::New(env, n); }
  Napi::Value operator()(uint64_t n) const { return Napi::BigInt::New(env, n); }
  Napi::Value operator()(const std::string& text) const { return Napi::String::New(env, text); }
  Napi::Value operator()(const DataList& list) const {
    auto js = Napi::Array::New(env, list.size());
    for (uint32_t i = 0; i < list.size(); ++i) js[i] = list[i].toJs(env);
    return js;
  }
  Napi::Value operator()(const DataObject& object) const {
    auto js = Napi::Object::New(env);
    for (auto& [name, data] : object) js.Set(name, data.toJs(env));
    return js;
  }
};

Data valueOf(const virTypedParameter& parameter) {
  switch (parameter.type) {
    case VIR_TYPED_PARAM_INT:
      return parameter.value.i;
    case VIR_TYPED_PARAM_UINT:
      return parameter.value.ui;
    case VIR_TYPED_PARAM_LLONG:
      return parameter.value.l;
    case VIR_TYPED_PARAM_ULLONG:
      return parameter.value.ul;
    case VIR_TYPED_PARAM_DOUBLE: {
      Data data;
      data.value = parameter.value.d;
      return data;
    }
    case VIR_TYPED_PARAM_BOOLEAN:
      return parameter.value.b != 0;
    case VIR_TYPED_PARAM_STRING:
      return parameter.value.s;
    default:
      return {};
  }
}

}  // namespace

Napi::Value Data::toJs(Napi::Env env) const { return std::visit(ToJs{env}, value); }

Data dataOf(const virTypedParameter* list, int count) {
  DataObject object;
  for (int i = 0; i < count; ++i) object.emplace_back(list[i].field, valueOf(list[i]));
  return object;
}

Data cpusOf(const unsigned char* map, int bytes) {
  DataList cpus;
  for (int cpu = 0; cpu < bytes * 8; ++cpu)
    if (map[cpu / 8] & (1 << (cpu % 8))) cpus.emplace_back(cpu);
  return cpus;
}

}  // namespace virt
