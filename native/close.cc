// close: the end of a connection.
#include "callback.h"
#include "exports.h"
#include "thread.h"

namespace virt {

namespace {

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

// (settle, timeoutMs, urgent, connection, limitMs) => ticket | refusal; undefined: it was closed already
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
  const auto ticket = call->depart(env, frameOf(info));
  if (!startThread("virt-close", [call] { call->run(); })) {
    handle->session->takeBackClose();  // it stays open, and may be closed later
    call->fail(Failure::noThread());
  }
  return ticket;
}

}  // namespace

void exportClose(Napi::Env env, Napi::Object exports) {
  exports.Set("close", Napi::Function::New(env, close, "close"));
}

}  // namespace virt
