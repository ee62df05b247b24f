#include "thread.h"

#include <pthread.h>
#include <signal.h>

#include <memory>
#include <string>

namespace virt {

namespace {
struct Start {
  std::string name;
  std::function<void()> body;
};

void* enter(void* data) {
  std::unique_ptr<Start> start(static_cast<Start*>(data));
  pthread_setname_np(pthread_self(), start->name.c_str());
  start->body();
  return nullptr;
}
}  // namespace

bool startThread(const char* name, std::function<void()> body) {
  auto start = std::make_unique<Start>(Start{name, std::move(body)});
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, enter, start.get()) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (started) start.release();
  return started;
}

}  // namespace virt
