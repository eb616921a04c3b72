package doctor

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// Each thing that can be wrong is one sentence that names it and its mend.
func TestDoctorNamesWhatIsWrongAndTheMend(t *testing.T) {
	for _, c := range []struct {
		state torch.CUDAState
		ok    bool
		says  []string
	}{
		{torch.CUDAState{Code: 0}, true, nil},
		{torch.CUDAState{Code: 100, Driver: "13.0", Runtime: "13.2"}, true, []string{"no NVIDIA GPU", "CUDA_VISIBLE_DEVICES"}},
		{torch.CUDAState{Code: 35, Driver: "0.0", Runtime: "13.2"}, true, []string{"no NVIDIA driver", "13.2"}},
		{torch.CUDAState{Code: 35, Driver: "12.2", Runtime: "13.0"}, false, []string{"12.2", "13.0", "update the driver"}},
		{torch.CUDAState{Code: 46}, false, []string{"exclusive", "nvidia-smi", "--device cuda:N"}},
		{torch.CUDAState{Code: 2}, false, []string{"no memory", "nvidia-smi"}},
		{torch.CUDAState{Code: 209}, false, []string{"no code for this GPU", "--device cpu"}},
		{torch.CUDAState{Code: 803}, false, []string{"different versions", "restart"}},
		{torch.CUDAState{Code: 802}, false, []string{"fabricmanager"}},
		{torch.CUDAState{Code: 999, Driver: "13.0", Runtime: "13.0"}, false, []string{"999", "nvidia-smi"}},
	} {
		says, ok := cudaTrouble(c.state)
		sentence(t, fmt.Sprint(c.state), says, c.says)
		if ok != c.ok {
			t.Errorf("%+v is ok: %v", c.state, ok)
		}
	}
	for _, c := range []struct {
		err  error
		says []string
	}{
		{fmt.Errorf("%w: x can't be loaded: libcudnn.so.9: cannot open shared object file", torch.ErrNotLoaded), []string{"cuDNN is missing", "install"}},
		{&torch.Error{Op: "conv2d", Code: torch.DeviceError, Message: "CUDA error: no kernel image is available for execution on the device"}, []string{"no code for this GPU"}},
		{fmt.Errorf("epoch 1: %w", &torch.Error{Op: "full", Code: torch.OutOfMemory, Shortage: &torch.Shortage{Device: torch.CUDA(0), Asked: 1 << 30, Free: 1 << 20, Total: 8 << 30}}),
			[]string{"cuda:0 is out of memory", "1.0 GiB", "1.0 MiB of 8.0 GiB", "another device"}},
		{fmt.Errorf("two at once: %w", train.ErrOtherBits), []string{"other bits", "ECC"}},
		{errors.New("something else"), []string{"something else"}},
	} {
		sentence(t, c.err.Error(), troubleOf(c.err, torch.CUDA(0)), c.says)
	}
}

func sentence(t *testing.T, what, says string, words []string) {
	t.Helper()
	if strings.Contains(says, "\n") {
		t.Errorf("%s: %q is more than a line", what, says)
	}
	for _, w := range words {
		if !strings.Contains(says, w) {
			t.Errorf("%s: %q does not say %q", what, says, w)
		}
	}
}
