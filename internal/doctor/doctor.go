// Package doctor checks that libtorch and the devices can be used, and names the remedy if not.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// A Finding is the result of one check, with the remedy where it failed.
type Finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

// Diagnose computes on every device, and describes each, or the reason why it can't be used.
func Diagnose(ctx context.Context) []Finding {
	b, err := torch.Version()
	if err != nil {
		return []Finding{{What: "libtorch", Says: troubleOf(err, torch.CPU)}}
	}
	f := []Finding{{"shim", true, b.Shim}, {"libtorch", true, b.Torch + " in " + cmp.Or(b.Libtorch, "the loader's path")}}
	f = append(f, diagnoseGPU(ctx, b)...)
	f = append(f, tryDevice(ctx, torch.CPU))
	threads, err := torch.NumThreads()
	if err != nil {
		return append(f, Finding{"threads", false, err.Error()})
	}
	own, err := torch.OwnConvolutions()
	if err != nil {
		return append(f, Finding{"training", false, err.Error()})
	}
	whose := "eegprune's, with the bits of libtorch's"
	if !own {
		whose = "libtorch's, since this one takes its sums in an order that eegprune does not know"
	}
	return append(f, Finding{"training", true, "convolutions on the CPU are " + whose},
		Finding{"threads", true, fmt.Sprintf("%d cores, libtorch would use %d threads for one operation", runtime.NumCPU(), threads)})
}

// tryDevice computes: a library that loads may still not work, or work otherwise each time.
func tryDevice(ctx context.Context, d torch.Device) Finding {
	r, err := train.TryDevice(ctx, d)
	if err != nil {
		return Finding{d.String(), false, troubleOf(err, d)}
	}
	how := "alone or two at once"
	if r.Recorded {
		how = "recorded or not, " + how
	}
	return Finding{d.String(), true, fmt.Sprintf("trains FBCCNN to the same bits %s, %.2f ms a step of 32 clips", how, r.Step.Seconds()*1e3)}
}
