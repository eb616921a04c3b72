package transform

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/eegprune/eegprune/data/named"
	"github.com/eegprune/eegprune/internal/note"
)

// A Pipeline is transforms in the order in which a clip goes through them. It
// is written as a list of names and arguments.
type Pipeline []Transform

// UsesBaseline reports whether a transform of the pipeline takes the baseline
// into account. Without one there is no need to compute it.
func (p Pipeline) UsesBaseline() bool {
	for _, t := range p {
		if _, ok := t.(*BaselineRemoval); ok {
			return true
		}
	}
	return false
}

// A Prepared is a pipeline that is ready for clips of one form. Many
// goroutines may use it at once.
type Prepared struct {
	Out Form
	// Electrodes are those that the result is made of, in their order, also
	// where Out no longer has an axis of them.
	Electrodes []string
	Notes      []note.Note // for the user

	steps []Step
}

// Prepare makes a pipeline ready for clips of the form in, whose baselines, if
// there are any, have the form of baseline.
func (p Pipeline) Prepare(in Form, baseline *Form) (*Prepared, error) {
	r := &Prepared{Out: in, Electrodes: in.Electrodes}
	for i, t := range p {
		s, err := t.Prepare(r.Out, baseline)
		if err != nil {
			return nil, fmt.Errorf("transform %d, %s: %w", i+1, t.Name(), err)
		}
		if s.OnBaseline && baseline != nil {
			b, err := t.Prepare(*baseline, nil)
			if err != nil {
				return nil, fmt.Errorf("transform %d, %s, on the baseline: %w", i+1, t.Name(), err)
			}
			baseline = &b.Out
			baseline.Positions = in.Positions
			apply := s.Apply
			s.Apply = func(x, y *Array) *Array {
				if y == onBaseline {
					return b.Apply(x, nil)
				}
				return apply(x, y)
			}
		}
		r.Out = s.Out
		r.Out.Positions = in.Positions // where electrodes lie is no matter of a transform
		if s.Electrodes != nil {
			r.Electrodes = s.Electrodes
		}
		if s.Out.Electrodes != nil {
			r.Electrodes = s.Out.Electrodes
		}
		r.Notes = append(r.Notes, s.Notes...)
		r.steps = append(r.steps, s)
	}
	return r, nil
}

// onBaseline in place of a baseline says that x is the baseline itself, whose
// length may be another than that of the clips.
var onBaseline = &Array{}

// Baseline is a baseline as it stands before each step of a pipeline. A nil one
// is none.
type Baseline []*Array

// Baseline puts the baseline that clips share through the pipeline once.
func (p *Prepared) Baseline(x *Array) Baseline {
	if x == nil {
		return nil
	}
	b := make(Baseline, len(p.steps))
	for i, s := range p.steps {
		b[i] = x
		if s.OnBaseline {
			x = s.Apply(x, onBaseline)
		}
	}
	return b
}

// Apply puts a clip through the pipeline.
func (p *Prepared) Apply(x *Array, baseline Baseline) *Array {
	for i, s := range p.steps {
		var b *Array
		if baseline != nil {
			b = baseline[i]
		}
		x = s.Apply(x, b)
	}
	return x
}

// MarshalJSON writes names and arguments; see [named.Marshal].
func (p Pipeline) MarshalJSON() ([]byte, error) { return named.Marshal(p) }

// MarshalYAML writes names and arguments.
func (p Pipeline) MarshalYAML() ([]byte, error) { return named.MarshalYAML(p) }

// UnmarshalJSON reads a list of names and arguments. Unknown ones are errors.
func (p *Pipeline) UnmarshalJSON(b []byte) (err error) {
	*p, err = named.Unmarshal(b, New)
	return err
}

// UnmarshalYAML reads the same list as [Pipeline.UnmarshalJSON].
func (p *Pipeline) UnmarshalYAML(n ast.Node) (err error) {
	*p, err = named.UnmarshalYAML(n, New)
	return err
}
