package experiment

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/preprocess"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/strictyaml"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/train"
)

// A File is a whole study as its author writes it, in YAML: which networks, how they are
// trained, pruned and recovered. Where it says nothing, the paper's settings hold.
type File struct {
	Name  string `yaml:"name"`
	About string `yaml:"about,omitempty"` // shown with the results

	Data struct {
		Dir      string `yaml:"dir,omitempty"`      // below the study file's directory, if it isn't absolute
		Manifest string `yaml:"manifest,omitempty"` // see source.Open
		Encoding string `yaml:"encoding,omitempty"` // see source.Reading
		Montage  string `yaml:"montage,omitempty"`  // below the study file's directory, if it isn't absolute
		// Preprocess are the steps for the recordings of all networks whose features have none of
		// their own.
		Preprocess preprocess.Pipeline `yaml:"preprocess,omitempty"`
		// Label chooses the label that makes the class; see source.Reading.
		Label label.Choice `yaml:"label,omitempty"`
	} `yaml:"data,omitempty"`
	Seed  *uint64  `yaml:"seed,omitempty"`
	Seeds []uint64 `yaml:"seeds,omitempty"` // of repetitions, instead of one seed
	// Metric judges networks; see result.Metrics.
	Metric       string        `yaml:"metric,omitempty"`
	ClassWeights bool          `yaml:"class_weights,omitempty"`
	Split        part          `yaml:"split,omitempty"` // of all networks; see Split
	Networks     []NetworkFile `yaml:"networks"`
	Prune        PruneFile     `yaml:"prune,omitempty"`
	// Recover names ways to recover; see RecoveryNames.
	Recover []string `yaml:"recover,omitempty"`
	Distill Distill  `yaml:"distill,omitempty"`
}

// A NetworkFile is one network of a study.
type NetworkFile struct {
	Model string `yaml:"model,omitempty"`
	// Network is the file of a network that PyTorch exported, instead of a model; Init is the start
	// of its trainings: see models.Start.
	Network  string   `yaml:"network,omitempty"`
	Init     string   `yaml:"init,omitempty"`
	Features part     `yaml:"features,omitempty"`  // see data.Options
	Split    part     `yaml:"split,omitempty"`     // instead of the study's
	Train    part     `yaml:"train,omitempty"`     // see train.Options
	FineTune part     `yaml:"fine_tune,omitempty"` // the differences from Train
	Methods  []string `yaml:"methods,omitempty"`   // instead of the study's
	// SamplingRate is the rate for which kernels of parts of a second are made, instead of the
	// features' own rate.
	SamplingRate float64 `yaml:"sampling_rate,omitempty"`
}

// A PruneFile lists methods and ratios: networks are pruned by each method at each ratio.
type PruneFile struct {
	Methods       []string  `yaml:"methods"`
	Ratios        []float64 `yaml:"ratios"`
	Sparsity      *float64  `yaml:"sparsity,omitempty"`
	prune.Options `yaml:",inline"`
}

// A part is a piece of the file that changes settings which are not known before the
// rest is.
type part struct{ node ast.Node }

// UnmarshalYAML keeps the piece.
func (p *part) UnmarshalYAML(n ast.Node) error {
	p.node = n
	return nil
}

// resolve makes the piece independent of the rest of the file.
func (p *part) resolve(anchors map[string]ast.Node) {
	if p.node != nil {
		p.node = strictyaml.Resolve(p.node, anchors)
	}
}

// over applies the piece to settings.
func (p part) over(settings any) error {
	if p.node == nil {
		return nil
	}
	return strictyaml.Decode(p.node, settings)
}

// ReadFile reads a study file. A key that it can't have, or a value of another type, is
// an error with its line and column.
func ReadFile(path string) (*File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the study: %w", err)
	}
	var f File
	if err := strictyaml.Unmarshal(b, path, &f); err != nil {
		return nil, err
	}
	anchors := strictyaml.Anchors(b)
	f.Split.resolve(anchors)
	for i := range f.Networks {
		n := &f.Networks[i]
		n.Network = beside(path, n.Network)
		for _, p := range []*part{&n.Features, &n.Split, &n.Train, &n.FineTune} {
			p.resolve(anchors)
		}
	}
	if f.Data.Dir != "" {
		if f.Data.Dir, err = filepath.Abs(beside(path, f.Data.Dir)); err != nil {
			return nil, err
		}
	}
	if f.Data.Montage != "" && !filepath.IsAbs(f.Data.Montage) {
		if f.Data.Montage, err = filepath.Abs(beside(path, f.Data.Montage)); err != nil {
			return nil, err
		}
	}
	if faults := f.faults(); len(faults) > 0 {
		return nil, strictyaml.Placed(path, faults[0].error)
	}
	for i := range f.Networks {
		if err := f.checkNetwork(i); err != nil {
			return nil, strictyaml.Placed(path, err)
		}
	}
	return &f, nil
}

// beside is the path of a file named in another: below the other's directory, unless it is absolute
// or nothing.
func beside(file, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}

