//go:build linux && cgo

package meter

import (
	"math"
	"os/exec"
	"path/filepath"
	"testing"
)

// The library here is testdata/nvml.c: it shows that the functions are found and called
// as cuda.h and nvml.h have them, not how a GPU would answer.
func TestNVML(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", path, filepath.Join("testdata", "nvml.c")).CombinedOutput(); err != nil {
		t.Fatalf("building a library to load: %v\n%s", err, out)
	}
	for range 2 { // the second time finds it closed
		n := openNVML(path, path)
		if n == nil {
			t.Fatal("the library is not opened")
		}
		if n.gauge(0) != nil {
			t.Error("energy of a GPU that is not there")
		}
		m := &Meter{nvml: n, gpu: share(n.gauge(1)), stop: make(chan struct{})}
		u := m.Start(Process).Stop()
		if math.Abs(u.GPUJoules-1234.5) > 1e-6 || u.CPUJoules != 0 {
			t.Errorf("%g J of the GPU, want 1234.5; %g J of the processors", u.GPUJoules, u.CPUJoules)
		}
		m.Close()
	}
	missing := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	if openNVML(path, missing) != nil || openNVML(missing, path) != nil {
		t.Error("a library that is not there was opened")
	}
}
