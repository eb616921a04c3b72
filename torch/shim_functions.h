/* Every function of the shim, once: EP_FN(name, (parameters), (arguments)).
 * shim.h makes declarations of this list, the Go side the table it fills when it
 * loads the shared library. Hence no include guard. */

/* --- library ------------------------------------------------------------- */

/* Must be called once before anything else. */
EP_FN(ep_init, (void), ())
EP_FN(ep_message_free, (char *message), (message))
/* The versions of libtorch and of CUDA that the shim was built with: "2.15.0",
 * "13.2"; "" without CUDA. Both are static. */
EP_FN(ep_versions, (const char **torch, const char **cuda), (torch, cuda))
/* Threads that one operation may use, from now on, in every thread. */
EP_FN(ep_set_num_threads, (int32_t n), (n))
EP_FN(ep_num_threads, (int32_t *n), (n))
/* Whether convolutions and matrix products on GPUs may round their operands to TF32; they
 * may not unless this says so. */
EP_FN(ep_allow_tf32, (int32_t convolutions, int32_t products), (convolutions, products))
/* Whether operations on GPUs give the same bits each time, as they do unless this says
 * otherwise; else libtorch takes whatever form it thinks fastest. */
EP_FN(ep_set_deterministic, (int32_t on), (on))
/* Whether cuDNN times its algorithms for a shape that is new to a thread and takes the fastest, as it does not unless
 * this says so: of those that are deterministic while operations are to be. */
EP_FN(ep_set_cudnn_benchmark, (int32_t on), (on))
/* Counts the operations that the calling thread has libtorch compute, from the first call to the second,
 * which returns a line for each, "aten::mm calls bytes"; it is freed by ep_message_free. Views, and operations
 * that others compute, are not counted. */
EP_FN(ep_tally_begin, (void), ())
EP_FN(ep_tally_end, (char **counts), (counts))
/* Tensor handles that exist now. */
EP_FN(ep_live_tensors, (int64_t *n), (n))

/* --- devices ------------------------------------------------------------- */

EP_FN(ep_cuda_device_count, (int32_t *n), (n))
/* *code: the CUDA runtime's error where the devices can't be used, with index >= 0 of that
 * device; 0 where they can. *driver and *runtime: the newest CUDA that the driver knows, and that
 * which is loaded, as 1000 * major + 10 * minor. */
EP_FN(ep_cuda_state, (int32_t index, int32_t *code, int32_t *driver, int32_t *runtime), (index, code, driver, runtime))
/* name: at most size bytes with the closing zero; memory in bytes. */
EP_FN(ep_cuda_device, (int32_t index, char *name, size_t size, int64_t *free_bytes, int64_t *total_bytes),
      (index, name, size, free_bytes, total_bytes))
/* Waits until all is done that the calling thread asked of its stream on the device. */
EP_FN(ep_synchronize, (ep_device device), (device))
/* From now on, and for as long as it lives, the calling thread's work on that GPU has a stream
 * of its own, with a pool of memory for the recordings on it. */
EP_FN(ep_stream_take, (ep_device device), (device))
/* *has: whether the calling thread has one on the device. */
EP_FN(ep_stream_own, (ep_device device, int32_t *has), (device, has))
/* The calling thread's work on the device from now on begins when the work on the
 * common stream is done. */
EP_FN(ep_stream_follow, (ep_device device), (device))

/* --- scopes -------------------------------------------------------------- */

/* grad: whether operations in this scope are recorded for ep_backward. */
EP_FN(ep_scope_new, (int32_t grad, ep_scope *out), (grad, out))
EP_FN(ep_scope_free, (ep_scope scope), (scope))
/* From now on those operations of the scope are done in bfloat16 of which torch.autocast
 * says so. */
EP_FN(ep_scope_autocast, (ep_scope scope), (scope))

/* --- tensors ------------------------------------------------------------- */

