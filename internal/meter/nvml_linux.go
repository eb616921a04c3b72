//go:build cgo

package meter

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

// The part of cuda.h and nvml.h that is used; 0 is success everywhere.
typedef struct {
  void *cuda, *library;
  int (*cuda_device)(int *device, int ordinal);
  int (*bus_id)(char *id, int length, int device);
  int (*shutdown)(void);
  int (*by_bus_id)(const char *id, void **device);
  int (*energy)(void *device, unsigned long long *millijoules);
} nvml;

static int nvml_open(nvml *n, const char *cuda, const char *library) {
  int (*cuda_init)(unsigned flags), (*init)(void);
  n->cuda = dlopen(cuda, RTLD_NOW | RTLD_LOCAL);
  if (!n->cuda) return 1;
  n->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!n->library) {
    dlclose(n->cuda);
    return 1;
  }
  *(void **)&cuda_init = dlsym(n->cuda, "cuInit");
  *(void **)&n->cuda_device = dlsym(n->cuda, "cuDeviceGet");
  *(void **)&n->bus_id = dlsym(n->cuda, "cuDeviceGetPCIBusId");
  *(void **)&init = dlsym(n->library, "nvmlInit_v2");
  *(void **)&n->shutdown = dlsym(n->library, "nvmlShutdown");
  *(void **)&n->by_bus_id = dlsym(n->library, "nvmlDeviceGetHandleByPciBusId_v2");
  *(void **)&n->energy = dlsym(n->library, "nvmlDeviceGetTotalEnergyConsumption");
  if (cuda_init && n->cuda_device && n->bus_id && init && n->shutdown && n->by_bus_id && n->energy && cuda_init(0) == 0 &&
      init() == 0)
    return 0;
  dlclose(n->library);
  dlclose(n->cuda);
  return 1;
}

static void nvml_close(nvml *n) {
  n->shutdown();
  dlclose(n->library);
  dlclose(n->cuda);
}

static int nvml_device(nvml *n, int ordinal, void **device) {
  int of_cuda;
  char id[32];
  return n->cuda_device(&of_cuda, ordinal) || n->bus_id(id, sizeof id, of_cuda) || n->by_bus_id(id, device);
}

static int nvml_energy(nvml *n, void *device, unsigned long long *mj) { return n->energy(device, mj); }
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// nvml is NVIDIA's management library, which comes with the driver. It numbers all GPUs
// of the machine, CUDA those that the environment lets the process see, in another order:
// both know a GPU's place on the bus.
type nvml struct{ c C.nvml }

// openNVML opens the libraries of the driver; without them, or a GPU, there is none.
func openNVML(cuda, library string) *nvml {
	c, l := C.CString(cuda), C.CString(library)
	defer C.free(unsafe.Pointer(c))
	defer C.free(unsafe.Pointer(l))
	n := new(nvml)
	if C.nvml_open(&n.c, c, l) != 0 {
		return nil
	}
	return n
}

// gauge is the energy of a whole GPU, of Volta or later, by its number in CUDA.
func (n *nvml) gauge(ordinal int) *gauge {
	var device unsafe.Pointer
	if C.nvml_device(&n.c, C.int(ordinal), &device) != 0 {
		return nil
	}
	return newGauge([]*counter{{unit: 1e-3, read: func() (uint64, error) {
		var mj C.ulonglong
		if code := C.nvml_energy(&n.c, device, &mj); code != 0 {
			return 0, fmt.Errorf("reading the energy of GPU %d: error %d of NVML", ordinal, int(code))
		}
		return uint64(mj), nil
	}}})
}

func (n *nvml) close() {
	if n != nil {
		C.nvml_close(&n.c)
	}
}
