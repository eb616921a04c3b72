package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"eegprune/data"
	"eegprune/data/transform"
	"eegprune/experiment"
	"eegprune/models"
	"eegprune/result"
	"eegprune/torch"
	"eegprune/train"
)

// Each set of flags has the same names, and the same meaning, in all commands. apply
// changes in a configuration what was given on the command line, so that a checkpoint's
// own settings stay where nothing was said.

// dataFlags say which recordings, and what to make of them.
type dataFlags struct {
	set            *pflag.FlagSet
	dir            string
	source         sourceFlags
	features       string
	clip, overlap  float64
	bands, filter  string
	removeBaseline bool
	standardize    string
	cache          string
}

func (f *dataFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.StringVar(&f.dir, "data", "", "directory of recordings")
	f.source.register(s)
	s.StringVar(&f.features, "features", "", "YAML file with clips, transforms and labels (see \"eegprune data features --help\"); other flags change what it says")
	s.Float64Var(&f.clip, "clip", 0, "seconds of a clip (default: 1 for networks on a grid, 4 for networks of signals)")
	s.Float64Var(&f.overlap, "overlap", 0, "seconds that a clip shares with the next")
	s.StringVar(&f.bands, "bands", "", `frequency bands in Hz, such as "theta=4-8,alpha=8-14" (default: theta, alpha, beta and gamma)`)
	s.StringVar(&f.filter, "filter", transform.FilterSOS, "band filters: sos, or ba to repeat torcheeg's numbers with their rounding noise")
	s.BoolVar(&f.removeBaseline, "remove-baseline", false, "take the features of a trial's baseline off those of its clips (BaselineRemoval)")
	s.StringVar(&f.standardize, "standardize", data.StandardizeNone, "bring features to one scale: none, or subject (z-score over all of a subject's clips, labels unseen)")
	s.StringVar(&f.cache, "cache", "", "directory that keeps features (default: eegprune in the user's cache directory)")
}

// changed reports whether flags ask for other features than a checkpoint's own.
func (f *dataFlags) changed() bool {
	return slices.ContainsFunc([]string{"data", "features", "clip", "overlap", "bands", "filter", "remove-baseline", "standardize", "encoding", "montage"}, f.set.Changed)
}

