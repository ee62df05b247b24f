#include "auth.h"

#include <string.h>

#include <map>
#include <mutex>

#include "library.h"

namespace virt {

namespace {
std::optional<std::string> optional(const char* text) {
  return text ? std::optional<std::string>(text) : std::nullopt;
}
Napi::Value textOrNull(Napi::Env env, const std::optional<std::string>& text) {
  return text ? Napi::Value(Napi::String::New(env, *text)) : env.Null();
}
}  // namespace

void AuthRequest::deliver(Napi::Env env, int) {
  auto& home = Environment::of(env);
  const uint32_t number = ++home.lastQuestion;
  home.questions.emplace(number, shared_from_this());
  auto list = Napi::Array::New(env, questions_.size());
  for (uint32_t i = 0; i < questions_.size(); ++i) {
    auto js = Napi::Object::New(env);
    js.Set("type", questions_[i].type);
    js.Set("prompt", questions_[i].prompt);
    js.Set("challenge", textOrNull(env, questions_[i].challenge));
    js.Set("defaultResult", textOrNull(env, questions_[i].defaultResult));
    list[i] = js;
  }
  ask_->call(env, {Napi::Number::New(env, number), list});
}

void AuthRequest::answer(std::optional<Answers> answers) {
  std::lock_guard lock(mutex_);
  if (answered_) return;
  answered_ = true;
  answers_ = std::move(answers);
  wake_.notify_all();
}

std::optional<Answers> AuthRequest::wait() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return answered_; });
  return std::move(answers_);
}

void Authenticator::giveUp() {
  std::lock_guard lock(mutex_);
  givenUp_ = true;
  if (pending_) pending_->answer(std::nullopt);
}

bool Authenticator::ask(virConnectCredentialPtr credentials, unsigned count) {
  std::vector<Question> questions;
  for (unsigned i = 0; i < count; ++i) {
    const auto& c = credentials[i];
    questions.push_back({c.type, c.prompt ? c.prompt : "", optional(c.challenge), optional(c.defresult)});
  }
  auto request = std::make_shared<AuthRequest>(std::move(questions), ask_);
  {
    std::lock_guard lock(mutex_);
    if (givenUp_) return false;
    pending_ = request;
  }
  environment_->post(request, 0);
  auto answers = request->wait();
  std::lock_guard lock(mutex_);
  pending_.reset();
  if (!answers || answers->size() != count) return false;
  remembered_.insert(remembered_.end(), answers->begin(), answers->end());
  return true;
}

int Authenticator::callback(virConnectCredentialPtr credentials, unsigned count, void* data) {
  auto& visit = *static_cast<Visit*>(data);
  auto& self = *visit.self;
  if (!visit.again && !self.ask(credentials, count)) return -1;
  std::lock_guard lock(self.mutex_);
  for (unsigned i = 0; i < count; ++i) {
    if (visit.next == self.remembered_.size()) return -1;
    const auto& answer = self.remembered_[visit.next++];
    if (!answer) continue;
    credentials[i].result = strdup(answer->c_str());
    credentials[i].resultlen = static_cast<unsigned>(answer->size());
  }
  return 0;
}

virConnectPtr Authenticator::open(const char* uri, unsigned flags, bool again) {
  int types[] = {VIR_CRED_USERNAME,   VIR_CRED_AUTHNAME,   VIR_CRED_LANGUAGE,     VIR_CRED_CNONCE,
                 VIR_CRED_PASSPHRASE, VIR_CRED_ECHOPROMPT, VIR_CRED_NOECHOPROMPT, VIR_CRED_REALM};
  Visit visit{this, again};
  virConnectAuth auth{types, std::size(types), &Authenticator::callback, &visit};
  return VIR(virConnectOpenAuth)(uri, &auth, flags);
}

namespace {
// libvirt enters an embedded driver into a table of some twenty places anew with each open, and never takes
// it out. The driver serves its callers side by side, so whoever needs no connection of his own, or finds the
// table full, is lent the first one. It stays open for ever.
class Embedded {
 public:
  using Key = std::pair<std::string, unsigned>;  // URI, flags
  virConnectPtr lend(const Key& key) {
    std::lock_guard lock(mutex_);
    const auto found = first_.find(key);
    if (found == first_.end()) return nullptr;
    VIR(virConnectRef)(found->second);
    return found->second;
  }
  void remember(const Key& key, virConnectPtr connection) {
    std::lock_guard lock(mutex_);
    if (first_.emplace(key, connection).second) VIR(virConnectRef)(connection);
  }

 private:
  std::mutex mutex_;
  std::map<Key, virConnectPtr> first_;
};
}  // namespace

virConnectPtr Address::open(bool again, Wire* wire) const {
  static auto& embedded = *new Embedded;  // outlives every thread
  const bool isEmbedded = uri.find(":///embed?") != std::string::npos;
  if (isEmbedded && again)
    if (auto* lent = embedded.lend({uri, flags})) return lent;
  std::unique_lock<std::mutex> held;
  if (isEmbedded) held = holdExit();  // its drivers are libraries
  const Wire::Opening opening(isEmbedded ? nullptr : wire);
  const char* name = uri.empty() ? nullptr : uri.c_str();
  auto* opened = auth ? auth->open(name, flags, again) : VIR(virConnectOpenAuth)(name, nullptr, flags);
  if (!isEmbedded) return opened;
  if (!opened) return embedded.lend({uri, flags});
  embedded.remember({uri, flags}, opened);
  return opened;
}

}  // namespace virt
