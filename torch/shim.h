/* The C interface of the shim over libtorch.
 *
 * Nothing of C++ crosses it: handles are opaque, every function returns an
 * ep_status, and no exception leaves the shim. It can be read by C and C++.
 *
 * Ownership. Functions whose first argument is an ep_scope make tensors that
 * belong to that scope and are freed with it; ep_tensor_keep takes one out of
 * its scope and gives it to the caller, who frees it with ep_tensor_free.
 *
 * Threads. Any thread may call anything at any time with different scopes; one
 * scope is used by one thread at a time, not always the same one. The thread-local
 * settings of libtorch (grad mode, number of threads) are set anew in
 * each call from the scope, so that a caller may change threads between calls; but
 * not a caller with a stream of its own (ep_stream_take), which stays on the thread.
 */
#ifndef EEGPRUNE_SHIM_H
#define EEGPRUNE_SHIM_H

#include <stddef.h>
#include <stdint.h>

/* Raised when a function is added, removed or changed: the caller refuses a
 * shim of another version instead of crashing in it. */
#define EP_ABI_VERSION 18

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ep_tensor_s *ep_tensor;
typedef struct ep_scope_s *ep_scope;
typedef struct ep_generator_s *ep_generator;
typedef struct ep_optimizer_s *ep_optimizer;
typedef struct ep_graph_s *ep_graph;
typedef struct ep_operation_s *ep_operation;
typedef struct ep_prepared_s *ep_prepared;

enum {
  EP_OK = 0,
  EP_INVALID = 1,       /* wrong shape, type or value */
  EP_OUT_OF_MEMORY = 2, /* host or device */
  EP_DEVICE = 3,        /* no such device, or the device failed */
  EP_INTERNAL = 4,      /* anything else */
};

/* message is NULL when code is EP_OK, else the caller's to free with
 * ep_message_free. It comes back with the call that failed, so that it can't be
 * lost or taken for another thread's. */
typedef struct {
  int32_t code;
  char *message;
} ep_status;

enum { EP_FLOAT32 = 0, EP_FLOAT64 = 1, EP_INT64 = 2, EP_BOOL = 3, EP_INT32 = 4, EP_INT16 = 5, EP_INT8 = 6, EP_UINT8 = 7 };

/* A device is its type and index. */
enum { EP_CPU = 0, EP_CUDA = 1 };
typedef struct {
  int32_t type;
  int32_t index;
} ep_device;

typedef struct {
  int64_t stride[2];
  int64_t padding[2];
  int64_t dilation[2];
  int64_t groups;
} ep_conv2d_options;

/* Of a convolution and the operations fused with it: negative numbers times slope (1 leaves all as
 * they are), the mean of every `pool` points of a row, and a BatchNorm's evaluation, unless
 * norm_weight is NULL. Zeros are added left, right, top, bottom. */
typedef struct {
  int64_t stride[2];
  int64_t dilation[2];
  int64_t pad[4];
  int64_t groups;
  double slope;
  int64_t pool;
  ep_tensor norm_weight, norm_bias, norm_mean, norm_variance;
  double norm_eps;
} ep_hwcn_options;

/* An argument of an operation: its name at text + name, and count values of its kind from start on.
 * Of EP_TEXT start is where it stands in text, which ends with a zero. EP_BOOLEAN lies in ints.
 * EP_SIZES are pairs in ints: a factor, and whether it is of the number of clips. EP_TENSORS are
 * numbers of the tensors of a run. */
enum { EP_NONE = 0, EP_TENSORS = 1, EP_INTS = 2, EP_REALS = 3, EP_BOOLEAN = 4, EP_TEXT = 5, EP_SIZES = 6 };
typedef struct {
  int64_t name;
  int64_t start;
  int64_t count;
  int32_t kind;
} ep_argument;

/* The shared library hides all but these. */
#define EP_FN(name, params, args) __attribute__((visibility("default"))) ep_status name params;
#include "shim_functions.h"
#undef EP_FN

#ifdef __cplusplus
}
#endif

#endif /* EEGPRUNE_SHIM_H */
