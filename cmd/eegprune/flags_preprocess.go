package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/preprocess"
)

// preprocessFlags are the preprocessing steps of recordings, before clips are cut from them.
// Steps are done in the order in which their flags are given.
type preprocessFlags struct {
	steps preprocess.Pipeline
}

// A stepFlag adds a step each time that it is given.
type stepFlag struct {
	to   *preprocessFlags
	make func(value string) (preprocess.Step, error)
	kind string
	text string
}

func (f *stepFlag) String() string { return f.text }
func (f *stepFlag) Type() string   { return f.kind }
func (f *stepFlag) Set(value string) error {
	step, err := f.make(value)
	if err != nil {
		return err
	}
	f.to.steps, f.text = append(f.to.steps, step), value
	return nil
}

// preprocessFlagNames are the names of the flags of all steps.
func preprocessFlagNames() []string {
	return []string{"resample", "bandpass", "highpass", "lowpass", "notch", "reference", "bipolar", "drop-channels", "interpolate", "last-seconds", "reject"}
}

// register makes the flags; clips says that the command cuts clips.
func (f *preprocessFlags) register(s *pflag.FlagSet, clips bool) {
	add := func(name, kind, usage string, make func(string) (preprocess.Step, error)) {
		s.Var(&stepFlag{to: f, make: make, kind: kind}, name, usage)
		takes(s, kind, name)
		rare(s, name)
	}
	number := func(of func(v float64) preprocess.Step) func(string) (preprocess.Step, error) {
		return func(text string) (preprocess.Step, error) {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				return nil, fmt.Errorf("it must be a number")
			}
			return of(v), nil
		}
	}
	add("resample", "Hz", "resample to this rate, with a low-pass\nflags of preprocessing are carried out in the order in which they are given, before clips are cut", number(func(v float64) preprocess.Step {
		return &preprocess.Resample{Rate: v, Level: true}
	}))
	add("bandpass", "Hz-Hz", "band-pass filter, such as 1-45: Butterworth, zero phase", bandPass)
	add("highpass", "Hz", "high-pass filter: Butterworth, zero phase", number(func(v float64) preprocess.Step { return &preprocess.BandPass{Low: v, Order: preprocess.FilterOrder} }))
	add("lowpass", "Hz", "low-pass filter: Butterworth, zero phase", number(func(v float64) preprocess.Step { return &preprocess.BandPass{High: v, Order: preprocess.FilterOrder} }))
	add("notch", "Hz", "notch filters at these frequencies of the mains, such as 50 or 50,100: zero phase", func(text string) (preprocess.Step, error) {
		n := &preprocess.Notch{Quality: preprocess.NotchQuality}
		for _, word := range words(text) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return nil, fmt.Errorf("it must be one number or several with commas")
			}
			n.Frequencies = append(n.Frequencies, v)
		}
		return n, nil
	})
	add("reference", "channels", "reference to average, mastoids (M1 and M2) or the mean of named channels, such as TP9,TP10", func(text string) (preprocess.Step, error) {
		return &preprocess.Reference{Against: words(text)}, nil
	})
	add("bipolar", "pairs", "bipolar channels, such as F3-C3,C3-P3, and no others", func(text string) (preprocess.Step, error) {
		return &preprocess.Bipolar{Pairs: words(text)}, nil
	})
	add("drop-channels", "channels", "leave these channels out of all recordings", func(text string) (preprocess.Step, error) {
		return &preprocess.DropChannels{Channels: words(text)}, nil
	})
	add("interpolate", "channels", "interpolate bad channels by spherical splines: names, or marked for those that channels.tsv marks as bad", func(text string) (preprocess.Step, error) {
		b := &preprocess.InterpolateBads{Stiffness: preprocess.SplineStiffness}
		for _, word := range words(text) {
			if strings.EqualFold(word, "marked") {
				b.Marked = true
				continue
			}
			b.Channels = append(b.Channels, word)
		}
		return b, nil
	})
	add("last-seconds", "s", "keep only the last seconds of each trial", number(func(v float64) preprocess.Step { return &preprocess.LastSeconds{Seconds: v} }))
	if clips {
		add("reject", "uV", "leave out clips with a larger peak-to-peak amplitude in any channel; give it last", number(func(v float64) preprocess.Step {
			return &preprocess.RejectClips{PeakToPeak: v}
		}))
	}
	group(s, ofData)
}

func bandPass(text string) (preprocess.Step, error) {
	low, high, ok := strings.Cut(text, "-")
	l, err1 := strconv.ParseFloat(strings.TrimSpace(low), 64)
	h, err2 := strconv.ParseFloat(strings.TrimSpace(high), 64)
	if !ok || err1 != nil || err2 != nil || !(l > 0 && l < h) {
		return nil, fmt.Errorf("it must be low-high in Hz, such as 1-45; --highpass and --lowpass take one cut-off")
	}
	return &preprocess.BandPass{Low: l, High: h, Order: preprocess.FilterOrder}, nil
}

// words are the words between commas.
func words(text string) []string {
	var list []string
	for _, w := range strings.Split(text, ",") {
		if w = strings.TrimSpace(w); w != "" {
			list = append(list, w)
		}
	}
	return list
}

// apply puts the steps of the flags in place of a checkpoint's. fromFile is whether a file of
// features was read into the options.
func (f *preprocessFlags) apply(o *data.Options, fromFile bool) error {
	if len(f.steps) == 0 {
		return nil
	}
	if fromFile && len(o.Preprocess) > 0 {
		return usageError{fmt.Errorf("the file of --features lists preprocessing steps, and flags give others: say them in one place")}
	}
	o.Preprocess = f.steps
	return nil
}
