// Package predict classifies clips with a trained network: those of recordings, of features in a
// file, or of a stream as it comes.
//
// A [Predictor] is made of a checkpoint, whose preprocessing and features it repeats on recordings.
// A [Prediction] holds logits and probabilities [clips, classes], and for recordings where each clip
// begins.
package predict

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// A Predictor is a network that classifies clips. The checkpoint stays its owner's.
type Predictor struct {
	network *models.Network
	about   experiment.Provenance
	names   []string // of the classes; nil where they are not known
}

// New returns the predictor of a checkpoint's network.
func New(c *experiment.Checkpoint) *Predictor {
	p := &Predictor{network: c.Network, about: c.Provenance}
	if len(c.Classes) == c.Network.Arch.Classes {
		p.names = c.Classes
	}
	return p
}

// A Prediction holds a network's logits and probabilities of clips.
type Prediction struct {
	First   int      // the number of the first clip, counted from 0
	Classes int      // how many there are
	Names   []string // of the classes; nil where they are not known
	// Logits and Probability are [clips, classes].
	Logits, Probability []float32
	Origin              []Origin  // where clips of recordings come from; nil for others
	Notes               note.List // recordings left out, corrections and assumptions
}

// An Origin is where a clip comes from.
type Origin struct {
	File  string  `json:"file"`
	Trial int     `json:"trial"`
	Start float64 `json:"start"` // seconds from the beginning of the file, or of the trial in a file of trials
}

// Clips is how many there are.
func (p *Prediction) Clips() int { return len(p.Logits) / p.Classes }

// Class is the index of the largest logit of a clip, the first of equals.
func (p *Prediction) Class(clip int) int {
	row := p.Logits[clip*p.Classes : (clip+1)*p.Classes]
	return slices.Index(row, slices.Max(row))
}

// Name is the name of a class: its number where there are no names.
func (p *Prediction) Name(class int) string {
	if p.Names != nil {
		return p.Names[class]
	}
	return strconv.Itoa(class)
}

// Counts is how many clips are of each class.
func (p *Prediction) Counts() []int {
	counts := make([]int, p.Classes)
	for clip := range p.Clips() {
		counts[p.Class(clip)]++
	}
	return counts
}

// nothing is a prediction of no clips yet.
func (p *Predictor) nothing() *Prediction {
	return &Prediction{Classes: p.network.Arch.Classes, Names: p.names}
}

// Clips classifies an array of clips [clips, channels, height, width].
func (p *Predictor) Clips(ctx context.Context, x *ndarray.Array) (*Prediction, error) {
	arch := p.network.Arch
	if len(x.Shape) != 4 || clipShape(x) != arch.Input {
		return nil, fmt.Errorf("the features have shape %v, the network %s takes clips of %v: give an array of shape [clips, %d, %d, %d]", x.Shape,
			arch.Model, arch.Input, arch.Input[0], arch.Input[1], arch.Input[2])
	}
	clips := x.Shape[0]
	if clips == 0 {
		return nil, fmt.Errorf("there are no clips in it")
	}
	out := p.nothing()
	err := p.batches(ctx, out, clips, func(from, to int) ([]float32, error) { return finite(x, from, to) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// batches adds to a prediction clips that are given a batch at a time. It stays on one thread:
// each that calls libtorch keeps memory of its own.
func (p *Predictor) batches(ctx context.Context, out *Prediction, clips int, give func(from, to int) ([]float32, error)) error {
	return p.network.Device().OnOwnStream(func() error {
		for from := 0; from < clips; from += train.EvalBatch {
			if err := ctx.Err(); err != nil {
				return err
			}
			batch, err := give(from, min(from+train.EvalBatch, clips))
			if err != nil {
				return err
			}
			if err := p.forward(out, batch); err != nil {
				return err
			}
		}
		return nil
	})
}

// finite copies clips [from, to) of an array, whose numbers must all be finite.
func finite(x *ndarray.Array, from, to int) ([]float32, error) {
	channels, height, width := x.Shape[1], x.Shape[2], x.Shape[3]
	batch := make([]float32, 0, (to-from)*channels*height*width)
	line := make([]float64, width)
	for clip := from; clip < to; clip++ {
		for row := range channels * height {
			if err := x.Line(line, clip, row/height, row%height); err != nil {
				return nil, err
			}
			for i, v := range line {
				f := float32(v)
				if f-f != 0 { // NaN or infinite
					return nil, fmt.Errorf("clip %d, counted from 0, has the value %g at %v: features must be finite numbers; leave the clip out, or mend it", clip, v,
						[]int{row / height, row % height, i})
				}
				batch = append(batch, f)
			}
		}
	}
	return batch, nil
}

// forward adds to a prediction clips of numbers that are all finite.
func (p *Predictor) forward(out *Prediction, batch []float32) error {
	shape := p.network.Arch.Input
	clips := len(batch) / (shape[0] * shape[1] * shape[2])
	in, err := torch.Wrap(batch, clips, shape[0], shape[1], shape[2])
	if err != nil {
		return err
	}
	defer in.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	logits := p.network.Forward(s, s.To(in, torch.Float32, p.network.Device()), models.Pass{})
	probability := s.Softmax(logits, 1)
	if err := s.Err(); err != nil {
		return err
	}
	l, err := torch.ToSlice[float32](logits)
	if err != nil {
		return err
	}
	q, err := torch.ToSlice[float32](probability)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(l, func(v float32) bool { return math.IsNaN(float64(v)) }); i >= 0 {
		return fmt.Errorf("the network gives NaN for clip %d, counted from 0: its weights are damaged, or the clip's values too large", out.Clips()+i/out.Classes)
	}
	out.Logits, out.Probability = append(out.Logits, l...), append(out.Probability, q...)
	return nil
}