/* A tensor with a copy of data, which is contiguous and on the host. */
EP_FN(ep_tensor_from_data,
      (ep_scope scope, const void *data, int32_t dtype, const int64_t *shape, int32_t dims, ep_device device,
       ep_tensor *out),
      (scope, data, dtype, shape, dims, device, out))
/* A tensor on data itself; release(context) is called when nothing uses data
 * any more, from any thread, also when this call fails. */
EP_FN(ep_tensor_wrap,
      (ep_scope scope, void *data, int32_t dtype, const int64_t *shape, int32_t dims, void (*release)(uintptr_t),
       uintptr_t context, ep_tensor *out),
      (scope, data, dtype, shape, dims, release, context, out))
EP_FN(ep_tensor_full,
      (ep_scope scope, double value, int32_t dtype, const int64_t *shape, int32_t dims, ep_device device,
       ep_tensor *out),
      (scope, value, dtype, shape, dims, device, out))
EP_FN(ep_tensor_free, (ep_tensor tensor), (tensor))
EP_FN(ep_tensor_keep, (ep_tensor tensor), (tensor))
/* shape has room for *dims numbers; *dims becomes the number of dimensions, of
 * which no more than that room are written. */
EP_FN(ep_tensor_describe, (ep_tensor tensor, int32_t *dtype, ep_device *device, int64_t *shape, int32_t *dims),
      (tensor, dtype, device, shape, dims))
/* Copies all elements to data on the host; bytes is its size and must fit. */
EP_FN(ep_tensor_read, (ep_tensor tensor, void *data, size_t bytes), (tensor, data, bytes))
/* The only element, as a double. */
EP_FN(ep_tensor_item, (ep_tensor tensor, double *out), (tensor, out))
EP_FN(ep_tensor_copy, (ep_tensor dst, ep_tensor src), (dst, src))
EP_FN(ep_tensor_set_requires_grad, (ep_tensor tensor, int32_t on), (tensor, on))
/* *out becomes NULL where there is no gradient. */
EP_FN(ep_tensor_grad, (ep_scope scope, ep_tensor tensor, ep_tensor *out), (scope, tensor, out))
EP_FN(ep_backward, (ep_scope scope, ep_tensor loss), (scope, loss))

/* --- operations ---------------------------------------------------------- */

/* Elementwise functions of one tensor, by libtorch's name: relu, selu, abs,
 * exp, log, sqrt, neg, sign, detach, clone, isnan; relu_, which changes the tensor and
 * returns another handle on it. */
EP_FN(ep_unary, (ep_scope scope, const char *name, ep_tensor a, ep_tensor *out), (scope, name, a, out))
/* Functions of two tensors: add, sub, mul, div, matmul, eq, maximum. */
EP_FN(ep_binary, (ep_scope scope, const char *name, ep_tensor a, ep_tensor b, ep_tensor *out),
      (scope, name, a, b, out))
/* Functions of a tensor and a number: add, mul, pow, leaky_relu, leaky_relu_ (in
 * place, as relu_), elu, gt, le, renorm (rows of Euclidean norm above the number
 * are scaled to it). */
EP_FN(ep_scalar, (ep_scope scope, const char *name, ep_tensor a, double value, ep_tensor *out),
      (scope, name, a, value, out))
/* Functions over dimensions: sum, mean; over all of them when dims is 0. */
EP_FN(ep_reduce, (ep_scope scope, const char *name, ep_tensor a, const int64_t *dim, int32_t dims, ep_tensor *out),
      (scope, name, a, dim, dims, out))
/* Functions over one dimension: argmax, softmax, log_softmax. */
EP_FN(ep_along, (ep_scope scope, const char *name, ep_tensor a, int64_t dim, ep_tensor *out),
      (scope, name, a, dim, out))
/* In place and never recorded: dst = dst * src, dst = dst + alpha * src. */
EP_FN(ep_mul_, (ep_tensor dst, ep_tensor src), (dst, src))
EP_FN(ep_add_, (ep_tensor dst, ep_tensor src, double alpha), (dst, src, alpha))

