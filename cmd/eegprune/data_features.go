package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/models"
)

// featureFlags say which features to make of which recordings, without a study.
type featureFlags struct {
	data  dataFlags
	model string
}

func (f *featureFlags) register(s *pflag.FlagSet) {
	f.data.register(s)
	s.StringVar(&f.model, "model", "fbccnn", "network that takes the features: "+strings.Join(models.Names(), ", "))
	group(s, ofNetwork)
}

// open returns the recordings and the options of their features.
func (f *featureFlags) open(args []string) (*source.Source, data.Options, error) {
	var none data.Options
	if len(args) > 0 {
		if f.data.set.Changed("data") {
			return nil, none, usageError{fmt.Errorf("the recordings are named twice, by %s and --data %s: give one of them", args[0], f.data.dir)}
		}
		if err := f.data.set.Set("data", args[0]); err != nil {
			return nil, none, err
		}
	}
	c := experiment.Config{Model: f.model}
	if err := f.data.apply(&c); err != nil {
		return nil, none, err
	}
	recordings, err := source.Open(c.Data.Dir, c.Data.Manifest)
	if err != nil {
		return nil, none, err
	}
	if err := recordings.Use(c.Data.Reading); err != nil {
		return nil, none, err
	}
	if f.data.removeBaseline && !recordings.HasBaseline() {
		return nil, none, usageError{fmt.Errorf("--remove-baseline: the recordings in %s have no baseline: leave it away, or give signal.baseline in the manifest", recordings.Dir)}
	}
	return recordings, c.Data.Features, nil
}

// A featureReport is the output of --json.
type featureReport struct {
	Clips    int       `json:"clips"`
	Shape    []int     `json:"shape"`
	Subjects int       `json:"subjects"`
	Classes  []string  `json:"classes"`
	Counts   []int     `json:"counts"` // clips of each class
	Channels []string  `json:"channels"`
	Rate     float64   `json:"rate"`
	Cached   bool      `json:"cached"` // whether they had been made before
	Seconds  float64   `json:"seconds"`
	Cache    string    `json:"cache"`
	Out      string    `json:"out,omitempty"`
	Notes    note.List `json:"notes,omitempty"`
}

func reportOf(set *data.Set) featureReport {
	r := featureReport{Clips: set.Len(), Shape: set.Shape, Classes: set.Classes, Counts: make([]int, len(set.Classes)), Channels: set.Channels, Rate: set.Rate, Notes: set.Notes}
	subjects := map[string]bool{}
	for i, c := range set.Clips {
		r.Counts[set.Y[i]]++
		subjects[c.Subject] = true
	}
	r.Subjects = len(subjects)
	return r
}

func (r featureReport) counts() string {
	var parts []string
	for i, c := range r.Classes {
		parts = append(parts, fmt.Sprintf("%d %s", r.Counts[i], c))
	}
	return strings.Join(parts, ", ")
}

func (a *app) dataFeaturesCommand() *cobra.Command {
	var f featureFlags
	var out string
	c := &cobra.Command{
		Use:   "features [DIR]",
		Short: "Compute the features of recordings, and write them for Python",
		Long: `features cuts recordings into clips and computes the features that a network takes. It keeps
them in a cache and finds them there while recordings and settings are the same.

The network determines the features. A YAML file of --features changes them; what it leaves
out stays as it is. Names and arguments are torcheeg's:

  seconds: 2             # of a clip
  overlap: 1
  baseline_seconds: 1
  standardize: subject
  preprocess:            # of recordings, before clips are cut, in this order
    - {name: BandPass, args: {low: 1, high: 45}}
    - {name: InterpolateBads, args: {channels: [T7], subjects: {s03: [Oz]}}}
  transforms:
    - name: BandDifferentialEntropy
      args: {bands: {alpha: [8, 14], beta: [14, 31]}, apply_to_baseline: true}
    - name: ToGrid
      args: {apply_to_baseline: true}
    - name: BaselineRemoval
  label:
    - name: Select
      args: {key: [arousal]}
    - name: Binary
      args: {threshold: 5}

--out writes them for numpy.load: x, y, classes, and for each clip subject, session, trial,
stimulus, start and end.`,
		Example: `  eegprune data features recordings
  eegprune data features recordings --notch 50 --bandpass 1-45 --reject 150
  eegprune data features --data deap --bands theta=4-8,alpha=8-14 --remove-baseline --out features.npz`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			recordings, o, err := f.open(args)
			if err != nil {
				return err
			}
			cache, err := f.data.cache.dir()
			if err != nil {
				return err
			}
			p := a.progress()
			o.Progress = p.Reading
			start := time.Now()
			set, hit, err := data.Cache{Dir: cache}.Features(cmd.Context(), recordings, o)
			p.Close()
			if err != nil {
				return unfinished(cmd.Context(), err, "no features were kept")
			}
			defer set.Close()
			r := reportOf(set)
			r.Cached, r.Seconds, r.Cache, r.Out = hit, time.Since(start).Seconds(), cache, out
			if out != "" {
				if err := set.SaveNPZ(out); err != nil {
					return err
				}
			}
			return a.showFeatures(r)
		},
	}
	f.register(c.Flags())
	c.Flags().StringVar(&out, "out", "", "file for the features, .npz")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "file", "out")
	return c
}

func (a *app) showFeatures(r featureReport) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(r)
	}
	origin := "made"
	if r.Cached {
		origin = "found in the cache"
	}
	fmt.Fprintf(a.stdout, "%d clips %v of %d subjects (%s), %s in %.2f s\n", r.Clips, r.Shape, r.Subjects, r.counts(), origin, r.Seconds)
	fmt.Fprintf(a.stdout, "kept in %s\n", r.Cache)
	if r.Out != "" {
		fmt.Fprintf(a.stdout, "written to %s\n", r.Out)
	}
	return writeNotes(a.stdout, r.Notes)
}
