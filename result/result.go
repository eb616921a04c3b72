// Package result holds the results of a study and reads the file that keeps them.
//
// A [Study] is the whole of result.json, a [Result] one of its rows: the scores, sizes and epochs of
// one [Cell], which is a network at a [Stage] on a fold. [Read] reads a study's directory. [Schema] is
// raised when a field changes its meaning; files of [OldSchema] are read too. The package imports
// nothing that makes results and nothing that shows them.
package result

import "time"

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

// A Cell identifies the network, seed and fold of one result.
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

// Size is the size of a network, and its cost.
type Size struct {
	Parameters int64 `json:"parameters"`
	MACs       int64 `json:"macs"`       // of one clip, as fvcore counts them
	FileBytes  int64 `json:"file_bytes"` // of the checkpoint
	// Of a network with masked weights, which are there but zero: without those.
	NonzeroParameters int64 `json:"nonzero_parameters,omitempty"`
	NonzeroMACs       int64 `json:"nonzero_macs,omitempty"`
}

// Masked says whether some weights are there but zero.
func (s Size) Masked() bool { return s.NonzeroParameters != 0 || s.NonzeroMACs != 0 }

// EffectiveParameters counts those of masked networks that are not zero.
func (s Size) EffectiveParameters() int64 {
	if s.Masked() {
		return s.NonzeroParameters
	}
	return s.Parameters
}

// EffectiveMACs counts those of masked networks whose weights are not zero.
func (s Size) EffectiveMACs() int64 {
	if s.Masked() {
		return s.NonzeroMACs
	}
	return s.MACs
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
	Notes      []string       `json:"notes,omitempty"`     // of pruning, such as a layer kept from vanishing
	Checkpoint string         `json:"checkpoint"`          // path below the study's directory
	FoldSeed   uint64         `json:"seed"`                // that the cell drew from: the study's, plus the fold, less 1
	Clips      FoldClips      `json:"fold_clips,omitzero"` // zero in results of schema 2
	Run

	// FixedFolds is whether the split divides the clips alike for every seed, as a study's
	// configuration says; it is not written.
	FixedFolds bool `json:"-"`
}

// SameFolds says whether a split divides the clips alike for every seed of a study: where it
// is not shuffled, is shuffled with a seed of its own, or tests on one subject or stimulus a fold.
func SameFolds(split string, shuffle bool, splitSeed, seed uint64) bool {
	return split == "LeaveOneSubjectOut" || split == "LeaveOneStimulusOut" || !shuffle || splitSeed != seed
}

// A Run says with which software and where a result was made, and its cost. It says nothing of
// the network: the same cell made again differs in it alone. Unknown fields are left out.
type Run struct {
	Version   string `json:"version"`          // of eegprune
	Commit    string `json:"commit,omitempty"` // of eegprune's source
	Libtorch  string `json:"libtorch"`
	CUDA      string `json:"cuda,omitempty"`  // version that libtorch was built for, used or not
	CuDNN     string `json:"cudnn,omitempty"` // likewise
	Device    string `json:"device"`
	Processor string `json:"processor"` // name of the GPU, or of the CPU where that is the device
	Host      string `json:"host"`

	// Deterministic is whether the same command gives the same bits: everywhere, but for a GPU
	// that was let compute as is fastest (--fast), or variants that were chosen by their time.
	Deterministic bool `json:"deterministic"`
	// Variants names the layers that were trained by other operations than libtorch's own, and how.
	Variants map[string]string `json:"variants,omitempty"`
	// Retried, where the cell failed beside others and was done once more with nothing beside
	// it, is why it failed.
	Retried string `json:"retried,omitempty"`

	Started time.Time `json:"started"`
	// Resumed is how many epochs were made before Started, by a program that was ended or
	// in an attempt that failed. The fields below are without them.
	Resumed int     `json:"resumed_epochs,omitempty"`
	Seconds float64 `json:"seconds"` // wall time until the checkpoint was on disk
	// CPUSeconds is user and system time of CPUScope: of the whole process
	// where the cell had it to itself, else of the thread that did the cell. Work that
	// this thread had others do (--threads, backward passes on a GPU) is not in the latter.
	CPUSeconds float64 `json:"cpu_seconds,omitempty"`
	CPUScope   string  `json:"cpu_scope,omitempty"` // "process" or "thread"
	// GPUSeconds is how long the cell had a GPU, alone or with others; not how long the
	// GPU was busy.
	GPUSeconds float64 `json:"gpu_seconds,omitempty"`
	PeakMemory int64   `json:"peak_memory_bytes,omitempty"` // resident, of the process up to then, all its cells
	// Joules that the machine's processors with their memory, and the GPU, took in
	// Seconds, in equal parts for the cells that went on at each moment.
	CPUJoules float64 `json:"cpu_joules,omitempty"` // by RAPL
	GPUJoules float64 `json:"gpu_joules,omitempty"` // by NVML
}

// Finding is the result without when, where and how long it was made: two runs of one cell
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
