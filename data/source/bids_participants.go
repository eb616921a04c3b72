package source

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"eegprune/data/bids"
	"eegprune/internal/natural"
	"eegprune/internal/note"
)

// participant returns what participants.tsv says of a subject, nil where it has none.
func (b *bidsSet) participant(subject string) map[string]string {
	if b == nil || b.participants == nil {
		return nil
	}
	t := b.participants
	for r := range t.Rows {
		if strings.TrimPrefix(t.Cell(r, bids.Participant), "sub-") != subject {
			continue
		}
		said := map[string]string{}
		for i, c := range t.Columns {
			if v := t.Rows[r][i]; c != bids.Participant && v != bids.NA {
				said[c] = v
			}
		}
		return said
	}
	return nil
}

// noteParticipants says what participants.tsv says of the subjects, and whom only one of the
// table and the recordings has.
func (s *Source) noteParticipants() {
	t := s.bids.participants
	if t == nil {
		return
	}
	var subjects, listed, absent, unlisted, twice []string
	for _, f := range s.Files {
		if !slices.Contains(subjects, f.Subject) {
			subjects = append(subjects, f.Subject)
		}
	}
	for r := range t.Rows {
		subject := strings.TrimPrefix(t.Cell(r, bids.Participant), "sub-")
		if slices.Contains(listed, subject) {
			twice = append(twice, subject)
			continue
		}
		listed = append(listed, subject)
		if !slices.Contains(subjects, subject) {
			absent = append(absent, subject)
		}
	}
	for _, subject := range subjects {
		if !slices.Contains(listed, subject) {
			unlisted = append(unlisted, subject)
		}
	}
	say := func(kind note.Kind, format string, list []string) {
		if len(list) > 0 {
			s.Notes.Add("", note.New(kind, format, bids.Participants, note.Some(list, 6)))
		}
	}
	say(note.LeftOut, "%s names subjects of whom no recording is read: %s.", absent)
	say(note.Assumed, "%s doesn't name subjects of whom there are recordings: %s.", unlisted)
	say(note.Assumed, "%s names subjects twice, of whom the first line counts: %s.", twice)
	var columns []string
	for _, c := range t.Columns {
		if c != bids.Participant {
			if said := s.columnOf(c, subjects); said != "" {
				columns = append(columns, said)
			}
		}
	}
	say(note.About, "%s says of the subjects: %s.", columns)
}

// columnOf sums up a column of participants.tsv.
func (s *Source) columnOf(column string, subjects []string) string {
	least, most, numbers := math.Inf(1), math.Inf(-1), true
	counts := map[string]int{}
	var values []string
	for _, subject := range subjects {
		v, ok := s.bids.participant(subject)[column]
		if !ok {
			continue
		}
		if counts[v]++; counts[v] == 1 {
			values = append(values, v)
		}
		x, err := strconv.ParseFloat(v, 64)
		numbers = numbers && err == nil
		least, most = min(least, x), max(most, x)
	}
	slices.SortFunc(values, natural.Compare)
	switch {
	case len(values) == 0:
		return ""
	case numbers && len(values) > 1:
		return fmt.Sprintf("%s %g to %g", column, least, most)
	}
	for i, v := range values {
		values[i] = fmt.Sprintf("%s (%d)", v, counts[v])
	}
	return column + " " + note.Some(values, 4)
}
