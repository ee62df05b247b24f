// connect: opens a connection, and answers its questions.
#include "close-watch.h"
#include "exports.h"
#include "library.h"

namespace virt {

namespace {

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
    virConnectPtr connection = session()->address->open(false, session()->wire.get());
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
    session()->wire->cut();
  }

 private:
  const std::shared_ptr<Environment> environment_;
  const int interval_;
  const unsigned count_;
  const std::shared_ptr<Callback> closed_;
  std::shared_ptr<Object> object_;
};

// (settle, timeoutMs, urgent, uri, flags, interval, count, closed, ask) => ticket
Napi::Value open(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  auto environment = Environment::of(env).shared_from_this();
  std::shared_ptr<Authenticator> auth;
  if (info[8].IsFunction())
    auth = std::make_shared<Authenticator>(environment, std::make_shared<Callback>(env, info[8]));
  auto session = std::make_shared<Session>(info[3].As<Napi::String>().Utf8Value(),
                                           info[4].As<Napi::Number>().Uint32Value(), std::move(auth));
  auto call = std::make_shared<OpenCall>(session, environment, info[5].As<Napi::Number>().Int32Value(),
                                         info[6].As<Napi::Number>().Uint32Value(),
                                         std::make_shared<Callback>(env, info[7]));
  const auto ticket = call->depart(env, frameOf(info));
  session->submit(call, {});
  return ticket;
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

}  // namespace

void exportOpen(Napi::Env env, Napi::Object exports) {
  exports.Set("open", Napi::Function::New(env, open, "open"));
  exports.Set("answer", Napi::Function::New(env, answer, "answer"));
}

}  // namespace virt
