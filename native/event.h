// EVENT("lifecycle", ...): an event of libvirt, deduced from the signature of its C callback.
#pragma once
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>

#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "handle.h"
#include "params.h"
#include "tags.h"

namespace virt {

// A value of an event, taken on the thread of libvirt's event loop.
using EventValue =
    std::variant<std::nullptr_t, double, int64_t, uint64_t, std::string, std::shared_ptr<ParamList>>;

struct Event {
  std::shared_ptr<Object> domain;
  std::vector<EventValue> values;
  Napi::Value toJs(Napi::Env env, const std::vector<const char*>& names) const;
};

// Where a callback of libvirt leaves its event; `data` is what was given at the registration.
void arrived(void* data, virDomainPtr domain, std::vector<EventValue> values);

inline EventValue eventValue(const char* text) {
  return text ? EventValue(std::string(text)) : EventValue(nullptr);
}
template <class N>
requires(std::is_integral_v<N>) EventValue eventValue(N n) {
  if constexpr (std::is_same_v<N, long long>)
    return static_cast<int64_t>(n);
  else if constexpr (std::is_same_v<N, unsigned long long>)
    return static_cast<uint64_t>(n);
  else
    return static_cast<double>(n);
}
EventValue eventParams(virTypedParameterPtr list, int count);

// One kind of event.
struct EventLine {
  const char* name;
  int id;  // VIR_DOMAIN_EVENT_ID_*; -1: of QEMU's monitor
  virConnectDomainEventGenericCallback callback;
  std::vector<const char*> fields;
};

// The C callback for a signature: connection, domain, values, data.
template <class F>
struct EventCallback;
template <class R, class... A>
struct EventCallback<R (*)(virConnectPtr, virDomainPtr, A...)> {
  using F = R (*)(virConnectPtr, virDomainPtr, A...);
  static R call(virConnectPtr, virDomainPtr domain, A... a) {
    take(domain, std::tuple(a...), std::make_index_sequence<sizeof...(A) - 1>());
    return R();
  }

 private:
  template <size_t... i>
  static void take(virDomainPtr domain, std::tuple<A...> all, std::index_sequence<i...>) {
    std::vector<EventValue> values;
    if constexpr (sizeof...(A) == 3 &&
                  std::is_same_v<std::tuple_element_t<0, std::tuple<A...>>, virTypedParameterPtr>)
      values.push_back(eventParams(std::get<0>(all), std::get<1>(all)));
    else
      (values.push_back(eventValue(std::get<i>(all))), ...);
    arrived(std::get<sizeof...(A) - 1>(all), domain, std::move(values));
  }
};

// What comes through the generic registration under another signature is cast back by libvirt.
template <class F, Name... fields>
EventLine eventLine(const char* name, int id) {
  F callback = &EventCallback<F>::call;
  return {name,
          id,
          reinterpret_cast<virConnectDomainEventGenericCallback>(reinterpret_cast<void (*)()>(callback)),
          {fields.text...}};
}
#define EVENT(name, id, callback, ...) ::virt::eventLine<callback __VA_OPT__(, ) __VA_ARGS__>(name, id)

const std::vector<EventLine>& eventTable();

}  // namespace virt
