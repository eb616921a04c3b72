package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// diagnoseGPU looks for reasons why GPUs can't be used, and trains on each.
func diagnoseGPU(ctx context.Context, b torch.Build) []Finding {
	if b.CUDA == "" {
		return []Finding{{"GPU", true, "none is used: the shim was built for the CPU; for an NVIDIA GPU, install a torch with CUDA where the program came as a wheel (pip install torch), or run `make clean-libtorch build` in the checkout"}}
	}
	state, err := torch.StateOfCUDA(-1)
	if err != nil {
		return []Finding{{"GPU", false, err.Error()}}
	}
	if says, ok := cudaTrouble(state); says != "" {
		return []Finding{{"GPU", ok, says}}
	}
	n, err := torch.CUDADevices()
	if err != nil {
		return []Finding{{"GPU", false, err.Error()}}
	}
	f := []Finding{{"CUDA", true, fmt.Sprintf("%s, the driver knows %s; cuDNN %s", state.Runtime, state.Driver, b.CuDNN)}}
	for i := range n {
		d := torch.CUDA(i)
		if state, err = torch.StateOfCUDA(i); err == nil && state.Code != 0 {
			says, _ := cudaTrouble(state)
			f = append(f, Finding{d.String(), false, says})
			continue
		}
		g, err := torch.DescribeGPU(i)
		if err != nil {
			f = append(f, Finding{d.String(), false, troubleOf(err, d)})
			continue
		}
		f = append(f, Finding{d.String(), true, fmt.Sprintf("%s, %s of %s free", g.Name, torch.Bytes(g.Free), torch.Bytes(g.Total))})
		f = append(f, tryDevice(ctx, d))
	}
	return f
}

// cudaTrouble is one sentence for the state of the CUDA runtime, with the remedy, and whether
// that state is in order; "" where there is no fault. The numbers are those of cudaError_t.
func cudaTrouble(s torch.CUDAState) (says string, ok bool) {
	switch s.Code {
	case 0:
		return "", true
	case 100: // cudaErrorNoDevice
		return "none: there is no NVIDIA GPU that this program may use; `nvidia-smi` shows those of the machine, CUDA_VISIBLE_DEVICES hides some", true
	case 35: // cudaErrorInsufficientDriver
		if s.Driver == "0.0" {
			return fmt.Sprintf("none: no NVIDIA driver is loaded; where there is a GPU, install a driver that knows CUDA %s", s.Runtime), true
		}
		return fmt.Sprintf("the driver knows CUDA %s, this libtorch needs %s: update the driver, or use a libtorch that was built for CUDA %s (LIBTORCH=DIR)",
			s.Driver, s.Runtime, s.Driver), false
	case 803, 804: // cudaErrorSystemDriverMismatch, cudaErrorCompatNotSupportedOnDevice
		return "the driver in the kernel and its libraries are of different versions: restart the machine, or install the driver again", false
	case 46: // cudaErrorDevicesUnavailable
		return "the GPU is busy, or in exclusive or prohibited mode: `nvidia-smi` shows who uses it and its compute mode; end that program, take another GPU (--device cuda:N), or have the administrator set the mode back", false
	case 2: // cudaErrorMemoryAllocation
		return "the GPU has no memory left to begin with: `nvidia-smi` shows who uses it; end that program, or take another GPU (--device cuda:N)", false
	case 209: // cudaErrorNoKernelImageForDevice
		return unsupported, false
	case 802: // cudaErrorSystemNotReady
		return "the GPU's system is not ready: on machines with NVSwitch the service nvidia-fabricmanager must run", false
	}
	return fmt.Sprintf("the CUDA runtime reports error %d, with driver for CUDA %s and runtime %s: `nvidia-smi` should work first; restart the machine if it does not", s.Code, s.Driver, s.Runtime), false
}

const unsupported = "this libtorch has no code for this GPU: use a libtorch that supports it (LIBTORCH=DIR; newer ones leave old GPUs out), or --device cpu"

// troubleOf is one sentence for an error of loading or of training, with the remedy.
func troubleOf(err error, d torch.Device) string {
	var e *torch.Error
	text := err.Error()
	switch {
	case errors.Is(err, train.ErrOtherBits):
		return text + ": its results can't be trusted; run it again, and if that repeats, test the machine's memory, or its GPU with `nvidia-smi -q` (ECC errors)"
	case errors.As(err, &e) && e.Shortage != nil:
		return e.Shortage.String() + ": end what else uses it (`nvidia-smi` shows that of GPUs), or take another device"
	case strings.Contains(text, "libcudnn"):
		return "cuDNN is missing: install the one that belongs to this torch (pip install nvidia-cudnn-cu13), or get a whole libtorch (pip install --force-reinstall torch; in the checkout `make clean-libtorch build`)"
	case strings.Contains(text, "no kernel image"):
		return unsupported
	case strings.Contains(text, "CUDNN_STATUS_NOT_INITIALIZED") || strings.Contains(text, "CUDNN_STATUS_SUBLIBRARY"):
		return "cuDNN does not begin: it is not the one that belongs to this torch (LD_LIBRARY_PATH may name another), or the GPU has no memory left"
	}
	return text
}
