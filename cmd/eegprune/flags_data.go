package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/experiment"
)

// Each set of flags has the same names, and the same meaning, in all commands. apply
// changes only the settings of a configuration that the command line gives, so that a
// checkpoint's own settings stay.

// dataFlags choose the recordings, and the features made of them.
type dataFlags struct {
	set            *pflag.FlagSet
	dir            string
	source         sourceFlags
	features       string
	clip, overlap  float64
	bands, filter  string
	removeBaseline bool
	standardize    string
	preprocess     preprocessFlags
	cache          cacheFlag
}

func (f *dataFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.StringVar(&f.dir, "data", "", "directory of recordings")
	f.source.register(s)
	f.source.label.register(s)
	s.StringVar(&f.features, "features", "", "YAML file with clips, transforms and labels\nsee \"eegprune data features --help\"; other flags change what it says")
	s.Float64Var(&f.clip, "clip", 0, "seconds of a clip (default: 1, for networks of signals 4)")
	s.Float64Var(&f.overlap, "overlap", 0, "seconds that a clip shares with the next")
	s.StringVar(&f.bands, "bands", "", "frequency bands in Hz, such as \"theta=4-8,alpha=8-14\" (default: theta, alpha, beta and gamma)")
	s.StringVar(&f.filter, "filter", transform.FilterSOS, "band filters: sos, or ba to repeat torcheeg's numbers with their rounding noise")
	s.BoolVar(&f.removeBaseline, "remove-baseline", false, "subtract the features of a trial's baseline from those of its clips (BaselineRemoval)")
	s.StringVar(&f.standardize, "standardize", data.StandardizeNone, "scale features: none, or subject\nthe z-score over all clips of a subject, labels unseen")
	f.preprocess.register(s, true)
	f.cache.register(s)
	group(s, ofData)
	takes(s, "dir", "data")
	takes(s, "file", "features")
	takes(s, "bands", "bands")
	rare(s, "clip", "overlap", "bands", "filter", "remove-baseline", "standardize", "label")
}

// changed reports whether flags ask for other features than a checkpoint's own.
func (f *dataFlags) changed() bool {
	return slices.ContainsFunc(append(preprocessFlagNames(), "data", "features", "clip", "overlap", "bands", "filter", "remove-baseline", "standardize", "encoding", "montage", "label", "threshold", "tie"), f.set.Changed)
}

func (f *dataFlags) apply(c *experiment.Config) error {
	if f.set.Changed("data") {
		dir, err := filepath.Abs(f.dir)
		if err != nil {
			return err
		}
		manifest, err := chooseManifest(f.source.manifest, f.source.format)
		if err != nil {
			return err
		}
		c.Data.Dir, c.Data.Manifest = dir, manifest
	}
	r, err := f.source.reading()
	if err != nil {
		return err
	}
	c.Data.Encoding, c.Data.Montage = cmp.Or(r.Encoding, c.Data.Encoding), cmp.Or(r.Montage, c.Data.Montage)
	if c.Data.Dir == "" {
		return usageError{fmt.Errorf("no recordings were named: give their directory with --data")}
	}
	o := &c.Data.Features
	if o.Seconds == 0 && o.Samples == 0 { // not set by a checkpoint
		if err = c.OwnFeatures(); err != nil {
			return usageError{err}
		}
	}
	if f.features != "" {
		if err := data.ReadOptions(f.features, o); err != nil {
			return err
		}
	}
	if err := f.preprocess.apply(o, f.features != ""); err != nil {
		return err
	}
	if f.set.Changed("clip") {
		o.Seconds = f.clip
	}
	if f.set.Changed("overlap") {
		o.Overlap = f.overlap
	}
	if f.set.Changed("standardize") || o.Standardize == "" {
		o.Standardize = f.standardize
	}
	if f.source.label.changed() {
		if f.features != "" && len(o.Label) > 0 {
			return usageError{fmt.Errorf("--label, --threshold and --tie, and the label in %s, both make the class: give one of them", f.features)}
		}
		c.Data.Label, o.Label = r.Label, nil
	}
	o.SkipBad = o.SkipBad || f.source.skipBad
	o.Strict = o.Strict || f.source.strict
	if f.removeBaseline {
		o.Transforms = append(o.Transforms, &transform.BaselineRemoval{})
	}
	return f.applyBands(c.Model, o.Transforms)
}

// applyBands gives the features of bands their bands and filters.
func (f *dataFlags) applyBands(model string, p transform.Pipeline) error {
	if f.filter != transform.FilterSOS && f.filter != transform.FilterBA {
		return usageError{fmt.Errorf("--filter: no filters %q: there are %s and %s", f.filter, transform.FilterSOS, transform.FilterBA)}
	}
	if !f.set.Changed("bands") && !f.set.Changed("filter") {
		return nil
	}
	i := slices.IndexFunc(p, func(t transform.Transform) bool { _, ok := t.(*transform.BandDifferentialEntropy); return ok })
	if i < 0 {
		return usageError{fmt.Errorf("--bands and --filter are of BandDifferentialEntropy, which is none of the transforms for %s: give them as arguments in the file of --features", model)}
	}
	t := p[i].(*transform.BandDifferentialEntropy)
	if f.set.Changed("bands") {
		bands, err := parseBands(f.bands)
		if err != nil {
			return usageError{err}
		}
		form := t.Filter
		t = transform.NewBandDifferentialEntropy(bands)
		t.Filter = form
	}
	if f.set.Changed("filter") {
		t.Filter = f.filter
	}
	p[i] = t
	return nil
}

