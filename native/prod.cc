#include "prod.h"

#include <algorithm>

#include "session.h"

namespace virt {

namespace {
using Clock = std::chrono::steady_clock;

// Most replies take less. One that takes longer is asked about less and less often.
constexpr std::chrono::milliseconds kPatience{4};
constexpr int kGrowth = 10;
}  // namespace

void Prod::begin(std::weak_ptr<Session> session) {
  std::lock_guard lock(mutex_);
  session_ = std::move(session);
}

Prod::Turn::Turn(Prod& prod) : prod_(prod), due_(Clock::now() + kPatience), patience_(kPatience) {
  std::lock_guard lock(prod_.mutex_);
  prod_.turns_.push_back(this);
  if (prod_.turns_.size() > 1) prod_.arm(due_);
}

Prod::Turn::~Turn() {
  std::lock_guard lock(prod_.mutex_);
  std::erase(prod_.turns_, this);
}

void Prod::arm(Deadline::Moment moment) {
  if (isArmed_ && armedFor_ <= moment) return;
  isArmed_ = true;
  armedFor_ = moment;
  next_.cancel();
  next_.set(std::chrono::ceil<std::chrono::milliseconds>(moment - Clock::now()), weak_from_this());
}

void Prod::expire() {
  std::shared_ptr<Session> session;
  {
    bool isDue = false;
    std::lock_guard lock(mutex_);
    isArmed_ = false;
    if (turns_.size() < 2) return;  // one alone cannot be forgotten
    const auto now = Clock::now();
    for (Turn* turn : turns_) {
      if (turn->due_ > now) continue;
      isDue = true;
      turn->patience_ *= kGrowth;
      turn->due_ = now + turn->patience_;
    }
    const auto earliest = [](Turn* a, Turn* b) { return a->due_ < b->due_; };
    arm((*std::min_element(turns_.begin(), turns_.end(), earliest))->due_);
    if (isDue) session = session_.lock();
  }
  if (session) session->prod();
}

}  // namespace virt
