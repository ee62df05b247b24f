#include "handle.h"

#include "session.h"
#include "tagged.h"
#include "thread.h"

namespace virt {

Object::Object(const Kind& kind, void* p, std::shared_ptr<Session> session)
    : kind(kind), p(p), session(std::move(session)) {
  this->session->took();
}

Object::~Object() {
  if (mayBlock) {
    kind.free(p);
    session->gaveBack();
  } else {
    session->release({kind.free, p});
  }
}

Handle::Handle(std::shared_ptr<Object> first)
    : kind(first->kind), session(first->session), object(std::move(first)) {
  session->enter(*this);
}

Handle::~Handle() { session->leave(*this); }

Napi::Value Handle::toJs(Napi::Env env, std::shared_ptr<Object> object) {
  return toTagged(env, std::make_unique<Handle>(std::move(object)));
}

Handle* Handle::fromJs(napi_env env, napi_value value) { return fromTagged<Handle>(env, value); }

}  // namespace virt
