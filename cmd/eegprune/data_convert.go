package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data"
)

func (a *app) dataConvertCommand() *cobra.Command {
	var from sourceFlags
	var steps preprocessFlags
	var out string
	c := &cobra.Command{
		Use:   "convert DIR",
		Short: "Write recordings of any format as .npz files with a manifest",
		Long: `convert writes each trial as an .npz file and an eegprune.yaml by which all commands read them.
The array x of a file is [channels, samples] in microvolts, after the baseline where there is
one. The directory is made whole or not at all. Flags of preprocessing are carried out in the
order in which they are given.`,
		Example: `  eegprune data convert recordings --out converted
  eegprune data convert recordings --notch 50 --bandpass 1-45 --resample 128 --out at128
  eegprune data info converted`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			recordings, err := from.open(args[0])
			if err != nil {
				return err
			}
			p := a.progress()
			notes, err := data.Convert(cmd.Context(), recordings, out, data.Options{Preprocess: steps.steps, SkipBad: from.skipBad, Strict: from.strict, Progress: p.Reading})
			p.Close()
			if err != nil {
				return unfinished(cmd.Context(), err, "nothing was written to "+out)
			}
			trials, err := filepath.Glob(filepath.Join(out, "*.npz"))
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"out": out, "files": len(trials), "notes": notes})
			}
			fmt.Fprintf(a.stdout, "Converted %d files into %d, in %s.\n", len(recordings.Files), len(trials), out)
			return writeNotes(a.stdout, notes)
		},
	}
	from.register(c.Flags())
	steps.register(c.Flags(), false)
	from.label.register(c.Flags())
	outFlag(c, &out, "dir", "directory for the converted recordings, new or empty")
	return c
}
