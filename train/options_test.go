package train

import (
	"math"
	"strings"
	"testing"
)

func TestCheckNamesTheBadSetting(t *testing.T) {
	good := Options{Optimizer: "adam", LR: 0.01, BatchSize: 1, Epochs: 1}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		change func(o *Options)
		says   string
	}{
		{func(o *Options) { o.Optimizer = "" }, `unknown optimizer ""`},
		{func(o *Options) { o.Optimizer = "lion" }, "use sgd or adam"},
		{func(o *Options) { o.LR = 0 }, "learning rate 0"},
		{func(o *Options) { o.LR = -1 }, "learning rate -1"},
		{func(o *Options) { o.LR = math.NaN() }, "learning rate NaN"},
		{func(o *Options) { o.LR = math.Inf(1) }, "learning rate +Inf"},
		{func(o *Options) { o.Momentum = 1 }, "momentum 1"},
		{func(o *Options) { o.Momentum = -0.1 }, "momentum -0.1"},
		{func(o *Options) { o.Momentum = math.NaN() }, "momentum NaN"},
		{func(o *Options) { o.WeightDecay = -1e-4 }, "weight decay -0.0001"},
		{func(o *Options) { o.WeightDecay = math.NaN() }, "weight decay NaN"},
		{func(o *Options) { o.BatchSize = 0 }, "batch size 0"},
		{func(o *Options) { o.Epochs = 0 }, "0 epochs"},
		{func(o *Options) { o.Milestones = []float64{0.5} }, "gamma 0"},
		{func(o *Options) { o.Milestones, o.Gamma = []float64{0.5}, math.Inf(1) }, "gamma +Inf"},
		{func(o *Options) { o.Milestones, o.Gamma = []float64{0.5, 150}, 0.1 }, "milestone 150"},
		{func(o *Options) { o.Milestones, o.Gamma = []float64{math.NaN()}, 0.1 }, "milestone NaN"},
	} {
		o := good
		c.change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: error %v, want one that says %q", o, err, c.says)
		}
	}
}

// TestPaperSettings has the protocol's numbers as the paper gives them.
func TestPaperSettings(t *testing.T) {
	for _, c := range []struct {
		model, optimizer string
		epochs           int
		rates            map[int]float64
	}{
		{"ccnn", "sgd", 200, map[int]float64{0: 1e-2, 149: 1e-2, 150: 1e-3, 179: 1e-3, 180: 1e-4, 199: 1e-4}},
		{"fbccnn", "sgd", 200, map[int]float64{0: 1e-2, 149: 1e-2, 150: 1e-3, 179: 1e-3, 180: 1e-4, 199: 1e-4}},
		{"tsception", "adam", 300, map[int]float64{0: 1e-2, 199: 1e-2, 200: 1e-3, 249: 1e-3, 250: 1e-4, 299: 1e-4}},
	} {
		o := Paper(c.model)
		if err := o.Check(); err != nil {
			t.Error(err)
		}
		if o.Optimizer != c.optimizer || o.Epochs != c.epochs || o.BatchSize != 64 {
			t.Errorf("%s: %+v", c.model, o)
		}
		rate := o.schedule()
		for epoch, want := range c.rates {
			if got := rate(epoch); !(math.Abs(got-want) < 1e-15) {
				t.Errorf("%s: rate %g in epoch %d, want %g", c.model, got, epoch, want)
			}
		}
	}
}

// TestMilestonesScaleWithTheEpochs shortens the paper's protocol.
func TestMilestonesScaleWithTheEpochs(t *testing.T) {
	o := Paper("fbccnn")
	o.Epochs = 20
	rate := o.schedule()
	for epoch, want := range map[int]float64{14: 1e-2, 15: 1e-3, 17: 1e-3, 18: 1e-4} {
		if got := rate(epoch); !(math.Abs(got-want) < 1e-15) {
			t.Errorf("rate %g in epoch %d, want %g", got, epoch, want)
		}
	}
}
