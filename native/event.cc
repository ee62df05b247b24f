#include "event.h"

#include "library.h"

namespace virt {

Napi::Value Event::toJs(Napi::Env env, const char* key, const std::vector<const char*>& names) const {
  auto js = Napi::Object::New(env);
  js.Set(key, Handle::toJs(env, object));
  for (size_t i = 0; i < names.size(); ++i) js.Set(names[i], values[i].toJs(env));
  return js;
}

Data eventValue(const virDomainEventGraphicsAddress* address) {
  return DataObject{{"family", address->family}, {"node", address->node}, {"service", address->service}};
}

Data eventValue(const virDomainEventGraphicsSubject* subject) {
  DataList identities;
  for (int i = 0; i < subject->nidentity; ++i)
    identities.emplace_back(
        DataObject{{"type", subject->identities[i].type}, {"name", subject->identities[i].name}});
  return identities;
}

namespace {

// libvirt casts the callback back to the event's own signature.
template <class Generic>
Generic generic(EventSubject::Callback callback) {
  return reinterpret_cast<Generic>(callback);
}

template <class T>
std::string uuidBy(int (*get)(T*, char*), void* object) {
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  return get(static_cast<T*>(object), uuid) < 0 ? "" : uuid;
}
#define BY_UUID(TYPE, GET) [](void* object) { return uuidBy<TYPE>(VIR(GET), object); }

#define SUBJECT(KEY, TYPE, IDENTITY, ENROLL, DEREGISTER)                                                \
  {                                                                                                     \
    KEY, KindOf<TYPE>::kind, IDENTITY,                                                                  \
        [](virConnectPtr connection, void* object, int id, EventSubject::Callback callback, void* data, \
           virFreeCallback free) {                                                                      \
          return VIR(ENROLL)(connection, static_cast<TYPE*>(object), id,                                \
                             generic<GenericOf<decltype(&ENROLL)>::type>(callback), data, free);        \
        },                                                                                              \
        [](virConnectPtr connection, int enrolled) {                                                    \
          VIR(DEREGISTER)                                                                               \
          (connection, enrolled);                                                                       \
        }                                                                                               \
  }

// The type of the callback that a registration takes.
template <class F>
struct GenericOf;
template <class T, class Callback>
struct GenericOf<int (*)(virConnectPtr, T*, int, Callback, void*, virFreeCallback)> {
  using type = Callback;
};

std::string deviceName(void* object) {
  const char* name = VIR(virNodeDeviceGetName)(static_cast<virNodeDevicePtr>(object));
  return name ? name : "";
}

}  // namespace

const EventSubject domainEvents =
    SUBJECT("domain", virDomain, BY_UUID(virDomain, virDomainGetUUIDString), virConnectDomainEventRegisterAny,
            virConnectDomainEventDeregisterAny);
const EventSubject networkEvents =
    SUBJECT("network", virNetwork, BY_UUID(virNetwork, virNetworkGetUUIDString),
            virConnectNetworkEventRegisterAny, virConnectNetworkEventDeregisterAny);
const EventSubject poolEvents =
    SUBJECT("pool", virStoragePool, BY_UUID(virStoragePool, virStoragePoolGetUUIDString),
            virConnectStoragePoolEventRegisterAny, virConnectStoragePoolEventDeregisterAny);
const EventSubject deviceEvents =
    SUBJECT("device", virNodeDevice, deviceName, virConnectNodeDeviceEventRegisterAny,
            virConnectNodeDeviceEventDeregisterAny);
const EventSubject secretEvents =
    SUBJECT("secret", virSecret, BY_UUID(virSecret, virSecretGetUUIDString), virConnectSecretEventRegisterAny,
            virConnectSecretEventDeregisterAny);

// Every event of QEMU's monitor; libvirt-qemu may be missing.
const EventSubject monitorEvents = {
    "domain", KindOf<virDomain>::kind, BY_UUID(virDomain, virDomainGetUUIDString),
    [](virConnectPtr connection, void* object, int, EventSubject::Callback callback, void* data,
       virFreeCallback free) {
      auto* enroll = VIR(virConnectDomainQemuMonitorEventRegister);
      if (!enroll) return -1;
      return enroll(connection, static_cast<virDomainPtr>(object), nullptr,
                    generic<virConnectDomainQemuMonitorEventCallback>(callback), data, free, 0);
    },
    [](virConnectPtr connection, int enrolled) {
      VIR(virConnectDomainQemuMonitorEventDeregister)(connection, enrolled);
    }};

}  // namespace virt
