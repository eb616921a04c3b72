package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/internal/note"
)

func (a *app) dataCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "Work with recordings",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q for data: see \"eegprune data --help\"", args[0])}
			}
			return cmd.Help()
		},
	}
	c.AddCommand(a.simulateCommand(), a.dataInfoCommand(), a.dataFeaturesCommand(), a.dataConvertCommand(), a.dataMontageCommand(),
		a.dataFetchCommand(), a.dataBenchCommand())
	return c
}

// unfinished is the error of an interrupt of work that is whole or not there.
func unfinished(ctx context.Context, err error, what string) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("interrupted; %s: the same command begins again", what)
	}
	return err
}

// writeNotes writes notes for the user.
func writeNotes(w io.Writer, notes note.List) error {
	for _, n := range notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", n); err != nil {
			return err
		}
	}
	return nil
}
