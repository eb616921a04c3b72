package torch

import "testing"

// As torch.backends.cudnn.version() prints those of PyTorch's wheels.
func TestCuDNNVersion(t *testing.T) {
	for number, want := range map[int]string{90100: "9.1.0", 91002: "9.10.2", 91900: "9.19.0", 0: ""} {
		if got := cudnnVersion(number); got != want {
			t.Errorf("cuDNN %d is %q, want %q", number, got, want)
		}
	}
}
