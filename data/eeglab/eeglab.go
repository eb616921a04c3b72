// Package eeglab reads data sets of EEGLAB: a .set, which is a MAT file of any version, with
// the samples in it or in a file beside it (.fdt, or .dat of old versions).
package eeglab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/note"
)

// A Channel is one of the recording's. Places are EEGLAB's: X to the nose, Y to the left
// ear, Z up, or on a disc Theta degrees from the nose to the right and Radius from the
// middle, where the ears have 0.5. Numbers that the file doesn't say are NaN.
type Channel struct {
	Label         string // empty where the file has none
	Type          string // "EEG", "EOG", ...; empty where the file doesn't say it
	X, Y, Z       float64
	Theta, Radius float64
}

// An Event is one entry of the list of events.
type Event struct {
	Type     string  // a number is written as short as can be
	Latency  float64 // samples from the start, counted through all epochs
	Duration float64 // samples; 0 where the file doesn't say it
	// Boundary says that the recording was cut before the next sample.
	Boundary bool
}

// A File is an opened data set, whose samples are in microvolts.
type File struct {
	Channels []Channel
	Rate     float64 // samples per second
	Samples  int     // of each epoch, or of the recording
	Epochs   int     // 1 where the recording is continuous
	Start    float64 // seconds from an epoch's event to its first sample; not positive
	Events   []Event
	Notes    []note.Note

	path string
	file *os.File
	samples
}

// samples reads rows of channels from a sample on, counted through all epochs.
type samples interface {
	read(ctx context.Context, dst [][]float64, rows []int, first int) error
	Close() error
}

// fields are those of the structure EEG that are asked for.
var (
	fields      = []string{"data", "nbchan", "pnts", "trials", "srate", "xmin", "datfile", "EEGDATA"}
	placeFields = []string{"chanlocs.labels", "chanlocs.type", "chanlocs.X", "chanlocs.Y", "chanlocs.Z", "chanlocs.theta", "chanlocs.radius"}
	eventFields = []string{"event.type", "event.latency", "event.duration"}
)

