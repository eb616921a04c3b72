package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/report"
)

// testFlags say how networks are compared over folds.
type testFlags struct{ report.Judgement }

func (t *testFlags) register(f *pflag.FlagSet) {
	usual := report.Usual()
	f.StringVar(&t.Test, "test", usual.Test, "paired test over folds: "+strings.Join(report.Tests(), ", "))
	f.Float64Var(&t.Level, "level", usual.Level, "significance level; intervals have a coverage of 1 less it")
	f.Float64Var(&t.Margin, "margin", usual.Margin, "loss of the metric that counts as none: 0.02 is two points")
	group(f, ofComparison)
	rare(f, "test", "level")
}

// check says which flag can't be used.
func (t *testFlags) check() error {
	if err := t.Check(); err != nil {
		return usageError{fmt.Errorf("--test, --level, --margin: %w", err)}
	}
	return nil
}
