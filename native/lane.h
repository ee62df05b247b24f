// Where blocking calls run: a few threads private to one connection, so that a hung host starves nobody else.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace virt {

using Task = std::function<void()>;

// Tasks start in order. Threads are started when there is work for them and end when there has been none for
// a while.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  // libvirtd serves five requests of a client at once, counts keepalives among them, and closes a client that
  // fills all five for half a minute: three here and one urgent leave room.
  static constexpr size_t kWidth = 3;

  explicit Lane(size_t width) : width_(width) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // From any thread. False: no thread could be started, and the task will not run.
  bool post(Task task);

 private:
  void work();

  const size_t width_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  size_t threads_ = 0, idle_ = 0;
};

}  // namespace virt
