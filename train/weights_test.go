package train

import (
	"context"
	"math"
	"testing"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// TestBestEpoch goes through trainings by hand: of equal scores the lower validation loss
// wins, of equal losses the first epoch.
func TestBestEpoch(t *testing.T) {
	for name, c := range map[string]struct {
		metric string
		epochs []Epoch
		want   int
	}{
		"highest score":      {Accuracy, []Epoch{{ValAcc: 0.5, ValLoss: 0.6}, {ValAcc: 0.7, ValLoss: 0.9}, {ValAcc: 0.6, ValLoss: 0.1}}, 1},
		"one score":          {Accuracy, []Epoch{{ValAcc: 1, ValLoss: 0.6}, {ValAcc: 1, ValLoss: 0.2}, {ValAcc: 1, ValLoss: 0.3}}, 1},
		"one score and loss": {Accuracy, []Epoch{{ValAcc: 1, ValLoss: 0.2}, {ValAcc: 1, ValLoss: 0.2}}, 0},
		"balanced":           {Balanced, []Epoch{{ValAcc: 0.9, ValBalanced: 0.5}, {ValAcc: 0.8, ValBalanced: 0.7}}, 1},
		"f1":                 {MacroF1, []Epoch{{ValAcc: 0.9, ValBalanced: 0.9, ValF1: 0.5}, {ValF1: 0.6}}, 1},
		"unsaid":             {"", []Epoch{{ValAcc: 0.9}, {ValAcc: 0.8, ValBalanced: 1, ValF1: 1}}, 0},
	} {
		best := 0
		for i, e := range c.epochs {
			if i > 0 && e.better(c.epochs[best], c.metric) {
				best = i
			}
		}
		if best != c.want {
			t.Errorf("%s: epoch %d, want %d", name, best, c.want)
		}
	}
}

// TestBalancedWeightsAreScikitLearns holds weights against those of scikit-learn 1.9.1's
// compute_class_weight("balanced", classes=[0, 1, 2], y=[0]*6 + [1]*3 + [2]).
func TestBalancedWeightsAreScikitLearns(t *testing.T) {
	labels := []int64{0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 1, 1}
	got := BalancedWeights(labels, span(0, 10), 3)
	for c, want := range []float64{0.5555555555555556, 1.1111111111111112, 3.3333333333333335} {
		if math.Abs(got[c]-want) > 1e-15 {
			t.Errorf("class %d weighs %g, want %g", c, got[c], want)
		}
	}
}

// TestWeightedLoss holds the loss against the formula in PyTorch's documentation of
// CrossEntropyLoss, sum(w[y] * -log softmax(x)[y]) / sum(w[y]), in double precision.
func TestWeightedLoss(t *testing.T) {
	weights, err := classWeights([]float64{0.5, 2, 1}, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Free()
	logits, err := torch.Wrap([]float32{1, 2, 0.5, 0.2, -1, 3, 2, 2, 2}, 3, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer logits.Free()
	y, err := torch.Wrap([]int64{1, 2, 0}, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer y.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	got, err := (&trainer{weights: weights}).crossEntropy(s, logits, y).Item()
	if err != nil {
		t.Fatal(err)
	}
	if want := 0.4440556829142631; math.Abs(got-want) > 1e-6 {
		t.Errorf("the loss is %g, want %g", got, want)
	}
}

// TestClassWeightsReachTheTraining: equal weights train as none do, but for rounding; a class
// that weighs nothing is not learned.
func TestClassWeightsReachTheTraining(t *testing.T) {
	d := separable(t, 64)
	train := func(w []float64) (*models.Network, History, error) {
		n, g := fresh(t, tiny(), 1)
		h, err := Training{Network: n, Data: d, Fit: span(0, 48), Val: span(48, 64), Options: quick, Generator: g, ClassWeights: w}.Run(context.Background())
		return n, h, err
	}
	_, plain, err := train(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, equal, err := train([]float64{2, 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range equal.Epochs {
		if want := plain.Epochs[i].Loss; math.Abs(e.Loss-want) > 1e-4*want {
			t.Errorf("epoch %d: the loss with equal weights is %g, without %g", i+1, e.Loss, want)
		}
	}
	one, _, err := train([]float64{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	e, err := Evaluate(context.Background(), one, d, span(48, 64))
	if err != nil {
		t.Fatal(err)
	}
	if e.Confusion[1][1] != 8 || plain.Epochs[plain.Best].ValAcc < 0.9 || e.Loss <= plain.Epochs[plain.Best].ValLoss {
		t.Errorf("where class 0 weighs nothing: %+v", e)
	}
	if _, _, err := train([]float64{1, 1, 1}); err == nil {
		t.Error("three weights for two classes: no error")
	}
}
