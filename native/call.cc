#include "call.h"

#include <algorithm>

#include "callback.h"
#include "library.h"

namespace virt {

Napi::Value Call::depart(Napi::Env env, const CallFrame& frame) {
  environment_ = Environment::of(env).shared_from_this();
  settle_ = environment_->refer(env, frame.settle);
  environment_->hold(env);
  ticket_ = environment_->admit(weak_from_this());
  if (frame.timeoutMs > 0) {
    constexpr double longest = 1e12;  // three decades: beyond it the clock's arithmetic would overflow
    deadline_.set(std::chrono::milliseconds(static_cast<int64_t>(std::min(frame.timeoutMs, longest))),
                  weak_from_this());
  }
  return Napi::Number::New(env, ticket_);
}

bool Call::win() {
  if (settled_.exchange(true)) return false;
  deadline_.cancel();
  if (session_) session_->settled(*this);
  return true;
}

void Call::run(virDomainPtr substitute) {
  if (settled_) return;
  auto failure = perform(substitute);
  if (failure && isDead(substitute)) Lane::retire();
  if (!win()) {
    if (!failure) undo();
    return;
  }
  failure_ = std::move(failure);
  environment_->post(shared_from_this(), Done);
}

bool Call::isDead(virDomainPtr substitute) const {
  if (!session_ || libraryVersion() >= Lane::kMended) return false;
  return substitute ? VIR(virConnectIsAlive)(VIR(virDomainGetConnect)(substitute)) == 0 : session_->isDead();
}

void Call::runOver(AgentLink& link) {
  if (settled_) return;
  Failure failure;
  virDomainPtr domain = link.reach(receiver(), failure);
  if (!domain) return fail(std::move(failure));
  run(domain);
  VIR(virDomainFree)(domain);
}

void Call::abandon(Outcome why) {
  if (!win()) return;
  environment_->post(shared_from_this(), why);
  abandoned();
}

void Call::fail(Failure failure) {
  if (!win()) return;
  failure_ = std::move(failure);
  environment_->post(shared_from_this(), Done);
}

void Call::runHere(Napi::Env env, napi_value settle) {
  const auto failure = perform(nullptr);
  if (failure)
    callBack(env, settle, {env.Undefined(), failure->toJs(env)});
  else
    callBack(env, settle, {result(env)});
}

void Call::deliver(Napi::Env env, int what) {
  static constexpr const char* kinds[] = {"done", "timeout", "abandoned", "closed", "lost"};
  napi_value settle = nullptr;
  napi_get_reference_value(env, settle_, &settle);
  environment_->forget(env, settle_);
  environment_->letGo(env);
  environment_->calls.erase(ticket_);
  if (what == Done && !failure_) {
    callBack(env, settle, {result(env)});
  } else if (what == Done) {
    callBack(env, settle, {env.Undefined(), failure_->toJs(env)});
  } else {
    auto failure = Napi::Object::New(env);
    failure.Set("kind", kinds[what]);
    callBack(env, settle, {env.Undefined(), failure});
  }
}

}  // namespace virt
