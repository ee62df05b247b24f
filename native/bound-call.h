// A call of a function that stands in a table.
#pragma once
#include <array>
#include <memory>

#include "call.h"
#include "line.h"

namespace virt {

class BoundCall final : public Call {
 public:
  BoundCall(const Line& line, std::shared_ptr<Session> session, std::shared_ptr<Object> receiver,
            unsigned flags)
      : Call(std::move(session)), line_(line), receiver_(std::move(receiver)), flags_(flags | line.flags) {}

  // On the JavaScript thread. As many arguments as the line may take, absent ones included.
  Refused read(Napi::Env env, const napi_value* arguments);

  // Once the arguments have been read.
  Route::ToAgent toAgent();

  std::shared_ptr<Lane> ownLane() const override;
  virDomainPtr receiver() const override;

 protected:
  std::optional<Failure> perform(virDomainPtr substitute) override;
  void abandoned() override;
  Napi::Value result(Napi::Env env) override;

 private:
  Refused refuseLengths();
  void pass(Word* words, void* receiver);
  bool mustGrow();
  Napi::Value outs(Napi::Env env);

  const Line& line_;
  const std::shared_ptr<Object> receiver_;
  const unsigned flags_;
  // One for each of the line's, but for the receiver and the flags.
  std::array<std::unique_ptr<Slot>, kMostParameters> slots_;
  Returned returned_;
};

// Whether the first slot is the receiver, which no argument becomes.
inline bool isReceiver(const Line& line, size_t slot) { return line.passesReceiver && slot == 0; }
// The positions of the C parameters that the arguments of JavaScript become.
std::vector<int> positionsOf(const Line& line);

}  // namespace virt
