package torch_test

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

const loadOnly = "EEGPRUNE_TEST_LOAD_ONLY"

// printLoadError is all that the process under test does.
func printLoadError() {
	err := torch.Load()
	fmt.Println(errors.Is(err, torch.ErrNotLoaded), err)
	_, again := torch.Zeros(2)
	s := torch.NewScope(torch.Grad)
	fmt.Println(again != nil && again.Error() == err.Error(), s.Err() != nil, torch.LiveTensors())
}

func TestLoadErrorsSayWhatToDo(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		env  []string
		says []string
	}{
		"missing shim":     {[]string{"EEGPRUNE_SHIM=" + dir + "/nosuch.so"}, []string{dir + "/nosuch.so", "not there", "unset it", "make build"}},
		"not a library":    {[]string{"EEGPRUNE_SHIM=" + text}, []string{text, "can't be loaded", "make build"}},
		"no shim anywhere": {[]string{"EEGPRUNE_SHIM="}, []string{"libeegprune_torch.so", "make build", "EEGPRUNE_SHIM"}},
		"bad libtorch":     {[]string{"EEGPRUNE_SHIM=" + text, "LIBTORCH=" + dir}, []string{"$LIBTORCH=" + dir, "lib/libtorch_cpu.so", "unset it"}},
	} {
		t.Run(what, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(append(os.Environ(), loadOnly+"=1", "LIBTORCH="), c.env...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("the process ended with %v:\n%s", err, out)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			if len(lines) != 2 || !strings.HasPrefix(lines[0], "true ") {
				t.Fatalf("want one line of an error that wraps ErrNotLoaded, then one of what follows from it; got:\n%s", out)
			}
			for _, part := range c.says {
				if !strings.Contains(lines[0], part) {
					t.Errorf("%q does not say %q", lines[0], part)
				}
			}
			if lines[1] != "true true 0" {
				t.Errorf("tensors and scopes afterwards: %s, want the same error, an error and no tensors", lines[1])
			}
		})
	}
}

// The shim holds no path, and works without $LIBTORCH all the same.
func TestShimHoldsNoPath(t *testing.T) {
	b, err := torch.Version()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(b.Shim)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		if paths, err := f.DynString(tag); err != nil || len(paths) > 0 {
			t.Errorf("%s has %v %v (%v)", b.Shim, tag, paths, err)
		}
	}
}

// A shim in a folder of its own finds the libtorch that libtorch.path names.
func TestLibtorchIsFoundByTheFileBesideTheShim(t *testing.T) {
	b, err := torch.Version()
	if err != nil {
		t.Fatal(err)
	}
	if b.Libtorch == "" {
		t.Skip("libtorch is where the loader finds it by itself")
	}
	dir := t.TempDir()
	shim := filepath.Join(dir, "libeegprune_torch.so")
	if err := os.Symlink(b.Shim, shim); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "libtorch.path"), []byte(b.Libtorch+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), loadOnly+"=1", "LIBTORCH=", "EEGPRUNE_SHIM="+shim, "PATH=")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "false <nil>\n") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestVersionNamesWhatWasLoaded(t *testing.T) {
	b, err := torch.Version()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.Shim); err != nil || !strings.HasPrefix(b.Torch, "2.") {
		t.Errorf("shim %q (%v), libtorch %q: want a file and 2.x", b.Shim, err, b.Torch)
	}
}

func TestThreadCountHoldsOnEveryThread(t *testing.T) {
	before, err := torch.NumThreads()
	if err != nil {
		t.Fatal(err)
	}
	defer torch.SetNumThreads(before)
	for _, n := range []int{1, 2, 1} {
		if err := torch.SetNumThreads(n); err != nil {
			t.Fatal(err)
		}
		if got, err := torch.NumThreads(); err != nil || got != n {
			t.Errorf("%d threads (%v), want %d", got, err, n)
		}
	}
	for _, n := range []int{0, -1} {
		if torch.SetNumThreads(n) == nil {
			t.Errorf("%d threads is no error", n)
		}
	}
}

func TestDevicesByName(t *testing.T) {
	n, err := torch.CUDADevices()
	if err != nil {
		t.Fatal(err)
	}
	first := torch.CPU
	if n > 0 {
		first = torch.CUDA(0)
	}
	for name, want := range map[string]torch.Device{"cpu": torch.CPU, "auto": first} {
		if d, err := torch.ParseDevice(name); err != nil || d != want {
			t.Errorf("%q is %v (%v), want %v", name, d, err, want)
		}
	}
	for name, says := range map[string]string{
		"cuda:99": "cuda:99 is not there", "gpu": `unknown device "gpu"`, "": `unknown device ""`,
		"cuda:": "cuda:N", "cuda:-1": "cuda:N", "cuda:x": "cuda:N", "cuda:1e9": "cuda:N", "CPU": "unknown device",
	} {
		if _, err := torch.ParseDevice(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one that says %q", name, err, says)
		}
	}
	if s := torch.CUDA(3).String() + " " + torch.CPU.String(); s != "cuda:3 cpu" {
		t.Errorf("devices print as %q", s)
	}
	if err := torch.CPU.Synchronize(); err != nil {
		t.Error(err)
	}
}

// TestDevicesThatAreNotThere uses indices that become others when cut to 8 or 32 bits.
func TestDevicesThatAreNotThere(t *testing.T) {
	for _, index := range []int{99, 127, 128, 256, 1 << 32, -1, -1 << 40} {
		d := torch.CUDA(index)
		x, err := torch.Full(1, torch.Float32, d, 2)
		if err == nil {
			x.Free()
			t.Errorf("a tensor on %v is no error", d)
		}
		s := torch.NewScope(torch.NoGrad)
		if s.To(f32(t, []float32{1}, 1), torch.Float32, d); s.Err() == nil {
			t.Errorf("moving a tensor to %v is no error", d)
		}
		s.Close()
		g, err := torch.NewGenerator(d, 1)
		if err == nil {
			g.Free()
			t.Errorf("a generator on %v is no error", d)
		}
		if d.Synchronize() == nil {
			t.Errorf("waiting for %v is no error", d)
		}
		if _, err := torch.DescribeGPU(index); err == nil {
			t.Errorf("describing GPU %d is no error", index)
		}
	}
}
