// One call on its way: from JavaScript to a native thread and back. Its promise is settled once, by whoever
// is first: its end, its deadline, its AbortSignal, or the close of its connection.
#pragma once
#include <atomic>
#include <memory>
#include <optional>

#include "environment.h"
#include "error.h"
#include "session.h"
#include "timer.h"

namespace virt {

// What every call gets from TypeScript beside its own arguments.
struct CallFrame {
  napi_value settle;  // (value, failure) => void
  double timeoutMs;   // 0: none
  bool urgent;
};

class Call : public Deliverable, public Expiring, public std::enable_shared_from_this<Call> {
 public:
  enum Outcome { Done, TimedOut, Abandoned, Closed, Lost };

  // The session may be null: a call that belongs to none.
  explicit Call(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  // On the JavaScript thread, before the call is handed over. Returns the number to abandon it by.
  Napi::Value depart(Napi::Env env, const CallFrame& frame);
  // On a native thread. Does nothing where the call was abandoned before it began.
  void run(virDomainPtr substitute = nullptr);
  // The same, over a connection to the same guest that is the agent calls' own.
  void runOver(AgentLink& link);
  // From any thread. A call that has not begun never will; what a running one brings is thrown away where it
  // ends.
  void abandon(Outcome why);
  // From any thread: the call could not even begin.
  void fail(Failure failure);
  // Synchronous members: here and now, on the JavaScript thread.
  void runHere(Napi::Env env, napi_value settle);

  void deliver(Napi::Env env, int what) override;
  void expire() override { abandon(TimedOut); }

  const std::shared_ptr<Session>& session() const { return session_; }
  bool isSettled() const { return settled_; }
  // Threads that are not shared with other calls of the connection; null: it needs none.
  virtual std::shared_ptr<Lane> ownLane() const { return nullptr; }
  // The guest, where it is a guest's.
  virtual virDomainPtr receiver() const { return nullptr; }

 protected:
  // On a native thread. `substitute`: the receiver, where the call goes over another connection.
  virtual std::optional<Failure> perform(virDomainPtr substitute) = 0;
  virtual Napi::Value result(Napi::Env env) = 0;  // on the JavaScript thread
  // Something else has settled the call: while it waits or runs, and after it succeeded too late, on its
  // thread.
  virtual void abandoned() {}
  virtual void undo() {}

 private:
  bool win();
  bool isDead(virDomainPtr substitute) const;

  std::shared_ptr<Session> session_;
  std::shared_ptr<Environment> environment_;
  std::atomic<bool> settled_ = false;
  std::optional<Failure> failure_;
  napi_ref settle_ = nullptr;
  uint32_t ticket_ = 0;
  Deadline deadline_;
};

}  // namespace virt