// A misplaced is a fault at a key of the file.
type misplaced struct {
	key string
	error
}

// faults are the faults of the file as a whole.
func (f *File) faults() (all []misplaced) {
	if len(f.Networks) == 0 {
		all = append(all, misplaced{"networks", errors.New("there are no networks: name one, such as networks: [{model: fbccnn}]")})
	}
	if f.Seed != nil && f.Seeds != nil {
		all = append(all, misplaced{"seeds", errors.New("seed and seeds both say what is drawn from: give one of them")})
	}
	return all
}

// checkNetwork returns a fault in the settings of a network.
func (f *File) checkNetwork(i int) error {
	n := f.Networks[i]
	c, err := f.config(n, f.seeds()[0])
	if err == nil {
		err = c.Check()
	}
	if err == nil && slices.ContainsFunc(f.Networks[:i], func(o NetworkFile) bool { return o.Model == n.Model }) {
		err = errTwice
	}
	if err != nil {
		return fmt.Errorf("network %d (%s): %w", i+1, n.Model, err)
	}
	return nil
}

// seeds are the seeds of all repetitions.
func (f *File) seeds() []uint64 {
	switch {
	case len(f.Seeds) > 0:
		return f.Seeds
	case f.Seed != nil:
		return []uint64{*f.Seed}
	}
	return []uint64{1}
}

// Configs returns the file's configurations, one for each network and seed.
func (f *File) Configs() ([]Config, error) {
	if f.Data.Dir == "" {
		return nil, fmt.Errorf("the study does not say where its recordings are: name their directory with --data")
	}
	var all []Config
	for _, n := range f.Networks {
		for _, seed := range f.seeds() {
			c, err := f.config(n, seed)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func (f *File) config(n NetworkFile, seed uint64) (Config, error) {
	var exported *Exported
	if n.Network != "" {
		var err error
		if n.Model != "" {
			return Config{}, fmt.Errorf("model and network both say what is trained: give one of them")
		}
		if exported, err = OpenExported(n.Network, models.Start(n.Init)); err != nil {
			return Config{}, err
		}
		n.Model = models.NameOf(n.Network)
	}
	features, err := Config{Model: n.Model, Network: exported}.features()
	if err != nil {
		return Config{}, err
	}
	c := Config{Model: n.Model, Network: exported, SamplingRate: n.SamplingRate, Seed: seed, Metric: f.Metric, ClassWeights: f.ClassWeights, Train: train.Paper(n.Model), Options: f.Prune.Options, Sparsity: PaperSparsity, Distill: f.Distill,
		Recover: []string{}}
	c.Data.Dir, c.Data.Manifest = f.Data.Dir, f.Data.Manifest
	c.Data.Reading = source.Reading{Encoding: f.Data.Encoding, Montage: f.Data.Montage, Label: f.Data.Label}
	c.Data.Features = features
	c.Data.Features.Preprocess = f.Data.Preprocess
	if len(f.Seeds) > 1 {
		c.Seeds = f.Seeds
	}
	c.Split = Split{Shuffle: true, Seed: c.Seed, Val: 0.2}
	if f.Prune.Sparsity != nil {
		c.Sparsity = *f.Prune.Sparsity
	}
	if c.Distill.Weight > 0 && c.Distill.Temperature == 0 {
		c.Distill.Temperature = PaperTemperature
	}
	for _, change := range []struct {
		by   part
		what any
	}{{f.Split, &c.Split}, {n.Split, &c.Split}, {n.Features, &c.Data.Features}, {n.Train, &c.Train}} {
		if err := change.by.over(change.what); err != nil {
			return c, err
		}
	}
	c.FineTune = c.Train
	if err := n.FineTune.over(&c.FineTune); err != nil {
		return c, err
	}
	methods := f.Prune.Methods
	if n.Methods != nil {
		methods = n.Methods
	}
	for _, method := range methods {
		for _, r := range f.Prune.Ratios {
			c.Prune = append(c.Prune, Pruning{method, r})
		}
	}
	for _, name := range f.Recover {
		stage, err := ParseRecovery(name)
		if err != nil {
			return c, err
		}
		c.Recover = append(c.Recover, stage)
	}
	return c, nil
}

// ReadLayerRatios reads a YAML file with a line for each layer that is pruned at a ratio of its own,
// such as "block5.0: 0.7".
func ReadLayerRatios(path string) (map[string]float64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the ratios of layers: %w", err)
	}
	var ratios map[string]float64
	if err := strictyaml.Unmarshal(b, path, &ratios); err != nil {
		return nil, fmt.Errorf("%w; write one line for each layer, such as block5.0: 0.7", err)
	}
	if len(ratios) == 0 {
		return nil, fmt.Errorf("%s names no layer; write one line for each, such as block5.0: 0.7", path)
	}
	for _, name := range slices.Sorted(maps.Keys(ratios)) {
		if err := prune.CheckRatio(ratios[name]); err != nil {
			return nil, fmt.Errorf("%s: layer %s: %w", path, name, err)
		}
	}
	return ratios, nil
}
