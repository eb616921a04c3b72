// libtorch's own handle of NVRTC and the driver is not among its headers, so that both are asked for by name. They
// are declared here as they are documented: pointers to things that only they know.
#include "nvrtc.h"

#include "shape.h"
#include "sources.h"

#include <dlfcn.h>

#include <map>
#include <mutex>
#include <stdexcept>

namespace {

using Handle = void *;

[[noreturn]] void fail(const std::string &sentence) { throw std::runtime_error("GPU kernels: " + sentence); }

// Where libtorch has opened a library, exactly that one; else where the system finds it.
Handle open(std::initializer_list<const char *> names) {
  for (const int how : {RTLD_NOW | RTLD_NOLOAD, RTLD_NOW})
    for (const char *name : names)
      if (const Handle h = dlopen(name, how))
        return h;
  return nullptr;
}

// One function of a library.
template <typename Signature> struct Symbol;
template <typename... Arguments> struct Symbol<int(Arguments...)> {
  const char *const name;
  int (*const function)(Arguments...);
  Symbol(Handle library, const char *n)
      : name(n), function(reinterpret_cast<int (*)(Arguments...)>(dlsym(library, n))) {
    if (!function)
      fail("the library has no " + std::string(n));
  }
  int operator()(Arguments... arguments) const { return function(arguments...); }
};

Handle nvrtc() {
  static const Handle library = open({"libnvrtc.so.13", "libnvrtc.so.12"});
  return library;
}

struct NVRTC {
  const Handle library = nvrtc() ? nvrtc() : (fail("neither libnvrtc.so.13 nor libnvrtc.so.12 was found"), nullptr);
  const Symbol<int(int *)> count{library, "nvrtcGetNumSupportedArchs"},
      architectures{library, "nvrtcGetSupportedArchs"};
  const Symbol<int(Handle *, const char *, const char *, int, const char *const *, const char *const *)> create{
      library, "nvrtcCreateProgram"};
  const Symbol<int(Handle *)> destroy{library, "nvrtcDestroyProgram"};
  const Symbol<int(Handle, int, const char *const *)> compile{library, "nvrtcCompileProgram"};
  const Symbol<int(Handle, size_t *)> log_size{library, "nvrtcGetProgramLogSize"},
      cubin_size{library, "nvrtcGetCUBINSize"}, ptx_size{library, "nvrtcGetPTXSize"};
  const Symbol<int(Handle, char *)> log{library, "nvrtcGetProgramLog"}, cubin{library, "nvrtcGetCUBIN"},
      ptx{library, "nvrtcGetPTX"};

  template <typename F, typename... A> void operator()(const F &f, A... arguments) const {
    if (const int error = f(arguments...))
      fail(std::string(f.name) + " failed with NVRTC's error " + std::to_string(error));
  }
  template <typename Size, typename Text> std::string text(Handle program, const Size &size, const Text &get) const {
    size_t n = 0;
    (*this)(size, program, &n);
    std::string s(n, '\0');
    (*this)(get, program, s.data());
    return s;
  }
};

struct Driver {
  const Handle library = [] {
    const Handle h = open({"libcuda.so.1"});
    return h ? h : (fail("libcuda.so.1 was not found: an NVIDIA driver is needed"), nullptr);
  }();
  const Symbol<int(unsigned)> init{library, "cuInit"};
  const Symbol<int(int, const char **)> error{library, "cuGetErrorString"};
  const Symbol<int(int *, int)> device{library, "cuDeviceGet"};
  const Symbol<int(int *, int, int)> attribute{library, "cuDeviceGetAttribute"};
  const Symbol<int(Handle *, int)> retain{library, "cuDevicePrimaryCtxRetain"};
  const Symbol<int(Handle)> push{library, "cuCtxPushCurrent_v2"};
  const Symbol<int(Handle *)> pop{library, "cuCtxPopCurrent_v2"};
  const Symbol<int(Handle *, const void *)> load{library, "cuModuleLoadData"};
  const Symbol<int(Handle *, Handle, const char *)> function{library, "cuModuleGetFunction"};
  const Symbol<int(Handle, int *)> capturing{library, "cuStreamIsCapturing"};
  const Symbol<int(Handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Handle, void **,
                   void **)>
      launch{library, "cuLaunchKernel"};

