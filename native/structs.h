// libvirt's plain structs as objects: each lists its fields once. The keys are the C names.
#pragma once
#include <libvirt/libvirt.h>

#include <tuple>

#include "convert.h"

namespace virt {

template <class M>
struct Field {
  const char* name;
  M member;
};

template <class S>
struct Fields;

#define VIRT_FIELDS(STRUCT, ...)                          \
  template <>                                             \
  struct Fields<STRUCT> {                                 \
    using S = STRUCT;                                     \
    static constexpr auto list = std::tuple{__VA_ARGS__}; \
  }
#define F(NAME) \
  Field { #NAME, &S::NAME }

VIRT_FIELDS(virDomainInfo, F(state), F(maxMem), F(memory), F(nrVirtCpu), F(cpuTime));
VIRT_FIELDS(virDomainBlockInfo, F(capacity), F(allocation), F(physical));
VIRT_FIELDS(virDomainBlockJobInfo, F(type), F(bandwidth), F(cur), F(end));
VIRT_FIELDS(virDomainControlInfo, F(state), F(details), F(stateTime));
VIRT_FIELDS(virDomainJobInfo, F(type), F(timeElapsed), F(timeRemaining), F(dataTotal), F(dataProcessed),
            F(dataRemaining), F(memTotal), F(memProcessed), F(memRemaining), F(fileTotal), F(fileProcessed),
            F(fileRemaining));
VIRT_FIELDS(virNodeInfo, F(model), F(memory), F(cpus), F(mhz), F(nodes), F(sockets), F(cores), F(threads));
VIRT_FIELDS(virDomainBlockStatsStruct, F(rd_req), F(rd_bytes), F(wr_req), F(wr_bytes), F(errs));
VIRT_FIELDS(virDomainInterfaceStatsStruct, F(rx_bytes), F(rx_packets), F(rx_errs), F(rx_drop), F(tx_bytes),
            F(tx_packets), F(tx_errs), F(tx_drop));
VIRT_FIELDS(virSecurityLabel, F(label), F(enforcing));
VIRT_FIELDS(virSecurityModel, F(model), F(doi));
VIRT_FIELDS(virStoragePoolInfo, F(state), F(capacity), F(allocation), F(available));
VIRT_FIELDS(virStorageVolInfo, F(type), F(capacity), F(allocation));
#undef F
#undef VIRT_FIELDS

template <class S>
concept IsStruct = requires {
  Fields<S>::list;
};

template <class V>
Napi::Value fieldToJs(Napi::Env env, const V& value) {
  if constexpr (std::is_array_v<V>)
    return textToJs(env, value);
  else
    return numberToJs(env, value);
}

template <IsStruct S>
Napi::Value structToJs(Napi::Env env, const S& s) {
  auto js = Napi::Object::New(env);
  std::apply([&](auto... field) { (js.Set(field.name, fieldToJs(env, s.*field.member)), ...); },
             Fields<S>::list);
  return js;
}

}  // namespace virt
