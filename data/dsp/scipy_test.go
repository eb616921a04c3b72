package dsp

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/data/filetest"
)

type scipyCase struct {
	Order          int
	Low, High      float64
	Notch, Quality float64
	Rate, To       float64
	N, Count       int
	Level          bool
	Y              []float64
}

func scipyValues(t *testing.T) (v struct {
	Every              int
	Filters, Resampled []scipyCase
}) {
	t.Helper()
	b, err := os.ReadFile("testdata/scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// far is the largest difference of the stored samples, in microvolts.
func far(t *testing.T, got, want []float64, every int) float64 {
	t.Helper()
	if len(want) != (len(got)+every-1)/every || len(want) == 0 {
		t.Fatalf("%d samples and %d stored ones", len(got), len(want))
	}
	most := 0.0
	for i, w := range want {
		most = max(most, math.Abs(got[i*every]-w))
	}
	return most
}

// TestZeroPhaseIsScipys: within 1e-9 uV of signals of some hundred, and 1e-6 where a cut-off
// is 20000 times below the rate and the coefficients' last places show.
func TestZeroPhaseIsScipys(t *testing.T) {
	v := scipyValues(t)
	for _, c := range v.Filters {
		f, err := NewButterworth(c.Order, c.Low, c.High, c.Rate)
		if c.Notch > 0 {
			f, err = NewNotch(c.Notch, c.Quality, c.Rate)
		}
		if err != nil {
			t.Fatal(err)
		}
		y, err := f.ZeroPhase(filetest.Signal(2000, c.Rate, 3))
		if err != nil {
			t.Fatal(err)
		}
		tolerance := 1e-9
		if c.Low > 0 && c.Low*2000 < c.Rate {
			tolerance = 1e-6
		}
		if d := far(t, y, c.Y, v.Every); !(d <= tolerance) {
			t.Errorf("order %d, %g to %g Hz, notch %g Hz at %g: %g uV from scipy's", c.Order, c.Low, c.High, c.Notch, c.Rate, d)
		}
	}
}

// TestResampleIsScipys: within 1e-9 uV.
func TestResampleIsScipys(t *testing.T) {
	v := scipyValues(t)
	for _, c := range v.Resampled {
		r, err := NewResampler(c.Rate, c.To)
		if err != nil {
			t.Fatal(err)
		}
		y := r.Resample(filetest.Signal(c.N, c.Rate, 5), c.Level)
		if len(y) != c.Count {
			t.Errorf("%g to %g Hz: %d samples, want %d", c.Rate, c.To, len(y), c.Count)
			continue
		}
		if d := far(t, y, c.Y, v.Every); !(d <= 1e-9) {
			t.Errorf("%g to %g Hz, level %t: %g uV from scipy's", c.Rate, c.To, c.Level, d)
		}
	}
}

// TestZeroPhaseShiftsNothing: a sine in the band keeps its phase.
func TestZeroPhaseShiftsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{128, 200, 500}).Draw(t, "rate")
		f, err := NewButterworth(rapid.IntRange(1, 5).Draw(t, "order"), 0.05*rate, 0.3*rate, rate)
		if err != nil {
			t.Fatal(err)
		}
		freq := rapid.Float64Range(0.1, 0.2).Draw(t, "frequency") * rate
		x := make([]float64, 2000)
		for i := range x {
			x[i] = 10 * math.Sin(2*math.Pi*freq/rate*float64(i))
		}
		y, err := f.ZeroPhase(x)
		if err != nil {
			t.Fatal(err)
		}
		var same, quarter float64
		for i := 500; i < 1500; i++ {
			same += y[i] * x[i]
			quarter += y[i] * 10 * math.Cos(2*math.Pi*freq/rate*float64(i))
		}
		if math.Abs(quarter) > 0.02*same {
			t.Fatalf("shifted by %g radians", math.Atan2(quarter, same))
		}
	})
}

