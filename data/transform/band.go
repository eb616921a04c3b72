package transform

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/eegprune/eegprune/data/dsp"
)

// A Band is a range of frequencies in Hz.
type Band struct {
	Name      string
	Low, High float64
}

// Bands are written as an object of names and edges whose order is kept:
// {"theta": [4, 8], "alpha": [8, 14]}.
type Bands []Band

// DefaultBands are torcheeg's: theta, alpha, beta, gamma.
func DefaultBands() Bands {
	return Bands{{"theta", 4, 8}, {"alpha", 8, 14}, {"beta", 14, 31}, {"gamma", 31, 49}}
}

// Names returns the names in order.
func (b Bands) Names() []string {
	names := make([]string, len(b))
	for i := range b {
		names[i] = b[i].Name
	}
	return names
}

// MarshalJSON writes an object in the order of the bands.
func (b Bands) MarshalJSON() ([]byte, error) {
	var w bytes.Buffer
	w.WriteByte('{')
	for i, x := range b {
		if i > 0 {
			w.WriteByte(',')
		}
		name, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		edges, err := json.Marshal([2]float64{x.Low, x.High})
		if err != nil {
			return nil, err
		}
		w.Write(name)
		w.WriteByte(':')
		w.Write(edges)
	}
	w.WriteByte('}')
	return w.Bytes(), nil
}

// UnmarshalJSON reads an object and keeps its order.
func (b *Bands) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	open, err := d.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("bands are given as names and edges in Hz, such as {alpha: [8, 14]}")
	}
	var list Bands
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var edges []float64
		if err := d.Decode(&edges); err != nil || len(edges) != 2 {
			return fmt.Errorf("band %v needs two edges in Hz, such as [8, 14]", name)
		}
		x := Band{fmt.Sprint(name), edges[0], edges[1]}
		if seen[x.Name] {
			return fmt.Errorf("band %s is given twice", x.Name)
		}
		seen[x.Name] = true
		list = append(list, x)
	}
	*b = list
	return nil
}

// A BandFilter splits a signal into bands by Butterworth band-pass filters
// that start at rest with each clip, as torcheeg's do.
type BandFilter struct {
	Order int   `json:"order"` // 5
	Bands Bands `json:"bands"` // DefaultBands
	// Filter is the form of the filters: FilterSOS, or FilterBA to repeat
	// torcheeg's numbers where those are made of rounding. Empty is FilterSOS.
	Filter          string `json:"filter,omitempty"`
	ApplyToBaseline bool   `json:"apply_to_baseline"`
}

// Forms of a filter.
const (
	FilterSOS = "sos" // second-order sections
	FilterBA  = "ba"  // transfer function; see dsp.Transfer for its loss of precision
)

func defaultBandFilter() BandFilter {
	return BandFilter{Order: 5, Bands: DefaultBands(), Filter: FilterSOS}
}

// filter is the interface of both forms.
type filter interface{ Filter(dst, src []float64) }

// design makes the filters for a rate.
func (f BandFilter) design(rate float64) ([]filter, error) {
	if len(f.Bands) == 0 {
		return nil, fmt.Errorf("no bands are given")
	}
	filters := make([]filter, len(f.Bands))
	for i, b := range f.Bands {
		var err error
		switch f.Filter {
		case "", FilterSOS:
			filters[i], err = dsp.NewBandpass(f.Order, b.Low, b.High, rate)
		case FilterBA:
			filters[i], err = dsp.NewTransfer(f.Order, b.Low, b.High, rate)
		default:
			err = fmt.Errorf("no filter form %q: there are %s and %s", f.Filter, FilterSOS, FilterBA)
		}
		if err != nil {
			return nil, fmt.Errorf("band %s: %w", b.Name, err)
		}
	}
	return filters, nil
}

// prepare makes a step that takes one number from each band of each electrode:
// [electrodes, samples] to [electrodes, bands].
func (f BandFilter) prepare(name string, in Form, feature func(x []float64) float64) (Step, error) {
	if err := in.signal(name); err != nil {
		return Step{}, err
	}
	filters, err := f.design(in.Rate)
	if err != nil {
		return Step{}, err
	}
	electrodes, samples, bands := in.Shape[0], in.Shape[1], len(filters)
	return Step{
		Out:        Form{Shape: []int{electrodes, bands}, Electrodes: in.Electrodes, Bands: f.Bands.Names()},
		OnBaseline: f.ApplyToBaseline,
		Apply: func(x, _ *Array) *Array {
			out := NewArray(electrodes, bands)
			filtered := make([]float64, samples)
			for e := range electrodes {
				signal := x.Data[e*samples : (e+1)*samples]
				for b, filter := range filters {
					filter.Filter(filtered, signal)
					out.Data[e*bands+b] = feature(filtered)
				}
			}
			return out
		},
	}, nil
}