EP_FN(ep_reshape, (ep_scope scope, ep_tensor a, const int64_t *shape, int32_t dims, ep_tensor *out),
      (scope, a, shape, dims, out))
EP_FN(ep_flatten, (ep_scope scope, ep_tensor a, int64_t start, ep_tensor *out), (scope, a, start, out))
EP_FN(ep_cat, (ep_scope scope, const ep_tensor *a, int32_t n, int64_t dim, ep_tensor *out), (scope, a, n, dim, out))
EP_FN(ep_narrow, (ep_scope scope, ep_tensor a, int64_t dim, int64_t start, int64_t length, ep_tensor *out),
      (scope, a, dim, start, length, out))
EP_FN(ep_index_select, (ep_scope scope, ep_tensor a, int64_t dim, ep_tensor index, ep_tensor *out),
      (scope, a, dim, index, out))
EP_FN(ep_to, (ep_scope scope, ep_tensor a, int32_t dtype, ep_device device, ep_tensor *out),
      (scope, a, dtype, device, out))

/* Any operation of libtorch by its name with namespace and its overload, "aten::add" and "Tensor".
 * Arguments that are not given have the schema's defaults; tensors made without operands are on the device. */
EP_FN(ep_operation_new,
      (const char *name, const char *overload, const ep_argument *arguments, int32_t n, const char *text, const int64_t *ints,
       const double *reals, ep_device device, ep_operation *out),
      (name, overload, arguments, n, text, ints, reals, device, out))
EP_FN(ep_operation_free, (ep_operation operation), (operation))
/* tensors are all that the arguments refer to; sizes are multiples of clips; random operations draw
 * from the generator. *outs: the room in out, then the number of outputs. */
EP_FN(ep_operation_run,
      (ep_operation operation, ep_scope scope, const ep_tensor *tensors, int64_t clips, ep_generator generator, ep_tensor *out,
       int32_t *outs),
      (operation, scope, tensors, clips, generator, out, outs))

/* --- layers -------------------------------------------------------------- */

/* bias may be NULL. */
EP_FN(ep_conv2d,
      (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_conv2d_options options, ep_tensor *out),
      (scope, input, weight, bias, options, out))
EP_FN(ep_linear, (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_tensor *out),
      (scope, input, weight, bias, out))
/* A convolution of stride 1 with so many zeros left, right, top and bottom and, if relu, relu after
 * it: libtorch's bits for one thread. Its output has the channels of a point side by side. */
EP_FN(ep_conv2d_nhwc,
      (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, const int64_t *pad, int32_t relu, ep_tensor *out),
      (scope, input, weight, bias, pad, relu, out))
/* 1 where ep_conv2d_nhwc computes by itself, 0 where libtorch's sums are taken in an order that it
 * does not know and it calls libtorch. */
EP_FN(ep_conv2d_nhwc_known, (int32_t *out), (out))
/* Clips [n, c, h, w] laid out with the clips of a point side by side, and zeros added up to
 * a multiple of 16 clips. */
EP_FN(ep_hwcn, (ep_scope scope, ep_tensor input, ep_tensor *out), (scope, input, out))
/* How many clips are best computed at once so: as many as fill the processor's vectors, no more, for their
 * maps must stay in its cache. */
EP_FN(ep_hwcn_together, (int64_t *out), (out))
/* Any tensor as PyTorch lays it out. */
EP_FN(ep_contiguous, (ep_scope scope, ep_tensor input, ep_tensor *out), (scope, input, out))
/* Clips that lie so as one clip, [1, c * n, h, w], for an operation that computes each channel alone; other
 * tensors as they are. Then the way back. Without gradients. */
EP_FN(ep_clips_as_channels, (ep_scope scope, ep_tensor input, ep_tensor *out), (scope, input, out))
EP_FN(ep_channels_as_clips, (ep_scope scope, ep_tensor input, int64_t clips, ep_tensor *out), (scope, input, clips, out))
/* A convolution of clips that lie so, or a linear layer of features [n, f], n a multiple of
 * 16; without gradients. bias may be NULL. The prepared weights are kept in `prepared`, which is of one
 * convolution and may be NULL, and made anew where the weights were written since. */
