package torch_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

// resident is the process's memory in bytes.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// Blocks that are kept when tensors are freed serve any goroutine, one at a time, and those of
// sizes that are not asked for again go when others are mapped.
func TestLargeBlocksAreUsedAgain(t *testing.T) {
	const mib = 1 << 20 / 4 // of float32
	sizes := []int{57 * mib, 60*mib + 1, 80 * mib, 120*mib + 17}
	var group sync.WaitGroup
	for worker := range 3 {
		group.Go(func() {
			for i := range 8 {
				s := torch.NewScope(torch.NoGrad)
				value := float64(1 + worker*100 + i)
				x, err := torch.Full(value, torch.Float32, torch.CPU, sizes[(worker+i)%len(sizes)])
				if err != nil {
					t.Error(err)
					return
				}
				y := s.MulScalar(x, 2)
				// Ones, so that the sum of all is exact.
				wrong := s.Sum(s.To(s.Gt(s.Abs(s.AddScalar(y, -2*value)), 0), torch.Float64, torch.CPU))
				if n, err := wrong.Item(); err != nil || n != 0 || s.Err() != nil {
					t.Errorf("%g elements of another's (%v, %v)", n, err, s.Err())
				}
				x.Free()
				s.Close()
			}
		})
	}
	group.Wait()
	before := resident(t)
	for i := range 24 {
		x, err := torch.Full(1, torch.Float32, torch.CPU, (60+10*i)*mib)
		if err != nil {
			t.Fatal(err)
		}
		x.Free()
	}
	// The last is of 290 MiB; all of them together would be of 4 GiB.
	if grown := resident(t) - before; grown > 700<<20 {
		t.Errorf("%d MiB are held after tensors of growing sizes", grown>>20)
	}
}