// cacheDir is where features are kept.
func (f *dataFlags) cacheDir() (string, error) {
	if f.cache != "" {
		return f.cache, nil
	}
	return data.CacheDir()
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
	if o.Seconds == 0 { // not set by a checkpoint
		m, err := models.ByName(c.Model)
		if err != nil {
			return usageError{err}
		}
		if *o = data.SignalOptions(); m.Grid {
			*o = data.GridOptions()
		}
	}
	if f.features != "" {
		if err := data.ReadOptions(f.features, o); err != nil {
			return err
		}
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

// studyFlags say what is trained and how it is divided.
type studyFlags struct {
	set     *pflag.FlagSet
	models  []string
	split   string
	folds   int
	shuffle bool
	val     float64
	seed    uint64
	seeds   []uint
	metric  string
	weights bool
	// Of the split nested alone.
	leaveOut, inner int
}

func (f *studyFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.StringSliceVar(&f.models, "model", []string{"fbccnn"}, "network, or several: "+strings.Join(models.Names(), ", "))
	s.StringVar(&f.split, "split", "", "how clips are divided: "+strings.Join(data.SplitNames(), ", ")+
		" (default: KFoldCrossSubject, or KFoldByTrial where there is one subject)")
	s.IntVar(&f.folds, "folds", 0, "number of folds (default: 10, or as many as there are subjects or trials)")
	s.BoolVar(&f.shuffle, "shuffle", true, "draw the folds at random, by --seed")
	s.Float64Var(&f.val, "val", 0.2, "share of a fold's training clips on which the best epoch is chosen")
	s.IntVar(&f.leaveOut, "leave-out", 0, "subjects that each fold of --split nested tests on, instead of --folds")
	s.IntVar(&f.inner, "inner-folds", 0, "folds into which --split nested divides the other subjects, to choose epoch and ratio (default: 5, or as many as there are subjects)")
	s.Uint64Var(&f.seed, "seed", 1, "seed of folds, weights and shuffles: fold f draws weights and shuffles from seed+f-1")
	s.UintSliceVar(&f.seeds, "seeds", nil, "instead of --seed: repeat the study with each of these seeds, such as 1,2,3, with other weights and shuffles and, where --split is shuffled, other folds")
	s.StringVar(&f.metric, "metric", "", "what chooses the epochs and judges networks: "+strings.Join(result.Metrics(), ", ")+
		" (default: balanced where one class has more than 1.5 times the clips of another, else accuracy)")
	s.BoolVar(&f.weights, "class-weights", false, "weigh clips in the loss by their class, so that each class has the same share")
}

// repetitions returns the seeds.
func (f *studyFlags) repetitions() ([]uint64, error) {
	if len(f.seeds) == 0 {
		return []uint64{f.seed}, nil
	}
	if f.set.Changed("seed") {
		return nil, usageError{fmt.Errorf("--seed and --seeds both say what is drawn from: give one of them")}
	}
	var all []uint64
	for _, s := range f.seeds {
		all = append(all, uint64(s))
	}
	return all, nil
}

func (f *studyFlags) apply(c *experiment.Config, model string, seed uint64) {
	c.Model, c.Seed, c.Metric, c.ClassWeights = model, seed, f.metric, f.weights
	c.Split = experiment.Split{Name: f.split, Folds: f.folds, LeaveOut: f.leaveOut, Inner: f.inner, Shuffle: f.shuffle, Seed: seed, Val: f.val}
}

// trainFlags say how a network is trained. Zero means: as in the paper, or in the
// checkpoint.
type trainFlags struct {
	set                       *pflag.FlagSet
	epochs, steps, batch      int
	lr, momentum, weightDecay float64
	optimizer, precision      string
	fast                      bool
}

func (f *trainFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.IntVar(&f.epochs, "epochs", 0, "epochs of training (default: the paper's 200, for TSCeption 300)")
	s.IntVar(&f.steps, "steps", 0, "instead of --epochs: train for as many epochs as take about that many steps of the optimizer")
	s.IntVar(&f.batch, "batch", 0, "clips in a batch (default 64)")
	s.Float64Var(&f.lr, "lr", 0, "learning rate at the start (default 0.01)")
	s.StringVar(&f.optimizer, "optimizer", "", "sgd or adam (default: sgd, for TSCeption adam)")
	s.Float64Var(&f.momentum, "momentum", 0, "momentum of sgd")
	s.Float64Var(&f.weightDecay, "weight-decay", 0, "weight decay of the optimizer")
	precisionFlags(s, &f.precision, &f.fast)
}

// precisionFlags say how a GPU computes.
func precisionFlags(s *pflag.FlagSet, precision *string, fast *bool) {
	s.StringVar(precision, "precision", "", "of products and convolutions: tf32 or tf32-conv (PyTorch's default), on a GPU, or bf16, in training steps (default: float32)")
	s.BoolVar(fast, "fast", false, "let a GPU compute as is fastest, so that another run gives other bits")
}

func (f *trainFlags) apply(o *train.Options) error {
	if f.set.Changed("epochs") && f.set.Changed("steps") {
		return usageError{fmt.Errorf("--epochs and --steps both say how long to train: give one of them")}
	}
	if f.set.Changed("epochs") {
		o.Epochs = f.epochs
	}
	if f.set.Changed("steps") {
		o.Epochs, o.Steps = 0, f.steps
	}
	if f.set.Changed("batch") {
		o.BatchSize = f.batch
	}
	if f.set.Changed("lr") {
		o.LR = f.lr
	}
	if f.set.Changed("optimizer") {
		o.Optimizer = f.optimizer
	}
	if f.set.Changed("momentum") {
		o.Momentum = f.momentum
	}
	if f.set.Changed("weight-decay") {
		o.WeightDecay = f.weightDecay
	}
	if f.set.Changed("precision") {
		o.Precision = f.precision
	}
	if f.set.Changed("fast") {
		o.Fast = f.fast
	}
	return nil
}

// deviceFlags say where to compute.
type deviceFlags struct {
	device  string
	threads int
}

func (f *deviceFlags) register(s *pflag.FlagSet) {
	s.StringVar(&f.device, "device", "auto", "cpu, cuda, cuda:N, or auto: the first GPU if there is one")
	s.IntVar(&f.threads, "threads", 1, "CPU threads of one operation; results are the same bits for the same number")
}

// open loads libtorch and returns the device.
func (f *deviceFlags) open() (torch.Device, error) {
	all, err := f.openAll()
	if err == nil && len(all) > 1 {
		err = usageError{fmt.Errorf("--device: %s are several devices, and this uses one", f.device)}
	}
	if err != nil {
		return torch.CPU, err
	}
	return all[0], nil
}

// openAll loads libtorch and returns the devices: cuda:0,1 are two.
func (f *deviceFlags) openAll() ([]torch.Device, error) {
	if f.threads < 1 {
		return nil, usageError{fmt.Errorf("--threads: %d threads; use at least 1", f.threads)}
	}
	if err := torch.SetNumThreads(f.threads); err != nil {
		return nil, err
	}
	var all []torch.Device
	for _, name := range strings.Split(f.device, ",") {
		if _, err := strconv.Atoi(name); err == nil && len(all) > 0 {
			name = "cuda:" + name
		}
		d, err := torch.ParseDevice(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("--device: %w", err)}
		}
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all, nil
}

// jobsFlag says how many cells run side by side.
func jobsFlag(s *pflag.FlagSet, jobs *int) {
	s.IntVar(jobs, "jobs", runtime.NumCPU(), "trainings that run side by side; changes no result")
}

// foreignFlags say how to take a checkpoint that another program wrote.
type foreignFlags struct {
	model, weights string
	strict         bool
}

func (f *foreignFlags) register(s *pflag.FlagSet) {
	f.registerNames(s)
	if s.Lookup("strict") == nil {
		s.BoolVar(&f.strict, "strict", false, "make what is left out of the checkpoint, corrected or assumed an error")
	}
}

// registerNames is register for a command that has --strict already.
func (f *foreignFlags) registerNames(s *pflag.FlagSet) {
	s.StringVar(&f.model, "model", "", "network of a checkpoint that another program wrote (default: by the names of its tensors)")
	s.StringVar(&f.weights, "weights", "", "where such a checkpoint has several networks, the key of the one to take, such as ema or state_dict.student")
}

// check returns an error if --model, where it is given, names no network.
func (f *foreignFlags) check() error {
	if f.model == "" {
		return nil
	}
	if _, err := models.ByName(f.model); err != nil {
		return usageError{fmt.Errorf("--model: %w", err)}
	}
	return nil
}
