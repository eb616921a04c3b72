package experiment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
)

func TestAsManyRunSideBySideAsFit(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		jobs       int
		need, free int64
		want       int
	}{
		{10, gib, 80 * gib, 10},
		{10, gib, 4*gib + spare, 6}, // beside the two that were measured
		{10, gib, gib / 2, 2},
		{10, gib, 0, 2},
		{10, 0, 0, 10}, // too little to measure
		{1, gib, 0, 1},
	} {
		n, why := sideBySide("cuda:0", c.jobs, c.need, c.free, "ccnn")
		if n != c.want || (why == "") != (n == c.jobs) {
			t.Errorf("%+v: %d side by side, because %q", c, n, why)
		}
	}
	_, why := sideBySide("cuda:1", 10, gib, 2*gib+spare, "ccnn")
	if want := "cuda:1: a training of ccnn takes 1.0 GiB and 2.2 GiB are free: 4 side by side instead of 10"; why != want {
		t.Errorf("it says %q, want %q", why, want)
	}
}

func outOfMemory() error {
	return fmt.Errorf("epoch 1: %w", &torch.Error{Op: "conv2d", Code: torch.OutOfMemory, Message: "cuda:0 is out of memory"})
}

// A cell that fails is made once more, alone; where memory was short there are fewer jobs
// from then on, and never fewer than one.
func TestACellThatFailedSaysSoInItsResult(t *testing.T) {
	for _, c := range []struct {
		fails      error
		jobs, left int32
		fewer      bool
	}{
		{nil, 3, 3, false},
		{outOfMemory(), 3, 2, true},
		{outOfMemory(), 1, 1, false},
		{errors.New("cuDNN error"), 3, 3, false},
	} {
		p := &place{}
		p.jobs.Store(c.jobs)
		var said []string
		watch := Observer{Fewer: func(why string) { said = append(said, why) }, Again: func(result.Cell, error) { said = append(said, "again") }}
		made := 0
		r, fewer, err := p.attempt(context.Background(), result.Cell{Fold: 2}, watch, func(retried string) (result.Result, error) {
			if made++; made == 1 && c.fails != nil {
				return result.Result{}, c.fails
			}
			r := result.Result{}
			r.Retried = retried
			return r, nil
		})
		if err != nil || fewer != c.fewer || p.jobs.Load() != c.left || (r.Retried != "") != (c.fails != nil) {
			t.Errorf("%v with %d jobs: retried %q, fewer %v, %d jobs left (%v)", c.fails, c.jobs, r.Retried, fewer, p.jobs.Load(), err)
		}
		if c.fewer && (len(said) != 2 || !strings.Contains(said[0], "2 side by side from now on")) {
			t.Errorf("%v: said %q", c.fails, said)
		}
	}
	p := &place{}
	if _, _, err := p.attempt(context.Background(), result.Cell{}, Observer{}, func(string) (result.Result, error) { return result.Result{}, outOfMemory() }); err == nil {
		t.Error("a cell that fails twice has no error")
	}
}

func TestStatusAndNotesNameCellsThatWereRetried(t *testing.T) {
	dir := t.TempDir()
	d := directory(dir)
	if err := d.make(); err != nil {
		t.Fatal(err)
	}
	cell := result.Cell{Variant: result.Variant{Model: "ccnn", Stage: result.Unpruned}, Fold: 1}
	r := result.Result{Schema: result.Schema, Key: "k", Cell: cell}
	r.Retried, r.Started = "cuDNN error", time.Unix(1, 0).UTC()
	if err := writeJSON(d.result("k"), r); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(filepath.Join(dir, "plan.json"), Plan{Study: &result.Study{}, Cells: []Planned{{Cell: cell, Key: "k", MACs: 1}}}); err != nil {
		t.Fatal(err)
	}
	s, err := ReadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Retried) != 1 || s.Retried[0].Reason != "cuDNN error" || s.Done != 1 {
		t.Errorf("the status is %+v", s)
	}
	if n := notes(nil, []result.Result{r}); len(n) != 1 || !strings.Contains(n[0], "cuDNN error") {
		t.Errorf("the notes are %q", n)
	}
	if _, err := os.Stat(d.result("k")); err != nil {
		t.Error(err)
	}
}
