// Where blocking calls run: a few threads private to one connection, so that a hung host starves nobody else.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "condition.h"

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

  // Until 10.3 libvirt leaves, when a connection dies while several calls wait, a note to itself in the stack
  // frame of a call that has failed (CVE-2024-4418): the host's next packet, minutes later, writes through
  // it. So a thread whose call failed on a dead connection takes no more work: it sleeps, its dead frames
  // untouched (see farBelow), until the connection has been freed for good. On the thread of the task.
  static void retire();
  // The connection has been freed: threads that retired may end.
  void letGo();

  // From any thread. False: no thread could be started, and the task will not run.
  bool post(Task task);

 private:
  void work();

  const size_t width_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  size_t threads_ = 0, idle_ = 0;
  std::condition_variable freed_;
  bool isFreed_ = false;
};

}  // namespace virt
