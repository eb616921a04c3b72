// Package report makes tables, figures and pages of results, and judges differences
// between networks over folds. It reads results only: it knows nothing of how they came
// about and needs no libtorch.
package report

import (
	"encoding/json"
	"fmt"
	"time"
)

// Schema is raised when a field of the files changes its meaning.
const Schema = 3

// OldSchema is the earliest that is read still; see [Study.Lacks].
const OldSchema = 2

// What a network is judged by: its best epoch, the tests and the figures go by it.
const (
	MetricAccuracy = "accuracy"
	MetricBalanced = "balanced" // balanced accuracy
	MetricF1       = "f1"       // macro-F1
)

// Metrics returns the names of all.
func Metrics() []string { return []string{MetricAccuracy, MetricBalanced, MetricF1} }

// MetricTitle is a metric's name in a sentence.
func MetricTitle(metric string) string {
	switch metric {
	case MetricBalanced:
		return "balanced accuracy"
	case MetricF1:
		return "macro-F1"
	}
	return "accuracy"
}

// The stages of a network, in the order in which it goes through them.
const (
	Unpruned  = "unpruned"
	TrainedOn = "trained-on"       // unpruned, trained on for as long as fine-tuning lasts: what a loss is judged against
	Sparse    = "sparsity-trained" // unpruned, but trained for a method that asks for it (NSFP)
	Pruned    = "pruned"           // before any recovery
	FineTuned = "fine-tuned"
	Scratch   = "scratch"   // the pruned structure with fresh weights
	ScratchB  = "scratch-b" // the same, for as many MACs as the unpruned training took
	Uniform   = "uniform"   // every layer narrowed alike to the same MACs, fresh weights: the control
)

// Stages returns the stages in order.
func Stages() []string {
	return []string{Unpruned, TrainedOn, Sparse, Pruned, FineTuned, Scratch, ScratchB, Uniform}
}

// A Score is how a network does on some clips. All but Clips, Loss and Confusion are
// shares of 1.
type Score struct {
	Clips     int     `json:"clips"`
	Loss      float64 `json:"loss"`
	Accuracy  float64 `json:"accuracy"`
	MacroF1   float64 `json:"macro_f1"`
	Balanced  float64 `json:"balanced_accuracy"`
	Majority  float64 `json:"majority"`  // accuracy of always naming the commonest class
	Confusion [][]int `json:"confusion"` // [true class][named class], clips
}

// By returns the score by a metric; by accuracy where none is named.
func (s Score) By(metric string) float64 {
	switch metric {
	case MetricBalanced:
		return s.Balanced
	case MetricF1:
		return s.MacroF1
	}
	return s.Accuracy
}

// A SubjectScore is how a network does on one subject's clips of a fold's test clips.
type SubjectScore struct {
	Subject   string  `json:"subject"`
	Clips     int     `json:"clips"`
	Confusion [][]int `json:"confusion"` // see Score
}

// An Epoch is one pass over the training clips.
type Epoch struct {
	LR          float64 `json:"lr"`
	Loss        float64 `json:"loss"`
	Accuracy    float64 `json:"accuracy"`
	ValLoss     float64 `json:"val_loss"`
	ValAcc      float64 `json:"val_accuracy"`
	ValBalanced float64 `json:"val_balanced_accuracy"`
	ValF1       float64 `json:"val_macro_f1"`
	WallClock   float64 `json:"seconds"`
}

// A Variant is one of the networks that a study compares, over all folds.
type Variant struct {
	Model  string  `json:"model"`
	Stage  string  `json:"stage"`
	Method string  `json:"method,omitempty"` // of pruning; empty for the unpruned network
	Ratio  float64 `json:"ratio,omitempty"`
}

// A Cell is what one result is about.
type Cell struct {
	Variant
	// Seed is the repetition's in a study of several seeds, which draw weights anew and, where
	// the split is shuffled with them, folds; 0 in a study of one.
	Seed uint64 `json:"study_seed,omitempty"`
	Fold int    `json:"fold"` // from 1
	// Inner is which of the fold's inner folds, from 1, in a nested split; else 0. Those of
	// one fold have the same test clips: they are one observation, their mean.
	Inner int `json:"inner,omitempty"`
}

// FoldClips says how many clips a fold has on each side.
type FoldClips struct {
	Fit        int `json:"fit"`        // trained on
	Validation int `json:"validation"` // that chose the epoch
	Test       int `json:"test"`
}

// Size is what a network needs.
type Size struct {
	Parameters int64 `json:"parameters"`
	MACs       int64 `json:"macs"`       // of one clip, as fvcore counts them
	FileBytes  int64 `json:"file_bytes"` // of the checkpoint
	// Of a network with masked weights, which are there but zero: without those.
	NonzeroParameters int64 `json:"nonzero_parameters,omitempty"`
	NonzeroMACs       int64 `json:"nonzero_macs,omitempty"`
}

// A Width is how many channels of a group pruning left.
type Width struct {
	Group  string `json:"group"`
	Before int    `json:"before"`
	After  int    `json:"after"`
}

// Speed is how fast a network was where it ran.
type Speed struct {
	Latency1     float64 `json:"latency_ms_batch1"`  // median time of one clip, milliseconds
	Latency64    float64 `json:"latency_ms_batch64"` // median time of a batch of 64
	Throughput64 float64 `json:"clips_per_second_batch64"`
}