EP_FN(ep_conv2d_hwcn,
      (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_hwcn_options options, ep_prepared prepared,
       ep_tensor *out),
      (scope, input, weight, bias, options, prepared, out))
/* The same of a few clips that lie one after the other. The channels of a point of the output, or the points of a
 * column, may lie side by side. */
EP_FN(ep_conv2d_few,
      (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_hwcn_options options, ep_prepared prepared,
       ep_tensor *out),
      (scope, input, weight, bias, options, prepared, out))
/* The BatchNorm of the options, if they have one, then x * activation[0] of a positive number and x * activation[1] of
 * another, or (exp(x) - 1) * activation[1] where activation[2] is 1 and not 0; in place of that, x * the probability that
 * a number of the normal (activation[3] is 1) or logistic distribution (2) is below it: in evaluation on a CPU, of
 * input [n, c, ...] in any layout. With over it is written over the input. */
EP_FN(ep_norm_activation,
      (ep_scope scope, ep_tensor input, ep_hwcn_options options, const double *activation, int32_t over, ep_tensor *out),
      (scope, input, options, activation, over, out))
EP_FN(ep_prepared_new, (ep_prepared *out), (out))
EP_FN(ep_prepared_free, (ep_prepared prepared), (prepared))
/* Training: normalises by the batch, moves mean and variance in place and adds 1 to
 * batches, which may be NULL. */
EP_FN(ep_batch_norm,
      (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_tensor mean, ep_tensor variance,
       ep_tensor batches, int32_t training, double momentum, double eps, ep_tensor *out),
      (scope, input, weight, bias, mean, variance, batches, training, momentum, eps, out))
/* The same and others in training by kernels of eegprune's own on a GPU, where input is. The first of them
 * compiles and loads all, which can't be recorded. On a CPU they can only be counted, between ep_tally_begin and
 * ep_tally_end: their numbers are zeros. */
EP_FN(ep_gpu_batch_norm,
      (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, ep_tensor mean, ep_tensor variance,
       ep_tensor batches, double momentum, double eps, ep_tensor *out),
      (scope, input, weight, bias, mean, variance, batches, momentum, eps, out))
/* activation: what a positive number and another are multiplied by, and the exponent, zero for none. */
EP_FN(ep_gpu_activation_avg_pool2d,
      (ep_scope scope, ep_tensor input, const double *activation, int64_t width, ep_tensor *out),
      (scope, input, activation, width, out))
/* padding: height before width. */
EP_FN(ep_gpu_depthwise_conv2d,
      (ep_scope scope, ep_tensor input, ep_tensor weight, ep_tensor bias, const int64_t *padding, ep_tensor *out),
      (scope, input, weight, bias, padding, out))
/* pad: left, right, top, bottom, with zeros. */
EP_FN(ep_zero_pad2d, (ep_scope scope, ep_tensor input, const int64_t *pad, ep_tensor *out),
      (scope, input, pad, out))
EP_FN(ep_avg_pool2d, (ep_scope scope, ep_tensor input, const int64_t *kernel, const int64_t *stride, ep_tensor *out),
      (scope, input, kernel, stride, out))
/* leaky_relu, then avg_pool2d over windows of that width side by side along the last
 * dimension: the bits of the two, without the map between them. */
EP_FN(ep_leaky_relu_avg_pool2d, (ep_scope scope, ep_tensor input, double slope, int64_t width, ep_tensor *out),
      (scope, input, slope, width, out))
/* As PyTorch's: a mask of bernoulli(1-p) divided by 1-p; per_channel draws one
 * number for a whole channel (Dropout2d). */
EP_FN(ep_dropout, (ep_scope scope, ep_tensor input, double p, int32_t per_channel, ep_generator generator,
                   ep_tensor *out),
      (scope, input, p, per_channel, generator, out))
