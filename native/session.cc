#include "session.h"

#include <future>

#include "call.h"
#include "close-watch.h"
#include "event-loop.h"
#include "library.h"
#include "stream.h"
#include "subscription.h"
#include "thread.h"

namespace virt {

namespace {
constexpr std::chrono::seconds kMoment{1};
}  // namespace

void Session::Lanes::letGo() const {
  for (auto& lane : {ordinary, urgent, prods}) lane->letGo();
}

Session::~Session() {
  if (!wasOpened_) lanes_.ordinary->letGo();  // the thread that was to open it
  if (!connection_) return;
  Task task = [connection = connection_, sources = events_->takeOf(this), lanes = lanes_, wire = wire] {
    wire->takeLeave();
    for (auto& source : sources) source->deregister(connection);
    if (dismantle(connection)) lanes.letGo();
  };
  if (mayBlock)
    task();
  else
    lanes_.ordinary->post(std::move(task));
}

bool Session::dismantle(virConnectPtr connection) {
  CloseWatch::stop(connection);
  return VIR(virConnectClose)(connection) == 0;
}

void Session::opened(virConnectPtr connection, std::shared_ptr<CloseWatch> watch,
                     std::chrono::milliseconds keepAlive) {
  std::lock_guard lock(mutex_);
  connection_ = connection;
  wasOpened_ = true;
  events_ = EventSources::of(connection);
  watch_ = std::move(watch);
  prod_->begin(weak_from_this());
  if (keepAlive.count() > 0) {
    liveness_ = std::make_shared<Liveness>(weak_from_this(), watch_, keepAlive);
    liveness_->start();
  }
  // The test driver lives in this process and keeps its guests per connection: another one would not know
  // them.
  hasAgentLinks_ = !address->uri.starts_with("test:");
}

std::shared_ptr<Object> Session::objectOf(Handle& handle) {
  std::lock_guard lock(mutex_);
  return closing_ ? nullptr : handle.object;
}

void Session::pin() { hasAgentLinks_ = false; }

void Session::submit(const std::shared_ptr<Call>& call, Route route) {
  {
    std::unique_lock lock(mutex_);
    if (closing_) {
      lock.unlock();
      return call->fail(Failure::closed());
    }
    // Its deadline may have passed before it got here: then nobody would take it out again.
    if (!call->isSettled()) calls_.insert(call.get());
  }
  if (route.agent != Route::ToAgent::Never && hasAgentLinks_) {
    agents_.send(call, route.urgent                               ? AgentLinks::Turn::Urgent
                       : route.agent == Route::ToAgent::AsksFirst ? AgentLinks::Turn::Beside
                                                                  : AgentLinks::Turn::Ordinary);
    return;
  }
  auto lane = call->ownLane();
  if (!lane) lane = route.urgent ? lanes_.urgent : lanes_.ordinary;
  const Task task = [call, prod = prod_] {
    const Prod::Turn turn(*prod);
    call->run();
  };
  if (!lane->post(task, route.prompt)) call->fail(Failure::noThread());
}

void Session::ask(std::function<bool()> request) {
  auto asked = std::make_shared<std::packaged_task<void()>>([this, request = std::move(request)] {
    const Prod::Turn turn(*prod_);
    if (!request() && libraryVersion() < Lane::kMended && isDead()) Lane::retire();
  });
  const auto answered = asked->get_future();
  if (lanes_.ordinary->post([asked] { (*asked)(); }, true)) answered.wait();
}

void Session::settled(Call& call) {
  std::lock_guard lock(mutex_);
  if (calls_.erase(&call) && calls_.empty()) drained_.notify_all();
}

std::vector<std::shared_ptr<Call>> Session::unsettled() {
  std::vector<std::shared_ptr<Call>> calls;
  for (Call* call : calls_)
    if (auto held = call->weak_from_this().lock()) calls.push_back(std::move(held));
  return calls;
}

virConnectPtr Session::borrow() {
  std::lock_guard lock(mutex_);
  if (!connection_) return nullptr;
  VIR(virConnectRef)(connection_);
  took();
  return connection_;
}

void Session::giveBack(virConnectPtr connection) {
  VIR(virConnectClose)(connection);
  gaveBack();
}

bool Session::isDead() {
  // Outside the lock: libvirt answers only when its client is idle, and JavaScript needs the lock.
  virConnectPtr connection = borrow();
  if (!connection) return wasOpened_;
  const bool isAlive = VIR(virConnectIsAlive)(connection) != 0;
  giveBack(connection);
  return !isAlive;
}

void Session::prod() {
  if (isProdded_.exchange(true)) return;
  const Task ask = [self = shared_from_this()] {
    if (virConnectPtr connection = self->borrow()) {
      unsigned long version = 0;
      // Of the daemon's own, which it answers beside calls that hang.
      const bool isAnswered = VIR(virConnectGetLibVersion)(connection, &version) == 0;
      self->giveBack(connection);
      if (!isAnswered && libraryVersion() < Lane::kMended && self->isDead()) Lane::retire();
    }
    self->isProdded_ = false;
  };
  if (!lanes_.prods->post(ask)) isProdded_ = false;
}

bool Session::isWaiting() {
  std::lock_guard lock(mutex_);
  return connection_ && !calls_.empty();
}

void Session::lose() {
  std::unique_lock lock(mutex_);
  const auto calls = unsettled();
  lock.unlock();
  for (auto& call : calls) call->abandon(Call::Lost);
  agents_.cut();
}

void Session::release(Release release) {
  {
    std::lock_guard lock(releasesMutex_);
    releases_.push_back(release);
    if (std::exchange(isReleasing_, true)) return;
  }
  // libvirt frees them without asking the host, but for a stream that is under way: they need not wait for
  // calls that hang.
  if (lanes_.ordinary->post([self = shared_from_this()] { self->releaseAll(); }, true)) return;
  std::lock_guard lock(releasesMutex_);
  isReleasing_ = false;  // they wait for the next one
}

void Session::releaseAll() {
  std::vector<Release> releases;
  {
    std::lock_guard lock(releasesMutex_);
    releases.swap(releases_);
    isReleasing_ = false;
  }
  for (const auto& [free, p] : releases) {
    free(p);
    gaveBack();
  }
}

void Session::gaveBack() {
  if (--references_ > 0) return;
  std::lock_guard lock(mutex_);
  drained_.notify_all();
}

void Session::enter(Handle& handle) {
  std::shared_ptr<Object> late;  // released outside the lock
  std::lock_guard lock(mutex_);
  handles_.insert(&handle);
  if (isSwept_) late = std::move(handle.object);
}

void Session::leave(Handle& handle) {
  std::lock_guard lock(mutex_);
  handles_.erase(&handle);
}

bool Session::subscribe(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection,
                        const std::shared_ptr<Object>& object) {
  const auto name = object ? consumer->line.subject.identity(object->p) : std::string();
  if (object && name.empty()) return false;
  return events_->add(consumer, connection, object ? object->p : nullptr, name);
}

void Session::unsubscribe(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection) {
  events_->remove(consumer, connection);
}

bool Session::beginClose() {
  std::lock_guard lock(mutex_);
  return !std::exchange(closing_, true);
}

void Session::takeBackClose() {
  std::lock_guard lock(mutex_);
  closing_ = false;
}

void Session::endStreams() {
  std::lock_guard lock(mutex_);
  for (Handle* handle : handles_)
    if (&handle->kind == &KindOf<virStream>::kind && handle->object) StreamObject::abort(handle->object);
}

bool Session::awaitReferences() {
  std::unique_lock lock(mutex_);
  return drained_.wait_for(lock, kMoment, [this] { return references_ == 0; });
}

void Session::close(std::chrono::milliseconds limit) {
  endStreams();
  std::vector<std::shared_ptr<Call>> hung;
  std::vector<std::shared_ptr<Object>> objects;
  {
    std::unique_lock lock(mutex_);
    drained_.wait_for(lock, limit, [this] { return calls_.empty(); });
    hung = unsettled();
    liveness_.reset();
    watch_.reset();  // from now on the end is ours
    isSwept_ = true;
    for (Handle* handle : handles_) objects.push_back(std::move(handle->object));
  }
  for (auto& call : hung) call->abandon(Call::Closed);
  wire->takeLeave();
  objects.clear();
  agents_.clear();
  virConnectPtr connection;
  {
    std::lock_guard lock(mutex_);
    connection = std::exchange(connection_, nullptr);
  }
  if (!connection) return;
  // A registration that is just being served holds the connection until it has been.
  if (events_->removeOf(this, connection)) awaitEventLoop(kMoment);
  // What is on its way to JavaScript, or just leaving a lane, still holds what it is about, for a moment; a
  // call that was given up and hangs, until it fails.
  if (!awaitReferences()) {
    wire->cut();
    awaitReferences();
  }
  if (!dismantle(connection)) return;
  lanes_.letGo();
  awaitEventLoop(kMoment);  // which is what closes the socket
}

}  // namespace virt
