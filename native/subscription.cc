#include "subscription.h"

#include <map>

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

bool EventSource::removeLastOf(const Session* owner) {
  std::lock_guard lock(mutex_);
  return std::erase_if(consumers_, [&](auto& each) { return each->owner == owner; }) > 0 &&
         consumers_.empty();
}

void EventSource::arrived(void* object, DataList values) {
  const Kind& kind = line_.subject.kind;
  // One for each session, for a handle is of one. They outlive the lock: a session may end with them, and
  // asks for it then.
  std::vector<Event> told;
  std::lock_guard lock(mutex_);
  for (auto& consumer : consumers_) {
    auto session = consumer->session.lock();
    if (!session) continue;
    if (told.empty() || told.back().object->session != session) {
      kind.ref(object);
      told.push_back({std::make_shared<Object>(kind, object, std::move(session)), values});
    }
    consumer->arrived(told.back());
  }
}

std::shared_ptr<EventSources> EventSources::of(virConnectPtr connection) {
  static auto& mutex = *new std::mutex;
  static auto& known = *new std::map<virConnectPtr, std::weak_ptr<EventSources>>;
  std::lock_guard lock(mutex);
  std::erase_if(known, [](auto& entry) { return entry.second.expired(); });
  auto& entry = known[connection];
  auto sources = entry.lock();
  if (!sources) entry = sources = std::make_shared<EventSources>();
  return sources;
}

bool EventSources::add(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection, void* object,
                       const std::string& name) {
  std::lock_guard lock(mutex_);
  for (auto& source : list_)
    if (source->isFor(consumer->line, name)) {
      source->add(consumer);
      return true;
    }
  auto source = std::make_shared<EventSource>(consumer->line, name);
  source->add(consumer);  // before the first event can come
  if (!source->enroll(connection, object)) return false;
  list_.push_back(std::move(source));
  return true;
}

void EventSources::remove(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection) {
  std::lock_guard lock(mutex_);
  std::erase_if(list_, [&](auto& source) {
    if (!source->removeLast(consumer)) return false;
    source->deregister(connection);
    return true;
  });
}

bool EventSources::removeOf(const Session* owner, virConnectPtr connection) {
  std::lock_guard lock(mutex_);
  return std::erase_if(list_, [&](auto& source) {
           if (!source->removeLastOf(owner)) return false;
           source->deregister(connection);
           return true;
         }) > 0;
}

std::vector<std::shared_ptr<EventSource>> EventSources::takeOf(const Session* owner) {
  std::vector<std::shared_ptr<EventSource>> ended;
  std::lock_guard lock(mutex_);
  std::erase_if(list_, [&](auto& source) {
    if (!source->removeLastOf(owner)) return false;
    ended.push_back(source);
    return true;
  });
  return ended;
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
