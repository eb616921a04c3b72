package predict

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/experiment"
)

// Recordings are a directory of recordings, or a single one, and how they are read.
type Recordings struct {
	Path     string
	Manifest string // see [source.Open]
	source.Reading
	SkipBad, Strict bool // see [data.Options]
	Progress        func(source.Progress)
	// Assumed is told the clips that the network is taken to have been trained on, where its
	// checkpoint doesn't say; it may be nil.
	Assumed func(string)
}

// Recordings classifies the clips of recordings, whose labels are not looked at: the features
// are those that the network was trained on.
func (p *Predictor) Recordings(ctx context.Context, r Recordings) (*Prediction, error) {
	s, err := source.OpenUnlabelled(r.Path, r.Manifest)
	if err != nil {
		return nil, err
	}
	if err := s.Use(r.Reading); err != nil {
		return nil, err
	}
	o, err := p.features(r)
	if err != nil {
		return nil, err
	}
	set, rate, err := data.UnlabelledFeatures(ctx, s, o)
	channels, have := p.about.Channels, []string(nil)
	if err == nil {
		have = set.Channels
	}
	if len(p.about.Recorded) > 0 { // a reference is of the channels that it was of in training
		channels = p.about.Recorded
		if err == nil {
			have = set.Recorded
		}
	}
	if len(channels) > 0 && !slices.Equal(have, channels) {
		_ = set.Close() // it was not even read
		s.Pick(channels)
		all := err // of all channels, of which some may have no place
		if set, rate, err = data.UnlabelledFeatures(ctx, s, o); err != nil {
			err = cmp.Or(all, fmt.Errorf("%w; those are the electrodes that the network was trained on", err))
		}
	}
	if err != nil {
		return nil, err
	}
	defer set.Close()
	arch := p.network.Arch
	if !slices.Equal(set.Shape, arch.Input[:]) {
		return nil, fmt.Errorf("%s: its clips have the shape %v at %g samples a second of %d electrodes, and %s takes %v: the network was trained on recordings of other electrodes or another rate",
			r.Path, set.Shape, rate, len(set.Channels), arch.Model, arch.Input)
	}
	out := p.nothing()
	size := len(set.X) / set.Len()
	err = p.batches(ctx, out, set.Len(), func(from, to int) ([]float32, error) { return set.X[from*size : to*size], nil })
	if err != nil {
		return nil, cmp.Or(ctx.Err(), fmt.Errorf("%s: %w", r.Path, err))
	}
	if err := set.Err(); err != nil {
		return nil, err
	}
	for _, c := range set.Clips {
		out.Origin = append(out.Origin, Origin{c.File, c.Trial, float64(c.Start) / rate})
	}
	out.Notes = set.Notes
	return out, nil
}

// features are those that the network was trained on, or those of a study of it where that is
// not known.
func (p *Predictor) features(r Recordings) (data.Options, error) {
	o := p.about.Config.Data.Features
	if o.Seconds == 0 && o.Samples == 0 { // another program's
		model := p.network.Arch.Model
		var err error
		if o, err = experiment.FeaturesOf(model); err != nil {
			return o, err
		}
		if r.Assumed != nil {
			r.Assumed(fmt.Sprintf("the clips that %s was trained on are not known; they are taken to be of %g s, with the features of a study of %s", model, o.Seconds, model))
		}
	}
	o.SkipBad, o.Strict, o.Progress = r.SkipBad, r.Strict, r.Progress
	return o, nil
}