// A Result is one cell of a study: one file of its own.
type Result struct {
	Schema int    `json:"schema"`
	Key    string `json:"key"` // hash of all that determines the result
	Cell
	Test       Score `json:"test"`
	Validation Score `json:"validation"`
	// Subjects divides the confusions of Test by subject, in the order of their names; none
	// in results of schema 2.
	Subjects   []SubjectScore `json:"subjects,omitempty"`
	Best       int            `json:"best_epoch,omitempty"` // from 1; 0 where nothing was trained
	Epochs     []Epoch        `json:"epochs,omitempty"`
	Size       Size           `json:"size"`
	Widths     []Width        `json:"widths,omitempty"`    // of a pruned network
	Notes      []string       `json:"notes,omitempty"`     // what pruning had to say, such as a layer kept from vanishing
	Checkpoint string         `json:"checkpoint"`          // path below the study's directory
	FoldSeed   uint64         `json:"seed"`                // that the cell drew from: the study's, plus the fold, less 1
	Clips      FoldClips      `json:"fold_clips,omitzero"` // zero in results of schema 2
	Run

	// FixedFolds is whether the split divides the clips alike for every seed, as a study's
	// configuration says; it is not written.
	FixedFolds bool `json:"-"`
}

// A Run is by what and where a result was made, and what that took. It says nothing of
// the network: the same cell made again differs in it alone. What is not known is left out.
type Run struct {
	Version   string `json:"version"`          // of eegprune
	Commit    string `json:"commit,omitempty"` // of eegprune's source
	Libtorch  string `json:"libtorch"`
	CUDA      string `json:"cuda,omitempty"`  // what libtorch was built for, used or not
	CuDNN     string `json:"cudnn,omitempty"` // likewise
	Device    string `json:"device"`
	Processor string `json:"processor"` // name of the GPU, or of the CPU where that is the device
	Host      string `json:"host"`

	// Deterministic is whether the same command gives the same bits: everywhere, but for a GPU
	// that was let compute as is fastest (--fast).
	Deterministic bool `json:"deterministic"`
	// Retried, where the cell failed beside others and was done once more with nothing beside
	// it, is why it failed.
	Retried string `json:"retried,omitempty"`

	Started time.Time `json:"started"`
	// Resumed is how many epochs were made before Started, by a program that was ended or
	// in an attempt that failed. What follows is without them.
	Resumed int     `json:"resumed_epochs,omitempty"`
	Seconds float64 `json:"seconds"` // wall time until the checkpoint was on disk
	// CPUSeconds is user and system time of what CPUScope names: of the whole process
	// where the cell had it to itself, else of the thread that did the cell. Work that
	// this thread had others do (--threads, backward passes on a GPU) is not in the latter.
	CPUSeconds float64 `json:"cpu_seconds,omitempty"`
	CPUScope   string  `json:"cpu_scope,omitempty"` // "process" or "thread"
	// GPUSeconds is how long the cell had a GPU, alone or with others; not how long the
	// GPU was busy.
	GPUSeconds float64 `json:"gpu_seconds,omitempty"`
	PeakMemory int64   `json:"peak_memory_bytes,omitempty"` // resident, of the process up to then, all its cells
	// Joules of what the machine's processors with their memory, and the GPU, took in
	// Seconds, in equal parts for the cells that went on at each moment.
	CPUJoules float64 `json:"cpu_joules,omitempty"` // by RAPL
	GPUJoules float64 `json:"gpu_joules,omitempty"` // by NVML
}

// Finding is what a result found, without when, where and how long: two runs of one cell
// agree in it.
func (r Result) Finding() Result {
	r.Run = Run{}
	r.Size.FileBytes = 0 // the checkpoint says where the recordings were
	epochs := make([]Epoch, len(r.Epochs))
	for i, e := range r.Epochs {
		e.WallClock = 0
		epochs[i] = e
	}
	r.Epochs = epochs
	return r
}

// A Study is all there is to report of a directory.
type Study struct {
	Schema   int             `json:"schema"`
	Config   json.RawMessage `json:"config"` // what the study was asked to do
	Settings []Setting       `json:"settings"`
	Notes    []string        `json:"notes,omitempty"`
	// Leak, where clips of one trial are both trained on and tested on, says so and
	// names the split that does not do it. It stands under every table.
	Leak string `json:"leak,omitempty"`
	// Leaks says in a sentence each how test clips could be known to what was trained; it
	// stands in a report's first lines.
	Leaks []string `json:"leaks,omitempty"`
	// Metric is what networks are judged by; "" in results of schema 2: accuracy.
	Metric string `json:"metric,omitempty"`
	// Lacks says what a result.json of an earlier version does not hold; it is not written.
	Lacks       []string    `json:"-"`
	Environment Environment `json:"environment"`
	Results     []Result    `json:"results"`
	// Speeds holds what was measured on the first fold's networks with nothing else
	// running.
	Speeds []VariantSpeed `json:"speeds,omitempty"`
}

// A VariantSpeed is how fast one of the networks is.
type VariantSpeed struct {
	Variant
	Speed
}

// A Setting is a line at the top of a report.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Environment is where a study ran.
type Environment struct {
	Version  string `json:"version"` // of eegprune, with the commit where it is known
	Libtorch string `json:"libtorch"`
	CUDA     string `json:"cuda,omitempty"`
	CuDNN    string `json:"cudnn,omitempty"`
	Device   string `json:"device"`
	Host     string `json:"host"`
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Jobs     int    `json:"jobs"`
}

// Settings returns the environment as lines at the top of a report.
func (e Environment) Settings() []Setting {
	libtorch := e.Libtorch
	if e.CUDA != "" {
		libtorch += ", CUDA " + e.CUDA
	}
	if e.CuDNN != "" {
		libtorch += ", cuDNN " + e.CuDNN
	}
	return []Setting{
		{Name: "machine", Value: fmt.Sprintf("%s, %s, %d cores; device %s, %d jobs side by side", e.Host, e.CPU, e.Cores, e.Device, e.Jobs)},
		{Name: "versions", Value: fmt.Sprintf("eegprune %s, libtorch %s", e.Version, libtorch)},
	}
}
