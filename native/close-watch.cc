#include "close-watch.h"

#include "library.h"

namespace virt {

void CloseWatch::start(virConnectPtr connection) {
  auto* data = new std::shared_ptr<CloseWatch>(shared_from_this());
  const auto free = [](void* held) { delete static_cast<std::shared_ptr<CloseWatch>*>(held); };
  if (VIR(virConnectRegisterCloseCallback)(connection, &CloseWatch::callback, data, free) < 0) delete data;
}

void CloseWatch::stop(virConnectPtr connection) {
  VIR(virConnectUnregisterCloseCallback)(connection, &CloseWatch::callback);
}

void CloseWatch::callback(virConnectPtr, int reason, void* data) {
  (*static_cast<std::shared_ptr<CloseWatch>*>(data))->tell(reason);
}

}  // namespace virt
