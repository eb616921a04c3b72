package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// A Pipeline is transforms in the order in which a clip goes through them. It
// is written as a list of names and arguments.
type Pipeline []Transform

// A Prepared is a pipeline that is ready for clips of one form. Many
// goroutines may use it at once.
type Prepared struct {
	Out   Form
	steps []Step
}

// Prepare makes a pipeline ready for clips of the form in, whose baselines, if
// there are any, have the form of baseline.
func (p Pipeline) Prepare(in Form, baseline *Form) (*Prepared, error) {
	r := &Prepared{Out: in}
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
			apply := s.Apply
			s.Apply = func(x, y *Array) *Array {
				if y == onBaseline {
					return b.Apply(x, nil)
				}
				return apply(x, y)
			}
		}
		r.Out = s.Out
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

// spec is how a transform is written.
type spec struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

// MarshalJSON writes every argument, defaults included, so that what is kept
// with a result doesn't change its meaning with a later default.
func (p Pipeline) MarshalJSON() ([]byte, error) {
	specs := make([]spec, len(p))
	for i, t := range p {
		args, err := json.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("writing transform %s: %w", t.Name(), err)
		}
		specs[i].Name = t.Name()
		if string(args) != "{}" {
			specs[i].Args = args
		}
	}
	return json.Marshal(specs)
}

// UnmarshalJSON reads a list of names and arguments. Unknown names and
// arguments are errors.
func (p *Pipeline) UnmarshalJSON(b []byte) error {
	var specs []spec
	if err := strictJSON(b, &specs); err != nil {
		return fmt.Errorf("reading the list of transforms: %w", err)
	}
	list := make(Pipeline, 0, len(specs))
	for i, s := range specs {
		t, err := New(s.Name)
		if err != nil {
			return fmt.Errorf("transform %d: %w", i+1, err)
		}
		if len(s.Args) > 0 {
			if err := strictJSON(s.Args, t); err != nil {
				return fmt.Errorf("transform %d, arguments of %s: %w", i+1, s.Name, err)
			}
		}
		list = append(list, t)
	}
	*p = list
	return nil
}

// MarshalYAML writes the pipeline as [Pipeline.MarshalJSON] does.
func (p Pipeline) MarshalYAML() ([]byte, error) {
	b, err := p.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return yaml.JSONToYAML(b)
}

// UnmarshalYAML reads what [Pipeline.UnmarshalJSON] does.
func (p *Pipeline) UnmarshalYAML(b []byte) error {
	j, err := yaml.YAMLToJSON(b)
	if err != nil {
		return err
	}
	return p.UnmarshalJSON(j)
}

func strictJSON(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end of the value")
	}
	return nil
}
