package montage

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

// net makes a net of n electrodes that lie evenly over the head, but those that stand for
// sites, which lie that far from them towards the vertex.
func net(n int, away float64) *Positions {
	p := &Positions{}
	place := map[int]Point{}
	for _, pair := range strings.Fields(hydroCel[n]) {
		site, digits, _ := strings.Cut(pair, "=")
		k, _ := strconv.Atoi(digits)
		at, _ := Position(site)
		place[k] = slerp(at, Point{0, 0, 1}, away)
	}
	for k := 1; k <= n; k++ {
		at, ok := place[k]
		if !ok {
			z := 1 - 1.2*float64(k)/float64(n)
			at = Point{math.Sqrt(1-z*z) * math.Cos(2.4*float64(k)), math.Sqrt(1-z*z) * math.Sin(2.4*float64(k)), z}
		}
		p.add(fmt.Sprintf("E%d", k), at)
	}
	return p
}

// TestHydroCelNets: the electrodes that EGI's tables name for the 10-20 sites have their cells,
// though others lie nearer. scripts/check_mne.py looks at the nets that MNE has.
func TestHydroCelNets(t *testing.T) {
	for n, table := range hydroCel {
		p := net(n, 0.2)
		p.add("VREF", Point{0, 0, 1})
		cells, err := p.Cells(p.Names)
		if err != nil {
			t.Fatal(err)
		}
		pairs := strings.Fields(table)
		if len(pairs) != 19 {
			t.Errorf("%d sites of %d electrodes", len(pairs), n)
		}
		for _, pair := range pairs {
			site, digits, _ := strings.Cut(pair, "=")
			k, _ := strconv.Atoi(digits)
			r, c, _ := OnGrid(site)
			if cells[k-1] != r*GridSize+c {
				t.Errorf("%d: E%d has cell %d, want that of %s", n, k, cells[k-1], site)
			}
		}
		if cells[n] != 4*GridSize+4 {
			t.Errorf("%d: the vertex has cell %d", n, cells[n])
		}
		if said := p.Equivalents([]string{"E1", "e" + strings.TrimPrefix(pairs[0], "Fp1=")}); said != "e"+strings.TrimPrefix(pairs[0], "Fp1=")+" on Fp1" {
			t.Errorf("%d: it says %q", n, said)
		}
	}
}

// TestOtherNetsAreNoHydroCel: the same numbers at other places, and other numbers.
func TestOtherNetsAreNoHydroCel(t *testing.T) {
	elsewhere := net(128, 0)
	elsewhere.Points[21], elsewhere.Points[82] = elsewhere.Points[82], elsewhere.Points[21]
	few := net(128, 0)
	few.Names, few.Points = few.Names[:100], few.Points[:100]
	named := net(128, 0)
	for i := range named.Names {
		named.Names[i] = "X" + named.Names[i]
	}
	for about, p := range map[string]*Positions{"at other places": elsewhere, "a part of a net": few, "of other names": named} {
		if sites := p.equivalents(); sites != nil {
			t.Errorf("%s: %v", about, sites)
		}
	}
}
