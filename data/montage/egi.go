package montage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// hydroCel are the electrodes of EGI's HydroCel Geodesic Sensor Nets that stand for sites of
// the 10-20 system, by the number of electrodes of a net, as EGI's tables of equivalents have
// them (HydroCel GSN 10-10). Some lie as near to a neighbour of their site as to the site, so
// that places alone don't say it.
var hydroCel = map[int]string{
	64: "Fp1=10 Fp2=5 F7=18 F3=12 Fz=6 F4=60 F8=58 T7=24 C3=20 C4=50 T8=52 " +
		"P7=30 P3=28 Pz=34 P4=42 P8=44 O1=35 Oz=37 O2=39",
	128: "Fp1=22 Fp2=9 F7=33 F3=24 Fz=11 F4=124 F8=122 T7=45 C3=36 C4=104 T8=108 " +
		"P7=58 P3=52 Pz=62 P4=92 P8=96 O1=70 Oz=75 O2=83",
	256: "Fp1=37 Fp2=18 F7=47 F3=36 Fz=21 F4=224 F8=2 T7=69 C3=59 C4=183 T8=202 " +
		"P7=96 P3=87 Pz=101 P4=153 P8=170 O1=116 Oz=126 O2=150",
}

// equivalents returns which channels of a HydroCel net stand for which sites, in upper case;
// nothing where the places are those of no such net.
func (p *Positions) equivalents() map[string]string {
	count, numbers := 0, map[int]Point{}
	for i, n := range p.Names {
		digits, ok := strings.CutPrefix(strings.ToUpper(n), "E")
		if k, err := strconv.Atoi(digits); ok && err == nil && strconv.Itoa(k) == digits && k > 0 {
			numbers[k] = p.Points[i]
			count++
		}
	}
	// The last number may be the reference at the vertex.
	for _, n := range []int{count, count - 1} {
		sites := map[string]string{}
		for _, pair := range strings.Fields(hydroCel[n]) {
			site, digits, _ := strings.Cut(pair, "=")
			k, _ := strconv.Atoi(digits) // the table is ours
			place, _ := Position(site)
			at, has := numbers[k]
			// Another net of as many electrodes has its numbers elsewhere.
			if !has || at.Distance(place) > farthest {
				return nil
			}
			sites["E"+digits] = site
		}
		if len(sites) > 0 {
			return sites
		}
	}
	return nil
}

// Equivalents says which of the channels are put where a site of the 10-20 system is, as the
// table of their net has it; empty where none is.
func (p *Positions) Equivalents(channels []string) string {
	var said []string
	sites := p.equivalents()
	for _, c := range channels {
		if site := sites[strings.ToUpper(c)]; site != "" {
			said = append(said, fmt.Sprintf("%s on %s", c, site))
		}
	}
	slices.Sort(said)
	return strings.Join(said, ", ")
}
