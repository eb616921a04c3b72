package train

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// tiny is a network with all that a training moves: weights, BatchNorm statistics and
// dropout's numbers.
func tiny() *models.Arch {
	net := op.NewNet(1, 1, 4)
	x := net.Conv2d("conv", 1, 6, [2]int{1, 2}, op.ConvOptions{})(models.Input)
	x = net.ELU("elu", 1)(net.BatchNorm2d("norm", 6, op.NormOptions{})(x))
	net.Linear("out", 18, 2)(net.Dropout("drop", 0.1)(net.Flatten("flatten")(x)))
	arch, err := models.Custom("tiny", [3]int{1, 1, 4}, 2, net)
	if err != nil {
		panic(err)
	}
	return arch
}

// separable is a set whose class is the sign of a clip's mean, with a gap between.
func separable(t testing.TB, clips int) *Data {
	x, y := reftest.Ramp(clips*4, 11, 0.5), make([]int64, clips)
	for i := range y {
		y[i] = int64(i % 2)
		for k := range 4 {
			x[4*i+k] += float32(2*y[i]) - 1
		}
	}
	return &Data{X: reftest.Tensor(t, x, clips, 1, 1, 4), Y: reftest.Tensor(t, y, clips)}
}

func span(from, to int) (rows []int) {
	for i := from; i < to; i++ {
		rows = append(rows, i)
	}
	return rows
}

// fresh makes a network and the generator that its training goes on with.
func fresh(t reporter, arch *models.Arch, seed uint64) (*models.Network, *torch.Generator) {
	g, err := torch.NewGenerator(torch.CPU, seed)
	if err != nil {
		t.Fatal(err)
	}
	n, err := models.New(arch, torch.CPU, g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Free)
	t.Cleanup(g.Free)
	return n, g
}

type reporter interface {
	Fatal(...any)
	Cleanup(func())
}

func weights(t reporter, n *models.Network) (w []float32) {
	for _, p := range n.State() {
		if p.Tensor.Info().DType == torch.Float32 {
			v, err := torch.ToSlice[float32](p.Tensor)
			if err != nil {
				t.Fatal(err)
			}
			w = append(w, v...)
		}
	}
	return w
}

var quick = Options{Optimizer: "sgd", LR: 0.05, Momentum: 0.9, BatchSize: 8, Epochs: 5}

