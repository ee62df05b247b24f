// Tells JavaScript that a connection was lost, and why.
#pragma once
#include <libvirt/libvirt.h>

#include <memory>

#include "callback.h"
#include "environment.h"

namespace virt {

// Held by its session. libvirt gets its number: drivers in this process cannot be lost, accept the
// registration all the same, and forget it without freeing what came with it.
class CloseWatch final : public Deliverable, public std::enable_shared_from_this<CloseWatch> {
 public:
  CloseWatch(std::shared_ptr<Environment> environment, std::shared_ptr<Callback> closed)
      : environment_(std::move(environment)), closed_(std::move(closed)) {}
  ~CloseWatch();

  // Own thread.
  void start(virConnectPtr connection);
  static void stop(virConnectPtr connection);
  // From any thread; JavaScript heeds the first reason.
  void tell(int reason) { environment_->post(shared_from_this(), reason); }
  void deliver(Napi::Env env, int reason) override { closed_->call(env, {Napi::Number::New(env, reason)}); }

 private:
  static void callback(virConnectPtr, int reason, void* number);

  void* number_ = nullptr;
  const std::shared_ptr<Environment> environment_;
  const std::shared_ptr<Callback> closed_;
};

}  // namespace virt
