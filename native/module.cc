// What JavaScript sees of the addon: the tables, and a handful of functions that are no line of one.
#include "bound.h"
#include "close-watch.h"
#include "library.h"
#include "subscription.h"
#include "tagged.h"
#include "thread.h"

namespace virt {

namespace {

Napi::Array textList(Napi::Env env, const std::vector<const char*>& texts) {
  auto js = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) js[i] = Napi::String::New(env, texts[i]);
  return js;
}

Napi::Array numberList(Napi::Env env, const std::vector<int>& numbers) {
  auto js = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); ++i) js[i] = Napi::Number::New(env, numbers[i]);
  return js;
}

// settle, timeoutMs, ticket, urgent: how every call begins.
constexpr size_t kFrame = 4;
CallFrame frameOf(const Napi::CallbackInfo& info) {
  return {info[0], info[1].As<Napi::Number>().DoubleValue(), info[2].As<Napi::Number>().Uint32Value(),
          info[3].As<Napi::Boolean>().Value()};
}

// ---- the lines of the tables
// ------------------------------------------------------------------------------------------ (settle,
// timeoutMs, ticket, urgent, flags, receiver, ...arguments) => undefined | refusal
Napi::Value invoke(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto& line = *static_cast<const Line*>(info.Data());
  constexpr size_t kFirst = kFrame + 2;

  Handle* handle = Handle::fromJs(env, info[kFrame + 1]);
  if (!handle || &handle->kind != line.receiver)
    return Refusal{Refusal::Kind::Type, anA(line.receiver->name), -1}.toJs(env);
  const auto& session = handle->session;
  auto receiver = session->objectOf(*handle);

  napi_value arguments[16];
  for (size_t i = 0; i < line.positions.size(); ++i) arguments[i] = info[kFirst + i];
  Refused refused;
  auto call = line.make(line, env, session, receiver, info[kFrame].As<Napi::Number>().Uint32Value(),
                        arguments, refused);
  if (refused) return refused->toJs(env);

  if (line.isSync) {
    if (receiver)
      call->runHere(env, info[0]);
    else
      callBack(env, info[0], {env.Undefined(), Failure::closed().toJs(env)});
    return env.Undefined();
  }
  call->depart(env, frameOf(info));
  const bool urgent = line.route.urgent || info[3].As<Napi::Boolean>().Value();
  session->submit(call, {.agent = line.route.agent, .urgent = urgent});
  return env.Undefined();
}

Napi::Object describe(Napi::Env env, const Line& line) {
  auto js = Napi::Object::New(env);
  js.Set("name", line.name);
  js.Set("receiver", line.receiver->name);
  js.Set("isSync", line.isSync);
  js.Set("hasFlags", line.hasFlags);
  js.Set("countsList", line.countsList);
  js.Set("resultTag", line.resultTag);
  js.Set("result", line.resultKind);
  js.Set("outNames", textList(env, line.outNames));
  js.Set("positions", numberList(env, line.positions));
  js.Set("nullable", numberList(env, line.nullable));
  js.Set("isAgent", line.route.agent), js.Set("isUrgent", line.route.urgent);
  js.Set("invoke", Napi::Function::New(env, invoke, line.name, const_cast<Line*>(&line)));
  return js;
}

// ---- connections
// ------------------------------------------------------------------------------------------------------
class OpenCall final : public Call {
 public:
  OpenCall(std::shared_ptr<Session> session, std::shared_ptr<Environment> environment, int interval,
           unsigned count, std::shared_ptr<Callback> closed)
      : Call(session),
        environment_(std::move(environment)),
        interval_(interval),
        count_(count),
        closed_(std::move(closed)) {}

 protected:
  std::optional<Failure> perform(virDomainPtr) override {
    if (!symbolOf("virConnectOpenAuth")) return Failure::unavailable("virConnectOpenAuth");
    VIR(virResetLastError)();
    virConnectPtr connection = session()->address->open(false);
    if (!connection) return Failure::last();
    // Drivers in this process have no keepalive, and need none.
    if (interval_ > 0) VIR(virConnectSetKeepAlive)(connection, interval_, count_);
    auto watch = std::make_shared<CloseWatch>(environment_, closed_);
    watch->start(connection);
    session()->opened(connection, std::move(watch), std::chrono::seconds(interval_));
    VIR(virConnectRef)(connection);
    object_ = adopt(connection, session());
    return {};
  }
  Napi::Value result(Napi::Env env) override { return Handle::toJs(env, std::move(object_)); }
  void abandoned() override {
    if (session()->address->auth) session()->address->auth->giveUp();
  }

