package prune_test

import (
	"math"
	"strings"
	"testing"

	"eegprune/prune"
)

func TestBadRatiosAndMasks(t *testing.T) {
	_, n, _ := load(t, "fbccnn")
	lfp, err := prune.ByName("lfp")
	if err != nil {
		t.Fatal(err)
	}
	for _, ratio := range []float64{-0.1, 1, 1.5, math.NaN(), math.Inf(1)} {
		if _, err := lfp.Select(n, ratio); err == nil || !strings.Contains(err.Error(), "outside [0, 1)") {
			t.Errorf("ratio %g: error %v, want one that says it is outside [0, 1)", ratio, err)
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
