#include "subscription.h"

#include "library.h"

namespace virt {

namespace {
// What libvirt holds for us, and frees when the registration has gone.
using Registration = std::weak_ptr<EventSource>;
void freeRegistration(void* data) { delete static_cast<Registration*>(data); }
}  // namespace

void arrived(void* data, void* object, DataList values) {
  if (auto source = static_cast<Registration*>(data)->lock()) source->arrived(object, std::move(values));
}

bool EventSource::enroll(virConnectPtr connection, void* object) {
  auto* data = new Registration(weak_from_this());
  id_ = line_.subject.enroll(connection, object, line_.id, line_.callback, data, freeRegistration);
  if (id_ < 0) delete data;
  return id_ >= 0;
}

void EventSource::deregister(virConnectPtr connection) { line_.subject.deregister(connection, id_); }

void EventSource::add(const std::shared_ptr<Subscription>& consumer) {
  std::lock_guard lock(mutex_);
  consumers_.push_back(consumer);
}

bool EventSource::removeLast(const std::shared_ptr<Subscription>& consumer) {
  std::lock_guard lock(mutex_);
  return std::erase(consumers_, consumer) > 0 && consumers_.empty();
}

void EventSource::arrived(void* object, DataList values) {
  auto session = session_.lock();
  if (!session) return;
  const Kind& kind = line_.subject.kind;
  kind.ref(object);
  const Event event{std::make_shared<Object>(kind, object, session), std::move(values)};
  std::lock_guard lock(mutex_);
  for (auto& consumer : consumers_) consumer->arrived(event);
}

void Subscription::arrived(const Event& event) {
  std::lock_guard lock(mutex_);
  if (events_.size() + waiting_ < limit_)
    events_.push_back(event);
  else
    ++dropped_;
  if (std::exchange(announced_, true)) return;
  environment_->post(shared_from_this(), 0);
}

void Subscription::wait(size_t events) {
  std::lock_guard lock(mutex_);
  waiting_ = events;
}

void Subscription::deliver(Napi::Env env, int) {
  std::vector<Event> events;
  double dropped;
  {
    std::lock_guard lock(mutex_);
    events.swap(events_);
    waiting_ += events.size();
    dropped = std::exchange(dropped_, 0);
    announced_ = false;
  }
  if (!push_) return;
  const auto push = push_;  // the consumer may unsubscribe meanwhile
  auto list = Napi::Array::New(env, events.size());
  for (uint32_t i = 0; i < events.size(); ++i) list[i] = events[i].toJs(env, line.subject.key, line.fields);
  const auto waiting = push->call(env, {list, Napi::Number::New(env, dropped)});
  if (!waiting.IsEmpty() && waiting.IsNumber()) wait(waiting.As<Napi::Number>().Uint32Value());
}

}  // namespace virt
