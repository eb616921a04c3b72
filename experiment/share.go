package experiment

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/result"
)

// A Share is one of several parts into which a study is cut, for machines or jobs that
// carry it out together. The zero value is the whole.
type Share struct{ Number, Of int } // Number from 1

// ParseShare reads "2/8": the second of eight.
func ParseShare(s string) (Share, error) {
	var c Share
	if n, err := fmt.Sscanf(s, "%d/%d", &c.Number, &c.Of); n != 2 || err != nil || c.String() != s || c.Number < 1 || c.Number > c.Of {
		return Share{}, fmt.Errorf("%q is not a share: write 2/8 for the second of eight", s)
	}
	return c, nil
}

func (s Share) String() string {
	if s == (Share{}) {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Number, s.Of)
}

// A unit is a set of cells that can't be cut: those of one network on one fold, which
// start from each other.
type unit struct {
	model string
	seed  uint64
	fold  int
	inner int
}

// shares deals the units of planned cells out to that many shares, the costliest first,
// each to the share that has least to do. It returns the share, from 1, of each unit.
func shares(cells []Planned, parts int) map[unit]int {
	cost := map[unit]float64{}
	var units []unit
	for _, p := range cells {
		u := unitOf(p.Cell)
		if _, known := cost[u]; !known {
			units = append(units, u)
		}
		cost[u] += float64(p.MACs)
	}
	slices.SortStableFunc(units, func(a, b unit) int { return cmp.Compare(cost[b], cost[a]) })
	load := make([]float64, parts)
	share := map[unit]int{}
	for _, u := range units {
		least := 0
		for i := range load {
			if load[i] < load[least] {
				least = i
			}
		}
		load[least] += cost[u]
		share[u] = least + 1
	}
	return share
}

func unitOf(c result.Cell) unit { return unit{c.Model, c.Seed, c.Fold, c.Inner} }
