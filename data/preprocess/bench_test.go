//go:build unix

package preprocess

import (
	"syscall"
	"testing"
	"time"

	"github.com/eegprune/eegprune/data/filetest"
)

// BenchmarkHour is timed beside scipy by scripts/bench_preprocess.py, in processor time: 32
// channels, an hour at 512 Hz, one step each.
func BenchmarkHour(b *testing.B) {
	form := Form{Rate: 512}
	var x [][]float64
	for c := range 32 {
		form.Channels = append(form.Channels, string(rune('a'+c)))
		x = append(x, filetest.Signal(3600*512, 512, uint64(c)))
	}
	for _, step := range []Step{&BandPass{Low: 1, High: 45, Order: 4}, &Notch{Frequencies: Numbers{50}, Quality: 30}, &Resample{Rate: 128, Level: true}, &Reference{Against: Words{Average}}} {
		b.Run(step.Name(), func(b *testing.B) {
			ready, err := Pipeline{step}.Prepare(form)
			if err != nil {
				b.Fatal(err)
			}
			begun := processorTime(b)
			for b.Loop() {
				s := &Signal{Form: form, Samples: x, Workers: 1}
				if err := ready.Apply(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((processorTime(b)-begun).Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}

// processorTime is the process's processor time.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
