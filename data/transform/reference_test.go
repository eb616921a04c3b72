package transform

import (
	"math"
	"slices"
	"testing"

	"github.com/sbinet/npyio/npz"

	"github.com/eegprune/eegprune/data/montage"
)

// reference reads arrays that torcheeg 1.1.3 and scipy made of the same input:
// transforms.npz and transforms_more.npz.
func reference(t *testing.T, name string) *Array {
	t.Helper()
	for _, file := range []string{"testdata/transforms.npz", "testdata/transforms_more.npz"} {
		if a := arrayFrom(t, file, name); a != nil {
			return a
		}
	}
	t.Fatalf("no array %s", name)
	return nil
}

func arrayFrom(t *testing.T, file, name string) *Array {
	t.Helper()
	r, err := npz.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !slices.Contains(r.Keys(), name+".npy") {
		return nil
	}
	h := r.Header(name + ".npy")
	a := &Array{Shape: h.Descr.Shape}
	if err := r.Read(name+".npy", &a.Data); err != nil {
		t.Fatal(err)
	}
	if h.Descr.Fortran {
		a = transposed(a)
	}
	return a
}

// transposed turns column-major data of a into row-major.
func transposed(a *Array) *Array {
	out := NewArray(a.Shape...)
	index := make([]int, len(a.Shape))
	for _, v := range a.Data {
		at := 0
		for d, n := range a.Shape {
			at = at*n + index[d]
		}
		out.Data[at] = v
		for d := range index { // the first index runs fastest
			if index[d]++; index[d] < a.Shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

func find(t *testing.T, name string) []string {
	t.Helper()
	m, err := montage.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return m.Electrodes
}

// near checks a shape and every value, relative to the larger of 1 and the
// reference.
func near(t *testing.T, got, want *Array, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("shape %v, want %v", got.Shape, want.Shape)
	}
	worst, at := 0.0, 0
	for i := range want.Data {
		d := math.Abs(got.Data[i]-want.Data[i]) / max(1, math.Abs(want.Data[i]))
		if !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tolerance) {
		t.Errorf("value %d is %.17g, want %.17g: off by %.3g, more than %g", at, got.Data[at], want.Data[at], worst, tolerance)
	}
}

// ba is the same filter by its transfer function.
func ba(f BandFilter) BandFilter {
	f.Filter = FilterBA
	return f
}

func TestMeetsReference(t *testing.T) {
	first, axis := 0, 1
	deap := BandFilter{Order: 5, Bands: DefaultBands()}
	seed := BandFilter{Order: 5, Bands: seedBands()}
	for _, c := range []struct {
		in, want  string
		montage   string
		rate      float64
		pipeline  Pipeline
		tolerance float64
	}{
		{"eeg", "band_differential_entropy_sos", "deap", 128, Pipeline{&BandDifferentialEntropy{deap}}, 1e-9},
		{"eeg", "band_differential_entropy", "deap", 128, Pipeline{&BandDifferentialEntropy{deap}}, 1e-6},
		{"seed_eeg", "seed_band_differential_entropy_sos", "seed", 200, Pipeline{&BandDifferentialEntropy{seed}}, 1e-9},
		{"eeg", "band_differential_entropy", "deap", 128, Pipeline{&BandDifferentialEntropy{ba(deap)}}, 1e-6},
		{"seed_eeg", "seed_band_differential_entropy", "seed", 200, Pipeline{&BandDifferentialEntropy{ba(seed)}}, 1e-9},
		{"eeg", "mean_std_normalize_axis1", "deap", 128, Pipeline{&MeanStdNormalize{Axis: &axis}}, 1e-12},
		{"eeg", "mean_std_normalize_axis0", "deap", 128, Pipeline{&MeanStdNormalize{Axis: &first}}, 1e-12},
		{"eeg", "mean_std_normalize", "deap", 128, Pipeline{&MeanStdNormalize{}}, 1e-12},
		{"eeg", "min_max_normalize", "deap", 128, Pipeline{&MinMaxNormalize{}}, 1e-15},
		{"eeg", "min_max_normalize_axis0", "deap", 128, Pipeline{&MinMaxNormalize{Axis: &first}}, 1e-15},
		{"eeg", "band_signal", "deap", 128, Pipeline{&BandSignal{ba(deap)}}, 1e-9},
		{"eeg", "band_signal", "deap", 128, Pipeline{&BandSignal{deap}}, 2e-6},
		{"eeg", "band_mean_absolute_deviation", "deap", 128, Pipeline{&BandMeanAbsoluteDeviation{ba(deap)}}, 1e-9},
		{"eeg", "band_mean_absolute_deviation", "deap", 128, Pipeline{&BandMeanAbsoluteDeviation{deap}}, 1e-6},
		{"eeg", "band_kurtosis", "deap", 128, Pipeline{&BandKurtosis{ba(deap)}}, 1e-9},
		{"eeg", "band_kurtosis", "deap", 128, Pipeline{&BandKurtosis{deap}}, 2e-6},
		{"eeg", "band_skewness", "deap", 128, Pipeline{&BandSkewness{ba(deap)}}, 1e-9},
		{"eeg", "band_skewness", "deap", 128, Pipeline{&BandSkewness{deap}}, 2e-6},
		{"eeg", "band_power_spectral_density", "deap", 128, Pipeline{&BandPowerSpectralDensity{Bands: DefaultBands()}}, 1e-9},
		{"eeg", "band_power_spectral_density_windows", "deap", 128, Pipeline{&BandPowerSpectralDensity{Bands: DefaultBands(), Windows: 2, Points: 256}}, 1e-9},
		{"eeg", "downsample_50", "deap", 128, Pipeline{&Downsample{NumPoints: 50}}, 0},
		{"eeg", "rearrange_seed_mean", "deap", 128, Pipeline{&RearrangeElectrode{Target: []string{"seed"}, Missing: "mean"}}, 1e-12},
		{"eeg", "rearrange_seed_zero", "deap", 128, Pipeline{&RearrangeElectrode{Target: []string{"seed"}, Missing: "zero"}}, 0},
		{"eeg", "to_2d", "deap", 128, Pipeline{&To2d{}}, 0},
	} {
		t.Run(c.pipeline[0].Name()+" "+c.want, func(t *testing.T) {
			x := reference(t, c.in)
			p, err := c.pipeline.Prepare(Form{Shape: x.Shape, Electrodes: find(t, c.montage), Rate: c.rate, Time: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			near(t, p.Apply(x, nil), reference(t, c.want), c.tolerance)
		})
	}
}

func TestGridMeetsReference(t *testing.T) {
	x := reference(t, "seed_band_differential_entropy")
	p, err := Pipeline{&ToGrid{}}.Prepare(Form{Shape: x.Shape, Electrodes: find(t, "seed")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, p.Apply(x, nil), reference(t, "seed_to_grid"), 0)
}

// TestInterpolatedGridMeetsReference: to the 1e-6 of the largest value at which
// scipy stops looking for the gradients.
func TestInterpolatedGridMeetsReference(t *testing.T) {
	for in, name := range map[string]string{"band_differential_entropy": "deap", "seed_band_differential_entropy": "seed"} {
		x := reference(t, in)
		p, err := Pipeline{&ToInterpolatedGrid{}}.Prepare(Form{Shape: x.Shape, Electrodes: find(t, name)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, p.Apply(x, nil), reference(t, "interpolated_grid_"+name), 1e-6)
	}
}

// TestPipelineMeetsReference: differential entropy and grid on clip and
// baseline, then the baseline taken off, as torcheeg's DEAP examples do it.
func TestPipelineMeetsReference(t *testing.T) {
	x, base := reference(t, "eeg"), reference(t, "baseline")
	form := Form{Shape: x.Shape, Electrodes: find(t, "deap"), Rate: 128, Time: true}
	p, err := Pipeline{NewBandDifferentialEntropy(DefaultBands()), &ToGrid{ApplyToBaseline: true}, &BaselineRemoval{}}.Prepare(form, &form)
	if err != nil {
		t.Fatal(err)
	}
	near(t, p.Apply(x, p.Baseline(base)), reference(t, "deap_pipeline"), 1e-6)
}

// seedBands are the five of SEED: delta and the four of [DefaultBands].
func seedBands() Bands { return append(Bands{{"delta", 1, 4}}, DefaultBands()...) }
