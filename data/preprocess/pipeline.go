package preprocess

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/eegprune/eegprune/data/named"
	"github.com/eegprune/eegprune/internal/note"
)

// A Pipeline is steps in the order in which recordings go through them. It is written as a
// list of names and arguments.
type Pipeline []Step

// Ready is a pipeline that is ready for recordings of one form. Many goroutines may use it at
// once.
type Ready struct {
	In, Out Form
	Notes   []note.Note    // for the user
	Rejects []*RejectClips // which clips are left out

	names []string
	steps []Prepared
}

// Prepare makes a pipeline ready for recordings.
func (p Pipeline) Prepare(in Form) (*Ready, error) {
	r := &Ready{In: in, Out: in}
	for i, step := range p {
		place := fmt.Sprintf("preprocessing step %d, %s", i+1, step.Name())
		s, err := step.Prepare(r.Out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		r.Notes = append(r.Notes, s.Notes...)
		if s.Rejects != nil {
			r.Rejects = append(r.Rejects, s.Rejects)
			continue
		}
		if len(r.Rejects) > 0 {
			return nil, fmt.Errorf("%s: it changes the signal after %s, which looks at clips as they are cut: put %s last", place, r.Rejects[0].Name(), r.Rejects[0].Name())
		}
		r.Out = s.Out
		r.names, r.steps = append(r.names, place), append(r.steps, s)
	}
	if len(r.Out.Channels) == 0 {
		return nil, fmt.Errorf("the preprocessing leaves no channel")
	}
	return r, nil
}

// Apply puts a recording through the steps. Its form must be In.
func (r *Ready) Apply(ctx context.Context, s *Signal) error {
	for i, step := range r.steps {
		if err := step.Apply(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", r.names[i], err)
		}
		s.Form = step.Out
	}
	return nil
}

// Replaced returns the channels of a signal that may be flat or no numbers, as steps give them
// other samples or leave them out.
func (r *Ready) Replaced(s *Signal) []string {
	var all []string
	for _, step := range r.steps {
		if step.Replaces != nil {
			all = append(all, step.Replaces(s)...)
		}
	}
	return all
}

// Also returns the channels that steps name and that recordings may hold without being EEG:
// mastoids and ears.
func (p Pipeline) Also() []string {
	var all []string
	for _, s := range p {
		if n, ok := s.(interface{ also() []string }); ok {
			all = append(all, n.also()...)
		}
	}
	return all
}

// Subjects are the subjects that have settings of their own in a step, in order.
func (p Pipeline) Subjects() []string {
	var all []string
	for _, s := range p {
		if b, ok := s.(*InterpolateBads); ok {
			all = append(all, slices.Sorted(maps.Keys(b.Subjects))...)
		}
	}
	return all
}

// CutsClips returns the step that looks at clips and not at recordings, nil where there is none.
func (p Pipeline) CutsClips() Step {
	for _, s := range p {
		if _, ok := s.(*RejectClips); ok {
			return s
		}
	}
	return nil
}

// String describes the steps in words, in order.
func (p Pipeline) String() string {
	words := make([]string, len(p))
	for i, s := range p {
		words[i] = s.String()
	}
	return strings.Join(words, "; ")
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
