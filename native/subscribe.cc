// subscribe: an event's consumer comes and goes.
#include "argument.h"
#include "callback.h"
#include "exports.h"
#include "library.h"
#include "subscription.h"
#include "tagged.h"

namespace virt {

namespace {

class SubscribeCall final : public Call {
 public:
  SubscribeCall(std::shared_ptr<Session> session, std::shared_ptr<Object> connection,
                std::shared_ptr<Object> object, std::shared_ptr<Subscription> subscription)
      : Call(std::move(session)),
        connection_(std::move(connection)),
        object_(std::move(object)),
        subscription_(std::move(subscription)) {}

 protected:
  std::optional<Failure> perform(virDomainPtr) override {
    if (libraryVersion() < subscription_->line.first) return Failure::unavailable(subscription_->line.name);
    VIR(virResetLastError)();
    auto* connection = static_cast<virConnectPtr>(connection_->p);
    if (!session()->subscribe(subscription_, connection, object_)) return Failure::last();
    return {};
  }
  void undo() override { session()->unsubscribe(subscription_, static_cast<virConnectPtr>(connection_->p)); }
  Napi::Value result(Napi::Env env) override {
    return toTagged(env, std::make_unique<std::shared_ptr<Subscription>>(subscription_));
  }

 private:
  const std::shared_ptr<Object> connection_, object_;
  const std::shared_ptr<Subscription> subscription_;
};

class UnsubscribeCall final : public Call {
 public:
  UnsubscribeCall(std::shared_ptr<Session> session, std::shared_ptr<Object> connection,
                  std::shared_ptr<Subscription> subscription)
      : Call(std::move(session)),
        connection_(std::move(connection)),
        subscription_(std::move(subscription)) {}

 protected:
  std::optional<Failure> perform(virDomainPtr) override {
    session()->unsubscribe(subscription_, static_cast<virConnectPtr>(connection_->p));
    return {};
  }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  const std::shared_ptr<Object> connection_;
  const std::shared_ptr<Subscription> subscription_;
};

// (settle, timeoutMs, urgent, connection, event, object | null, queueSize, push) => ticket | refusal
Napi::Value subscribe(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  Handle* handle = Handle::fromJs(env, info[kFrame]);
  if (!handle || &handle->kind != &KindOf<virConnect>::kind)
    return Refusal{Refusal::Kind::Type, "a Connection", -1}.toJs(env);
  const auto& session = handle->session;
  const auto& line = eventTable()[info[kFrame + 1].As<Napi::Number>().Uint32Value()];
  std::shared_ptr<Object> object;
  if (!isAbsent(info[kFrame + 2])) {
    auto refused = handleFromJs({env, session}, info[kFrame + 2], line.subject.kind, object);
    if (refused) return refused->toJs(env);
  }
  auto subscription =
      std::make_shared<Subscription>(line, session, Environment::of(env).shared_from_this(),
                                     std::make_shared<Callback>(env, info[kFrame + 4]),
                                     static_cast<size_t>(info[kFrame + 3].As<Napi::Number>().Int64Value()));
  auto call = std::make_shared<SubscribeCall>(session, session->objectOf(*handle), object, subscription);
  const auto ticket = call->depart(env, frameOf(info));
  session->submit(call, {.prompt = true});
  return ticket;
}

// (subscription, count) => undefined: so many of its events wait in JavaScript now
Napi::Value eventsWait(const Napi::CallbackInfo& info) {
  if (auto* subscription = fromTagged<std::shared_ptr<Subscription>>(info.Env(), info[0]))
    (*subscription)->wait(info[1].As<Napi::Number>().Uint32Value());
  return info.Env().Undefined();
}

// (settle, timeoutMs, urgent, connection, subscription) => ticket | refusal
Napi::Value unsubscribe(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  Handle* handle = Handle::fromJs(env, info[kFrame]);
  auto* subscription = fromTagged<std::shared_ptr<Subscription>>(env, info[kFrame + 1]);
  if (!handle || !subscription) return Refusal{Refusal::Kind::Type, "a subscription", -1}.toJs(env);
  (*subscription)->stop();
  auto call =
      std::make_shared<UnsubscribeCall>(handle->session, handle->session->objectOf(*handle), *subscription);
  const auto ticket = call->depart(env, frameOf(info));
  handle->session->submit(call, {.prompt = true});
  return ticket;
}

Napi::Object describe(Napi::Env env, const EventLine& line) {
  auto js = Napi::Object::New(env);
  js.Set("name", line.name);
  js.Set("id", line.id);
  js.Set("subject", line.subject.key);
  js.Set("kind", line.subject.kind.name);
  js.Set("fields", textList(env, line.fields));
  return js;
}

}  // namespace

void exportEvents(Napi::Env env, Napi::Object exports) {
  auto events = Napi::Array::New(env);
  for (const EventLine& line : eventTable()) events[events.Length()] = describe(env, line);
  exports.Set("events", events);
  exports.Set("subscribe", Napi::Function::New(env, subscribe, "subscribe"));
  exports.Set("eventsWait", Napi::Function::New(env, eventsWait, "eventsWait"));
  exports.Set("unsubscribe", Napi::Function::New(env, unsubscribe, "unsubscribe"));
}

}  // namespace virt
