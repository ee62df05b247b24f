#include "close-watch.h"

#include "library.h"

namespace virt {

namespace {
struct Registration {
  std::shared_ptr<Environment> environment;
  std::shared_ptr<CloseWatch> watch;
};
}  // namespace

void CloseWatch::start(virConnectPtr connection, const std::shared_ptr<Environment>& environment,
                       std::shared_ptr<Callback> closed) {
  auto* registration = new Registration{environment, std::make_shared<CloseWatch>(std::move(closed))};
  const auto free = [](void* data) { delete static_cast<Registration*>(data); };
  if (VIR(virConnectRegisterCloseCallback)(connection, &CloseWatch::callback, registration, free) < 0)
    delete registration;
}

void CloseWatch::callback(virConnectPtr, int reason, void* data) {
  auto* registration = static_cast<Registration*>(data);
  registration->environment->post(registration->watch, reason);
}

}  // namespace virt
