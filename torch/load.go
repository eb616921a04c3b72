package torch

/*
#include <stdlib.h>
#include "shim.h"
#include "loader.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// ErrNotLoaded is wrapped by every error that comes from a shim or a libtorch that
// is missing or can't be used on this machine.
var ErrNotLoaded = errors.New("libtorch is not available")

const shimName = "libeegprune_torch.so"

// libtorchFile lies beside a shim that was built here and names the libtorch it was built with.
const libtorchFile = "libtorch.path"

// Load opens the shim and libtorch unless that was done before. The shim is looked
// for at $EEGPRUNE_SHIM, else beside the program. libtorch is $LIBTORCH where that is
// set; else the one that libtorch.path beside the shim names; else .libtorch/torch beside
// the program or above it; else the loader's; else that of the active Python.
//
// Its error is one sentence that says what to do; it wraps [ErrNotLoaded].
func Load() error {
	_, err := load()
	return err
}

// loaded holds the paths of the libraries that were opened.
type loaded struct {
	shim     string
	libtorch string // a directory; "" where the loader found it
}

// load runs once; it is a package variable because a shared library can be opened
// only once for the whole process.
var load = sync.OnceValues(func() (loaded, error) {
	path, err := findShim()
	if err != nil {
		return loaded{}, err
	}
	dir, err := openNamedLibtorch(path)
	if err != nil {
		return loaded{}, err
	}
	err = openShim(path)
	// Only where no libtorch was opened so far: two of them in one process crash.
	if err != nil && dir == "" && strings.Contains(err.Error(), "libtorch_cpu.so: cannot open") {
		if dir = pythonTorch(); dir != "" {
			if err = openLibtorch(dir); err == nil {
				err = openShim(path)
			}
		}
	}
	if err != nil {
		return loaded{}, fmt.Errorf("%w: %s can't be loaded: %v; run `make build` in the checkout, or set LIBTORCH to the libtorch it was built with", ErrNotLoaded, path, err)
	}
	return loaded{path, dir}, check("init", C.ep_init())
})

// openNamedLibtorch opens the libtorch that is known by its path, and returns that, or "" where none is.
func openNamedLibtorch(shim string) (string, error) {
	if dir := os.Getenv("LIBTORCH"); dir != "" {
		if err := openLibtorch(dir); err != nil {
			return "", fmt.Errorf("%w: $LIBTORCH=%s: %v; set LIBTORCH to a directory that has lib/libtorch_cpu.so, or unset it", ErrNotLoaded, dir, err)
		}
		return dir, nil
	}
	for _, dir := range []string{besideShim(shim), besideProgram()} {
		if _, err := os.Stat(filepath.Join(dir, "lib", "libtorch_cpu.so")); dir == "" || err != nil {
			continue
		}
		if err := openLibtorch(dir); err != nil {
			return "", fmt.Errorf("%w: %s: %v; run `make libtorch` in the checkout, or set LIBTORCH to another", ErrNotLoaded, dir, err)
		}
		return dir, nil
	}
	return "", nil
}

// besideShim is the libtorch that a shim was built with, "" where nothing says it.
func besideShim(shim string) string {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(shim), libtorchFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func findShim() (string, error) {
	if path := os.Getenv("EEGPRUNE_SHIM"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%w: $EEGPRUNE_SHIM names %s, which is not there; unset it or run `make build`", ErrNotLoaded, path)
		}
		return path, nil
	}
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("%w: finding the program's own directory: %v", ErrNotLoaded, err)
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	path := filepath.Join(filepath.Dir(exe), shimName)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: %s is not beside the program (%s); run `make build` in the checkout and set EEGPRUNE_SHIM to its bin/%[2]s, or install the wheel (pip install 'eegprune[torch]'), which has one for each torch", ErrNotLoaded, shimName, filepath.Dir(exe))
	}
	return path, nil
}

// openLibtorch opens libtorch's libraries of a directory, so that the shim finds them
// by name already in the process.
func openLibtorch(dir string) error {
	for _, name := range []string{"libc10.so", "libtorch_cpu.so", "libtorch_cuda.so"} {
		path := filepath.Join(dir, "lib", name)
		if _, err := os.Stat(path); err != nil && name == "libtorch_cuda.so" {
			continue
		}
		if err := open(path, func(p *C.char) *C.char { return C.ep_open_library(p) }); err != nil {
			return err
		}
	}
	return nil
}

func openShim(path string) error {
	return open(path, func(p *C.char) *C.char { return C.ep_open_shim(p) })
}

func open(path string, with func(*C.char) *C.char) error {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	if message := with(p); message != nil {
		defer C.free(unsafe.Pointer(message))
		return errors.New(C.GoString(message))
	}
	return nil
}

func besideProgram() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	for dir := filepath.Dir(exe); ; dir = filepath.Dir(dir) {
		candidate := filepath.Join(dir, ".libtorch", "torch")
		if _, err := os.Stat(filepath.Join(candidate, "lib", "libtorch_cpu.so")); err == nil {
			return candidate
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

func pythonTorch() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "python3", "-c",
		"import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Build describes the libraries that were loaded.
type Build struct {
	Shim string // path of the shim
	// Libtorch is the directory of libtorch, "" where the system's loader found it.
	Libtorch string
	Torch    string // version of libtorch the shim was built with, such as "2.15.0"
	CUDA     string // version of CUDA the shim was built with, "" for none
	CuDNN    string // version of the cuDNN that libtorch loaded, "" for none
}

// Version loads libtorch and returns its versions and paths.
func Version() (Build, error) {
	l, err := load()
	if err != nil {
		return Build{}, err
	}
	var torch, cuda *C.char
	if err := check("version", C.ep_versions(&torch, &cuda)); err != nil {
		return Build{}, err
	}
	return Build{Shim: l.shim, Libtorch: l.libtorch, Torch: C.GoString(torch), CUDA: C.GoString(cuda), CuDNN: cudnnVersion(int(C.ep_cudnn_version()))}, nil
}

// cudnnVersion writes the number that cudnn_version.h makes of major, minor and patch.
func cudnnVersion(v int) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
}

// SetNumThreads sets how many threads one operation may use, in the whole process
// from now on. Runs that go side by side want 1.
func SetNumThreads(n int) error {
	if err := Load(); err != nil {
		return err
	}
	return check("set_num_threads", C.ep_set_num_threads(C.int32_t(n)))
}

// NumThreads returns how many threads one operation may use.
func NumThreads() (int, error) {
	if err := Load(); err != nil {
		return 0, err
	}
	var n C.int32_t
	err := check("num_threads", C.ep_num_threads(&n))
	return int(n), err
}

// LiveTensors returns how many tensors exist in the process: 0 when every one has
// been freed by its owner, and before libtorch was loaded.
func LiveTensors() int {
	if Load() != nil {
		return 0
	}
	var n C.int64_t
	C.ep_live_tensors(&n)
	return int(n)
}
