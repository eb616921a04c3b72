// Package transform turns clips of EEG into the inputs of networks: features by band, grids,
// normalised signals. The names, arguments and numbers are torcheeg's (Zhang, Zhong & Liu,
// "TorchEEGEMO", Expert Systems with Applications 2024), with two differences: the sampling rate
// and the electrode names come with the signal instead of as arguments, and filters are
// second-order sections.
//
// A pipeline is a list of transforms that can be written in JSON or YAML:
//
//   - name: BandDifferentialEntropy
//     args: {bands: {theta: [4, 8], alpha: [8, 14]}}
//   - name: ToGrid
package transform

import (
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/internal/spelling"
)

// An Array is an N-dimensional array in row-major order.
type Array struct {
	Data  []float64
	Shape []int
}

// NewArray returns an array of zeros.
func NewArray(shape ...int) *Array {
	return &Array{Data: make([]float64, size(shape)), Shape: shape}
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// A Form describes arrays before they exist: the input for which a transform is prepared and the
// output that it will compute.
type Form struct {
	Shape      []int
	Electrodes []string // names along axis 0; nil once that axis is no longer electrodes
	Rate       float64  // samples per second, while the last axis is time
	Time       bool     // whether the last axis is time
	Bands      []string // names of the bands, in order, once there are any
	// Positions say where electrodes lie that the 10-10 system doesn't have; nil where
	// names alone do.
	Positions *montage.Positions
}

// gridCells places the electrodes on the grid, and returns those that have no place of
// their own there: their cells are -1.
func (f Form) gridCells() (cells []int, without []string, err error) {
	if f.Positions == nil {
		cells, err = montage.GridCells(f.Electrodes)
		return cells, nil, err
	}
	if cells, err = f.Positions.Cells(f.Electrodes); err != nil {
		return nil, nil, err
	}
	for i, c := range cells {
		if c < 0 {
			without = append(without, f.Electrodes[i])
		}
	}
	return cells, without, nil
}

// placed returns the electrodes with a place on the grid, and notes for the user of those left
// out.
func (f Form) placed(cells []int, without []string) (electrodes []string, notes []note.Note) {
	if f.Positions != nil {
		if said := f.Positions.Equivalents(f.Electrodes); said != "" {
			notes = append(notes, note.New(note.About, "Electrodes of the net are where EGI's table has them in the 10-20 system: %s.", said))
		}
	}
	if len(without) == 0 {
		return f.Electrodes, notes
	}
	for i, c := range cells {
		if c >= 0 {
			electrodes = append(electrodes, f.Electrodes[i])
		}
	}
	return electrodes, append(notes, note.New(note.LeftOut, "%d of %d channels have no place of their own on the %dx%d grid and are left out there: %s.",
		len(without), len(cells), montage.GridSize, montage.GridSize, strings.Join(without, ", ")))
}

// signal checks that the form is [electrodes, samples].
func (f Form) signal(transform string) error {
	if len(f.Shape) != 2 || !f.Time || len(f.Electrodes) != f.Shape[0] {
		return fmt.Errorf("%s takes a signal [electrodes, samples] and is given %s: put it before the transforms that change that", transform, f)
	}
	return nil
}

// String describes the form, for messages.
func (f Form) String() string {
	kind := "features"
	if f.Time {
		kind = "a signal"
	}
	return fmt.Sprintf("%s of shape %v", kind, f.Shape)
}

// A Transform is one stage of a pipeline, with its arguments as its fields.
type Transform interface {
	// Name is the name under which pipelines list it.
	Name() string
	// Prepare checks the arguments against the form of the clips and, where
	// there is one, of the baseline as the stages before have left it, and does
	// all work that is the same for every clip.
	Prepare(in Form, baseline *Form) (Step, error)
}

// A Step is a transform that is ready for arrays of one form.
type Step struct {
	Out        Form
	OnBaseline bool // whether the baseline goes through it too
	// Electrodes are those that the result is made of, where it no longer has an axis of
	// them; nil where they are those before.
	Electrodes []string
	Notes      []note.Note // for the user
	// Apply returns the transformed x. baseline, nil where there is none, is the
	// baseline as it stands before this step. Neither is changed; many
	// goroutines may call Apply at once.
	Apply func(x, baseline *Array) *Array
}

// registry makes each transform with its default arguments. A new one is a file and a line here.
func registry() []func() Transform {
	filter := defaultBandFilter
	return []func() Transform{
		func() Transform { return &BandDifferentialEntropy{filter()} },               // differential entropy of each band: [electrodes, samples] to [electrodes, bands]
		func() Transform { return &BandKurtosis{filter()} },                          // kurtosis of each band: [electrodes, samples] to [electrodes, bands]
		func() Transform { return &BandMeanAbsoluteDeviation{filter()} },             // mean absolute deviation of each band: [electrodes, samples] to [electrodes, bands]
		func() Transform { return &BandPowerSpectralDensity{Bands: DefaultBands()} }, // power of each band by the Fourier transform: [electrodes, samples] to [electrodes, bands]
		func() Transform { return &BandSignal{filter()} },                            // the signal in each band: [electrodes, samples] to [bands, electrodes, samples]
		func() Transform { return &BandSkewness{filter()} },                          // skewness of each band: [electrodes, samples] to [electrodes, bands]
		func() Transform { return &BaselineRemoval{} },                               // takes the baseline from the clip
		func() Transform { return &Downsample{} },                                    // fewer samples, evenly spread: [electrodes, samples] to [electrodes, points]
		func() Transform { return &MeanStdNormalize{} },                              // mean 0 and standard deviation 1, over an axis or the whole clip
		func() Transform { return &MinMaxNormalize{} },                               // least 0 and greatest 1, over an axis or the whole clip
		func() Transform { return &PickElectrode{} },                                 // some electrodes, in the order given
		func() Transform { return &RearrangeElectrode{Missing: "mean"} },             // the electrodes of another montage, missing ones filled in
		func() Transform { return &To2d{} },                                          // an axis of one channel in front: [electrodes, n] to [1, electrodes, n]
		func() Transform { return &ToGrid{} },                                        // electrodes in their places on the head: [electrodes, n] to [n, 9, 9]
		func() Transform { return &ToInterpolatedGrid{} },                            // electrodes in their places, those between by cubic interpolation: [electrodes, n] to [n, 9, 9]
	}
}

// New returns the transform of that name with its default arguments.
func New(name string) (Transform, error) {
	var names []string
	for _, make := range registry() {
		t := make()
		if t.Name() == name {
			return t, nil
		}
		names = append(names, t.Name())
	}
	return nil, spelling.Unknown("transform", name, names)
}
