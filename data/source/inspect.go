package source

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/note"
)

// A Summary describes the recordings of a directory.
type Summary struct {
	Format   string           `json:"format"`
	Manifest string           `json:"manifest"`       // its name, or where it lies
	Classes  []string         `json:"classes"`        // empty where recordings have no labels
	Rule     string           `json:"rule,omitempty"` // of the class, where recordings have several labels
	Subjects []SubjectSummary `json:"subjects"`       // in order

	// Stimuli is how many films, songs, ... trials were of; 0 where nothing says it.
	Stimuli int `json:"stimuli,omitempty"`
	// Labels are the choices that there are, where the files hold labels.
	Labels []LabelSummary `json:"labels,omitempty"`
	// Ties are the trials that have no class, as a rating equals the threshold.
	Ties int `json:"ties,omitempty"`
	// Bands are the features that each electrode has of a window of Window seconds, where the
	// files hold features and no samples; rates are then those of the numbers.
	Bands  []string `json:"bands,omitempty"`
	Window float64  `json:"window,omitempty"`
	// Caps are the sets of channels that recordings have, the commonest first;
	// one, unless something is wrong.
	Caps []CapSummary `json:"caps"`
	// Faults are flat channels and values that are no numbers.
	Faults []string `json:"faults,omitempty"`
	// Bad are the files that can't be read, and why.
	Bad []string `json:"bad,omitempty"`
	// Notes tell what was left out, corrected or assumed.
	Notes note.List `json:"notes,omitempty"`
	// Events are the annotations of files, where they don't make the recordings.
	Events []FileEvents `json:"events,omitempty"`
	// Start is an eegprune.yaml to begin with; empty where there is one, or nothing to make
	// it of.
	Start string `json:"start,omitempty"`
}

// A SubjectSummary counts the sessions and trials of one subject.
type SubjectSummary struct {
	Subject  string   `json:"subject"`
	Sessions []string `json:"sessions,omitempty"`
	Trials   int      `json:"trials"`
	Seconds  float64  `json:"seconds"` // 0 where the rate isn't known
	Classes  []int    `json:"classes"` // trials of each class
	// Participant is the subject's row of the participants.tsv of a BIDS data set.
	Participant map[string]string `json:"participant,omitempty"`
}

// FileEvents are the annotations of a file.
type FileEvents struct {
	File   string  `json:"file"`
	Events []Event `json:"events"`
}

// A CapSummary is channels and a rate that recordings share.
type CapSummary struct {
	Channels   []string `json:"channels"`
	Rate       float64  `json:"rate"` // samples per second, 0 where it isn't known
	Recordings int      `json:"recordings"`
}

// Inspect reads all recordings and summarises them. Files that can't be read are named in the
// summary and don't end it.
func Inspect(ctx context.Context, s *Source, progress func(Progress)) (*Summary, error) {
	var labels *label.Prepared
	if !s.Manifest.Unlabelled() {
		var err error
		if labels, err = s.PrepareLabels(nil); err != nil {
			return nil, err
		}
	}
	sum := &Summary{Format: s.Manifest.Format, Manifest: s.Manifest.Name, Classes: s.Classes, Bands: s.Manifest.Signal.Bands, Window: s.Manifest.Signal.Window()}
	if sum.Manifest == "" {
		sum.Manifest = s.Origin.String()
	}
	if s.Manifest.format().labels != nil {
		var err error
		if sum.Labels, err = s.labelChoices(); err != nil {
			return nil, err
		}
		sum.Rule = s.Manifest.Label.Transforms.Rule()
	}
	var n note.List
	trials, stimuli := map[trialKey]bool{}, map[string]bool{}
	var repeated note.List
	w := Walk{Workers: runtime.GOMAXPROCS(0), SkipBad: true, Bad: func(err error) { sum.Bad = append(sum.Bad, err.Error()) }, Progress: progress, Notes: &repeated}
	err := s.Each(ctx, w, func(r *Recording) error {
		sum.add(r, labels, trials)
		if r.Stimulus != "" {
			stimuli[r.Stimulus] = true
		}
		n.Add(r.File, r.Notes...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	sum.Stimuli = len(stimuli)
	slices.SortStableFunc(sum.Caps, func(a, b CapSummary) int { return b.Recordings - a.Recordings })
	n.Add("", repeated...)
	s.noteMissing(&n, sum.Subjects)
	if sum.Ties > 0 {
		n.Add("", note.New(note.LeftOut, "%d trial(s) have no class and are left out, as a rating equals the threshold (%s).", sum.Ties, sum.Rule))
	}
	sum.Notes = slices.Concat(s.Notes, n)
	for i := range sum.Subjects {
		sum.Subjects[i].Participant = s.participant(sum.Subjects[i].Subject)
	}
	if sum.Start, err = s.Start(); err != nil {
		return nil, fmt.Errorf("writing an example of a manifest: %w", err)
	}
	return sum, nil
}

// A trialKey identifies a trial.
type trialKey struct {
	subject, session string
	trial            int
}

// add counts a recording.
func (sum *Summary) add(r *Recording, labels *label.Prepared, trials map[trialKey]bool) {
	if len(r.Events) > 0 {
		sum.Events = append(sum.Events, FileEvents{r.File, r.Events})
	}
	i := slices.IndexFunc(sum.Subjects, func(x SubjectSummary) bool { return x.Subject == r.Subject })
	if i < 0 {
		sum.Subjects = append(sum.Subjects, SubjectSummary{Subject: r.Subject, Classes: make([]int, len(sum.Classes))})
		i = len(sum.Subjects) - 1
	}
	subject := &sum.Subjects[i]
	if r.Session != "" && !slices.Contains(subject.Sessions, r.Session) {
		subject.Sessions = append(subject.Sessions, r.Session)
	}
	if r.Rate > 0 {
		subject.Seconds += float64(r.Len()) / r.Rate
	}
	// An interrupted trial is several recordings and one trial.
	if key := (trialKey{r.Subject, r.Session, r.Trial}); !trials[key] {
		trials[key] = true
		subject.Trials++
		sum.addClass(subject, r, labels)
	}
	i = slices.IndexFunc(sum.Caps, func(c CapSummary) bool { return c.Rate == r.Rate && slices.Equal(c.Channels, r.Channels) })
	if i < 0 {
		sum.Caps = append(sum.Caps, CapSummary{Channels: r.Channels, Rate: r.Rate})
		i = len(sum.Caps) - 1
	}
	sum.Caps[i].Recordings++
	for _, f := range r.Faults() {
		sum.Faults = append(sum.Faults, fmt.Sprintf("%s: trial %d: channel %s %s.", r.File, r.Trial, f.Channel, f.Why))
	}
}

func (sum *Summary) addClass(subject *SubjectSummary, r *Recording, labels *label.Prepared) {
	if labels == nil {
		return
	}
	for i := range sum.Labels {
		sum.Labels[i].add(r.Labels)
	}
	class, err := labels.Class(r.Labels)
	if tied(err) {
		sum.Ties++
		return
	}
	if err != nil {
		sum.Bad = append(sum.Bad, fmt.Sprintf("%s: trial %d: %v", r.File, r.Trial, err))
		return
	}
	subject.Classes[class]++
}
