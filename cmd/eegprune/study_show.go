package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
)

func (a *app) studyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show DIR",
		Short:   "Show how far a study has come",
		Example: `  eegprune study show study`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := experiment.ReadStatus(args[0])
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(s)
			}
			return writeStatus(a.stdout, s)
		},
	}
}

func writeStatus(w io.Writer, s *experiment.Status) error {
	var b strings.Builder
	left := ""
	if s.Left > 0 && len(s.Running) > 0 {
		left = ", about " + duration(s.Left.Seconds()) + " left"
	}
	fmt.Fprintf(&b, "%d of %d cells done (%.0f %% of the work), %d running, %d failed, %d waiting%s\n", s.Done, s.Cells, 100*s.Share,
		len(s.Running), len(s.Failed), s.Cells-s.Done-len(s.Running)-len(s.Failed), left)
	for _, p := range s.Running {
		epoch := ""
		if p.Epochs > 0 {
			epoch = fmt.Sprintf(", epoch %d of %d", p.Epoch, p.Epochs)
		}
		fmt.Fprintf(&b, "running  %s %s%s, for %s (process %d on %s)\n", p.Cell.Model, experiment.Describe(p.Cell), epoch,
			duration(time.Since(p.Started).Seconds()), p.PID, p.Host)
	}
	for _, f := range s.Failed {
		fmt.Fprintf(&b, "failed   %s %s: %s\n", f.Cell.Model, experiment.Describe(f.Cell), f.Reason)
	}
	for _, f := range s.Retried {
		fmt.Fprintf(&b, "retried  %s %s, done at the second attempt: %s\n", f.Cell.Model, experiment.Describe(f.Cell), f.Reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
