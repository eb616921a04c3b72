package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// outFlag is --out of a command that must be told where to write.
func outFlag(c *cobra.Command, out *string, usage string) {
	c.Flags().StringVar(out, "out", "", usage)
	_ = c.MarkFlagRequired("out")
}

// newCheckpoint is the usage of --out where a checkpoint is written.
const newCheckpoint = "file of the new checkpoint"

// boardFlag says where TensorBoard finds what is trained.
func boardFlag(s *pflag.FlagSet, dir *string) {
	s.StringVar(dir, "tensorboard", "", "directory of event files for TensorBoard: a run for each network that is made")
}