func TestFitLearnsASeparableSet(t *testing.T) {
	d := separable(t, 80)
	for _, optimizer := range []string{"sgd", "adam"} {
		n, g := fresh(t, tiny(), 1)
		o := quick
		o.Optimizer, o.Epochs = optimizer, 10
		h, err := runFit(context.Background(), n, d, span(0, 48), span(48, 64), o, g, Observer{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := Evaluate(context.Background(), n, d, span(64, 80))
		if err != nil {
			t.Fatal(err)
		}
		if e.Accuracy != 1 || h.Epochs[h.Best].ValAcc != 1 {
			t.Errorf("%s: test accuracy %g, validation %g, want 1: %+v", optimizer, e.Accuracy, h.Epochs[h.Best].ValAcc, h)
		}
		if first, last := h.Epochs[0].Loss, h.Epochs[9].Loss; !(last < first) {
			t.Errorf("%s: the loss goes from %g to %g", optimizer, first, last)
		}
	}
}

// TestFitRestoresTheBestEpoch unlearns: a network that was trained on the wrong classes
// goes on with the right ones and is validated on the wrong ones, so that the best epoch
// is an early one.
func TestFitRestoresTheBestEpoch(t *testing.T) {
	good := separable(t, 96)
	y, err := torch.ToSlice[int64](good.Y)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		y[i] = 1 - y[i]
	}
	wrong := &Data{X: good.X, Y: reftest.Tensor(t, slices.Clone(y), 96)}
	for i := range 64 {
		y[i] = 1 - y[i]
	}
	mixed := &Data{X: good.X, Y: reftest.Tensor(t, y, 96)}
	train := func(epochs int) (*models.Network, History) {
		n, g := fresh(t, tiny(), 3)
		if _, err := runFit(context.Background(), n, wrong, span(0, 64), span(64, 96), quick, g, Observer{}); err != nil {
			t.Fatal(err)
		}
		o := quick
		o.LR, o.Momentum, o.Epochs = 0.02, 0, epochs
		h, err := runFit(context.Background(), n, mixed, span(0, 64), span(64, 96), o, g, Observer{})
		if err != nil {
			t.Fatal(err)
		}
		return n, h
	}
	const epochs = 12
	n, h := train(epochs)
	best := 0
	for i, e := range h.Epochs {
		if e.ValAcc > h.Epochs[best].ValAcc {
			best = i
		}
	}
	if h.Best != best || len(h.Epochs) != epochs {
		t.Errorf("best epoch %d of %d, want %d of %d", h.Best, len(h.Epochs), best, epochs)
	}
	if last := h.Epochs[epochs-1]; !(last.ValAcc < h.Epochs[best].ValAcc) {
		t.Fatalf("the last epoch validates as well as the best: %+v", h)
	}
	e, err := Evaluate(context.Background(), n, mixed, span(64, 96))
	if err != nil {
		t.Fatal(err)
	}
	if e.Accuracy != h.Epochs[best].ValAcc || e.Loss != h.Epochs[best].ValLoss {
		t.Errorf("after Fit accuracy %g and loss %g, want the best epoch's %g and %g", e.Accuracy, e.Loss, h.Epochs[best].ValAcc, h.Epochs[best].ValLoss)
	}
	// The same training, ended there, must leave the same network.
	short, _ := train(best + 1)
	if !slices.Equal(weights(t, n), weights(t, short)) {
		t.Error("the weights are not those of the best epoch")
	}
}

func TestLowestLossOfEquallyGoodEpochsIsBest(t *testing.T) {
	n, g := fresh(t, tiny(), 1)
	o := quick
	o.Epochs = 12
	h, err := runFit(context.Background(), n, separable(t, 64), span(0, 48), span(48, 64), o, g, Observer{})
	if err != nil {
		t.Fatal(err)
	}
	first, lowest := -1, -1
	for i, e := range h.Epochs {
		if e.ValAcc == 1 && first < 0 {
			first = i
		}
		if e.ValAcc == 1 && (lowest < 0 || e.ValLoss < h.Epochs[lowest].ValLoss) {
			lowest = i
		}
	}
	if first < 0 || lowest == first || h.Best != lowest {
		t.Errorf("best epoch %d, want %d, which has the lowest loss of those that validate at 1; the first is %d: %+v", h.Best, lowest, first, h)
	}
}

// stopAt ends a context when a line of the log says so, and counts the lines after it.
type stopAt struct {
	strings.Builder
	when  func(log string) bool
	stop  context.CancelFunc
	after int
}

func (s *stopAt) Write(p []byte) (int, error) {
	if s.after > 0 || s.when(s.String()) {
		s.after++
		s.stop()
	}
	return s.Builder.Write(p)
}

func TestCancelEndsTheTrainingAtTheNextStep(t *testing.T) {
	d := separable(t, 320)
	n, g := fresh(t, tiny(), 1)
	before := torch.LiveTensors()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// One clip a batch: a line for every hundred steps.
	o := Options{Optimizer: "sgd", LR: 0.01, BatchSize: 1, Epochs: 50}
	log := &stopAt{stop: cancel, when: func(log string) bool { return strings.Contains(log, "Test Error") }}
	h, err := runFit(ctx, n, d, span(0, 300), span(300, 320), o, g, Observer{Log: log})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if len(h.Epochs) != 1 || log.after != 1 {
		t.Errorf("%d whole epochs and %d lines since the end was asked for, want 1 and the line itself:\n%s", len(h.Epochs), log.after, log)
	}
	if left := torch.LiveTensors() - before; left != 0 {
		t.Errorf("%d tensors are left", left)
	}
	cancel()
	if _, err := runFit(ctx, n, d, span(0, 300), span(300, 320), o, g, Observer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a training after the end: %v", err)
	}
	if _, err := Evaluate(ctx, n, d, span(0, 10)); !errors.Is(err, context.Canceled) {
		t.Errorf("an evaluation after the end: %v", err)
	}
}

func TestDivergenceNamesTheMend(t *testing.T) {
	n, g := fresh(t, tiny(), 1)
	d := separable(t, 64)
	before := torch.LiveTensors()
	o := quick
	o.LR = 1e30
	_, err := runFit(context.Background(), n, d, span(0, 48), span(48, 64), o, g, Observer{})
	if !errors.Is(err, ErrDiverged) || !strings.Contains(fmt.Sprint(err), "lower the learning rate (now 1e+30)") {
		t.Errorf("error %v, want ErrDiverged with the rate to lower", err)
	}
	if left := torch.LiveTensors() - before; left != 0 {
		t.Errorf("%d tensors are left", left)
	}
}

func TestFitRefusesWhatItCantTrainOn(t *testing.T) {
	d := separable(t, 16)
	for what, c := range map[string]struct {
		fit, val []int
		g        bool
		change   func(o *Options)
		says     string
	}{
		"no clips to train on":    {nil, span(0, 4), true, func(*Options) {}, "0 clips to train on"},
		"no clips to validate on": {span(0, 4), nil, true, func(*Options) {}, "0 to validate on"},
		"bad options":             {span(0, 4), span(4, 8), true, func(o *Options) { o.Epochs = 0 }, "0 epochs"},
		"a row that is not there": {[]int{16}, span(4, 8), true, func(*Options) {}, "index"},
		"no generator":            {span(0, 4), span(4, 8), false, func(*Options) {}, "generator"},
	} {
		n, g := fresh(t, tiny(), 1)
		if !c.g {
			g = nil
		}
		o := quick
		c.change(&o)
		if _, err := runFit(context.Background(), n, d, c.fit, c.val, o, g, Observer{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", what, err, c.says)
		}
	}
}

// run trains once from a seed; wall-clock times are left out.
func run(t reporter, d *Data, seed uint64, o Options) (History, []float32) {
	n, g := fresh(t, tiny(), seed)
	h, err := runFit(context.Background(), n, d, span(0, 48), span(48, 64), o, g, Observer{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range h.Epochs {
		h.Epochs[i].WallClock = 0
	}
	return h, weights(t, n)
}

func TestTheSameSeedGivesTheSameBits(t *testing.T) {
	if err := torch.SetNumThreads(1); err != nil {
		t.Fatal(err)
	}
	d := separable(t, 64)
	h1, w1 := run(t, d, 4, quick)
	h2, w2 := run(t, d, 4, quick)
	h3, w3 := run(t, d, 5, quick)
	if fmt.Sprint(h1) != fmt.Sprint(h2) || !slices.Equal(w1, w2) {
		t.Errorf("two trainings from one seed differ:\n%v\n%v", h1, h2)
	}
	if fmt.Sprint(h1) == fmt.Sprint(h3) || slices.Equal(w1, w3) {
		t.Error("trainings from two seeds are the same")
	}
}

// TestTrainingsSideBySideGiveTheSameBitsAsAlone shares the data and nothing else.
func TestTrainingsSideBySideGiveTheSameBitsAsAlone(t *testing.T) {
	if err := torch.SetNumThreads(1); err != nil {
		t.Fatal(err)
	}
	d := separable(t, 64)
	const runs = 4
	var alone, together [runs]struct {
		h History
		w []float32
	}
	for i := range runs {
		alone[i].h, alone[i].w = run(t, d, uint64(i), quick)
	}
	var wait sync.WaitGroup
	for i := range runs {
		wait.Go(func() { together[i].h, together[i].w = run(anywhere{t}, d, uint64(i), quick) })
	}
	wait.Wait()
	for i := range runs {
		if fmt.Sprint(alone[i].h) != fmt.Sprint(together[i].h) || !slices.Equal(alone[i].w, together[i].w) {
			t.Errorf("training %d differs:\nalone    %v\ntogether %v", i, alone[i].h, together[i].h)
		}
	}
}

// anywhere is a test whose Fatal may be called from any goroutine.
type anywhere struct{ *testing.T }

func (a anywhere) Fatal(args ...any) { a.T.Error(args...) }

func TestLogIsThatOfPyTorchsTutorial(t *testing.T) {
	n, g := fresh(t, tiny(), 1)
	var log strings.Builder
	type seen struct {
		epoch int
		loss  float64
	}
	var epochs []seen
	o := Options{Optimizer: "sgd", LR: 0.01, BatchSize: 2, Epochs: 2}
	h, err := runFit(context.Background(), n, separable(t, 240), span(0, 210), span(210, 240), o, g,
		Observer{Log: &log, Epoch: func(epoch int, e Epoch) { epochs = append(epochs, seen{epoch, e.Loss}) }})
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, e := range h.Epochs {
		// 105 batches of 2: a line for the first and for the hundred and first.
		want.WriteString(`loss: \d\.\d{6} \[    0/  210\]` + "\n" + `loss: \d\.\d{6} \[  200/  210\]` + "\n")
		fmt.Fprintf(&want, "Test Error: Accuracy: %.1f%%, Avg loss: %f\n", 100*e.ValAcc, e.ValLoss)
	}
	if !regexp.MustCompile("^" + want.String() + "$").MatchString(log.String()) {
		t.Errorf("the log is\n%swant\n%s", &log, &want)
	}
	if len(epochs) != 2 || epochs[0] != (seen{1, h.Epochs[0].Loss}) || epochs[1] != (seen{2, h.Epochs[1].Loss}) {
		t.Errorf("the observer saw %v of %v", epochs, h.Epochs)
	}
}

func TestTrainingKeepsTheNumberOfTensors(t *testing.T) {
	n, g := fresh(t, tiny(), 1)
	d := separable(t, 64)
	var live []int
	o := quick
	o.Epochs, o.BatchSize = 50, 8 // 300 steps
	if _, err := runFit(context.Background(), n, d, span(0, 48), span(48, 64), o, g,
		Observer{Epoch: func(int, Epoch) { live = append(live, torch.LiveTensors()) }}); err != nil {
		t.Fatal(err)
	}
	if len(live) != 50 || slices.Min(live) != slices.Max(live) {
		t.Errorf("live tensors after each epoch: %v", live)
	}
}
