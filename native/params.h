// libvirt's typed parameters: to JavaScript as an object, from JavaScript by a schema, since the C type says
// nothing about which names a function takes.
#pragma once
#include <libvirt/libvirt.h>

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "convert.h"
#include "library.h"

namespace virt {

struct ParamField {
  const char* name;
  virTypedParameterType type;
  bool isList = false;  // may stand there several times: an array in JavaScript
};

// Owns a list that libvirt allocated.
struct ParamList {
  virTypedParameterPtr list = nullptr;
  int count = 0, room = 0;
  ParamList() = default;
  ParamList(const ParamList&) = delete;
  ParamList& operator=(const ParamList&) = delete;
  ~ParamList() {
    if (list) VIR(virTypedParamsFree)(list, count);
  }
};

Napi::Value paramsToJs(Napi::Env env, const virTypedParameter* list, int count);

// The names in many lists are few: each is made once.
class ParamNames {
 public:
  explicit ParamNames(Napi::Env env) : env_(env) {}
  // `name` must stay where it is.
  Napi::Value operator()(std::string_view name);

 private:
  const Napi::Env env_;
  std::unordered_map<std::string_view, Napi::Value> made_;
};
// Name, value, name, value, …, from `at` on.
void paramsToList(const virTypedParameter* list, int count, ParamNames& names, Napi::Array into, uint32_t at);
Refused paramsFromJs(Napi::Value value, std::span<const ParamField> schema, ParamList& list);

}  // namespace virt
