// The JavaScript side of one environment: where results come home. The main thread is one, every worker
// another.
#pragma once
#include <napi.h>

#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace virt {

// Something that is to be told to JavaScript.
class Deliverable {
 public:
  virtual ~Deliverable() = default;
  virtual void deliver(Napi::Env env, int what) = 0;  // on the JavaScript thread
};

class Call;
class AuthRequest;

// Keeps the process alive while something holds it (a pending call, a waiting consumer); drops what arrives
// after the environment has gone. What was finished meanwhile is delivered in one go: one wake-up serves many
// calls.
class Environment : public std::enable_shared_from_this<Environment> {
 public:
  static std::shared_ptr<Environment> create(Napi::Env env);
  static Environment& of(Napi::Env env) { return **env.GetInstanceData<std::shared_ptr<Environment>>(); }

  // From any thread.
  void post(std::shared_ptr<Deliverable> news, int what);

  // On the JavaScript thread.
  void hold(Napi::Env env);
  void letGo(Napi::Env env);

  // On the JavaScript thread. Node keeps a reference beyond its environment unless it is deleted before.
  napi_ref refer(Napi::Env env, napi_value value);
  void forget(Napi::Env env, napi_ref reference);

  // A call that is under way, by its ticket: JavaScript may abandon it, and the end of the environment does.
  uint32_t admit(std::weak_ptr<Call> call);
  std::unordered_map<uint32_t, std::weak_ptr<Call>> calls;
  // Questions that JavaScript has to answer.
  std::unordered_map<uint32_t, std::shared_ptr<AuthRequest>> questions;
  uint32_t lastQuestion = 0;

 private:
  struct News {
    std::shared_ptr<Deliverable> item;
    int what;
  };
  void close(Napi::Env env);
  static void arrive(napi_env env, napi_value, void* context, void*);

  napi_threadsafe_function wake_ = nullptr;
  uint32_t lastTicket_ = 0;                  // JavaScript thread only
  size_t holders_ = 0;                       // JavaScript thread only
  std::unordered_set<napi_ref> references_;  // JavaScript thread only
  std::mutex mutex_;
  std::vector<News> news_;
  bool open_ = true;
};

}  // namespace virt
