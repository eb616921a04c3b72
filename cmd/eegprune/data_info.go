package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/report"
)

func (a *app) dataInfoCommand() *cobra.Command {
	var from sourceFlags
	c := &cobra.Command{
		Use:   "info DIR",
		Short: "Show what a directory of recordings holds",
		Long: `info reads all recordings of a directory and shows subjects, sessions, trials, seconds and
labels, channels and rate, and what is wrong with any of them: files that can't be read,
channels that are flat or hold values that are no numbers.

EDF, BDF, BrainVision and NumPy files need no eegprune.yaml: each of them is then a subject of
its own, unless their names begin with sub- as in BIDS. An .npz file can hold what the manifest
says in arrays beside x [trials, channels, samples]: rate, channels, and for each trial y,
subject and trial.

Sets with several labels have a table of the classes that each can make (--label, --threshold,
--tie), with the share of each class.

Of a BIDS data set (a directory with dataset_description.json) info reads the participants,
channels, events and electrodes files too, names the columns that labels could be made of, and
prints an eegprune.yaml to begin with. --json lists the annotations of all files.

info shows what can be read and fails in the end where a file can't be, unless --skip-bad is
given.`,
		Example: `  eegprune data info recordings
  eegprune data info deap --label quadrants
  eegprune data info deap --format deap --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			recordings, err := from.open(args[0])
			if err != nil {
				return err
			}
			p := a.progress()
			sum, err := source.Inspect(cmd.Context(), recordings, p.Reading)
			p.Close()
			if err != nil {
				return unfinished(cmd.Context(), err, "not all recordings were read")
			}
			if a.json {
				err = json.NewEncoder(a.stdout).Encode(sum)
			} else {
				err = writeSummary(a.stdout, sum)
			}
			if n := len(sum.Bad); err == nil && n > 0 && !from.skipBad {
				return fmt.Errorf("%s: %s; --skip-bad goes on without", args[0], badRecordings(sum.Bad))
			}
			if err == nil && from.strict {
				err = sum.Notes.Strict()
			}
			return err
		},
	}
	from.register(c.Flags())
	from.label.register(c.Flags())
	return c
}

// badRecordings sums up the recordings that can't be read in a clause.
func badRecordings(bad []string) string {
	if len(bad) == 1 {
		return bad[0]
	}
	return fmt.Sprintf("%d recordings can't be used, the first since %s", len(bad), bad[0])
}

func writeSummary(w io.Writer, s *source.Summary) error {
	fmt.Fprintf(w, "data set  %s, format %s\n", s.Manifest, s.Format)
	classes := "unknown: no label is in the files, and no manifest says it"
	if len(s.Classes) > 0 {
		classes = strings.Join(s.Classes, ", ")
	}
	if s.Rule != "" {
		classes += " (by " + s.Rule + ")"
	}
	fmt.Fprintf(w, "classes   %s\n", classes)
	if s.Stimuli > 0 {
		fmt.Fprintf(w, "stimuli   %d\n", s.Stimuli)
	}
	for _, c := range s.Caps {
		if c.Rate == 0 {
			fmt.Fprintf(w, "channels  %d, their names and rate are unknown (%d recordings)\n", len(c.Channels), c.Recordings)
			continue
		}
		if len(s.Bands) > 0 {
			fmt.Fprintf(w, "features  of windows of %g s: %s\nchannels  %d: %s (%d recordings)\n", s.Window, strings.Join(s.Bands, ", "), len(c.Channels), strings.Join(c.Channels, " "), c.Recordings)
			continue
		}
		fmt.Fprintf(w, "channels  %d at %g Hz: %s (%d recordings)\n", len(c.Channels), c.Rate, strings.Join(c.Channels, " "), c.Recordings)
	}
	if len(s.Subjects) > 0 {
		if err := subjectTable(w, s); err != nil {
			return err
		}
	}
	if len(s.Labels) > 1 || len(s.Labels) == 1 && !s.Labels[0].Chosen {
		if err := labelTable(w, s.Labels); err != nil {
			return err
		}
	}
	for _, f := range s.Faults {
		fmt.Fprintf(w, "fault: %s\n", f)
	}
	for _, b := range s.Bad {
		fmt.Fprintf(w, "can't be read: %s\n", b)
	}
	if err := writeNotes(w, s.Notes); err != nil || s.Start == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "\nAn %s to begin with:\n\n%s", source.ManifestName, s.Start)
	return err
}

// subjectTable has a line for each subject and one for all, with the trials of each
// class.
func subjectTable(w io.Writer, s *source.Summary) error {
	t := report.NewTable(w, tw.AlignLeft)
	t.Header(append([]string{"subject", "sessions", "trials", "seconds"}, s.Classes...))
	all := source.SubjectSummary{Subject: "all", Classes: make([]int, len(s.Classes))}
	sessions := 0
	for _, x := range s.Subjects {
		if err := t.Append(subjectLine(x, len(x.Sessions))); err != nil {
			return err
		}
		all.Trials += x.Trials
		all.Seconds += x.Seconds
		sessions += max(1, len(x.Sessions))
		for c, n := range x.Classes {
			all.Classes[c] += n
		}
	}
	if err := t.Append(subjectLine(all, sessions)); err != nil {
		return err
	}
	return t.Render()
}

// labelTable has a line for each class of each choice of labels.
func labelTable(w io.Writer, labels []source.LabelSummary) error {
	t := report.NewTable(w, tw.AlignLeft, tw.AlignLeft)
	t.Header([]string{"--label", "class", "trials", "share", "at the threshold"})
	for _, l := range labels {
		all := 0
		for _, n := range l.Trials {
			all += n
		}
		name, ties := l.Label, ""
		if l.Chosen {
			name += " (chosen)"
		}
		if l.Rating {
			ties = strconv.Itoa(l.Ties)
		}
		for c, class := range l.Classes {
			if err := t.Append([]string{name, class, strconv.Itoa(l.Trials[c]), share(l.Trials[c], all), ties}); err != nil {
				return err
			}
			name, ties = "", ""
		}
	}
	return t.Render()
}

// share is a part of a whole in percent.
func share(n, all int) string {
	if all == 0 {
		return "none"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(all))
}

func subjectLine(x source.SubjectSummary, sessions int) []string {
	seconds := strconv.FormatFloat(x.Seconds, 'f', 1, 64)
	if x.Seconds == 0 && x.Trials > 0 {
		seconds = "unknown"
	}
	line := []string{x.Subject, strconv.Itoa(max(1, sessions)), strconv.Itoa(x.Trials), seconds}
	for _, n := range x.Classes {
		line = append(line, strconv.Itoa(n))
	}
	return line
}
