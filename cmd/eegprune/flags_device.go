package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// deviceFlags say where to compute.
type deviceFlags struct {
	device  string
	threads int
}

func (f *deviceFlags) register(s *pflag.FlagSet) {
	s.StringVar(&f.device, "device", "auto", "cpu, cuda, cuda:N, or auto: the first GPU if there is one")
	s.IntVar(&f.threads, "threads", 1, "CPU threads of one operation\nresults are the same bits for the same number")
	group(s, ofComputing)
	rare(s, "threads")
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
	group(s, ofComputing)
}

// arithmeticFlags say how training steps are computed.
type arithmeticFlags struct {
	precision, variants string
	fast, benchmark     bool
	set                 *pflag.FlagSet
}

func (f *arithmeticFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.StringVar(&f.precision, "precision", "", "precision of products and convolutions (default: float32)\ntf32 or tf32-conv (PyTorch's default), on a GPU, or bf16, in training steps")
	s.BoolVar(&f.fast, "fast", false, "fastest algorithms of a GPU: another run gives other bits")
	s.BoolVar(&f.benchmark, "cudnn-benchmark", false, "have cuDNN time its deterministic algorithms on a GPU and take the fastest\nanother run may take another")
	s.StringVar(&f.variants, "variants", "", "other ways to compute layers in training, which round otherwise\nsome of "+strings.Join(models.VariantNames(), ",")+
		"\nor auto: for each layer the fastest here, which may be another one each time")
	group(s, ofComputing)
	rare(s, "precision", "fast", "cudnn-benchmark", "variants")
	takes(s, "name,...", "variants")
}

// apply sets those that were given.
func (f *arithmeticFlags) apply(o *train.Options) {
	if f.set.Changed("precision") {
		o.Precision = f.precision
	}
	if f.set.Changed("fast") {
		o.Fast = f.fast
	}
	if f.set.Changed("cudnn-benchmark") {
		o.CuDNNBenchmark = f.benchmark
	}
	if f.set.Changed("variants") {
		o.Variants = f.variants
	}
}
