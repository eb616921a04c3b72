package train

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// echo is a network whose logits are its input.
func echo(t *testing.T, classes int) *models.Network {
	net := op.NewNet(classes, 1, 1)
	net.LinearNoBias("out", classes, classes)(net.Flatten("flatten")(models.Input))
	arch, err := models.Custom("echo", [3]int{classes, 1, 1}, classes, net)
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	identity := make([]float32, classes*classes)
	for i := range classes {
		identity[i*classes+i] = 1
	}
	reftest.Set(t, n.Tensor("out.weight"), identity)
	return n
}

// named makes clips that echo names as said: logit ln 6 for that class, 0 for others.
func named(t *testing.T, classes int, truth, names []int64) *Data {
	x := make([]float32, len(truth)*classes)
	for i, c := range names {
		x[i*classes+int(c)] = float32(math.Log(6))
	}
	return &Data{X: reftest.Tensor(t, x, len(truth), classes, 1, 1), Y: reftest.Tensor(t, truth, len(truth))}
}

func close(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestEvaluationByHand(t *testing.T) {
	for what, c := range map[string]struct {
		truth, names                         []int64
		confusion                            [][]int
		accuracy, f1, balanced, majority, ce float64
	}{
		"three classes": {
			// F1 of class 0: 2*2/(4+3), of 1: 2*1/(2+3), of 2: 2*2/(2+2).
			[]int64{0, 0, 0, 0, 1, 1, 2, 2}, []int64{0, 0, 1, 1, 1, 0, 2, 2},
			[][]int{{2, 2, 0}, {1, 1, 0}, {0, 0, 2}},
			5.0 / 8, (4.0/7 + 2.0/5 + 1) / 3, (0.5 + 0.5 + 1) / 3, 0.5,
			// Named rightly the probability is 6/8, else 1/8.
			-(5*math.Log(0.75) + 3*math.Log(0.125)) / 8,
		},
		"a class that no clip has but one is named as": {
			// F1: 2*1/(2+1) and 2*2/(2+2), and 0 for class 2.
			[]int64{0, 0, 1, 1}, []int64{0, 2, 1, 1},
			[][]int{{1, 0, 1}, {0, 2, 0}, {0, 0, 0}},
			0.75, (2.0/3 + 1 + 0) / 3, 0.75, 0.5, -(3*math.Log(0.75) + math.Log(0.125)) / 4,
		},
		"a class that is nowhere": {
			[]int64{0, 0, 0, 1}, []int64{0, 0, 0, 0},
			[][]int{{3, 0, 0}, {1, 0, 0}, {0, 0, 0}},
			0.75, (6.0 / 7) / 2, 0.5, 0.75, -(3*math.Log(0.75) + math.Log(0.125)) / 4,
		},
		"one clip": {
			[]int64{2}, []int64{2}, [][]int{{0, 0, 0}, {0, 0, 0}, {0, 0, 1}}, 1, 1, 1, 1, -math.Log(0.75),
		},
	} {
		t.Run(what, func(t *testing.T) {
			d := named(t, 3, c.truth, c.names)
			e, err := Evaluate(context.Background(), echo(t, 3), d, span(0, len(c.truth)))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(e.Confusion, c.confusion, slices.Equal) {
				t.Errorf("confusion %v, want %v", e.Confusion, c.confusion)
			}
			if !close(e.Accuracy, c.accuracy) || !close(e.MacroF1, c.f1) || !close(e.Balanced, c.balanced) ||
				!close(e.Majority, c.majority) || !close(e.Loss, c.ce) || e.Clips != len(c.truth) {
				t.Errorf("got %+v, want %+v", e, c)
			}
		})
	}
}

// TestEvaluationOfManyBatches has a last batch that is not full.
func TestEvaluationOfManyBatches(t *testing.T) {
	const clips = 2*EvalBatch + 76
	truth, names := make([]int64, clips), make([]int64, clips)
	for i := range truth {
		truth[i] = int64(i % 2)
		if i%4 == 0 {
			names[i] = 1 // half of class 0 is named wrongly, and half of class 1 rightly
		}
		if i%4 == 1 {
			names[i] = 1
		}
	}
	e, err := Evaluate(context.Background(), echo(t, 2), named(t, 2, truth, names), span(0, clips))
	if err != nil {
		t.Fatal(err)
	}
	const each = clips / 4 // the four kinds are alike
	if want := [][]int{{each, each}, {each, each}}; !slices.EqualFunc(e.Confusion, want, slices.Equal) {
		t.Errorf("confusion %v, want %v", e.Confusion, want)
	}
	if want := -(math.Log(6.0/7) + math.Log(1.0/7)) / 2; !close(e.Loss, want) || e.Accuracy != 0.5 {
		t.Errorf("loss %g and accuracy %g, want %g and 0.5", e.Loss, e.Accuracy, want)
	}
}

func TestEvaluationLeavesTheNetworkAlone(t *testing.T) {
	n, _ := fresh(t, tiny(), 1)
	before := weights(t, n)
	if _, err := Evaluate(context.Background(), n, separable(t, 16), span(0, 16)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, weights(t, n)) {
		t.Error("an evaluation changed weights or statistics")
	}
}

func TestEvaluationRefusesWhatIsNotThere(t *testing.T) {
	n := echo(t, 2)
	d := named(t, 2, []int64{0, 1}, []int64{0, 1})
	for what, c := range map[string]struct {
		d    *Data
		rows []int
		says string
	}{
		"no rows":        {d, nil, "no clips"},
		"a row too many": {d, []int{0, 2}, "index"},
		"a negative row": {d, []int{-1}, "index"},
		// -100 is the class that libtorch's loss leaves out.
		"class -100":     {named(t, 2, []int64{0, -100}, []int64{0, 1}), span(0, 2), "clip 1 has class -100"},
		"class too many": {named(t, 2, []int64{0, 2}, []int64{0, 1}), span(0, 2), "2"},
	} {
		before := torch.LiveTensors()
		if _, err := Evaluate(context.Background(), n, c.d, c.rows); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", what, err, c.says)
		}
		if left := torch.LiveTensors() - before; left != 0 {
			t.Errorf("%s: %d tensors are left", what, left)
		}
	}
}
