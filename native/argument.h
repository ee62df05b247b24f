// What an argument of JavaScript is read with, and the one kind that depends on it: a handle.
#pragma once
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "convert.h"
#include "handle.h"
#include "params.h"
#include "session.h"

namespace virt {

struct Reading {
  Napi::Env env;
  const std::shared_ptr<Session>& session;
  std::span<const ParamField> schema = {};  // of typed parameters
};

inline std::string anA(const char* name) {
  return (std::strchr("AEIOU", *name) ? "an " : "a ") + std::string(name);
}

// A handle of this session, open. `object` null where the session is closed.
inline Refused handleFromJs(const Reading& reading, Napi::Value value, const Kind& kind,
                            std::shared_ptr<Object>& object) {
  Handle* handle = Handle::fromJs(reading.env, value);
  if (!handle || &handle->kind != &kind) return refuse(Refusal::Kind::Type, anA(kind.name));
  if (handle->session != reading.session)
    return refuse(Refusal::Kind::Value, anA(kind.name) + " of the same connection");
  object = reading.session->objectOf(*handle);
  return {};
}

}  // namespace virt