 private:
  const std::shared_ptr<Environment> environment_;
  const int interval_;
  const unsigned count_;
  const std::shared_ptr<Callback> closed_;
  std::shared_ptr<Object> object_;
};

// (settle, timeoutMs, ticket, urgent, uri, flags, interval, count, closed, ask) => undefined
Napi::Value open(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  auto environment = Environment::of(env).shared_from_this();
  std::shared_ptr<Authenticator> auth;
  if (info[9].IsFunction())
    auth = std::make_shared<Authenticator>(environment, std::make_shared<Callback>(env, info[9]));
  auto session = std::make_shared<Session>(info[4].As<Napi::String>().Utf8Value(),
                                           info[5].As<Napi::Number>().Uint32Value(), std::move(auth));
  auto call = std::make_shared<OpenCall>(session, environment, info[6].As<Napi::Number>().Int32Value(),
                                         info[7].As<Napi::Number>().Uint32Value(),
                                         std::make_shared<Callback>(env, info[8]));
  call->depart(env, frameOf(info));
  session->submit(call, {});
  return env.Undefined();
}

// (number of the question, answers or null) => undefined
Napi::Value answer(const Napi::CallbackInfo& info) {
  auto& questions = Environment::of(info.Env()).questions;
  const auto question = questions.extract(info[0].As<Napi::Number>().Uint32Value());
  if (!question) return info.Env().Undefined();
  if (!info[1].IsArray()) {
    question.mapped()->answer(std::nullopt);
    return info.Env().Undefined();
  }
  auto list = info[1].As<Napi::Array>();
  Answers answers(list.Length());
  for (uint32_t i = 0; i < answers.size(); ++i)
    if (const Napi::Value text = list[i]; text.IsString()) answers[i] = text.As<Napi::String>().Utf8Value();
  question.mapped()->answer(std::move(answers));
  return info.Env().Undefined();
}

// Closing waits for calls of its own connection: it runs on a thread of its own.
class CloseCall final : public Call {
 public:
  CloseCall(std::shared_ptr<Session> session, std::chrono::milliseconds limit)
      : Call(nullptr), closing_(std::move(session)), limit_(limit) {}

 protected:
  std::optional<Failure> perform(virDomainPtr) override {
    mayBlock = true;
    closing_->close(limit_);
    return {};
  }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  const std::shared_ptr<Session> closing_;
  const std::chrono::milliseconds limit_;
};

// (settle, timeoutMs, ticket, urgent, connection, limitMs) => undefined
Napi::Value close(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  Handle* handle = Handle::fromJs(env, info[kFrame]);
  if (!handle) return Refusal{Refusal::Kind::Type, "a Connection", -1}.toJs(env);
  if (!handle->session->beginClose()) {
    callBack(env, info[0], {});
    return env.Undefined();
  }
  auto call = std::make_shared<CloseCall>(
      handle->session, std::chrono::milliseconds(info[kFrame + 1].As<Napi::Number>().Int64Value()));
  call->depart(env, frameOf(info));
  if (!startThread("virt-close", [call] { call->run(); })) call->abandon(Call::Closed);
  return env.Undefined();
}

// ---- events
// -----------------------------------------------------------------------------------------------------------
class SubscribeCall final : public Call {
 public:
  SubscribeCall(std::shared_ptr<Session> session, std::shared_ptr<Object> connection,
                std::shared_ptr<Object> domain, std::shared_ptr<Subscription> subscription)
      : Call(std::move(session)),
        connection_(std::move(connection)),
        domain_(std::move(domain)),
        subscription_(std::move(subscription)) {}

 protected:
  std::optional<Failure> perform(virDomainPtr) override {
    VIR(virResetLastError)();
    auto* connection = static_cast<virConnectPtr>(connection_->p);
    auto* domain = domain_ ? static_cast<virDomainPtr>(domain_->p) : nullptr;
    if (!session()->subscribe(subscription_, connection, domain)) return Failure::last();
    return {};
  }
  void undo() override { session()->unsubscribe(subscription_, static_cast<virConnectPtr>(connection_->p)); }
  Napi::Value result(Napi::Env env) override {
    return toTagged(env, std::make_unique<std::shared_ptr<Subscription>>(subscription_));
  }