func parseBands(s string) (transform.Bands, error) {
	var bands transform.Bands
	for _, part := range strings.Split(s, ",") {
		name, edges, ok := strings.Cut(strings.TrimSpace(part), "=")
		low, high, ok2 := strings.Cut(edges, "-")
		l, err1 := strconv.ParseFloat(low, 64)
		h, err2 := strconv.ParseFloat(high, 64)
		if !ok || !ok2 || name == "" || err1 != nil || err2 != nil || !(l > 0 && h > l) {
			return nil, fmt.Errorf("--bands: %q is not a band; write name=low-high in Hz, such as alpha=8-14", part)
		}
		bands = append(bands, transform.Band{Name: name, Low: l, High: h})
	}
	return bands, nil
}

// cacheFlag says where features are kept.
type cacheFlag struct{ path string }

func (f *cacheFlag) register(s *pflag.FlagSet) {
	s.StringVar(&f.path, "cache", "", "directory that keeps features (default: eegprune in the user's cache directory)")
	group(s, ofData)
	takes(s, "dir", "cache")
	rare(s, "cache")
}

func (f *cacheFlag) dir() (string, error) {
	if f.path != "" {
		return f.path, nil
	}
	return data.CacheDir()
}

// formatFlag names the data set that a directory holds, where that doesn't show.
func formatFlag(s *pflag.FlagSet, format *string) {
	s.StringVar(format, "format", "", "data set or format of the directory, whatever it looks like\none of "+strings.Join(formatNames(), ", "))
}

func formatNames() []string {
	names, err := source.Names()
	if err != nil { // the manifests are compiled in and tested
		return nil
	}
	return names
}

// chooseManifest returns the manifest of source.Open for --manifest and --format.
func chooseManifest(manifest, format string) (string, error) {
	if format == "" {
		return manifest, nil
	}
	if manifest != "" {
		return "", usageError{fmt.Errorf("--manifest and --format both say how to read the recordings: give one of them")}
	}
	if !slices.Contains(formatNames(), format) {
		return "", usageError{fmt.Errorf("--format: no data set or format %q is known: there are %s; other files are described by %s in their directory, or --manifest",
			format, strings.Join(formatNames(), ", "), source.ManifestName)}
	}
	return format, nil
}

// sourceFlags say how a directory of recordings is read.
type sourceFlags struct {
	manifest, format  string
	encoding, montage string
	skipBad, strict   bool
	label             labelFlags // of commands that look at labels
}

// labelFlags say which labels make the class.
type labelFlags struct {
	set       *pflag.FlagSet
	keys      []string
	threshold float64
	tie       string
}

func (f *labelFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.StringSliceVar(&f.keys, "label", nil, "label that makes the class: valence, arousal, emotion, ...\nseveral ratings, or quadrants (valence,arousal), make classes of their halves together; \"data info\" lists the labels")
	s.Float64Var(&f.threshold, "threshold", 0, "rating that divides low from high (default: the data set's own)")
	s.StringVar(&f.tie, "tie", "", "class of a rating that equals the threshold: >= (high), > (low), or drop (default: the data set's own)")
	group(s, ofData)
	takes(s, "label", "label")
	rare(s, "threshold", "tie")
}

func (f *labelFlags) changed() bool {
	return f.set.Changed("label") || f.set.Changed("threshold") || f.set.Changed("tie")
}

// choice is the choice of the label by the flags.
func (f *labelFlags) choice() (label.Choice, error) {
	c := label.Choice{Keys: f.keys, Tie: f.tie}
	if f.set != nil && f.set.Changed("threshold") {
		c.Threshold = &f.threshold
	}
	if all := []string{label.TieHigh, label.TieLow, label.TieDrop}; f.tie != "" && !slices.Contains(all, f.tie) {
		return c, usageError{fmt.Errorf("--tie: %q is none of %s", f.tie, strings.Join(all, ", "))}
	}
	return c, nil
}

func (f *sourceFlags) register(s *pflag.FlagSet) {
	s.StringVar(&f.manifest, "manifest", "", "YAML file that says where subject and label are (default: eegprune.yaml in the directory, or a built-in one)")
	formatFlag(s, &f.format)
	s.StringVar(&f.encoding, "encoding", "", "encoding of texts in the files that are not UTF-8, such as latin1, gbk or shift_jis")
	s.StringVar(&f.montage, "montage", "", "file with the places of channels\none of "+strings.Join(montage.Extensions(), ", ")+", or BIDS electrodes.tsv")
	s.BoolVar(&f.skipBad, "skip-bad", false, "go on without recordings that can't be read, and list them")
	s.BoolVar(&f.strict, "strict", false, "make a note of anything left out, corrected, repeated or assumed an error")
	group(s, ofData)
	takes(s, "file", "manifest", "montage")
	rare(s, "manifest", "format", "encoding", "montage", "skip-bad", "strict")
}

func (f *sourceFlags) open(dir string) (*source.Source, error) {
	manifest, err := chooseManifest(f.manifest, f.format)
	if err != nil {
		return nil, err
	}
	recordings, err := source.Open(dir, manifest)
	if err != nil {
		return nil, err
	}
	return recordings, f.use(recordings)
}

// reading holds the flags' settings beside the manifest.
func (f *sourceFlags) reading() (source.Reading, error) {
	choice, err := f.label.choice()
	if err != nil {
		return source.Reading{}, err
	}
	r := source.Reading{Encoding: f.encoding, Label: choice}
	if f.montage == "" {
		return r, nil
	}
	path, err := filepath.Abs(f.montage)
	r.Montage = path
	return r, err
}

func (f *sourceFlags) use(recordings *source.Source) error {
	r, err := f.reading()
	if err != nil {
		return err
	}
	return recordings.Use(r)
}
