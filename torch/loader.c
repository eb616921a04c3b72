// The shim is opened when a tensor is first needed, not when the program starts:
// this file defines each function that shim.h declares as a jump through a pointer
// that ep_open_shim fills.
#define _GNU_SOURCE
#include "loader.h"

#include "shim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EP_FN(name, params, args) \
  static ep_status(*name##_) params; \
  ep_status name params { return name##_ args; }
#include "shim_functions.h"
#undef EP_FN

static char *copy(const char *s) { return strdup(s ? s : "unknown error of the dynamic loader"); }

char *ep_open_library(const char *path) {
  /* libtorch's warnings, such as of a copy that padding="same" costs, are of no use to a reader of
     results, and would stand among progress bars. */
  setenv("TORCH_CPP_LOG_LEVEL", "ERROR", 0);
  return dlopen(path, RTLD_NOW | RTLD_GLOBAL) ? NULL : copy(dlerror());
}

char *ep_open_shim(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return copy(dlerror());
  const int *version = dlsym(library, "ep_abi_version");
  if (!version || *version != EP_ABI_VERSION) {
    char *message = NULL;
    if (asprintf(&message, "its interface has version %d, this program needs %d", version ? *version : 0,
                 EP_ABI_VERSION) < 0)
      return copy("its interface has another version");
    return message;
  }
#define EP_FN(name, params, args) \
  *(void **)&name##_ = dlsym(library, #name); \
  if (!name##_) \
    return copy("it lacks the function " #name);
#include "shim_functions.h"
#undef EP_FN
  return NULL;
}

size_t ep_cudnn_version(void) {
  /* All libtorch that is supported has this one; it is asked only where it is loaded. */
  void *library = dlopen("libcudnn.so.9", RTLD_LAZY | RTLD_NOLOAD);
  if (!library)
    return 0;
  size_t (*version)(void);
  *(void **)&version = dlsym(library, "cudnnGetVersion");
  const size_t v = version ? version() : 0;
  dlclose(library);
  return v;
}
