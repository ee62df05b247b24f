// EVENT("lifecycle", ...): an event of libvirt, deduced from the signature of its C callback.
#pragma once
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>

#include <string>
#include <tuple>
#include <vector>

#include "data.h"
#include "handle.h"
#include "tags.h"

namespace virt {

// What an event is about: a kind of object, and libvirt's functions to enroll for its events.
struct EventSubject {
  const char* key;  // in JavaScript's object
  const Kind& kind;
  std::string (*identity)(void* object);  // UUID or name; empty where it failed
  using Callback = void (*)();
  int (*enroll)(virConnectPtr connection, void* object, int id, Callback callback, void* data,
                virFreeCallback free);
  void (*deregister)(virConnectPtr connection, int enrolled);
};
extern const EventSubject domainEvents, monitorEvents, networkEvents, poolEvents, deviceEvents, secretEvents;

// Taken on the thread of libvirt's event loop.
struct Event {
  std::shared_ptr<Object> object;
  DataList values;
  Napi::Value toJs(Napi::Env env, const char* key, const std::vector<const char*>& names) const;
};

// Where a callback of libvirt leaves its event; `data` is what was given at the registration.
void arrived(void* data, void* object, DataList values);

template <class V>
Data eventValue(V value) {
  return Data(value);
}
inline Data eventValue(long n) { return Data(static_cast<long long>(n)); }
Data eventValue(const virDomainEventGraphicsAddress* address);
Data eventValue(const virDomainEventGraphicsSubject* subject);

// One kind of event.
struct EventLine {
  const char* name;
  int id;  // of libvirt's enum of the subject's events
  const EventSubject& subject;
  EventSubject::Callback callback;
  std::vector<const char*> fields;
  unsigned long first = 0;  // the libvirt that brought it, where that is newer than the oldest one supported

  EventLine since(unsigned long version) const {
    EventLine line = *this;
    line.first = version;
    return line;
  }
};

// The C callback for a signature: connection, object, values, data.
template <class F>
struct EventCallback;
template <class R, class T, class... A>
struct EventCallback<R (*)(virConnectPtr, T*, A...)> {
  using F = R (*)(virConnectPtr, T*, A...);
  static R call(virConnectPtr, T* object, A... a) {
    take(object, std::tuple(a...), std::make_index_sequence<sizeof...(A) - 1>());
    return R();
  }

 private:
  template <size_t... i>
  static void take(T* object, std::tuple<A...> all, std::index_sequence<i...>) {
    DataList values;
    if constexpr (sizeof...(A) == 3 &&
                  std::is_same_v<std::tuple_element_t<0, std::tuple<A...>>, virTypedParameterPtr>)
      values.push_back(dataOf(std::get<0>(all), std::get<1>(all)));
    else
      (values.push_back(eventValue(std::get<i>(all))), ...);
    arrived(std::get<sizeof...(A) - 1>(all), object, std::move(values));
  }
};

// What comes through the generic registration under another signature is cast back by libvirt.
template <class F, Name... fields>
EventLine eventLine(const char* name, const EventSubject& subject, int id) {
  F callback = &EventCallback<F>::call;
  return {name, id, subject, reinterpret_cast<EventSubject::Callback>(callback), {fields.text...}, 0};
}
#define EVENT(name, subject, id, callback, ...) \
  ::virt::eventLine<callback __VA_OPT__(, ) __VA_ARGS__>(name, subject, id)

const std::vector<EventLine>& eventTable();

}  // namespace virt
