#ifndef EEGPRUNE_LOADER_H
#define EEGPRUNE_LOADER_H

/* Opens a shared library for good, with its symbols visible to those opened after
 * it. Returns NULL, or what went wrong, to be freed. */
char *ep_open_library(const char *path);

/* Opens the shim and finds each of its functions. Returns NULL, or what went wrong,
 * to be freed. */
char *ep_open_shim(const char *path);

#endif
