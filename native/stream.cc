#include "stream.h"

#include <algorithm>

#include "session.h"

namespace virt {

namespace {
constexpr int kAll = VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_WRITABLE;
// What a consumer that waits may find piled up. Each part costs two more questions.
constexpr unsigned long long kPart = 32ull << 20;
}  // namespace

StreamObject::StreamObject(virStreamPtr stream, std::shared_ptr<Session> session)
    : Object(KindOf<virStream>::kind, stream, std::move(session)) {}

std::shared_ptr<Object> adopt(virStreamPtr stream, const std::shared_ptr<Session>& session) {
  return std::make_shared<StreamObject>(stream, session);
}

StreamObject::~StreamObject() = default;

int StreamObject::download(virStorageVolPtr volume, unsigned long long offset, unsigned long long length,
                           unsigned flags) {
  std::lock_guard turn(turn_);
  const auto left = length ? length : Part::kToTheEnd;
  const auto room = std::min(left, kPart);
  const int done = VIR(virStorageVolDownload)(volume, stream(), offset, room, flags);
  if (done < 0) return done;
  VIR(virStorageVolRef)(volume);
  part_ = Part{adopt(volume, session), flags, offset, left, room};
  return done;
}

bool StreamObject::openPart() {
  auto& part = *part_;
  auto* volume = static_cast<virStorageVolPtr>(part.volume->p);
  auto* next = VIR(virStreamNew)(VIR(virStorageVolGetConnect)(volume), VIR_STREAM_NONBLOCK);
  if (!next) return false;
  follower_ = std::make_unique<Object>(KindOf<virStream>::kind, next, session);
  part.isFeeler = std::exchange(part.endsInHole, false);
  part.room = part.isFeeler ? part.left : std::min(part.left, kPart);
  const auto length = part.room == Part::kToTheEnd ? 0 : part.room;
  part.isOpen = true;  // also where it fails: whatever is asked of it then fails, too
  return VIR(virStorageVolDownload)(volume, next, part.offset, length, part.flags) == 0;
}

// Where the host has something to say of the part that is over, it says it here.
bool StreamObject::finishPart() {
  forget();
  part_->isOpen = VIR(virStreamFinish)(stream()) < 0;
  return !part_->isOpen;
}

void StreamObject::abortPart() {
  forget();
  part_->isOpen = false;
  VIR(virStreamAbort)(stream());
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

void StreamObject::forget() {
  if (std::exchange(isEnrolled_, false)) VIR(virStreamEventRemoveCallback)(stream());
}

void StreamObject::letGo() {
  forget();
  std::lock_guard lock(readiness_->mutex);
  readiness_->isOver = true;
  readiness_->changed.notify_all();
}

void StreamObject::abort(const std::shared_ptr<Object>& object) {
  static_cast<StreamObject&>(*object).ending->post([object] {
    auto& self = static_cast<StreamObject&>(*object);
    self.end([](virStreamPtr stream) { return VIR(virStreamAbort)(stream); });
  });
}

void StreamObject::wake() {
  std::lock_guard lock(readiness_->mutex);
  readiness_->changed.notify_all();
}

}  // namespace virt
