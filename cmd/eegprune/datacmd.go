package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"eegprune/data"
	"eegprune/data/montage"
	"eegprune/data/simulate"
	"eegprune/internal/note"
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

func (a *app) simulateCommand() *cobra.Command {
	flags := simulate.Default()
	var out string
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Make recordings in which the label changes band power by a known amount",
		Long: `simulate writes recordings with a 1/f background, sources in frequency bands, blinks,
line noise and differences between subjects. The label of a trial changes the power of
two sources and nothing else, so that the best possible accuracy is known.

They are EDF+ files, or have the format of DEAP (sNN.dat, 40 channels of which 32 are EEG,
3 s of baseline) or SEED (.mat and label.mat, 62 electrodes, three classes).`,
		Example: `  eegprune data simulate --out recordings --subjects 4 --trials 4 --seconds 10
  eegprune data simulate --out deap --format deap --subjects 2 --trials 4 --seconds 10
  eegprune data simulate --out seed --format seed --subjects 2 --trials 3 --seconds 10`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := simulate.DefaultFor(flags.Format)
			if err != nil {
				return usageError{fmt.Errorf("--format: %w", err)}
			}
			config.Subjects, config.Trials, config.Seconds, config.Seed = flags.Subjects, flags.Trials, flags.Seconds, flags.Seed
			if cmd.Flags().Changed("rate") {
				config.Rate = flags.Rate
			}
			p := a.progress()
			truth, err := simulate.Write(cmd.Context(), out, config, p.Reading)
			p.Close()
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(truth)
			}
			last := len(config.Classes) - 1
			_, err = fmt.Fprintf(a.stdout, `Simulated %d subjects, %d trials each of %g s, %d electrodes at %g Hz, classes %s and %s, in %s.
The label changes the power of %d sources; no classifier of clips of %g s can be right more often
than %.1f %% but by chance (the ideal observer of these recordings was right in %.1f %% of %d windows).
`, config.Subjects, config.Trials, config.Seconds, len(config.Electrodes), config.Rate, strings.Join(config.Classes[:last], ", "), config.Classes[last], out,
				len(config.Effects), config.Window, 100*truth.Best, 100*truth.Realised, truth.Windows)
			return err
		},
	}
	f := c.Flags()
	outFlag(c, &out, "directory for the recordings, new or empty")
	f.StringVar(&flags.Format, "format", "edf", "of the files: edf, deap or seed")
	f.IntVar(&flags.Subjects, "subjects", flags.Subjects, "number of subjects, one file each")
	f.IntVar(&flags.Trials, "trials", flags.Trials, "trials of each subject")
	f.Float64Var(&flags.Seconds, "seconds", flags.Seconds, "seconds of a trial")
	f.Float64Var(&flags.Rate, "rate", flags.Rate, "samples per second (DEAP has 128, SEED 200)")
	f.Uint64Var(&flags.Seed, "seed", flags.Seed, "seed")
	return c
}

// formatFlag names the data set that a directory holds, where that doesn't show.
func formatFlag(s *pflag.FlagSet, format *string) {
	s.StringVar(format, "format", "", "read the directory as this data set, or as files of this format, whatever it looks like: "+strings.Join(formatNames(), ", "))
}

func formatNames() []string {
	names, err := data.Names()
	if err != nil { // the manifests are compiled in and tested
		return nil
	}
	return names
}

// chooseManifest returns what data.Open takes for --manifest and --format.
func chooseManifest(manifest, format string) (string, error) {
	if format == "" {
		return manifest, nil
	}
	if manifest != "" {
		return "", usageError{fmt.Errorf("--manifest and --format both say how to read the recordings: give one of them")}
	}
	if !slices.Contains(formatNames(), format) {
		return "", usageError{fmt.Errorf("--format: no data set or format %q is known: there are %s; other files are described by %s in their directory, or --manifest",
			format, strings.Join(formatNames(), ", "), data.ManifestName)}
	}
	return format, nil
}

// sourceFlags say how a directory of recordings is read.
type sourceFlags struct {
	manifest, format  string
	encoding, montage string
	skipBad, strict   bool
}

func (f *sourceFlags) register(s *pflag.FlagSet) {
	s.StringVar(&f.manifest, "manifest", "", "YAML file that says where subject and label are found (default: eegprune.yaml in the directory, or a built-in one)")
	formatFlag(s, &f.format)
	s.StringVar(&f.encoding, "encoding", "", "of texts in the files that are not UTF-8, such as latin1, gbk or shift_jis")
	s.StringVar(&f.montage, "montage", "", "file that says where channels lie: "+strings.Join(montage.Extensions(), ", ")+", or BIDS electrodes.tsv")
	s.BoolVar(&f.skipBad, "skip-bad", false, "go on without recordings that can't be read, and list them")
	s.BoolVar(&f.strict, "strict", false, "fail where anything is left out, corrected, there twice or assumed, instead of noting it")
}

func (f *sourceFlags) open(dir string) (*data.Source, error) {
	manifest, err := chooseManifest(f.manifest, f.format)
	if err != nil {
		return nil, err
	}
	source, err := data.Open(dir, manifest)
	if err != nil {
		return nil, err
	}
	return source, f.use(source)
}

// reading is what the flags say beside the manifest.
func (f *sourceFlags) reading() (data.Reading, error) {
	r := data.Reading{Encoding: f.encoding}
	if f.montage == "" {
		return r, nil
	}
	path, err := filepath.Abs(f.montage)
	r.Montage = path
	return r, err
}

func (f *sourceFlags) use(source *data.Source) error {
	r, err := f.reading()
	if err != nil {
		return err
	}
	return source.Use(r)
}

// unfinished says what an interrupt left of work that is whole or not there.
func unfinished(ctx context.Context, err error, what string) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("interrupted; %s: the same command begins again", what)
	}
	return err
}

// writeNotes writes what the user must see.
func writeNotes(w io.Writer, notes note.List) error {
	for _, n := range notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", n); err != nil {
			return err
		}
	}
	return nil
}
