package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/experiment/watch"
)

func (a *app) studyWatchCommand() *cobra.Command {
	var every time.Duration
	c := &cobra.Command{
		Use:     "watch DIR",
		Short:   "Show how far a study has come until it is done",
		Example: `  eegprune study watch study`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for {
				s, err := experiment.ReadStatus(args[0])
				if err != nil {
					return err
				}
				if watch.IsTerminal(a.stdout) {
					fmt.Fprint(a.stdout, "\x1b[H\x1b[2J")
				}
				fmt.Fprintln(a.stdout, time.Now().Format("2006-01-02 15:04:05"))
				if err := writeStatus(a.stdout, s); err != nil {
					return err
				}
				if s.Done+len(s.Failed) >= s.Cells {
					return nil
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(every):
				}
			}
		},
	}
	c.Flags().DurationVar(&every, "every", 2*time.Second, "time between two looks")
	group(c.Flags(), ofOutput)
	return c
}
