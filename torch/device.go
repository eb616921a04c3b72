package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Device is where a tensor's memory is. The zero value is the CPU.
type Device struct {
	cuda  bool
	index int
}

// CPU is the host.
var CPU = Device{}

// CUDA returns the GPU with that index.
func CUDA(index int) Device { return Device{cuda: true, index: index} }

// IsCUDA reports whether d is a GPU.
func (d Device) IsCUDA() bool { return d.cuda }

// Index returns which GPU d is; 0 for the CPU.
func (d Device) Index() int { return d.index }

func (d Device) String() string {
	if d.cuda {
		return "cuda:" + strconv.Itoa(d.index)
	}
	return "cpu"
}

func (d Device) c() C.ep_device {
	if d.cuda {
		// An index that C can't hold must not become another device's.
		return C.ep_device{_type: C.EP_CUDA, index: C.int32_t(max(min(d.index, math.MaxInt32), -1))}
	}
	return C.ep_device{_type: C.EP_CPU}
}

// ParseDevice understands "cpu", "cuda", "cuda:1" and "auto": the first GPU, or the
// CPU where there is none. A GPU that is not there is an error.
func ParseDevice(s string) (Device, error) {
	switch {
	case s == "cpu":
		return CPU, nil
	case s == "auto":
		if n, err := CUDADevices(); err == nil && n > 0 {
			return CUDA(0), nil
		}
		return CPU, nil
	case s != "cuda" && !strings.HasPrefix(s, "cuda:"):
		return CPU, fmt.Errorf("unknown device %q: use cpu, cuda, cuda:N or auto", s)
	}
	index := 0
	if number, ok := strings.CutPrefix(s, "cuda:"); ok {
		var err error
		if index, err = strconv.Atoi(number); err != nil || index < 0 {
			return CPU, fmt.Errorf("unknown device %q: use cpu, cuda, cuda:N or auto", s)
		}
	}
	n, err := CUDADevices()
	if err != nil {
		return CPU, err
	}
	if index >= n {
		return CPU, fmt.Errorf("device %s is not there: this machine shows %d CUDA devices to libtorch (see `eegprune doctor`); use --device cpu", s, n)
	}
	return CUDA(index), nil
}

// CUDADevices returns how many GPUs libtorch can use.
func CUDADevices() (int, error) {
	if err := Load(); err != nil {
		return 0, err
	}
	var n C.int32_t
	err := check("cuda_device_count", C.ep_cuda_device_count(&n))
	return int(n), err
}

// A CUDAState is the CUDA runtime's account of this machine.
type CUDAState struct {
	Code            int    // its error, of cudaError_t; 0 where there is none
	Driver, Runtime string // the newest CUDA that the driver knows, and that which is loaded: "13.0"
}

// StateOfCUDA asks whether devices can be used; with an index of 0 or more, that device.
func StateOfCUDA(index int) (CUDAState, error) {
	if err := Load(); err != nil {
		return CUDAState{}, err
	}
	var code, driver, runtime C.int32_t
	err := check("cuda_state", C.ep_cuda_state(C.int32_t(index), &code, &driver, &runtime))
	version := func(v C.int32_t) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }
	return CUDAState{Code: int(code), Driver: version(driver), Runtime: version(runtime)}, err
}

// GPU describes one CUDA device; memory is in bytes.
type GPU struct {
	Name        string
	Free, Total int64
}

// DescribeGPU asks the driver about a device.
func DescribeGPU(index int) (GPU, error) {
	if err := Load(); err != nil {
		return GPU{}, err
	}
	var name [256]C.char
	var free, total C.int64_t
	if err := check("cuda_device", C.ep_cuda_device(CUDA(index).c().index, &name[0], 256, &free, &total)); err != nil {
		return GPU{}, err
	}
	return GPU{Name: C.GoString(&name[0]), Free: int64(free), Total: int64(total)}, nil
}

// AllowTF32 says whether convolutions and matrix products on GPUs may round their operands
// to TF32's 10-bit mantissas, in all of the process. They may not unless this says so.
func AllowTF32(convolutions, products bool) error {
	if err := Load(); err != nil {
		return err
	}
	return check("allow_tf32", C.ep_allow_tf32(flag(convolutions), flag(products)))
}

// SetDeterministic sets, for the whole process, whether GPU operations return the same bits each
// time, which is the default; an operation without a deterministic form is then
// an error. Otherwise libtorch chooses the form that it thinks fastest, as PyTorch does.
func SetDeterministic(on bool) error {
	if err := Load(); err != nil {
		return err
	}
	return check("set_deterministic", C.ep_set_deterministic(flag(on)))
}

// SetCuDNNBenchmark sets, for the whole process, whether cuDNN times its algorithms for each shape of a convolution that
// is new to a thread, and takes the fastest, which may be another one each time; while [SetDeterministic] is on,
// the fastest of those that are deterministic. It is off unless this says so, as in PyTorch.
func SetCuDNNBenchmark(on bool) error {
	if err := Load(); err != nil {
		return err
	}
	return check("set_cudnn_benchmark", C.ep_set_cudnn_benchmark(flag(on)))
}

// Synchronize waits until the device has done all that the calling goroutine asked of it,
// within [Device.OnOwnStream] or, outside, that any did. On the CPU there is nothing to wait
// for.
func (d Device) Synchronize() error {
	if !d.cuda {
		return nil
	}
	if err := Load(); err != nil {
		return err
	}
	return check("synchronize", C.ep_synchronize(d.c()))
}
