// One kind of event on its way to one consumer: a bounded queue, filled by libvirt's event loop and emptied
// in JavaScript. A consumer that is too slow loses events, which are counted, and slows nobody else down.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "callback.h"
#include "environment.h"
#include "event.h"
#include "session.h"

namespace virt {

class Subscription : public Deliverable, public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(const EventLine& line, std::shared_ptr<Environment> environment,
               std::weak_ptr<Session> session, std::shared_ptr<Callback> push, size_t limit)
      : line_(line),
        environment_(std::move(environment)),
        session_(std::move(session)),
        push_(std::move(push)),
        limit_(limit) {}

  // Own threads.
  bool enroll(virConnectPtr connection, virDomainPtr domain);
  void deregister(virConnectPtr connection);
  void arrived(virDomainPtr domain, std::vector<EventValue> values);

  // On the JavaScript thread. Nothing is told any more.
  void stop() { push_.reset(); }
  void deliver(Napi::Env env, int) override;

 private:
  const EventLine& line_;
  const std::shared_ptr<Environment> environment_;
  const std::weak_ptr<Session> session_;
  std::shared_ptr<Callback> push_;
  const size_t limit_;
  int id_ = -1;

  std::mutex mutex_;
  std::vector<Event> events_;
  double dropped_ = 0;
  bool announced_ = false;
};

}  // namespace virt
