package experiment

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/result"
)

// Whatever a plan is cut or summed up by, nothing of it is lost and nothing counted twice.
func TestPlansAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := &Plan{SecondsPerTeraMAC: map[string]float64{"ccnn": 2e12, "fbccnn": 3e12}} // seconds a MAC
		var macs int64
		seconds, done := 0.0, 0
		for fold := range rapid.IntRange(1, 6).Draw(t, "folds") {
			for _, model := range []string{"ccnn", "fbccnn"} {
				for _, stage := range []string{result.Unpruned, result.Pruned, result.FineTuned} {
					c := Planned{Cell: result.Cell{Variant: result.Variant{Model: model, Stage: stage}, Fold: fold + 1},
						MACs: rapid.Int64Range(1, 1000).Draw(t, "MACs"), Done: rapid.Bool().Draw(t, "done")}
					if stage != result.Unpruned {
						c.Cell.Method = "lfp"
					}
					plan.Cells = append(plan.Cells, c)
					macs += c.MACs
					seconds += float64(c.MACs) * map[string]float64{"ccnn": 2, "fbccnn": 3}[model]
					if c.Done {
						done++
					}
				}
			}
		}
		sums, all := plan.Sums()
		if len(sums) != 6 || all.Cells != len(plan.Cells) || all.MACs != macs || all.Done != done || !near(all.Seconds, seconds) {
			t.Fatalf("%d sums, together %+v; want 6 of %d MACs, %g s, %d done", len(sums), all, macs, seconds, done)
		}
		var parts Sum
		for _, s := range sums {
			parts.Cells, parts.Done, parts.MACs, parts.Seconds = parts.Cells+s.Cells, parts.Done+s.Done, parts.MACs+s.MACs, parts.Seconds+s.Seconds
		}
		if parts.Cells != all.Cells || parts.Done != all.Done || parts.MACs != all.MACs || !near(parts.Seconds, all.Seconds) {
			t.Fatalf("the sums add up to %+v, all is %+v", parts, all)
		}

		number := rapid.IntRange(1, 5).Draw(t, "shares")
		loads := plan.Cut(number)
		if len(loads) != number {
			t.Fatalf("%d loads of %d shares", len(loads), number)
		}
		var folds []string
		cells := 0
		for i, l := range loads {
			if l.Share != (Share{i + 1, number}) {
				t.Fatalf("load %d is of share %v", i, l.Share)
			}
			var own int64
			for _, c := range plan.Cells {
				if c.Share == i+1 {
					own += c.MACs
				}
			}
			if own != l.MACs {
				t.Fatalf("share %v has %d MACs and says %d", l.Share, own, l.MACs)
			}
			macs -= l.MACs
			cells += l.Cells
			folds = append(folds, l.Folds...)
		}
		if slices.Sort(folds); macs != 0 || cells != len(plan.Cells) || len(slices.Compact(folds)) != len(plan.Cells)/3 {
			t.Fatalf("the shares have %d of %d cells, %d MACs are missing, and folds %v", cells, len(plan.Cells), macs, folds)
		}
	})
}

func near(a, b float64) bool { return a-b < 1e-9*b && b-a < 1e-9*b }
