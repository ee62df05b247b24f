#include "environment.h"

#include "call.h"

namespace virt {

std::shared_ptr<Environment> Environment::create(Napi::Env env) {
  auto self = std::make_shared<Environment>();
  napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "libvirt"), 0, 1, nullptr,
                                  nullptr, self.get(), &Environment::arrive, &self->wake_);
  napi_unref_threadsafe_function(env, self->wake_);
  // Hooks run in reverse order: ours, added after the function's own, comes first.
  env.AddCleanupHook([self, env] { self->close(env); });
  env.SetInstanceData(new std::shared_ptr<Environment>(self));
  return self;
}

void Environment::post(std::shared_ptr<Deliverable> item, int what) {
  std::lock_guard lock(mutex_);
  if (!open_) return;
  news_.push_back({std::move(item), what});
  if (news_.size() == 1) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void Environment::hold(Napi::Env env) {
  if (holders_++ == 0) napi_ref_threadsafe_function(env, wake_);
}

void Environment::letGo(Napi::Env env) {
  if (--holders_ == 0) napi_unref_threadsafe_function(env, wake_);
}

napi_ref Environment::refer(Napi::Env env, napi_value value) {
  napi_ref reference = nullptr;
  napi_create_reference(env, value, 1, &reference);
  references_.insert(reference);
  return reference;
}

void Environment::forget(Napi::Env env, napi_ref reference) {
  references_.erase(reference);
  napi_delete_reference(env, reference);
}

uint32_t Environment::admit(std::weak_ptr<Call> call) {
  while (!calls.try_emplace(++lastTicket_, call).second) {  // after four milliards of them
  }
  return lastTicket_;
}

void Environment::close(Napi::Env env) {
  for (auto* reference : references_) napi_delete_reference(env, reference);
  references_.clear();
  {
    std::vector<News> late;
    std::lock_guard lock(mutex_);
    open_ = false;
    late.swap(news_);
    napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  }
  // Nobody waits for them any more, and an open that waits for an answer would do so for ever.
  for (auto& [ticket, waiting] : calls)
    if (auto call = waiting.lock()) call->abandon(Call::Abandoned);
}

void Environment::arrive(napi_env raw, napi_value, void* context, void*) {
  if (!raw) return;
  Napi::Env env(raw);
  auto* self = static_cast<Environment*>(context);
  std::vector<News> batch;
  {
    std::lock_guard lock(self->mutex_);
    batch.swap(self->news_);
  }
  for (auto& news : batch) {
    Napi::HandleScope scope(env);
    news.item->deliver(env, news.what);
    news.item.reset();
  }
}

}  // namespace virt
