package prune_test

import (
	"math"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
)

func choose(t testing.TB, n *models.Network, method string, ratio float64, o prune.Options) (prune.Decision, error) {
	t.Helper()
	m, err := prune.ByName(method)
	if err != nil {
		t.Fatal(err)
	}
	return prune.Choose(n, m, ratio, o, prune.Evidence{})
}

func TestBadRatiosAndMasks(t *testing.T) {
	_, n, _ := load(t, "fbccnn")
	for _, ratio := range []float64{-0.1, 1, 1.5, math.NaN(), math.Inf(1)} {
		for _, method := range prune.MethodNames() {
			if _, err := choose(t, n, method, ratio, prune.Options{}); err == nil || !strings.Contains(err.Error(), "outside [0, 1)") {
				t.Errorf("%s at ratio %g: error %v, want one that says it is outside [0, 1)", method, ratio, err)
			}
		}
	}
	for want, keep := range map[string]prune.Keep{
		"no channel":       {"block1.0": {}},
		"does not have":    {"nosuch": {0}},
		"must rise from 0": {"block1.0": {3, 2}},
		"to below 12":      {"block1.0": {12}},
	} {
		small, err := prune.Remove(n, keep)
		if err == nil {
			small.Free()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("mask %v: error %v, want one that says %q", keep, err, want)
		}
	}
	if _, err := prune.ByName("xyz"); err == nil || !strings.Contains(err.Error(), "lfp") {
		t.Errorf("unknown method: error %v, want one that lists the methods", err)
	}
}

func TestBadOptions(t *testing.T) {
	_, n, _ := load(t, "fbccnn")
	for _, c := range []struct {
		says   string
		method string
		ratio  float64
		o      prune.Options
	}{
		{"unknown target", "lfp", 0.4, prune.Options{Target: "flops"}},
		{"unknown scope", "lfp", 0.4, prune.Options{Scope: "all"}},
		{"can be negative", "lfp", 0.4, prune.Options{MinChannels: -1}},
		{"no layer block9.0", "lfp", 0.4, prune.Options{Exclude: []string{"block9.0"}}},
		{"lin3 stays whole: it gives the network's output", "lfp", 0.4, prune.Options{Exclude: []string{"lin3"}}},
		{"no layer nosuch", "uwmp", 0.4, prune.Options{Layers: map[string]float64{"nosuch": 0.1}}},
		{"layer block1.0: pruning ratio 2", "lfp", 0.4, prune.Options{Layers: map[string]float64{"block1.0": 2}}},
		{"can't be saved", "lfp", 0.95, prune.Options{Target: prune.MACs, MinChannels: 100}},
		{"can't be saved", "uwmp", 0.9, prune.Options{Target: prune.Parameters}}, // its linear layers hold more
		{"name the recordings", "taylor", 0.4, prune.Options{}},
	} {
		if _, err := choose(t, n, c.method, c.ratio, c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s at %g with %+v: error %v, want one that says %q", c.method, c.ratio, c.o, err, c.says)
		}
	}
	_, ccnn, _ := load(t, "ccnn")
	for _, method := range []string{"nsfp", "bn-sum"} {
		if _, err := choose(t, ccnn, method, 0.4, prune.Options{}); err == nil || !strings.Contains(err.Error(), "no BatchNorm") {
			t.Errorf("%s on CCNN: error %v, want one that says it has no BatchNorm", method, err)
		}
	}
}

func TestMasksThatDoNotFit(t *testing.T) {
	_, n, _ := load(t, "fbccnn")
	for says, masks := range map[string]models.Masks{
		"no such parameter": {"block9.0.weight": models.NewMask(3)},
		"has 3 elements":    {"block1.0.weight": models.NewMask(3)},
	} {
		if err := n.SetMasks(masks); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("masks %v: error %v, want one that says %q", masks, err, says)
		}
	}
}
