// The lines of the tables as functions of JavaScript.
#include <algorithm>

#include "argument.h"
#include "bound-call.h"
#include "callback.h"
#include "exports.h"
#include "tables.h"

namespace virt {

namespace {

Napi::Array numberList(Napi::Env env, std::span<const int> numbers) {
  auto js = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); ++i) js[i] = Napi::Number::New(env, numbers[i]);
  return js;
}

// The argument of JavaScript that is the connection of the result; -1: the receiver's.
int homeOf(const Line& line) {
  int argument = 0;
  for (size_t i = 0; i < line.slots.size(); ++i) {
    if (line.slots[i]->isHome) return argument;
    if (line.slots[i]->fromJs && !isReceiver(line, i)) ++argument;
  }
  return -1;
}

const char* shownResult(const Line& line) {
  if (line.outNames.size() > 1) return "object";
  const auto out = std::ranges::find_if(line.slots, &SlotKind::isOut);
  return out == line.slots.end() ? line.result->shown : (*out)->result;
}

// (settle, timeoutMs, urgent, flags, receiver, ...arguments) => ticket | refusal; undefined: it has ended
Napi::Value invoke(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const auto& line = *static_cast<const Line*>(info.Data());
  constexpr size_t kFirst = kFrame + 2;

  Handle* handle = Handle::fromJs(env, info[kFrame + 1]);
  if (!handle || &handle->kind != line.receiver)
    return Refusal{Refusal::Kind::Type, anA(line.receiver->name), -1}.toJs(env);
  const auto& session = handle->session;
  auto receiver = session->objectOf(*handle);

  napi_value arguments[kMostParameters];
  for (size_t i = 0; i < kMostParameters; ++i) arguments[i] = info[kFirst + i];
  auto call =
      std::make_shared<BoundCall>(line, session, receiver, info[kFrame].As<Napi::Number>().Uint32Value());
  if (auto refused = call->read(env, arguments)) return refused->toJs(env);

  if (line.isSync) {
    if (receiver)
      call->runHere(env, info[0]);
    else
      callBack(env, info[0], {env.Undefined(), Failure::closed().toJs(env)});
    return env.Undefined();
  }
  const auto frame = frameOf(info);
  const auto ticket = call->depart(env, frame);
  session->submit(
      call,
      {.agent = call->toAgent(), .urgent = line.route.urgent || frame.urgent, .prompt = line.route.prompt});
  return ticket;
}

Napi::Array paramList(Napi::Env env, std::span<const ParamField> fields) {
  auto js = Napi::Array::New(env, fields.size());
  for (uint32_t i = 0; i < fields.size(); ++i) {
    auto field = Napi::Object::New(env);
    field.Set("name", fields[i].name);
    field.Set("type", Napi::Number::New(env, fields[i].type));
    field.Set("isList", fields[i].isList);
    js[i] = field;
  }
  return js;
}

Napi::Value describe(Napi::Env env, const AskedAgent& agent) {
  constexpr const char* unflagged[] = {"asks nobody", "asks the agent", "asks the agent first"};
  auto js = Napi::Object::New(env);
  js.Set("always", agent.always);
  js.Set("flag", Napi::Number::New(env, agent.flag));
  js.Set("unflagged", unflagged[static_cast<int>(agent.unflagged)]);
  js.Set("position", Napi::Number::New(env, agent.position));
  js.Set("value", Napi::Number::New(env, agent.value));
  return js;
}

Napi::Object describe(Napi::Env env, const Line& line) {
  auto js = Napi::Object::New(env);
  js.Set("name", line.name);
  js.Set("receiver", line.receiver->name);
  js.Set("isSync", line.isSync);
  js.Set("hasFlags", std::ranges::any_of(line.slots, &SlotKind::isFlags));
  js.Set("home", homeOf(line));
  js.Set("countsList", std::ranges::any_of(line.slots, &SlotKind::isList));
  js.Set("resultTag", line.resultTag);
  js.Set("result", shownResult(line));
  js.Set("outNames", textList(env, line.outNames));
  js.Set("positions", numberList(env, positionsOf(line)));
  js.Set("nullable", numberList(env, line.nullable));
  js.Set("bits", numberList(env, line.bits));
  js.Set("sameLength", numberList(env, line.sameLength));
  js.Set("params", paramList(env, line.schema));
  js.Set("agent", line.agent ? describe(env, line.agent) : env.Null());
  js.Set("isUrgent", line.route.urgent);
  js.Set("isPrompt", line.route.prompt);
  js.Set("invoke", Napi::Function::New(env, invoke, line.name, const_cast<Line*>(&line)));
  return js;
}

}  // namespace

void exportMembers(Napi::Env env, Napi::Object exports) {
  auto functions = Napi::Array::New(env);
  for (const Table* table : tables)
    for (const Line& line : *table) functions[functions.Length()] = describe(env, line);
  exports.Set("functions", functions);
}

}  // namespace virt
