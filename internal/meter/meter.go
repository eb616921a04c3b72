// Package meter measures the time, memory and energy of a piece of work. Values that a
// machine does not tell are absent, never guessed.
package meter

import (
	"runtime"
	"sync"
	"time"
)

// Usage is the time, memory and energy of a piece of work. An unknown value is zero.
type Usage struct {
	Wall time.Duration
	CPU  time.Duration // user and system time, of the process or the thread: see Scope
	// PeakMemory is the most bytes that the process had resident at any time so far: not
	// of this piece of work alone.
	PeakMemory int64
	// CPUJoules and GPUJoules are the energy of the machine's processors with their memory, and
	// of its GPU, meanwhile: at each moment in equal parts for all that the meter measured
	// then, so that the pieces add up to the whole.
	CPUJoules, GPUJoules float64
}

// Scope says whose CPU time counts.
type Scope int

const (
	// Process is all threads: exact for work that has the process to itself.
	Process Scope = iota
	// Thread is the thread of the goroutine that does the work: exact where it does all
	// of the work, too little where it has others do some of it. Only Linux knows it.
	Thread
)

func (s Scope) String() string {
	if s == Thread {
		return "thread"
	}
	return "process"
}

// A Meter measures pieces of work, which may go on side by side.
type Meter struct {
	cpu, gpu *shared // nil where nothing tells
	nvml     *nvml
	stop     chan struct{}
	stopped  sync.WaitGroup
}

// NoGPU in place of the number of a GPU is none.
const NoGPU = -1

// New finds the counters of energy: for the processors RAPL, which Linux shows in
// /sys/class/powercap, mostly to root only; for the GPU that has that number in CUDA the
// driver's NVML.
func New(gpu int) *Meter {
	m := &Meter{cpu: share(rapl("/sys/class/powercap")), stop: make(chan struct{})}
	if gpu != NoGPU {
		if m.nvml = openNVML("libcuda.so.1", "libnvidia-ml.so.1"); m.nvml != nil {
			m.gpu = share(m.nvml.gauge(gpu))
		}
	}
	if m.cpu != nil {
		m.stopped.Go(m.watch)
	}
	return m
}

// Counters of RAPL begin again at zero, the smallest after 65 kJ: between two looks at them
// that must not happen twice.
const lookEvery = 10 * time.Second

func (m *Meter) watch() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.cpu.look()
		case <-m.stop:
			return
		}
	}
}

// Close ends the meter. Pieces of work must have been stopped before.
func (m *Meter) Close() {
	close(m.stop)
	m.stopped.Wait()
	m.nvml.close()
}

// A Span is a piece of work that is measured.
type Span struct {
	meter *Meter
	scope Scope
	began time.Time
	cpu   time.Duration
}

// Start begins to measure. With Thread the calling goroutine keeps its thread until Stop,
// which it must call itself.
func (m *Meter) Start(scope Scope) *Span {
	if scope == Thread {
		runtime.LockOSThread()
	}
	s := &Span{meter: m, scope: scope}
	m.cpu.start(s)
	m.gpu.start(s)
	s.cpu = cpuTime(scope)
	s.began = time.Now()
	return s
}

// Stop returns the usage since Start. It is called once.
func (s *Span) Stop() Usage {
	u := Usage{Wall: time.Since(s.began), CPU: cpuTime(s.scope) - s.cpu, PeakMemory: peakMemory()}
	if s.scope == Thread {
		runtime.UnlockOSThread()
	}
	u.CPUJoules, u.GPUJoules = s.meter.cpu.stop(s), s.meter.gpu.stop(s)
	return u
}

// shared divides a gauge's energy among the pieces of work that go on.
type shared struct {
	mu     sync.Mutex
	gauge  *gauge
	last   float64
	joules map[*Span]float64 // of those that go on
}

func share(g *gauge) *shared {
	if g == nil {
		return nil
	}
	return &shared{gauge: g, joules: map[*Span]float64{}}
}

// divide gives each piece its part of the energy used since the last look. The caller holds
// mu.
func (s *shared) divide() bool {
	now, known := s.gauge.joules()
	if n := len(s.joules); n > 0 {
		for span := range s.joules {
			s.joules[span] += (now - s.last) / float64(n)
		}
	}
	s.last = now
	return known
}

// look reads the counters, before they begin again.
func (s *shared) look() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.divide()
}

func (s *shared) start(span *Span) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.divide()
	s.joules[span] = 0
}

// stop returns a piece's part, 0 where it is not known.
func (s *shared) stop(span *Span) float64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.divide()
	part := s.joules[span]
	delete(s.joules, span)
	if !known {
		return 0
	}
	return part
}

// A gauge adds up the energy of counters.
type gauge struct {
	mu       sync.Mutex
	counters []*counter
	total    float64
	broken   bool // a counter could not be read, so that the sum has a gap
}

// A counter counts energy in its own unit, from a moment of its own.
type counter struct {
	read func() (uint64, error)
	unit float64 // joules
	top  uint64  // after which it begins at 0 again; 0 where it never does
	last uint64
}

// newGauge reads all counters once; without any, or where one can't be read, there is
// none.
func newGauge(counters []*counter) *gauge {
	for _, c := range counters {
		var err error
		if c.last, err = c.read(); err != nil {
			return nil
		}
	}
	if len(counters) == 0 {
		return nil
	}
	return &gauge{counters: counters}
}

// joules returns the energy since the gauge was made, and whether it is known.
func (g *gauge) joules() (float64, bool) {
	if g == nil {
		return 0, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.counters {
		now, err := c.read()
		if err != nil || now < c.last && c.top < c.last {
			g.broken = true
			break
		}
		if now < c.last {
			g.total += float64(c.top-c.last+now) * c.unit
		} else {
			g.total += float64(now-c.last) * c.unit
		}
		c.last = now
	}
	return g.total, !g.broken
}
