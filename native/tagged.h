// C++ objects as opaque JavaScript values that nobody can forge.
#pragma once
#include <napi.h>

#include <memory>

namespace virt {

// One tag per class and per loaded copy of the addon: its lower half is an address, so that a value of a
// second copy is refused and never taken for one of ours.
template <class T>
const napi_type_tag& tagOf() {
  static const char anchor = 0;
  static const napi_type_tag tag{reinterpret_cast<uintptr_t>(&anchor), 0x6c69627669727431ull};
  return tag;
}

template <class T>
Napi::Value toTagged(Napi::Env env, std::unique_ptr<T> object) {
  napi_value value;
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<T*>(data); };
  if (napi_create_external(env, object.get(), finalize, nullptr, &value) != napi_ok) return env.Undefined();
  object.release();
  napi_type_tag_object(env, value, &tagOf<T>());
  return Napi::Value(env, value);
}

template <class T>
T* fromTagged(napi_env env, napi_value value) {
  napi_valuetype type;
  bool ours = false;
  void* data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return nullptr;
  if (napi_check_object_type_tag(env, value, &tagOf<T>(), &ours) != napi_ok || !ours) return nullptr;
  napi_get_value_external(env, value, &data);
  return static_cast<T*>(data);
}

}  // namespace virt
