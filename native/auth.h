// Credentials: asked for by libvirt on a native thread, answered by JavaScript, which may take its time.
#pragma once
#include <libvirt/libvirt.h>
#include <napi.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "callback.h"
#include "condition.h"
#include "environment.h"
#include "wire.h"

namespace virt {

using Answers = std::vector<std::optional<std::string>>;

struct Question {
  int type;
  std::string prompt;
  std::optional<std::string> challenge, defaultResult;
};

// One list of questions on its way to JavaScript and back.
class AuthRequest : public Deliverable, public std::enable_shared_from_this<AuthRequest> {
 public:
  AuthRequest(std::vector<Question> questions, std::shared_ptr<Callback> ask)
      : questions_(std::move(questions)), ask_(std::move(ask)) {}
  void deliver(Napi::Env env, int) override;
  void answer(std::optional<Answers> answers);  // nothing: the caller does not answer
  std::optional<Answers> wait();                // own thread

 private:
  const std::vector<Question> questions_;
  const std::shared_ptr<Callback> ask_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool answered_ = false;
  std::optional<Answers> answers_;
};

// Asks JavaScript while the connection is opened, and remembers the answers for the extra connections of the
// agent.
class Authenticator {
 public:
  Authenticator(std::shared_ptr<Environment> environment, std::shared_ptr<Callback> ask)
      : environment_(std::move(environment)), ask_(std::move(ask)) {}

  // Own thread. `again`: with the answers of the first time.
  virConnectPtr open(const char* uri, unsigned flags, bool again);
  // The open was abandoned: nobody is going to answer.
  void giveUp();

 private:
  struct Visit {
    Authenticator* self;
    bool again;
    size_t next = 0;
  };
  static int callback(virConnectCredentialPtr credentials, unsigned count, void* visit);
  bool ask(virConnectCredentialPtr credentials, unsigned count);

  const std::shared_ptr<Environment> environment_;
  const std::shared_ptr<Callback> ask_;
  std::mutex mutex_;
  bool givenUp_ = false;
  std::shared_ptr<AuthRequest> pending_;
  Answers remembered_;
};

// How to reach the other end once more.
struct Address {
  const std::string uri;  // empty: libvirt's default
  const unsigned flags;
  const std::shared_ptr<Authenticator> auth;  // null: without credentials

  // Own thread. Drivers in this process have no wire: what they enter into the loop is their guests'.
  virConnectPtr open(bool again, Wire* wire = nullptr) const;
};

}  // namespace virt
