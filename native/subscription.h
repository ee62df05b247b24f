// Events on their way from libvirt's event loop to their consumers.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "callback.h"
#include "environment.h"
#include "event.h"
#include "session.h"

namespace virt {

// One consumer: a bounded queue, of which JavaScript holds the older part. One that is too slow loses events,
// which are counted, and slows nobody else down.
class Subscription : public Deliverable, public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(const EventLine& line, const std::shared_ptr<Session>& session,
               std::shared_ptr<Environment> environment, std::shared_ptr<Callback> push, size_t limit)
      : line(line),
        owner(session.get()),
        session(session),
        environment_(std::move(environment)),
        push_(std::move(push)),
        limit_(limit) {}

  const EventLine& line;
  const Session* const owner;  // only to be compared
  const std::weak_ptr<Session> session;

  // On the thread of the event loop.
  void arrived(const Event& event);

  // On the JavaScript thread. Nothing is told any more.
  void stop() { push_.reset(); }
  void deliver(Napi::Env env, int) override;
  // So many of the events that were given to JavaScript wait there for their consumer.
  void wait(size_t events);

 private:
  const std::shared_ptr<Environment> environment_;
  std::shared_ptr<Callback> push_;
  const size_t limit_;

  std::mutex mutex_;
  std::vector<Event> events_;
  size_t waiting_ = 0;  // in JavaScript
  double dropped_ = 0;
  bool announced_ = false;
};

// One registration in libvirt, which allows only one per connection, kind of event and object: all consumers
// share it.
class EventSource : public std::enable_shared_from_this<EventSource> {
 public:
  EventSource(const EventLine& line, std::string object) : line_(line), object_(std::move(object)) {}

  bool isFor(const EventLine& line, const std::string& object) const {
    return &line == &line_ && object == object_;
  }

  // Own threads.
  bool enroll(virConnectPtr connection, void* object);
  void deregister(virConnectPtr connection);
  void add(const std::shared_ptr<Subscription>& consumer);
  // False: it has others left.
  bool removeLast(const std::shared_ptr<Subscription>& consumer);
  bool removeLastOf(const Session* owner);
  void arrived(void* object, DataList values);

 private:
  const EventLine& line_;
  const std::string object_;  // its UUID or name; empty: all of them
  int id_ = -1;

  std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> consumers_;
};

// All registrations of one connection of libvirt's, which several sessions may have been lent.
class EventSources {
 public:
  static std::shared_ptr<EventSources> of(virConnectPtr connection);

  // Own threads: libvirt is asked. False: its error says why not.
  bool add(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection, void* object,
           const std::string& name);
  void remove(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection);
  // All consumers of a session. True: some registration has ended with them.
  bool removeOf(const Session* owner, virConnectPtr connection);
  // The same from any thread: whoever calls deregisters what nobody listens to any more.
  std::vector<std::shared_ptr<EventSource>> takeOf(const Session* owner);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<EventSource>> list_;
};

}  // namespace virt
