package source

import (
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/internal/note"
)

// A census counts the subjects, sessions and trials of a complete data set.
type census struct {
	subjects []string
	sessions int // of each subject; 0 where there are none
	trials   int // of each session, or of each subject where there are none
}

// counted are the names of subjects that are numbers, by a format such as "%02d".
func counted(format string, first, last int) []string {
	var names []string
	for i := first; i <= last; i++ {
		names = append(names, fmt.Sprintf(format, i))
	}
	return names
}

// dataset returns the known data set that the source is, nil where it is none.
func (s *Source) dataset() *dataset {
	if !s.Origin.BuiltIn {
		return nil
	}
	names, _ := datasetNames() // which the manifest came from
	if i := slices.Index(names, s.Manifest.Name); i >= 0 {
		return &datasets()[i]
	}
	return nil
}

// noteMissing notes the subjects, sessions and trials that a known data set lacks.
func (s *Source) noteMissing(notes *note.List, have []SubjectSummary) {
	d := s.dataset()
	if d == nil {
		return
	}
	whole := d.whole
	var subjects, sessions, trials []string
	for _, name := range whole.subjects {
		i := slices.IndexFunc(have, func(x SubjectSummary) bool { return x.Subject == name })
		if i < 0 {
			subjects = append(subjects, name)
			continue
		}
		x := have[i]
		n := len(x.Sessions)
		if n < whole.sessions {
			sessions = append(sessions, fmt.Sprintf("subject %s has %d of %d", name, n, whole.sessions))
		}
		if all := whole.trials * max(1, n); x.Trials < all {
			trials = append(trials, fmt.Sprintf("subject %s has %d of %d", name, x.Trials, all))
		}
	}
	say := func(list []string, format string, args ...any) {
		if len(list) > 0 {
			notes.Add("", note.New(note.About, format, append(args, note.Some(list, 8))...))
		}
	}
	say(subjects, "Of the %d subjects of %s %d are not here: %s.", len(whole.subjects), s.Manifest.Name, len(subjects))
	say(sessions, "Sessions are not here: %s.")
	say(trials, "Trials are not here: %s.")
}
