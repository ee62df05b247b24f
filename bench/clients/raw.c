// Raw C: what libvirt's own library allows. Asked on its standard input, one line for each slice: PROGRAM CALLS.
#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// libvirt's calls block: calls in flight are threads. As many as the addon has for one connection.
enum { THREADS = 7 };

static virDomainPtr domain;

static void *loop(void *calls) {
  virDomainInfo info;
  for (long i = 0; i < *(long *)calls; ++i)
    if (virDomainGetInfo(domain, &info) < 0) exit(1);
  return NULL;
}

static void awaited(long calls) { loop(&calls); }

static void pipelined(long calls) {
  pthread_t threads[THREADS];
  long share = calls / THREADS;
  for (int i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, loop, &share);
  for (int i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
}

static void list(long calls) {
  while (calls--) {
    virDomainPtr *domains;
    int count = virConnectListAllDomains(virDomainGetConnect(domain), &domains, 0);
    if (count < 0) exit(1);
    while (count--) virDomainFree(domains[count]);
    free(domains);
  }
}

static void stats(long calls) {
  while (calls--) {
    virDomainStatsRecordPtr *records;
    if (virConnectGetAllDomainStats(virDomainGetConnect(domain), 0, &records, 0) < 0) exit(1);
    virDomainStatsRecordListFree(records);
  }
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long told;

static int tell(virConnectPtr connection, virDomainPtr about, int event, int detail, void *data) {
  (void)connection, (void)about, (void)event, (void)detail, (void)data;
  pthread_mutex_lock(&mutex);
  ++told;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
  return 0;
}

// Each pause and each resume is told; the slice ends with the last of them.
static void events(long calls) {
  virConnectPtr connection = virDomainGetConnect(domain);
  int id = virConnectDomainEventRegisterAny(connection, domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                            VIR_DOMAIN_EVENT_CALLBACK(tell), NULL, NULL);
  told = 0;
  for (long i = 0; i < calls; i += 2)
    if (virDomainSuspend(domain) < 0 || virDomainResume(domain) < 0) exit(1);
  pthread_mutex_lock(&mutex);
  while (told < calls) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  virConnectDomainEventDeregisterAny(connection, id);
}

static const struct {
  const char *name;
  void (*run)(long calls);
} programs[] = {{"awaited", awaited}, {"pipelined", pipelined}, {"list", list}, {"stats", stats}, {"events", events}};

static void *run_loop(void *nothing) {
  for (;;) virEventRunDefaultImpl();
  return nothing;
}

int main(int argc, char **argv) {
  virEventRegisterDefaultImpl();
  pthread_t loop_thread;
  pthread_create(&loop_thread, NULL, run_loop, NULL);
  virConnectPtr connection = virConnectOpen(argc > 1 ? argv[1] : NULL);
  domain = connection ? virDomainLookupByName(connection, "test") : NULL;
  if (!domain) return 1;
  char program[32];
  long calls;
  while (scanf("%31s %ld", program, &calls) == 2) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (size_t i = 0; i < sizeof programs / sizeof *programs; ++i)
      if (strcmp(program, programs[i].name) == 0) programs[i].run(calls);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.0f\n", (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec));
    fflush(stdout);
  }
  return 0;
}
