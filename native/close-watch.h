// Tells JavaScript, once, that a connection was lost, and why.
#pragma once
#include <libvirt/libvirt.h>

#include <memory>

#include "callback.h"
#include "environment.h"

namespace virt {

class CloseWatch final : public Deliverable {
 public:
  explicit CloseWatch(std::shared_ptr<Callback> closed) : closed_(std::move(closed)) {}
  // Own thread. Drivers in this process cannot be lost, and refuse.
  static void start(virConnectPtr connection, const std::shared_ptr<Environment>& environment,
                    std::shared_ptr<Callback> closed);
  static void callback(virConnectPtr, int reason, void* data);
  void deliver(Napi::Env env, int reason) override { closed_->call(env, {Napi::Number::New(env, reason)}); }

 private:
  const std::shared_ptr<Callback> closed_;
};

}  // namespace virt
