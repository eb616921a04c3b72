// Package montage knows the electrodes of the 10-20 and 10-10 systems: the
// spellings under which files name them, and where they lie on the head and on
// the grid that convolutional networks see.
package montage

import (
	"regexp"
	"slices"
	"strings"
)

// A Kind says what a channel is.
type Kind int

const (
	Electrode Kind = iota // of the scalp, in the 10-10 system
	Reference             // an ear lobe or mastoid: "A1", "EEG A2-A1"
	Bipolar               // the difference of two scalp electrodes: "EEG Fp1-F7"
	Other                 // not EEG, or not a name of the 10-10 system: "ECG", "STI 014"
)

// String names the kind as it reads in a message.
func (k Kind) String() string {
	switch k {
	case Electrode:
		return "electrode"
	case Reference:
		return "reference"
	case Bipolar:
		return "bipolar"
	default:
		return "not a 10-10 electrode"
	}
}

// rows are the electrodes of the 10-10 system (American Clinical
// Neurophysiology Society guideline 2, 2006) from nose to inion, and SEED's two
// cerebellar ones.
var rows = []string{
	"Nz",
	"Fp1 Fpz Fp2",
	"AF9 AF7 AF5 AF3 AF1 AFz AF2 AF4 AF6 AF8 AF10",
	"F9 F7 F5 F3 F1 Fz F2 F4 F6 F8 F10",
	"FT9 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 FT10",
	"T9 T7 C5 C3 C1 Cz C2 C4 C6 T8 T10",
	"TP9 TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 TP10",
	"P9 P7 P5 P3 P1 Pz P2 P4 P6 P8 P10",
	"PO9 PO7 PO5 PO3 PO1 POz PO2 PO4 PO6 PO8 PO10",
	"CB1 O1 Oz O2 CB2",
	"O9 Iz O10",
}

// olds are the names that the 10-20 system had before 1991 and other
// spellings of the same place.
var olds = map[string]string{"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8", "I1": "O9", "I2": "O10"}

var references = []string{"A1", "A2", "M1", "M2", "LE", "LM", "RM", "RE"}

// A bare suffix says what an electrode was recorded against.
var againstReference = regexp.MustCompile(`(?i)[-_ ]*(REF|LE|AVG?|AR|CAR|A1|A2|A1A2|A1\+A2|M1|M2|M1M2|LER|0)$`)

// Names returns the electrodes of the 10-10 system from the nose to the back
// of the head, each row from left to right.
func Names() []string {
	var all []string
	for _, r := range rows {
		all = append(all, strings.Fields(r)...)
	}
	return all
}

// Canonical returns the 10-10 system's spelling of a channel's name, and what
// the channel is: "EEG T3-REF" gives "T7" and [Electrode]. For anything but an
// electrode it returns the name as it was.
//
// It takes off a leading "EEG", dots that pad a name ("Fc5."), and the
// reference ("-REF", "-LE", "-A1"), reads either case, and changes the old
// names T3, T4, T5, T6 to T7, T8, P7, P8.
func Canonical(name string) (string, Kind) {
	t := strings.TrimSpace(name)
	if len(t) >= 4 && strings.EqualFold(t[:3], "EEG") && strings.ContainsRune(" -_:", rune(t[3])) {
		t = strings.TrimSpace(t[4:])
	}
	t = strings.TrimRight(t, ". ")
	if e, ok := lookup(t); ok {
		return e, Electrode
	}
	first, second, pair := strings.Cut(t, "-")
	if isReference(first) {
		return name, Reference
	}
	if pair {
		_, ok1 := lookup(first)
		_, ok2 := lookup(second)
		if ok1 && ok2 {
			return name, Bipolar
		}
	}
	if cut := againstReference.FindStringIndex(t); cut != nil {
		if e, ok := lookup(t[:cut[0]]); ok {
			return e, Electrode
		}
	}
	return name, Other
}

func lookup(t string) (string, bool) {
	t = strings.TrimSpace(t)
	for old, today := range olds {
		if strings.EqualFold(t, old) {
			return today, true
		}
	}
	for _, r := range rows {
		for _, e := range strings.Fields(r) {
			if strings.EqualFold(t, e) {
				return e, true
			}
		}
	}
	return "", false
}

func isReference(t string) bool {
	return slices.ContainsFunc(references, func(r string) bool { return strings.EqualFold(strings.TrimSpace(t), r) })
}
