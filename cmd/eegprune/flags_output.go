package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// outFlag is --out, a file or a dir, of a command that must be told where to write.
func outFlag(c *cobra.Command, out *string, what, usage string) {
	c.Flags().StringVar(out, "out", "", usage)
	_ = c.MarkFlagRequired("out")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), what, "out")
}

// newCheckpoint is the usage of --out where a checkpoint is written.
const newCheckpoint = "file of the new checkpoint"

// boardFlag adds the flag of the directory for TensorBoard.
func boardFlag(s *pflag.FlagSet, dir *string) {
	s.StringVar(dir, "tensorboard", "", "directory for TensorBoard: event files with a run for each network")
	group(s, ofOutput)
	takes(s, "dir", "tensorboard")
}

// everyFlag says how often a training is kept.
func everyFlag(s *pflag.FlagSet, epochs *int) {
	s.IntVar(epochs, "checkpoint-every", 0, "epochs between checkpoints of a training that is under way (default: half a minute)")
	group(s, ofOutput)
	rare(s, "checkpoint-every")
}
