package experiment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data"
)

// smoothed are the names that SEED's features have, and others after it, which were
// smoothed over a trial: by a linear dynamical system, or a moving average.
var smoothed = regexp.MustCompile(`(?i)(^|[^a-z])lds|moving_?av`)

// leaks lists the ways in which training could know test clips, a sentence each. names are
// the names of files and arrays.
func leaks(split data.Split, overlap float64, names []string) []string {
	var all []string
	if split.Leaks() {
		all = append(all, "clips of one trial are both trained on and tested on; "+data.NonLeaking(split.Name())+" keeps them apart")
		if overlap > 0 {
			all = append(all, fmt.Sprintf("clips overlap by %g s, so that some are trained on and tested on in part", overlap))
		}
	}
	if i := slices.IndexFunc(names, smoothed.MatchString); i >= 0 {
		text := fmt.Sprintf("features were smoothed over trials before they were divided, by the name %s", names[i])
		if split.Leaks() {
			text += ": clips that are tested on are part of those trained on"
		} else {
			text += ": a clip knows of later ones of its trial"
		}
		all = append(all, text)
	}
	return all
}

// leak is the line under tables: all leaks, or nothing.
func (s *Study) leak() string { return leakLine(s.leaks) }

func leakLine(leaks []string) string {
	if len(leaks) == 0 {
		return ""
	}
	return "LEAKS: " + strings.Join(leaks, "; ")
}

// Leak says how training could know test clips, and the split that keeps them apart; it is
// empty where it could not.
func (s *Study) Leak() string { return s.leak() }
