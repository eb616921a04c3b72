#ifndef EEGPRUNE_LOADER_H
#define EEGPRUNE_LOADER_H

#include <stddef.h>

/* Opens a shared library for good, with its symbols visible to those opened after
 * it. Returns NULL, or an error message, to be freed. */
char *ep_open_library(const char *path);

/* Opens the shim and finds each of its functions. Returns NULL, or an error message,
 * to be freed. */
char *ep_open_shim(const char *path);

/* The version of the cuDNN that came with libtorch, as cudnnGetVersion has it
 * (91002 is 9.10.2); 0 where there is none. */
size_t ep_cudnn_version(void);

#endif
