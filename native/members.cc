// The lines of the tables as functions of JavaScript.
#include "argument.h"
#include "callback.h"
#include "exports.h"
#include "tables.h"

namespace virt {

namespace {

Napi::Array numberList(Napi::Env env, const std::vector<int>& numbers) {
  auto js = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); ++i) js[i] = Napi::Number::New(env, numbers[i]);
  return js;
}

// (settle, timeoutMs, ticket, urgent, flags, receiver, ...arguments) => undefined | refusal
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
  js.Set("home", line.home);
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

}  // namespace

void exportMembers(Napi::Env env, Napi::Object exports) {
  auto functions = Napi::Array::New(env);
  for (const auto& table : tables)
    for (const Line& line : table()) functions[functions.Length()] = describe(env, line);
  exports.Set("functions", functions);
}

}  // namespace virt
