//go:build unix

#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

struct guarded {
  _Atomic uintptr_t start; // 0: this one is free
  _Atomic uintptr_t end;
  _Atomic int lost;
  guarded *next; // never changes once others see it
};

// Those that are there stay, for the handler may be looking at them.
static _Atomic(guarded *) all;
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;

// Calls nothing that is not safe in a handler: mmap is one system call.
static void on_bus(int sig, siginfo_t *info, void *context) {
  const uintptr_t at = (uintptr_t)info->si_addr;
  for (guarded *g = atomic_load(&all); g; g = g->next) {
    const uintptr_t start = atomic_load(&g->start), end = atomic_load(&g->end);
    if (start == 0 || at < start || at >= end)
      continue;
    const int saved = errno;
    atomic_store(&g->lost, 1); // before anybody reads the zeros
    void *const zeros = mmap((void *)start, end - start, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    errno = saved;
    if (zeros != MAP_FAILED)
      return;
  }
  // Not ours: Go's own handler, which was there before, knows what to do.
  if (before.sa_flags & SA_SIGINFO)
    before.sa_sigaction(sig, info, context);
  else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
    before.sa_handler(sig);
  else
    signal(sig, SIG_DFL); // the access is tried again, and ends the program
}

static void install(void) {
  struct sigaction action = {0};
  action.sa_sigaction = on_bus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART; // Go needs its own stack for signals
  sigfillset(&action.sa_mask);
  sigaction(SIGBUS, NULL, &before);
  sigaction(SIGBUS, &action, NULL);
}

guarded *guard(void *start, size_t size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
  pthread_mutex_lock(&changing);
  guarded *g = atomic_load(&all);
  while (g && atomic_load(&g->start) != 0)
    g = g->next;
  const int fresh = !g;
  if (fresh)
    g = calloc(1, sizeof *g);
  if (g) {
    atomic_store(&g->lost, 0);
    atomic_store(&g->end, (uintptr_t)start + size);
    atomic_store(&g->start, (uintptr_t)start);
    if (fresh) {
      g->next = atomic_load(&all);
      atomic_store(&all, g);
    }
  }
  pthread_mutex_unlock(&changing);
  return g;
}

int guard_lost(guarded *g) { return atomic_load(&g->lost); }

void unguard(guarded *g) { atomic_store(&g->start, 0); }
