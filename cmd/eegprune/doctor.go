package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"eegprune/torch"
	"eegprune/train"
)

// A finding is one line of doctor.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that libtorch and the devices can be used, and say what to do if not",
		Example: `  eegprune doctor
  eegprune doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := diagnose(cmd.Context())
			if a.json {
				if err := json.NewEncoder(a.stdout).Encode(findings); err != nil {
					return err
				}
			}
			sick := 0
			for _, f := range findings {
				mark := "ok  "
				if !f.OK {
					mark = "BAD "
					sick++
				}
				if !a.json {
					fmt.Fprintf(a.stdout, "%s%-10s %s\n", mark, f.What, f.Says)
				}
			}
			if sick > 0 {
				return fmt.Errorf("%d of %d checks failed; each says what to do", sick, len(findings))
			}
			return nil
		},
	}
}

func diagnose(ctx context.Context) []finding {
	b, err := torch.Version()
	if err != nil {
		return []finding{{What: "libtorch", Says: troubleOf(err, torch.CPU)}}
	}
	f := []finding{{"shim", true, b.Shim}, {"libtorch", true, b.Torch}}
	f = append(f, diagnoseGPU(ctx, b)...)
	f = append(f, tryDevice(ctx, torch.CPU))
	threads, err := torch.NumThreads()
	if err != nil {
		return append(f, finding{"threads", false, err.Error()})
	}
	own, err := torch.OwnConvolutions()
	if err != nil {
		return append(f, finding{"training", false, err.Error()})
	}
	whose := "eegprune's, with the bits of libtorch's"
	if !own {
		whose = "libtorch's, since this one takes its sums in an order that eegprune does not know"
	}
	return append(f, finding{"training", true, "convolutions on the CPU are " + whose},
		finding{"threads", true, fmt.Sprintf("%d cores, libtorch would use %d threads for one operation", runtime.NumCPU(), threads)})
}

// tryDevice computes: a library that loads may still not work, or work otherwise each time.
func tryDevice(ctx context.Context, d torch.Device) finding {
	r, err := train.TryDevice(ctx, d)
	if err != nil {
		return finding{d.String(), false, troubleOf(err, d)}
	}
	how := "alone or two at once"
	if r.Recorded {
		how = "recorded or not, " + how
	}
	return finding{d.String(), true, fmt.Sprintf("trains FBCCNN to the same bits %s, %.2f ms a step of 32 clips", how, r.Step.Seconds()*1e3)}
}