// Open reads all of the data set at path but its samples.
func Open(ctx context.Context, path string) (*File, error) {
	f := &File{path: path}
	set, err := f.open(ctx, slices.Concat(fields, placeFields, eventFields))
	if err == nil {
		if err = f.take(set); err != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Places reads the channels of the data set at path, and nothing else.
func Places(ctx context.Context, path string) ([]Channel, error) {
	f := &File{path: path}
	set, err := f.open(ctx, placeFields)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.channels(set["chanlocs"])
	return f.Channels, f.Close()
}

// Close closes the files.
func (f *File) Close() error {
	var err error
	if f.samples != nil {
		err = f.samples.Close()
	}
	if f.file != nil {
		err = errors.Join(err, f.file.Close())
	}
	return err
}

// Read reads rows of channels from the given sample on, counted through all epochs, and as
// many as the destinations are long, in microvolts.
func (f *File) Read(ctx context.Context, dst [][]float64, rows []int, first int) error {
	for k, r := range rows {
		if r < 0 || r >= len(f.Channels) || len(dst) != len(rows) || len(dst[k]) != len(dst[0]) {
			return fmt.Errorf("%s: channel %d of %d", f.path, r, len(f.Channels))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if first < 0 || first > f.Samples*f.Epochs-len(dst[0]) {
		return fmt.Errorf("%s: %d samples from sample %d on of %d", f.path, len(dst[0]), first, f.Samples*f.Epochs)
	}
	if err := f.read(ctx, dst, rows, first); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

// open reads the given fields of the data set, which are those of a structure EEG or
// variables of the file.
func (f *File) open(ctx context.Context, names []string) (map[string]*mat.Array, error) {
	var err error
	if f.file, err = os.Open(f.path); err != nil {
		return nil, err
	}
	set, err := f.fields(ctx, names)
	if err != nil {
		return nil, errors.Join(err, f.file.Close())
	}
	return set, nil
}

func (f *File) fields(ctx context.Context, names []string) (map[string]*mat.Array, error) {
	info, err := f.file.Stat()
	if err != nil {
		return nil, err
	}
	var wanted []string
	for _, n := range names {
		wanted = append(wanted, n, "EEG."+n)
	}
	only := mat.Only(wanted...)
	set := map[string]*mat.Array{}
	for a, err := range mat.Arrays(ctx, f.file, info.Size(), func(path string) bool { return path == "ALLEEG" || only(path) }) {
		if err != nil {
			return nil, err
		}
		set[a.Name] = a
	}
	if _, many := set["ALLEEG"]; many && set["EEG"] == nil {
		return nil, errors.New("it holds a list of data sets (ALLEEG): save each as a .set of its own")
	}
	eeg := set["EEG"]
	switch {
	case eeg == nil && set["chanlocs"] == nil && set["srate"] == nil:
		return nil, errors.New("it holds no data set of EEGLAB: neither a structure EEG nor its fields (data, srate, chanlocs, ...)")
	case eeg == nil:
		return set, nil
	}
	if err := eeg.Readable(); err != nil {
		return nil, err
	}
	if eeg.Class != "struct" || eeg.Len() != 1 {
		return nil, fmt.Errorf("its variable EEG is %s of class %s and one data set is needed: save each as a .set of its own", eeg.Shape(), eeg.Class)
	}
	// Old versions keep the samples in a variable beside it.
	inner := map[string]*mat.Array{"EEGDATA": set["EEGDATA"]}
	for _, name := range eeg.Fields {
		inner[name] = eeg.Field(0, name)
	}
	return inner, nil
}

// take makes a recording of the fields.
func (f *File) take(set map[string]*mat.Array) error {
	var ok bool
	if f.Rate, ok = set["srate"].Number(); !ok || !(f.Rate > 0) || math.IsInf(f.Rate, 0) {
		return errors.New("it doesn't say how many samples a second there are (srate): set EEG.srate and save it again")
	}
	if f.Start, ok = set["xmin"].Number(); !ok || math.IsNaN(f.Start) || math.IsInf(f.Start, 0) {
		f.Start = 0
	}
	f.channels(set["chanlocs"])
	size, err := f.size(set)
	if err != nil {
		return err
	}
	data := set["data"]
	if kept := set["EEGDATA"]; kept != nil && !data.Numeric() {
		data = kept
	}
	switch name, isText := data.Text(); {
	case data == nil:
		return errors.New("it has no samples (data): save it with them, or as .set and .fdt")
	case isText && name != "":
		err = f.besides(name, set, size)
	default:
		err = f.within(data, size)
	}
	if err != nil {
		return err
	}
	f.events(set["event"])
	return nil
}

// A size is the size of the samples by a data set's fields; 0 where it has none.
type size struct{ channels, samples, epochs int }

func (f *File) size(set map[string]*mat.Array) (size, error) {
	var s size
	for name, into := range map[string]*int{"nbchan": &s.channels, "pnts": &s.samples, "trials": &s.epochs} {
		v, ok := set[name].Number()
		if !ok {
			continue
		}
		if !(v >= 0 && v <= math.MaxInt32) || v != math.Trunc(v) {
			return s, fmt.Errorf("its %s is %g: the file is damaged", name, v)
		}
		*into = int(v)
	}
	return s, nil
}

// maxChannels is more than any recording has.
const maxChannels = 1 << 14

// shape sets how many channels, samples and epochs there are, and gives channels without
// a name empty ones.
func (f *File) shape(s size) error {
	if s.channels > maxChannels {
		return fmt.Errorf("it has %d channels of %d samples: its axes look exchanged; EEG.data must be [channels, samples]", s.channels, s.samples)
	}
	f.Samples, f.Epochs = s.samples, s.epochs
	switch n := len(f.Channels); {
	case n == 0:
		f.Channels = make([]Channel, s.channels)
		for i := range f.Channels {
			f.Channels[i] = nowhere()
		}
	case n != s.channels:
		return fmt.Errorf("it has samples of %d channels and lists %d (chanlocs): correct it by eeg_checkset and save it again", s.channels, n)
	}
	return nil
}

// within is for samples in the .set itself: [channels, samples] or [channels, samples,
// epochs].
func (f *File) within(data *mat.Array, said size) error {
	if err := data.Readable(); err != nil {
		return err
	}
	if !data.Numeric() || len(data.Dims) > 3 {
		return fmt.Errorf("its samples (data) are %s of class %s and numbers [channels, samples] or [channels, samples, epochs] are needed", data.Shape(), data.Class)
	}
	have := size{data.Dims[0], data.Dims[1], 1}
	if len(data.Dims) == 3 {
		have.epochs = data.Dims[2]
	}
	if said.epochs > 1 && have.epochs == 1 && said.samples > 0 && said.samples <= have.samples/said.epochs && said.samples*said.epochs == have.samples {
		have.samples, have.epochs = said.samples, said.epochs
	}
	for _, x := range []struct {
		name       string
		said, have int
	}{{"nbchan", said.channels, have.channels}, {"pnts", said.samples, have.samples}, {"trials", said.epochs, have.epochs}} {
		if x.said != 0 && x.said != x.have {
			f.Notes = append(f.Notes, note.New(note.Corrected, "It says that %s is %d, and its samples are %s: those count.", x.name, x.said, data.Shape()))
		}
	}
	if have.channels == 0 || have.samples == 0 || have.epochs == 0 {
		return fmt.Errorf("it has no samples: its data are %s", data.Shape())
	}
	f.samples = inside{data}
	return f.shape(have)
}

// inside are samples in the .set.
type inside struct{ data *mat.Array }

func (s inside) read(ctx context.Context, dst [][]float64, rows []int, first int) error {
	return s.data.Rows(ctx, dst, rows, first)
}

func (inside) Close() error { return nil }

func nowhere() Channel {
	nan := math.NaN()
	return Channel{X: nan, Y: nan, Z: nan, Theta: nan, Radius: nan}
}

// channels reads the list of channels: a structure each, or one that holds lists.
func (f *File) channels(list *mat.Array) {
	if list == nil || len(list.Fields) == 0 {
		return
	}
	if labels := list.Field(0, "labels"); list.Len() == 1 && labels != nil {
		if texts, ok := labels.Texts(); ok && len(texts) > 1 {
			for _, t := range texts {
				c := nowhere()
				c.Label = strings.TrimSpace(t)
				f.Channels = append(f.Channels, c)
			}
			return
		}
	}
	for i := range list.Len() {
		c := nowhere()
		c.Label = textOf(list.Field(i, "labels"))
		c.Type = textOf(list.Field(i, "type"))
		for name, into := range map[string]*float64{"X": &c.X, "Y": &c.Y, "Z": &c.Z, "theta": &c.Theta, "radius": &c.Radius} {
			if v, ok := list.Field(i, name).Number(); ok {
				*into = v
			}
		}
		f.Channels = append(f.Channels, c)
	}
}

// textOf is a text, or a number as text.
func textOf(a *mat.Array) string {
	if t, ok := a.Text(); ok {
		return strings.TrimSpace(strings.TrimRight(t, "\x00"))
	}
	if v, ok := a.Number(); ok && !math.IsNaN(v) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}

// events reads the list of events.
func (f *File) events(list *mat.Array) {
	if list == nil || len(list.Fields) == 0 {
		return
	}
	without, words := 0, false
	for i := range list.Len() {
		e := Event{Type: textOf(list.Field(i, "type"))}
		latency, ok := list.Field(i, "latency").Number()
		if !ok || math.IsNaN(latency) || math.IsInf(latency, 0) {
			without++
			continue
		}
		e.Latency = latency - 1
		if d, ok := list.Field(i, "duration").Number(); ok && d > 0 && !math.IsInf(d, 0) {
			e.Duration = d
		}
		e.Boundary = strings.HasPrefix(strings.ToLower(e.Type), "boundary")
		if _, err := strconv.ParseFloat(e.Type, 64); err != nil && e.Type != "" {
			words = true
		}
		f.Events = append(f.Events, e)
	}
	for i, e := range f.Events { // where all types are numbers, that of a boundary is one too
		f.Events[i].Boundary = e.Boundary || e.Type == "-99" && !words
	}
	if without > 0 {
		f.Notes = append(f.Notes, note.New(note.LeftOut, "%d event(s) have no time (latency) and are left out.", without))
	}
}
