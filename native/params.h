// libvirt's typed parameters: to JavaScript as an object, from JavaScript by a schema, since the C type says
// nothing about which names a function takes.
#pragma once
#include <libvirt/libvirt.h>

#include <span>
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
// libvirt has no public function that copies a list.
void copyParams(const virTypedParameter* list, int count, ParamList& into);
Refused paramsFromJs(Napi::Value value, std::span<const ParamField> schema, ParamList& list);

}  // namespace virt
