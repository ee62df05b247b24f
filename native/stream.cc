#include "stream.h"

#include "session.h"

namespace virt {

namespace {
constexpr int kAll = VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_WRITABLE;
}

StreamObject::StreamObject(virStreamPtr stream, std::shared_ptr<Session> session)
    : Object(KindOf<virStream>::kind, stream, std::move(session)) {}

std::shared_ptr<Object> adopt(virStreamPtr stream, const std::shared_ptr<Session>& session) {
  return std::make_shared<StreamObject>(stream, session);
}

bool StreamObject::arm(int event) {
  armed_ |= event;
  if (isEnrolled_) return VIR(virStreamEventUpdateCallback)(stream(), armed_) == 0;
  const auto tell = [](virStreamPtr, int events, void* data) {
    auto& readiness = **static_cast<Told*>(data);
    std::lock_guard lock(readiness.mutex);
    // A hangup or an error is told to both: they will hear it from libvirt.
    readiness.events |= events & ~kAll ? kAll : events;
    readiness.changed.notify_all();
  };
  const auto forget = [](void* data) { delete static_cast<Told*>(data); };
  auto* told = new Told(readiness_);
  isEnrolled_ = VIR(virStreamEventAddCallback)(stream(), armed_, tell, told, forget) == 0;
  if (!isEnrolled_) delete told;
  return isEnrolled_;
}

// Left armed, it would be told again and again until the consumer comes back.
void StreamObject::disarm(int event) {
  armed_ &= ~event;
  if (isEnrolled_) VIR(virStreamEventUpdateCallback)(stream(), armed_);
}

void StreamObject::letGo() {
  if (std::exchange(isEnrolled_, false)) VIR(virStreamEventRemoveCallback)(stream());
  std::lock_guard lock(readiness_->mutex);
  readiness_->isOver = true;
  readiness_->changed.notify_all();
}

void StreamObject::abort(const std::shared_ptr<Object>& object) {
  static_cast<StreamObject&>(*object).ending->post([object] {
    auto& self = static_cast<StreamObject&>(*object);
    self.end([&self] { return VIR(virStreamAbort)(self.stream()); });
  });
}

void StreamObject::wake() {
  std::lock_guard lock(readiness_->mutex);
  readiness_->changed.notify_all();
}

}  // namespace virt