 private:
  const std::shared_ptr<Object> connection_, domain_;
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

// (settle, timeoutMs, ticket, urgent, connection, event, domain | null, queueSize, push) => undefined |
// refusal
Napi::Value subscribe(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  Handle* handle = Handle::fromJs(env, info[kFrame]);
  if (!handle || &handle->kind != &KindOf<virConnect>::kind)
    return Refusal{Refusal::Kind::Type, "a Connection", -1}.toJs(env);
  const auto& session = handle->session;
  std::shared_ptr<Object> domain;
  if (!isAbsent(info[kFrame + 2])) {
    auto refused = handleFromJs({env, session}, info[kFrame + 2], KindOf<virDomain>::kind, domain);
    if (refused) return refused->toJs(env);
  }
  const auto& line = eventTable()[info[kFrame + 1].As<Napi::Number>().Uint32Value()];
  auto subscription = std::make_shared<Subscription>(
      line, Environment::of(env).shared_from_this(), std::make_shared<Callback>(env, info[kFrame + 4]),
      static_cast<size_t>(info[kFrame + 3].As<Napi::Number>().Int64Value()));
  auto call = std::make_shared<SubscribeCall>(session, session->objectOf(*handle), domain, subscription);
  call->depart(env, frameOf(info));
  session->submit(call, {});
  return env.Undefined();
}

// (settle, timeoutMs, ticket, urgent, connection, subscription) => undefined
Napi::Value unsubscribe(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  Handle* handle = Handle::fromJs(env, info[kFrame]);
  auto* subscription = fromTagged<std::shared_ptr<Subscription>>(env, info[kFrame + 1]);
  if (!handle || !subscription) return Refusal{Refusal::Kind::Type, "a subscription", -1}.toJs(env);
  (*subscription)->stop();
  auto call =
      std::make_shared<UnsubscribeCall>(handle->session, handle->session->objectOf(*handle), *subscription);
  call->depart(env, frameOf(info));
  handle->session->submit(call, {});
  return env.Undefined();
}

Napi::Object describe(Napi::Env env, const EventLine& line) {
  auto js = Napi::Object::New(env);
  js.Set("name", line.name);
  js.Set("id", line.id);
  js.Set("fields", textList(env, line.fields));
  return js;
}

// ---- the environment
// -------------------------------------------------------------------------------------------------- (ticket)
// => undefined
Napi::Value abandon(const Napi::CallbackInfo& info) {
  auto& tickets = Environment::of(info.Env()).tickets;
  const auto found = tickets.find(info[0].As<Napi::Number>().Uint32Value());
  if (found == tickets.end()) return info.Env().Undefined();
  if (auto call = found->second.lock()) call->abandon(Call::Abandoned);
  return info.Env().Undefined();
}

// (hold) => undefined: a waiting consumer keeps the process alive
Napi::Value hold(const Napi::CallbackInfo& info) {
  auto& environment = Environment::of(info.Env());
  if (info[0].As<Napi::Boolean>().Value())
    environment.hold(info.Env());
  else
    environment.letGo(info.Env());
  return info.Env().Undefined();
}

// () => number | failure
Napi::Value version(const Napi::CallbackInfo& info) {
  if (!symbolOf("virGetVersion")) return Failure::unavailable("virGetVersion").toJs(info.Env());
  unsigned long version = 0;
  if (VIR(virGetVersion)(&version, nullptr, nullptr) < 0) return Failure::last().toJs(info.Env());
  return numberToJs(info.Env(), version);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  Environment::create(env);
  auto functions = Napi::Array::New(env);
  for (const Table* table : {&connectionTable(), &domainTable(), &domainSnapshotTable(), &storageTable()})
    for (const Line& line : *table) functions[functions.Length()] = describe(env, line);
  auto events = Napi::Array::New(env);
  for (const EventLine& line : eventTable()) events[events.Length()] = describe(env, line);
  exports.Set("functions", functions);
  exports.Set("events", events);
  exports.Set("open", Napi::Function::New(env, open, "open"));
  exports.Set("answer", Napi::Function::New(env, answer, "answer"));
  exports.Set("close", Napi::Function::New(env, close, "close"));
  exports.Set("subscribe", Napi::Function::New(env, subscribe, "subscribe"));
  exports.Set("unsubscribe", Napi::Function::New(env, unsubscribe, "unsubscribe"));
  exports.Set("abandon", Napi::Function::New(env, abandon, "abandon"));
  exports.Set("hold", Napi::Function::New(env, hold, "hold"));
  exports.Set("version", Napi::Function::New(env, version, "version"));
  return exports;
}

}  // namespace

NODE_API_MODULE(disksnapshot_native, init)

}  // namespace virt
