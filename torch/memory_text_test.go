package torch

import (
	"os"
	"path/filepath"
	"testing"
)

// The sentences are libtorch's: c10/cuda/CUDACachingAllocator.cpp and c10/core/impl/alloc_cpu.cpp.
func TestShortagesAreReadFromLibtorchsSentences(t *testing.T) {
	for _, c := range []struct {
		message, says string
		asked         int64
	}{
		{"CUDA out of memory. Tried to allocate 2.50 GiB. GPU 1 has a total capacity of 79.11 GiB of which 1.25 GiB is free. Process 7 has 77.00 GiB memory in use. Of the allocated memory 70 GiB is allocated by PyTorch",
			"cuda:1 is out of memory: 2.5 GiB were asked for and 1.2 GiB of 79.1 GiB are free", 5 << 29},
		{"CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7.79 GiB of which 512.00 KiB is free.",
			"cuda:0 is out of memory: 20.0 MiB were asked for and 512.0 KiB of 7.8 GiB are free", 20 << 20},
	} {
		s := shortage(c.message)
		if s.String() != c.says || s.Asked != c.asked {
			t.Errorf("%q is read as %q, %d bytes asked for", c.message, s, s.Asked)
		}
	}
	s := shortage("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: not enough memory: you tried to allocate 4000000000000 bytes.")
	if s.Device.IsCUDA() || s.Asked != 4e12 {
		t.Errorf("the host's shortage is read as %+v", s)
	}
	if s := shortage("no memory left on the host"); s.Asked != 0 {
		t.Errorf("a shortage that says nothing asks for %d bytes", s.Asked)
	}
}

func TestTheHostsMemoryIsThatWhichProgramsCanHave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "meminfo")
	if err := os.WriteFile(path, []byte("MemTotal:       24000000 kB\nMemFree:         1000000 kB\nMemAvailable:   20000000 kB\nBuffers: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if free, total := hostMemory(path); free != 20000000<<10 || total != 24000000<<10 {
		t.Errorf("%d of %d bytes are free", free, total)
	}
	if free, total := hostMemory(path + "s"); free != 0 || total != 0 {
		t.Errorf("of a machine that does not say it is %d of %d", free, total)
	}
}
