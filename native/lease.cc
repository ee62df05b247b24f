#include "lease.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <cstdlib>

#include "exports.h"
#include "library.h"
#include "session.h"
#include "tagged.h"
#include "thread.h"

namespace virt {

namespace {

using std::chrono::milliseconds;

// Between two tries: an agent or a daemon that starts again is there within the second.
constexpr milliseconds kFirstPause{50}, kLongestPause{1000};
// Of libvirt, for one answer of the agent.
constexpr int kThawSeconds = 10, kStatusSeconds = 5;

bool lastErrorIs(int code) {
  const auto* error = VIR(virGetLastError)();
  return error && error->code == code;
}

bool isOff(virDomainPtr domain) {
  int state = VIR_DOMAIN_NOSTATE;
  if (VIR(virDomainGetState)(domain, &state, nullptr, 0) < 0) return lastErrorIs(VIR_ERR_NO_DOMAIN);
  return state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED;
}

// The agent's answer, or nothing.
std::string ask(virDomainPtr domain, const char* command, int seconds) {
  char* answer = VIR(virDomainQemuAgentCommand)(domain, command, seconds, 0);
  std::string text = answer ? answer : "";
  std::free(answer);
  return text;
}

}  // namespace

void Lease::begin(milliseconds after) {
  self_ = shared_from_this();
  deadline_.set(after, weak_from_this());
}

void Lease::postpone(milliseconds by) {
  if (isActing_) return;
  deadline_.cancel();
  deadline_.set(by, weak_from_this());
}

void Lease::end() {
  deadline_.cancel();
  std::lock_guard lock(mutex_);
  hasEnded_ = true;
  ended_.notify_all();
  self_.reset();  // whoever calls holds another reference
}

void Lease::expire() {
  if (isActing_.exchange(true)) return;
  if (startThread("virt-lease", [self = shared_from_this()] { self->act(); })) return;
  isActing_ = false;
  deadline_.set(kLongestPause, weak_from_this());
}

void Lease::act() {
  mayBlock = true;
  std::unique_lock lock(mutex_);
  for (auto pause = kFirstPause; !hasEnded_; pause = std::min(2 * pause, kLongestPause)) {
    lock.unlock();
    const bool isOver = goesOn();
    lock.lock();
    if (isOver) break;
    ended_.wait_for(lock, pause, [this] { return hasEnded_; });
  }
  self_.reset();
}

bool Lease::isEnded() {
  std::lock_guard lock(mutex_);
  return hasEnded_;
}

bool Lease::goesOn() {
  virConnectPtr connection = address_->open(true);
  if (!connection) return false;
  virDomainPtr domain = VIR(virDomainLookupByUUIDString)(connection, uuid_.c_str());
  bool isOver = !domain && lastErrorIs(VIR_ERR_NO_DOMAIN);
  if (domain) {
    // Who froze it may have thawed it meanwhile: what is frozen now is then another's.
    isOver = isEnded() || (what_ == What::Freeze ? thaw(domain) : resume(domain)) || isOff(domain);
    VIR(virDomainFree)(domain);
  }
  VIR(virConnectClose)(connection);
  return isOver;
}

bool Lease::thaw(virDomainPtr domain) const {
  // An error says nothing: the agent thaws before it runs its hook.
  ask(domain, R"({"execute":"guest-fsfreeze-thaw"})", kThawSeconds);
  const auto status = ask(domain, R"({"execute":"guest-fsfreeze-status"})", kStatusSeconds);
  return status.find(R"("thawed")") != std::string::npos;
}

// Only a pause by a user can be ours; one by an I/O error is left alone.
bool Lease::resume(virDomainPtr domain) const {
  int state = VIR_DOMAIN_NOSTATE, reason = 0;
  if (VIR(virDomainGetState)(domain, &state, &reason, 0) < 0) return false;
  if (state != VIR_DOMAIN_PAUSED || reason != VIR_DOMAIN_PAUSED_USER) return true;
  return VIR(virDomainResume)(domain) == 0;
}

// ---- for JavaScript
namespace {

// (domain, isFreeze, afterMs) => lease | null: its connection is closed, or it is no domain
Napi::Value lease(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  Handle* handle = Handle::fromJs(env, info[0]);
  if (!handle || &handle->kind != &KindOf<virDomain>::kind) return env.Null();
  const auto domain = handle->session->objectOf(*handle);
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  if (!domain || VIR(virDomainGetUUIDString)(static_cast<virDomainPtr>(domain->p), uuid) < 0)
    return env.Null();
  const auto what = info[1].As<Napi::Boolean>().Value() ? Lease::What::Freeze : Lease::What::Pause;
  auto lease = std::make_shared<Lease>(handle->session->address, uuid, what);
  lease->begin(milliseconds(info[2].As<Napi::Number>().Int64Value()));
  return toTagged(env, std::make_unique<std::shared_ptr<Lease>>(std::move(lease)));
}

// (lease, byMs) => undefined
Napi::Value postponeLease(const Napi::CallbackInfo& info) {
  if (auto* lease = fromTagged<std::shared_ptr<Lease>>(info.Env(), info[0]))
    (*lease)->postpone(milliseconds(info[1].As<Napi::Number>().Int64Value()));
  return info.Env().Undefined();
}

// (lease) => undefined
Napi::Value endLease(const Napi::CallbackInfo& info) {
  if (auto* lease = fromTagged<std::shared_ptr<Lease>>(info.Env(), info[0])) (*lease)->end();
  return info.Env().Undefined();
}

}  // namespace

void exportLeases(Napi::Env env, Napi::Object exports) {
  exports.Set("lease", Napi::Function::New(env, lease, "lease"));
  exports.Set("postponeLease", Napi::Function::New(env, postponeLease, "postponeLease"));
  exports.Set("endLease", Napi::Function::New(env, endLease, "endLease"));
}

}  // namespace virt