// TestFiltersAreLinear, and a constant passes unless a high-pass must remove it.
func TestFiltersAreLinear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low, high := rapid.SampledFrom([]float64{0, 0.5, 8}).Draw(t, "low"), rapid.SampledFrom([]float64{0, 14, 40}).Draw(t, "high")
		if low == 0 && high == 0 {
			high = 30
		}
		f, err := NewButterworth(rapid.IntRange(1, 6).Draw(t, "order"), low, high, 100)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewResampler(100, rapid.SampledFrom([]float64{50, 80, 125}).Draw(t, "to"))
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(100, 400).Draw(t, "samples")
		a, b := filetest.Signal(n, 100, 1), filetest.Signal(n, 100, rapid.Uint64Range(2, 1000).Draw(t, "key"))
		sum, constant := make([]float64, n), make([]float64, n)
		for i := range sum {
			sum[i], constant[i] = 2*a[i]-b[i], 500
		}
		for name, do := range map[string]func([]float64) []float64{
			"filter": func(x []float64) []float64 {
				y, err := f.ZeroPhase(x)
				if err != nil {
					t.Fatal(err)
				}
				return y
			},
			"resampling": func(x []float64) []float64 { return r.Resample(x, true) },
		} {
			p, q, s, c := do(a), do(b), do(sum), do(constant)
			want := 500.0
			if name == "filter" && low > 0 {
				want = 0
			}
			for i := range s {
				if math.Abs(s[i]-(2*p[i]-q[i])) > 1e-7 {
					t.Fatalf("%s: sample %d of the sum is %g, want %g", name, i, s[i], 2*p[i]-q[i])
				}
				if math.Abs(c[i]-want) > 1e-6 {
					t.Fatalf("%s: sample %d of a constant 500 is %g", name, i, c[i])
				}
			}
		}
	})
}

// TestResampleKeepsWhatFits: a sine below half of both rates is the same sine after.
func TestResampleKeepsWhatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom([]float64{100, 128, 250, 500, 512, 1000}).Draw(t, "from")
		to := rapid.SampledFrom([]float64{100, 128, 200, 250}).Draw(t, "to")
		freq := rapid.Float64Range(1, 0.35*min(from, to)).Draw(t, "frequency")
		r, err := NewResampler(from, to)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, int(4*from))
		for i := range x {
			x[i] = math.Sin(2 * math.Pi * freq * float64(i) / from)
		}
		y := r.Resample(x, false)
		for i := int(to); i < int(3*to); i++ {
			if want := math.Sin(2 * math.Pi * freq * float64(i) / to); math.Abs(y[i]-want) > 0.01 {
				t.Fatalf("sample %d is %g, want %g", i, y[i], want)
			}
		}
	})
}

func TestFiltersRefuse(t *testing.T) {
	for _, c := range []struct {
		err  func() error
		says string
	}{
		{func() error { _, err := NewButterworth(4, 1, 64, 128); return err }, "below 64 Hz"},
		{func() error { _, err := NewButterworth(4, 0, 70, 128); return err }, "low-pass of 70 Hz"},
		{func() error { _, err := NewButterworth(4, 64, 0, 128); return err }, "high-pass of 64 Hz"},
		{func() error { _, err := NewButterworth(4, 0, 0, 128); return err }, "above 0"},
		{func() error { _, err := NewButterworth(0, 1, 0, 128); return err }, "order"},
		{func() error { _, err := NewButterworth(4, math.NaN(), math.NaN(), 128); return err }, "above 0"},
		{func() error { _, err := NewNotch(50, 30, 100); return err }, "below 50 Hz"},
		{func() error { _, err := NewNotch(50, 0, 200); return err }, "quality"},
		{func() error { _, err := NewResampler(128, 0); return err }, "positive"},
		{func() error { _, err := NewResampler(128, math.Pi); return err }, "ratio"},
		{func() error { _, err := NewResampler(1e300, 1e-300); return err }, "ratio"},
		{func() error {
			f, err := NewButterworth(4, 1, 45, 128)
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.ZeroPhase(make([]float64, f.Padding))
			return err
		}, "27 samples are too few"},
	} {
		if err := c.err(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one that says %q", err, c.says)
		}
	}
}