/* Mean over the batch; target holds class indices (int64). */
EP_FN(ep_cross_entropy, (ep_scope scope, ep_tensor logits, ep_tensor target, ep_tensor *out),
      (scope, logits, target, out))

/* --- random numbers ------------------------------------------------------ */

EP_FN(ep_generator_new, (ep_device device, uint64_t seed, ep_generator *out), (device, seed, out))
EP_FN(ep_generator_free, (ep_generator generator), (generator))
/* One number of [0, 2^63), as torch.empty((), dtype=int64).random_() draws it. */
EP_FN(ep_generator_int64, (ep_generator generator, int64_t *out), (generator, out))
/* torch.randperm(n) into out, which has room for n. */
EP_FN(ep_generator_perm, (ep_generator generator, int64_t n, int64_t *out), (generator, n, out))
EP_FN(ep_uniform_, (ep_tensor tensor, double low, double high, ep_generator generator),
      (tensor, low, high, generator))
EP_FN(ep_normal_, (ep_tensor tensor, double mean, double sd, ep_generator generator), (tensor, mean, sd, generator))
EP_FN(ep_generator_state, (ep_scope scope, ep_generator generator, ep_tensor *out), (scope, generator, out))
EP_FN(ep_generator_set_state, (ep_generator generator, ep_tensor state), (generator, state))

/* --- optimizers ---------------------------------------------------------- */

/* Both keep the parameters alive and step them to the last bit as torch.optim's
 * single-tensor forms do; fused: as its fused forms do, within rounding, by steps that
 * ep_graph_begin can record. */
EP_FN(ep_sgd_new,
      (const ep_tensor *parameters, int32_t n, double momentum, double weight_decay, int32_t fused,
       ep_optimizer *out),
      (parameters, n, momentum, weight_decay, fused, out))
EP_FN(ep_adam_new,
      (const ep_tensor *parameters, int32_t n, double beta1, double beta2, double eps, double weight_decay,
       int32_t fused, ep_optimizer *out),
      (parameters, n, beta1, beta2, eps, weight_decay, fused, out))
/* The learning rate of steps that were recorded, from now on. */
EP_FN(ep_optimizer_set_lr, (ep_optimizer optimizer, double lr), (optimizer, lr))
EP_FN(ep_optimizer_step, (ep_optimizer optimizer, double lr), (optimizer, lr))
EP_FN(ep_optimizer_zero_grad, (ep_optimizer optimizer), (optimizer))
/* The optimizer's state of a parameter, under torch.optim's names:
 * momentum_buffer; step, exp_avg, exp_avg_sq. *out becomes NULL where
 * there is none yet. */
EP_FN(ep_optimizer_state,
      (ep_scope scope, ep_optimizer optimizer, const char *name, int32_t index, ep_tensor *out),
      (scope, optimizer, name, index, out))
EP_FN(ep_optimizer_set_state, (ep_optimizer optimizer, const char *name, int32_t index, ep_tensor value),
      (optimizer, name, index, value))
EP_FN(ep_optimizer_free, (ep_optimizer optimizer), (optimizer))

/* --- graphs -------------------------------------------------------------- */

/* From now on the calling thread's work on its own stream on a GPU is not done but
 * recorded, until ep_graph_end, which the same thread calls; the generators are those that it
 * draws from. With measure the recording has a pool of memory of its own, as to see how much it
 * needs. */
EP_FN(ep_graph_begin, (ep_device device, const ep_generator *generators, int32_t n, int32_t measure, ep_graph *out),
      (device, generators, n, measure, out))
EP_FN(ep_graph_end, (ep_graph graph), (graph))
/* Does the recorded work, on the tensors that it was recorded with. */
EP_FN(ep_graph_replay, (ep_graph graph), (graph))
/* Bytes of the device that its pool holds. */
EP_FN(ep_graph_memory, (ep_graph graph, int64_t *bytes), (graph, bytes))
/* Gives up the recording where it was not ended, on the thread that began it. */
EP_FN(ep_graph_free, (ep_graph graph), (graph))
