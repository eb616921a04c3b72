package meter

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// busy spends that much CPU time on the calling goroutine, by the clock that it is given.
func busy(length time.Duration, clock func() time.Duration) {
	for start := clock(); clock()-start < length; {
		for i, x := 0, 1.0; i < 10000; i++ {
			x = math.Sqrt(x + float64(i))
		}
	}
}

func near(t *testing.T, what string, got, least, most time.Duration) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %v, want %v to %v", what, got, least, most)
	}
}

func TestSpans(t *testing.T) {
	m := New(NoGPU)
	defer m.Close()
	const work, rest = 100 * time.Millisecond, 60 * time.Millisecond
	var mine, others Usage
	var both sync.WaitGroup
	all := m.Start(Process)
	for _, u := range []*Usage{&mine, &others} {
		both.Go(func() {
			s := m.Start(Thread)
			busy(work, func() time.Duration { return cpuTime(Thread) })
			time.Sleep(rest)
			*u = s.Stop()
		})
	}
	both.Wait()
	whole := all.Stop()
	for _, u := range []Usage{mine, others} {
		near(t, "CPU time of one thread of two", u.CPU, work, work+work/5)
		near(t, "wall time", u.Wall, work+rest, time.Minute)
	}
	near(t, "CPU time of the process", whole.CPU, 2*work, time.Minute)
	if mine.CPUJoules < 0 || mine.GPUJoules != 0 {
		t.Errorf("%g J of the processors, %g J of a GPU that was not asked for", mine.CPUJoules, mine.GPUJoules)
	}
}

func TestPeakMemory(t *testing.T) {
	m := New(NoGPU)
	defer m.Close()
	before := m.Start(Process).Stop().PeakMemory
	const size = 64 << 20
	b := make([]byte, size)
	for i := 0; i < len(b); i += 1 << 12 {
		b[i] = 1
	}
	after := m.Start(Process).Stop().PeakMemory
	// The runtime needs a few MiB of its own, the race detector as much again and more.
	if before < 1<<20 || before > 1<<30 || after < size || after > before+4*size {
		t.Errorf("peak %d bytes, and %d after %d were written to (%d)", before, after, size, b[0])
	}
}

// A tree like /sys/class/powercap of a machine with two packages.
func powercap(t *testing.T) (dir string, set func(zone string, uj uint64)) {
	t.Helper()
	dir = t.TempDir()
	write := func(zone, file, text string) {
		if err := os.MkdirAll(filepath.Join(dir, zone), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, zone, file), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for zone, name := range map[string]string{"intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:0:1": "dram",
		"intel-rapl:1": "package-1", "intel-rapl:2": "psys", "intel-rapl-mmio:0": "package-0"} {
		write(zone, "name", name)
		write(zone, "max_energy_range_uj", "65532610987")
		write(zone, "energy_uj", "1000000")
	}
	return dir, func(zone string, uj uint64) { write(zone, "energy_uj", strconv.FormatUint(uj, 10)) }
}

func TestRAPL(t *testing.T) {
	dir, set := powercap(t)
	g := rapl(dir)
	want := func(joules float64) {
		t.Helper()
		if got, ok := g.joules(); !ok || math.Abs(got-joules) > 1e-6 {
			t.Errorf("%g J, %v; want %g", got, ok, joules)
		}
	}
	want(0)
	// Packages and memory, nothing that is a part of them or holds them.
	set("intel-rapl:0", 3_000_000)
	set("intel-rapl:1", 5_000_000)
	set("intel-rapl:0:1", 1_500_000)
	for _, other := range []string{"intel-rapl:0:0", "intel-rapl:2", "intel-rapl-mmio:0"} {
		set(other, 9_000_000)
	}
	want(2 + 4 + 0.5)
	// From the end of its range on a counter begins at zero.
	set("intel-rapl:0", 65_532_610_987)
	set("intel-rapl:1", 7_000_000)
	want(65532.610987 - 1 + 6 + 0.5)
	set("intel-rapl:0", 250_000)
	want(65532.610987 - 1 + 6 + 0.5 + 0.25)
	// With a gap nothing is known any more.
	if err := os.Remove(filepath.Join(dir, "intel-rapl:1", "energy_uj")); err != nil {
		t.Fatal(err)
	}
	if _, ok := g.joules(); ok {
		t.Error("a counter that is gone is not noticed")
	}
	set("intel-rapl:1", 8_000_000)
	if _, ok := g.joules(); ok {
		t.Error("a gap is forgotten")
	}
}

func TestRAPLThatCanNotBeReadIsAbsent(t *testing.T) {
	if rapl(t.TempDir()) != nil {
		t.Error("energy without a counter")
	}
	for _, file := range []string{"name", "max_energy_range_uj", "energy_uj"} {
		dir, _ := powercap(t)
		path := filepath.Join(dir, "intel-rapl:1", file)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(path, 0o755); err != nil { // root may read a file without permissions
			t.Fatal(err)
		}
		if rapl(dir) != nil {
			t.Errorf("energy though %s can't be read", path)
		}
	}
}

// A GPU's energy is divided among the pieces that go on, so that they add up to it.
func TestEnergyIsSharedByWhatGoesOnAtOnce(t *testing.T) {
	var counted uint64
	m := &Meter{gpu: share(newGauge([]*counter{{read: func() (uint64, error) { return counted, nil }, unit: 1}}))}
	counted = 100 // of nobody
	a := m.Start(Process)
	counted += 10 // of a alone
	b := m.Start(Process)
	counted += 8 // of both
	first := a.Stop()
	counted += 5 // of b alone
	second := b.Stop()
	if first.GPUJoules != 14 || second.GPUJoules != 9 {
		t.Errorf("the pieces took %g and %g J, want 14 and 9 of the 23 that were counted", first.GPUJoules, second.GPUJoules)
	}
	counted += 1
	if third := m.Start(Process).Stop(); third.GPUJoules != 0 {
		t.Errorf("a piece took %g J of what was counted before it", third.GPUJoules)
	}
}
