package source

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/bids"
	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

// subjectOf is the subject of a row of participants.tsv.
func subjectOf(t *bids.Table, row int) string {
	return strings.TrimPrefix(t.Cell(row, bids.Participant), "sub-")
}

// readParticipants reads participants.tsv. Of lines of one subject the first counts.
func (b *bidsSet) readParticipants() error {
	t, err := bids.ReadTable(b.Path(bids.Participants))
	if err != nil {
		return err
	}
	if !t.Has(bids.Participant) {
		return fmt.Errorf("%s: it has no column %s", t.Path, bids.Participant)
	}
	b.participants, b.subjects = t, map[string]map[string]string{}
	for r := range t.Rows {
		subject := subjectOf(t, r)
		if b.subjects[subject] != nil {
			continue
		}
		said := map[string]string{}
		for i, c := range t.Columns {
			if v := t.Rows[r][i]; c != bids.Participant && v != bids.NA {
				said[c] = v
			}
		}
		b.subjects[subject] = said
	}
	return nil
}

// participant implements [structure].
func (b *bidsSet) participant(subject string) map[string]string { return b.subjects[subject] }

// inputs implements [structure].
func (b *bidsSet) inputs(m *Manifest) []string {
	if m.Label.Participant == "" {
		return nil
	}
	return []string{b.Path(bids.Participants)}
}

// noteParticipants notes the columns of participants.tsv, and the subjects that only the
// table or only the recordings have.
func (b *bidsSet) noteParticipants(s *Source) {
	t := b.participants
	if t == nil {
		return
	}
	var subjects, absent, unlisted, twice []string
	read, listed := map[string]bool{}, map[string]bool{}
	for _, f := range s.Files {
		if !read[f.Subject] {
			read[f.Subject] = true
			subjects = append(subjects, f.Subject)
		}
	}
	for r := range t.Rows {
		subject := subjectOf(t, r)
		switch {
		case listed[subject]:
			twice = append(twice, subject)
		case !read[subject]:
			absent = append(absent, subject)
		}
		listed[subject] = true
	}
	for _, subject := range subjects {
		if !listed[subject] {
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
			if said := b.columnOf(c, subjects); said != "" {
				columns = append(columns, said)
			}
		}
	}
	say(note.About, "%s says of the subjects: %s.", columns)
}

// columnOf sums up a column of participants.tsv.
func (b *bidsSet) columnOf(column string, subjects []string) string {
	least, most, numbers := math.Inf(1), math.Inf(-1), true
	counts := map[string]int{}
	var values []string
	for _, subject := range subjects {
		v, ok := b.participant(subject)[column]
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
