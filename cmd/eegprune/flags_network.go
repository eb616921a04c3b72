package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/models"
)

// foreignFlags say how to take a checkpoint that another program wrote.
type foreignFlags struct {
	model, weights string
	strict         bool
}

func (f *foreignFlags) register(s *pflag.FlagSet) {
	f.registerNames(s)
	if s.Lookup("strict") == nil {
		s.BoolVar(&f.strict, "strict", false, "make what is left out of the checkpoint, corrected or assumed an error")
		group(s, ofNetwork)
	}
}

// registerNames is register for a command that has --strict already.
func (f *foreignFlags) registerNames(s *pflag.FlagSet) {
	s.StringVar(&f.model, "model", "", "network of a checkpoint that another program wrote (default: by the names of its tensors)")
	s.StringVar(&f.weights, "weights", "", "where such a checkpoint has several networks, the key of the one to take, such as ema or state_dict.student")
	group(s, ofNetwork)
}

// check returns an error if --model, where it is given, names no network.
func (f *foreignFlags) check() error {
	if f.model == "" {
		return nil
	}
	if _, err := models.ByName(f.model); err != nil {
		return usageError{fmt.Errorf("--model: %w", err)}
	}
	return nil
}
