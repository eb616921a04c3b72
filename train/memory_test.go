package train

import (
	"errors"
	"slices"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

func TestAnEvaluationsBatchIsWhatItsMemoryHolds(t *testing.T) {
	for _, c := range []struct {
		clips   int
		perClip int64
		want    int
	}{
		{40, 1 << 20, 64},     // not more than a CPU's: nothing is measured
		{1000, 1 << 10, 1024}, // all at once
		{100000, 1 << 20, 1024},
		{100000, 3 << 20, 256},
		{100000, 1 << 30, 64}, // never less, whatever it needs
	} {
		asked := 0
		got, err := evaluationBatch(c.clips, func(n int) (int64, error) {
			asked++
			return int64(n) * c.perClip, nil
		})
		if err != nil || got != c.want {
			t.Errorf("%d clips of %d bytes: batches of %d (%v), want %d", c.clips, c.perClip, got, err, c.want)
		}
		if want := min(c.clips/(EvalBatch+1), 1); asked != want {
			t.Errorf("%d clips: measured %d times, want %d", c.clips, asked, want)
		}
	}
	bad := errors.New("bad")
	if _, err := evaluationBatch(1000, func(int) (int64, error) { return 0, bad }); err != bad {
		t.Errorf("a measurement that failed gives the error %v", err)
	}
}

func TestTheLargestBatchThatFitsIsTriedOut(t *testing.T) {
	var tried []int
	batch, err := largestBatch(64, func(batch int) error {
		tried = append(tried, batch)
		if batch > 10 {
			return &torch.Error{Code: torch.OutOfMemory}
		}
		return nil
	})
	if batch != 8 || err != nil || !slices.Equal(tried, []int{32, 16, 8}) {
		t.Errorf("batch %d (%v) after %v", batch, err, tried)
	}
	if batch, err := largestBatch(4, func(int) error { return &torch.Error{Code: torch.OutOfMemory} }); batch != 0 || err != nil {
		t.Errorf("where nothing fits: %d, %v", batch, err)
	}
	bad := errors.New("bad")
	if _, err := largestBatch(4, func(int) error { return bad }); err != bad {
		t.Errorf("another error is %v", err)
	}
}

func TestTrainingsOfOneProcessComputeAlike(t *testing.T) {
	t.Cleanup(func() {
		if err := errors.Join(torch.AllowTF32(false, false), torch.SetDeterministic(true), torch.SetCuDNNBenchmark(false)); err != nil {
			t.Error(err)
		}
	})
	with := func(precision string, fast bool) Options { return Options{Precision: precision, Fast: fast} }
	for _, fit := range [][]Options{{}, {with("", false), with(BF16, false)}, {with(TF32, true), with(TF32, true)}, {with(TF32Conv, false)}, {{CuDNNBenchmark: true}, {CuDNNBenchmark: true}}} {
		if err := SetArithmetic(fit...); err != nil {
			t.Errorf("%+v: %v", fit, err)
		}
	}
	for _, clash := range [][]Options{{with(TF32, false), with("", false)}, {with(TF32, false), with(TF32Conv, false)}, {with("", true), with("", false)}, {{CuDNNBenchmark: true}, {}}} {
		if err := SetArithmetic(clash...); err == nil {
			t.Errorf("%+v: no error", clash)
		}
	}
}
