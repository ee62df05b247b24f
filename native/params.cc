#include "params.h"

#include <algorithm>

namespace virt {

namespace {

Napi::Value paramToJs(Napi::Env env, const virTypedParameter& p) {
  switch (p.type) {
    case VIR_TYPED_PARAM_INT:
      return numberToJs(env, p.value.i);
    case VIR_TYPED_PARAM_UINT:
      return numberToJs(env, p.value.ui);
    case VIR_TYPED_PARAM_LLONG:
      return numberToJs(env, p.value.l);
    case VIR_TYPED_PARAM_ULLONG:
      return numberToJs(env, p.value.ul);
    case VIR_TYPED_PARAM_DOUBLE:
      return numberToJs(env, p.value.d);
    case VIR_TYPED_PARAM_BOOLEAN:
      return Napi::Boolean::New(env, p.value.b != 0);
    case VIR_TYPED_PARAM_STRING:
      return textToJs(env, p.value.s);
    default:
      return env.Undefined();
  }
}

template <class N, class Add>
Refused addNumber(Napi::Value value, const char* name, ParamList& into, Add add) {
  N n{};
  auto refused = numberFromJs(value, n);
  if (!refused) add(&into.list, &into.count, &into.room, name, n);
  return refused;
}

Refused addParam(Napi::Value value, const ParamField& field, ParamList& into) {
  switch (field.type) {
    case VIR_TYPED_PARAM_INT:
      return addNumber<int>(value, field.name, into, VIR(virTypedParamsAddInt));
    case VIR_TYPED_PARAM_UINT:
      return addNumber<unsigned>(value, field.name, into, VIR(virTypedParamsAddUInt));
    case VIR_TYPED_PARAM_LLONG:
      return addNumber<long long>(value, field.name, into, VIR(virTypedParamsAddLLong));
    case VIR_TYPED_PARAM_ULLONG:
      return addNumber<unsigned long long>(value, field.name, into, VIR(virTypedParamsAddULLong));
    case VIR_TYPED_PARAM_DOUBLE:
      return addNumber<double>(value, field.name, into, VIR(virTypedParamsAddDouble));
    case VIR_TYPED_PARAM_BOOLEAN:
      if (!value.IsBoolean()) return refuse(Refusal::Kind::Type, "a boolean");
      VIR(virTypedParamsAddBoolean)
      (&into.list, &into.count, &into.room, field.name, value.As<Napi::Boolean>().Value());
      return {};
    default: {
      std::string text;
      auto refused = textFromJs(value, text);
      if (!refused)
        VIR(virTypedParamsAddString)(&into.list, &into.count, &into.room, field.name, text.c_str());
      return refused;
    }
  }
}

Refused addList(Napi::Value value, const ParamField& field, ParamList& into) {
  if (!value.IsArray()) return refuse(Refusal::Kind::Type, "an array");
  auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i)
    if (auto refused = addParam(array[i], field, into)) {
      refused->expected = "an array, each item " + refused->expected;
      return refused;
    }
  return {};
}

std::string namesOf(std::span<const ParamField> schema) {
  std::string names;
  for (auto& field : schema) names += (names.empty() ? "" : ", ") + std::string(field.name);
  return names;
}

}  // namespace

Napi::Value paramsToJs(Napi::Env env, const virTypedParameter* list, int count) {
  auto js = Napi::Object::New(env);
  for (int i = 0; i < count; ++i) js.Set(list[i].field, paramToJs(env, list[i]));
  return js;
}

Napi::Value ParamNames::operator()(std::string_view name) {
  auto& value = made_[name];
  if (value.IsEmpty()) value = Napi::String::New(env_, name.data(), name.size());
  return value;
}

void paramsToList(const virTypedParameter* list, int count, ParamNames& names, Napi::Array into,
                  uint32_t at) {
  for (int i = 0; i < count; ++i) {
    into[at++] = names(list[i].field);
    into[at++] = paramToJs(into.Env(), list[i]);
  }
}

Refused paramsFromJs(Napi::Value value, std::span<const ParamField> schema, ParamList& into) {
  if (!value.IsObject() || value.IsArray())
    return refuse(Refusal::Kind::Type, "an object with " + namesOf(schema));
  auto object = value.As<Napi::Object>();
  auto keys = object.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = Napi::Value(keys[i]).ToString().Utf8Value();
    const auto field = std::ranges::find_if(schema, [&](auto& candidate) { return key == candidate.name; });
    if (field == schema.end())
      return refuse(Refusal::Kind::Value,
                    "an object with none but " + namesOf(schema) + "; '" + key + "' is none of them");
    const Napi::Value given = object.Get(key);
    if (given.IsUndefined()) continue;
    if (auto refused = field->isList ? addList(given, *field, into) : addParam(given, *field, into)) {
      refused->expected = "an object whose " + key + " is " + refused->expected;
      return refused;
    }
  }
  return {};
}

}  // namespace virt