  template <typename F, typename... A> void operator()(const std::string &doing, const F &f, A... arguments) const {
    const int code = f(arguments...);
    if (code == 0)
      return;
    const char *words = nullptr;
    error(code, &words);
    fail(doing + ": " + f.name + " failed with CUDA's error " + std::to_string(code) +
         (words ? std::string(", ") + words : ""));
  }
};

// A device's context, which is libtorch's too, as the thread's own for a while.
struct Current {
  const Driver &driver;
  Current(const Driver &d, Handle context, const std::string &doing) : driver(d) {
    driver(doing, driver.push, context);
  }
  ~Current() {
    Handle was = nullptr;
    driver.pop(&was);
  }
  Current(const Current &) = delete;
  Current &operator=(const Current &) = delete;
};

class Modules {
public:
  void launch(int device, Handle stream, const char *kernel, unsigned blocks, void **arguments) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Module &m = loaded(device, stream);
    const std::string doing = std::string("launching ") + kernel + " on device " + std::to_string(device);
    const Current current(driver_, m.context, doing);
    Handle &function = m.functions[kernel];
    if (!function)
      driver_("finding " + std::string(kernel), driver_.function, &function, m.module, kernel);
    driver_(doing, driver_.launch, function, blocks, 1, 1, shim::gpu::threads, 1, 1, 0, stream, arguments, nullptr);
  }

private:
  struct Module {
    Handle context = nullptr, module = nullptr;
    std::map<std::string, Handle> functions;
  };

  // The driver is called under the lock: a second thread would wait for the driver's own.
  Module &loaded(int device, Handle stream) {
    const auto found = modules_.find(device);
    if (found != modules_.end())
      return found->second;
    int capturing = 0, number = 0, major = 0, minor = 0;
    const std::string doing = "loading for device " + std::to_string(device);
    driver_(doing, driver_.init, 0);
    driver_(doing, driver_.device, &number, device);
    constexpr int compute_capability_major = 75, compute_capability_minor = 76;
    driver_(doing, driver_.attribute, &major, compute_capability_major, number);
    driver_(doing, driver_.attribute, &minor, compute_capability_minor, number);
    Module m;
    driver_(doing, driver_.retain, &m.context, number);
    const Current current(driver_, m.context, doing);
    driver_(doing, driver_.capturing, stream, &capturing);
    if (capturing)
      fail(doing + ": its stream is recording, within which nothing can be loaded; load them before");
    const shim::gpu::Program program = shim::gpu::compile_kernels(10 * major + minor);
    driver_(doing + " what was compiled with " + program.options, driver_.load, &m.module, program.code.data());
    return modules_.emplace(device, std::move(m)).first->second;
  }

  const Driver driver_;
  std::mutex mutex_;
  std::map<int, Module> modules_;
};

// Never freed: the driver may be gone before this library is.
Modules &modules() {
  static Modules &all = *new Modules;
  return all;
}

} // namespace

bool shim::gpu::has_nvrtc() { return nvrtc() != nullptr; }

shim::gpu::Program shim::gpu::compile_kernels(int capability) {
  std::string source;
  for (const auto &[name, text] : kernel_sources)
    source += std::string("#line 1 \"") + name + "\"\n" + text;
  return compile(source, capability);
}

// Machine code of the device, which needs no compiling by the driver; for a device that is newer than NVRTC, what
// its driver can compile.
shim::gpu::Program shim::gpu::compile(const std::string &source, int capability) {
  const NVRTC n;
  int count = 0;
  n(n.count, &count);
  std::vector<int> known(count);
  n(n.architectures, known.data());
  int best = 0;
  for (const int k : known)
    if (k <= capability && k > best)
      best = k;
  if (best == 0)
    fail("this NVRTC compiles for nothing as old as a device of compute capability " + std::to_string(capability / 10) +
         "." + std::to_string(capability % 10));
  Program result;
  result.options =
      std::string("--gpu-architecture=") + (best == capability ? "sm_" : "compute_") + std::to_string(best);
  struct Owner {
    const NVRTC &n;
    Handle program = nullptr;
    ~Owner() { n.destroy(&program); }
  } owner{n};
  n(n.create, &owner.program, source.c_str(), "eegprune.cu", 0, nullptr, nullptr);
  const char *const options[] = {result.options.c_str(), "--std=c++17"};
  if (n.compile(owner.program, 2, options) != 0)
    fail("compiling with " + result.options + ": " + n.text(owner.program, n.log_size, n.log));
  result.code =
      best == capability ? n.text(owner.program, n.cubin_size, n.cubin) : n.text(owner.program, n.ptx_size, n.ptx);
  return result;
}

void shim::gpu::launch(int device, void *stream, const char *kernel, unsigned blocks, void **arguments) {
  modules().launch(device, stream, kernel, blocks, arguments);
}
