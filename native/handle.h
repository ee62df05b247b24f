// libvirt's reference-counted objects: who owns them, and how JavaScript names them.
#pragma once
#include <libvirt/libvirt.h>
#include <napi.h>

#include <memory>
#include <optional>

#include "error.h"
#include "library.h"

namespace virt {

class Session;

// One kind of libvirt object: the name of its JavaScript class, and libvirt's own ref and free.
struct Kind {
  const char* name;
  const char* listName;
  int (*ref)(void*);
  int (*free)(void*);
};

template <class T>
struct KindOf;
#define VIRT_KIND(TYPE, NAME, REF, FREE)                                                                 \
  template <>                                                                                            \
  struct KindOf<TYPE> {                                                                                  \
    static constexpr Kind kind{NAME, NAME "[]", [](void* p) { return VIR(REF)(static_cast<TYPE*>(p)); }, \
                               [](void* p) { return VIR(FREE)(static_cast<TYPE*>(p)); }};                \
  }
VIRT_KIND(virConnect, "Connection", virConnectRef, virConnectClose);
VIRT_KIND(virDomain, "Domain", virDomainRef, virDomainFree);
VIRT_KIND(virDomainSnapshot, "DomainSnapshot", virDomainSnapshotRef, virDomainSnapshotFree);
VIRT_KIND(virStoragePool, "StoragePool", virStoragePoolRef, virStoragePoolFree);
VIRT_KIND(virStorageVol, "StorageVol", virStorageVolRef, virStorageVolFree);
VIRT_KIND(virDomainCheckpoint, "DomainCheckpoint", virDomainCheckpointRef, virDomainCheckpointFree);
VIRT_KIND(virNetwork, "Network", virNetworkRef, virNetworkFree);
VIRT_KIND(virNetworkPort, "NetworkPort", virNetworkPortRef, virNetworkPortFree);
VIRT_KIND(virInterface, "Interface", virInterfaceRef, virInterfaceFree);
VIRT_KIND(virNodeDevice, "NodeDevice", virNodeDeviceRef, virNodeDeviceFree);
VIRT_KIND(virNWFilter, "NWFilter", virNWFilterRef, virNWFilterFree);
VIRT_KIND(virNWFilterBinding, "NWFilterBinding", virNWFilterBindingRef, virNWFilterBindingFree);
VIRT_KIND(virSecret, "Secret", virSecretRef, virSecretFree);
#undef VIRT_KIND

// The host keeps a stream that nobody finished for as long as the connection lives.
template <>
struct KindOf<virStream> {
  static constexpr Kind kind{"Stream", "Stream[]",
                             [](void* p) { return VIR(virStreamRef)(static_cast<virStreamPtr>(p)); },
                             [](void* p) {
                               auto* stream = static_cast<virStreamPtr>(p);
                               VIR(virStreamEventRemoveCallback)(stream);
                               VIR(virStreamAbort)(stream);
                               return VIR(virStreamFree)(stream);
                             }};
};

template <class T>
concept IsHandle = requires {
  KindOf<T>::kind;
};

// One owned reference. The last one may talk to the host: wherever this is destroyed, libvirt's own free runs
// on a lane.
class Object {
 public:
  Object(const Kind& kind, void* p, std::shared_ptr<Session> session);
  ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const Kind& kind;
  void* const p;
  const std::shared_ptr<Session> session;
};

template <class T>
std::shared_ptr<Object> adopt(T* p, const std::shared_ptr<Session>& session) {
  return std::make_shared<Object>(KindOf<T>::kind, p, session);
}
std::shared_ptr<Object> adopt(virStreamPtr stream, const std::shared_ptr<Session>& session);

// What JavaScript holds. Closing the session takes the object away; the handle stays, and knows that it is
// closed.
class Handle {
 public:
  explicit Handle(std::shared_ptr<Object> object);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const Kind& kind;
  const std::shared_ptr<Session> session;
  std::shared_ptr<Object> object;  // guarded by the session

  static Napi::Value toJs(Napi::Env env, std::shared_ptr<Object> object);
  // Null: not a handle of this copy of the addon.
  static Handle* fromJs(napi_env env, napi_value value);
};

}  // namespace virt
