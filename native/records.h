// Lists of structs with contents of their own: what each looks like in JavaScript, and how libvirt frees it.
#pragma once
#include <libvirt/libvirt.h>

#include "handle.h"
#include "params.h"

namespace virt {

// A record that comes as an array of pointers. `Kept` is what must be taken from it where libvirt may be
// called.
template <class S>
struct Record;

template <>
struct Record<virDomainFSInfo> {
  static constexpr const char* name = "object[]";
  static void free(virDomainFSInfo* info) { VIR(virDomainFSInfoFree)(info); }
  static void keep(virDomainFSInfo&, const std::shared_ptr<Session>&, std::shared_ptr<Object>&) {}
  static Napi::Value toJs(Napi::Env env, const virDomainFSInfo& info, const std::shared_ptr<Object>&,
                          ParamNames&) {
    auto js = Napi::Object::New(env);
    js.Set("mountpoint", textToJs(env, info.mountpoint));
    js.Set("name", textToJs(env, info.name));
    js.Set("fstype", textToJs(env, info.fstype));
    auto aliases = Napi::Array::New(env, info.ndevAlias);
    for (uint32_t i = 0; i < info.ndevAlias; ++i) aliases[i] = textToJs(env, info.devAlias[i]);
    js.Set("devAlias", aliases);
    return js;
  }
};

template <>
struct Record<virDomainStatsRecord> {
  static constexpr const char* name = "DomainStats[]";
  // libvirt frees such records as a whole list; taken apart, each is the parameters, the guest and the block
  // itself.
  static void free(virDomainStatsRecord* record) {
    VIR(virTypedParamsFree)(record->params, record->nparams);
    ::free(record);
  }
  static void keep(virDomainStatsRecord& record, const std::shared_ptr<Session>& session,
                   std::shared_ptr<Object>& kept) {
    kept = adopt(std::exchange(record.dom, nullptr), session);
  }
  // The guest, and its parameters one after the other: TypeScript makes the objects, and would only have to
  // take others apart.
  static Napi::Value toJs(Napi::Env env, const virDomainStatsRecord& record,
                          const std::shared_ptr<Object>& kept, ParamNames& names) {
    auto js = Napi::Array::New(env, 1 + 2 * static_cast<size_t>(record.nparams));
    js[uint32_t{0}] = Handle::toJs(env, kept);
    paramsToList(record.params, record.nparams, names, js, 1);
    return js;
  }
};

// A record that comes in an array that we allocate, after asking how many there are.
template <class S>
struct Filled;

template <>
struct Filled<virDomainDiskError> {
  static void clear(virDomainDiskError& error) { ::free(error.disk); }
  static Napi::Value toJs(Napi::Env env, const virDomainDiskError& error) {
    auto js = Napi::Object::New(env);
    js.Set("disk", textToJs(env, error.disk));
    js.Set("error", numberToJs(env, error.error));
    return js;
  }
};

}  // namespace virt
