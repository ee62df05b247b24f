#include "subscription.h"

#include "library.h"

namespace virt {

namespace {
// What libvirt holds for us, and frees when the registration has gone.
using Registration = std::weak_ptr<EventSource>;
void freeRegistration(void* data) { delete static_cast<Registration*>(data); }
}  // namespace

void arrived(void* data, virDomainPtr domain, std::vector<EventValue> values) {
  if (auto source = static_cast<Registration*>(data)->lock()) source->arrived(domain, std::move(values));
}

bool EventSource::enroll(virConnectPtr connection, virDomainPtr domain) {
  auto* data = new Registration(weak_from_this());
  if (line_.id >= 0) {
    id_ = VIR(virConnectDomainEventRegisterAny)(connection, domain, line_.id, line_.callback, data,
                                                freeRegistration);
  } else if (auto* enrollMonitor = VIR(virConnectDomainQemuMonitorEventRegister)) {
    const auto callback = reinterpret_cast<virConnectDomainQemuMonitorEventCallback>(
        reinterpret_cast<void (*)()>(line_.callback));
    id_ = enrollMonitor(connection, domain, nullptr, callback, data, freeRegistration, 0);
  }
  if (id_ < 0) delete data;
  return id_ >= 0;
}

void EventSource::deregister(virConnectPtr connection) {
  if (line_.id >= 0)
    VIR(virConnectDomainEventDeregisterAny)(connection, id_);
  else
    VIR(virConnectDomainQemuMonitorEventDeregister)(connection, id_);
}

void EventSource::add(const std::shared_ptr<Subscription>& consumer) {
  std::lock_guard lock(mutex_);
  consumers_.push_back(consumer);
}

bool EventSource::removeLast(const std::shared_ptr<Subscription>& consumer) {
  std::lock_guard lock(mutex_);
  return std::erase(consumers_, consumer) > 0 && consumers_.empty();
}

void EventSource::arrived(virDomainPtr domain, std::vector<EventValue> values) {
  auto session = session_.lock();
  if (!session) return;
  VIR(virDomainRef)(domain);
  const Event event{adopt(domain, session), std::move(values)};
  std::lock_guard lock(mutex_);
  for (auto& consumer : consumers_) consumer->arrived(event);
}

void Subscription::arrived(const Event& event) {
  std::lock_guard lock(mutex_);
  if (events_.size() < limit_)
    events_.push_back(event);
  else
    ++dropped_;
  if (std::exchange(announced_, true)) return;
  environment_->post(shared_from_this(), 0);
}

void Subscription::deliver(Napi::Env env, int) {
  std::vector<Event> events;
  double dropped;
  {
    std::lock_guard lock(mutex_);
    events.swap(events_);
    dropped = std::exchange(dropped_, 0);
    announced_ = false;
  }
  if (!push_) return;
  const auto push = push_;  // the consumer may unsubscribe meanwhile
  auto list = Napi::Array::New(env, events.size());
  for (uint32_t i = 0; i < events.size(); ++i) list[i] = events[i].toJs(env, line.fields);
  push->call(env, {list, Napi::Number::New(env, dropped)});
}

}  // namespace virt
