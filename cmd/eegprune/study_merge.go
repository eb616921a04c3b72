package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
)

func (a *app) studyMergeCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Join the results of machines without a common disk",
		Long: `merge copies the cells of the directories into --out. Two different results of one cell are an
error, and nothing is then copied.`,
		Example: `  eegprune study merge study --out merged`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			n, err := experiment.Merge(out, args)
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"merged": n, "out": out})
			}
			_, err = fmt.Fprintf(a.stdout, "%d cells copied into %s; \"eegprune study results %s\" puts them together\n", n, out, out)
			return err
		},
	}
	outFlag(c, &out, "dir", "directory into which cells are copied")
	return c
}
