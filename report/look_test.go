package report

import (
	"image/color"
	"math"
	"testing"
)

// How people without one kind of cone see linear RGB (Machado, Oliveira & Fernandes, IEEE
// TVCG 15, 2009, table 1, severity 1).
var machado = map[string][3][3]float64{
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
}

// lab is CIE L*a*b* (D65) of a colour as it is seen.
func lab(c color.Color, seen [3][3]float64) [3]float64 {
	r, g, b, _ := c.RGBA()
	var linear [3]float64
	for i, v := range []uint32{r, g, b} {
		if s := float64(v) / 0xffff; s <= 0.04045 {
			linear[i] = s / 12.92
		} else {
			linear[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	times := func(m [3][3]float64, v [3]float64) (out [3]float64) {
		for i := range out {
			for k := range v {
				out[i] += m[i][k] * v[k]
			}
		}
		return out
	}
	v := times(seen, linear)
	for i := range v {
		v[i] = min(1, max(0, v[i]))
	}
	v = times([3][3]float64{{0.4124, 0.3576, 0.1805}, {0.2126, 0.7152, 0.0722}, {0.0193, 0.1192, 0.9505}}, v)
	for i, white := range []float64{0.9505, 1, 1.089} {
		if v[i] /= white; v[i] > 0.008856 {
			v[i] = math.Cbrt(v[i])
		} else {
			v[i] = 7.787*v[i] + 16./116
		}
	}
	return [3]float64{116*v[1] - 16, 500 * (v[0] - v[1]), 200 * (v[1] - v[2])}
}

// A difference of 2.3 can just be seen side by side; lines and dots need several times
// that.
func TestColorsOfMethodsAreToldApartByAll(t *testing.T) {
	names := append([]string{""}, methodColors...)
	for kind, seen := range machado {
		for i, a := range names {
			for _, b := range names[:i] {
				x, y := lab(colorOf(a), seen), lab(colorOf(b), seen)
				difference := math.Hypot(math.Hypot(x[0]-y[0], x[1]-y[1]), x[2]-y[2])
				least := 15.
				if i <= 4 {
					least = 25 // the paper's methods and the unpruned network
				}
				if difference < least {
					t.Errorf("with %s %q and %q differ by %.1f", kind, a, b, difference)
				}
			}
		}
	}
}
