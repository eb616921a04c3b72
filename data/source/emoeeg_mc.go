package source

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/bids"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/internal/note"
)

// emoEEGMC is EmoEEG-MC, OpenNeuro's ds005540: EDF+ files of hours, in one or two runs, whose
// annotations are codes that each subject has of its own. It has no tables of events since
// version 1.0.5: which stimulus each code began is in the set's README.md, and here.
func emoEEGMC() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "xu2024",
			Authors: []string{"Xu, Xin", "Shen, Xinke", "Chen, Xuyang", "Zhang, Qingzhu", "Wang, Sitian", "Li, Yihan", "Li, Zongsheng", "Zhang, Dan", "Zhang, Mingming", "Liu, Quanying"},
			Title:   "EmoEEG-MC: A Multi-Context Emotional EEG Dataset for Cross-Context Emotion Decoding",
			Journal: "OpenNeuro", Year: 2024, DOI: "10.18112/openneuro.ds005540.v1.0.7",
		},
		accession: "ds005540",
		manifest: `
name: emoeeg-mc
format: emoeeg-mc
files: '^sub-(?<subject>\d{2})/eeg/sub-\d{2}_task-emotion(_run-(?<part>\d{2}))?_eeg\.edf$'
signal: {rate: 1200, electrodes: [Fp1, Fpz, Fp2, AF7, AF3, AF4, AF8, F7, F5, F3, F1, Fz, F2, F4, F6, F8, FT7, FC5, FC3, FC1, FCz, FC2, FC4, FC6, FT8, T7, C5, C3, C1, Cz, C2, C4, C6, T8,
  TP7, CP5, CP3, CP1, CPz, CP2, CP4, CP6, TP8, P7, P5, P3, P1, Pz, P2, P4, P6, P8, PO7, PO3, POz, PO4, PO8, O1, Oz, O2, F9, F10, TP9, TP10]}
channels: {exclude: [F9, F10, TP9, TP10]}
`,
		format: format{name: "emoeeg-mc", about: "EmoEEG-MC (ds005540: EDF and ratings)", units: true, streams: true, labels: emoLabels(), read: trialReader(readEmo).read,
			beside: []string{bids.Description, bids.Participants, "README.md", "README", "CHANGES"}, companions: []string{".json", ".tsv", ".gz"}, aside: emoBeside},
		apart: []apart{
			{regexp.MustCompile(`^(derivatives|stimuli|code|sourcedata)/`), "which hold what was made of the recordings, and what was shown"},
			{regexp.MustCompile(`^sub-(53|54|57|58|59|60)/`), "of subjects whose ratings don't fit the order of trials in the set's README.md (an eegprune.yaml with format: emoeeg-mc reads them)"},
		},
		whole: census{slices.DeleteFunc(counted("%02d", 1, 60), func(s string) bool { return slices.Contains([]string{"53", "54", "57", "58", "59", "60"}, s) }), 2, 21},
		differs: "a trial is the last 30 s of a film or of imagery, up to the button or the rating, as the set's authors cut them; sessions are ima and vid, as they name them. " +
			"Samples are as recorded, 1200 a second of some subjects and 600 of others (the preprocessing step Resample brings them to one rate). Ratings above 3.5, the middle, are high. " +
			"F9, F10, TP9 and TP10 have no place on the grid of networks and are left out",
	}
}

// emoLabels are the emotion that a stimulus is meant to call up, and the ratings in the order of
// the tables.
func emoLabels() []label.Scale {
	list := ratings(0, 7, 3.5, emoRatings()...)
	for i := range list {
		list[i].Tie = label.TieLow
	}
	return append([]label.Scale{{Key: "emotion", Classes: label.Numbered(emoEmotions()...)}}, list...)
}

func emoEmotions() []string {
	return []string{"sadness", "disgust", "fear", "neutral", "joy", "tenderness", "inspiration"}
}

func emoRatings() []string {
	return []string{"joy", "inspiration", "tenderness", "sadness", "fear", "disgust", "arousal", "valence", "familiarity", "liking"}
}

//go:embed emoeeg_mc.tsv
var emoTable []byte

// An emoPlan is how one subject's trials are told.
type emoPlan struct {
	film, imagery, fade, rating int // codes
	trials                      map[string][]string
}

// emoPlans are the plans of all subjects.
func emoPlans() (map[string]emoPlan, error) {
	r := csv.NewReader(bytes.NewReader(emoTable))
	r.Comma, r.Comment = '\t', '#'
	lines, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	plans := map[string]emoPlan{}
	for _, l := range lines {
		p := emoPlan{trials: map[string][]string{"ima": strings.Fields(l[2]), "vid": strings.Fields(l[3])}}
		if l[3] == "=" {
			p.trials["vid"] = p.trials["ima"]
		}
		if _, err := fmt.Sscan(l[1], &p.film, &p.imagery, &p.fade, &p.rating); err != nil {
			return nil, err
		}
		plans[l[0]] = p
	}
	return plans, nil
}

// An emoTrial is where one trial lies in a file.
type emoTrial struct {
	context    string // ima or vid
	begin, end float64
}

// emoSeconds is how much of a trial's end is read.
const emoSeconds = 30

// lastNumber finds the code in an annotation such as "TypeID: 31".
var lastNumber = regexp.MustCompile(`(\d+)\s*$`)

// found are the trials of a file: a film or imagery, until the rating that follows it. A trial
// that begins anew before its rating doesn't count. A fade ends imagery.
func (p emoPlan) found(events []event) []emoTrial {
	codes, at := make([]int, len(events)), map[float64]int{}
	tens := true // whether the codes differ from the subject's in their tens, as those of some runs do
	for i, e := range events {
		at[e.onset]++
		if m := lastNumber.FindStringSubmatch(e.text); m != nil {
			codes[i], _ = strconv.Atoi(m[1]) // digits; one that is too long is no code
		}
		tens = tens && codes[i] != p.film && codes[i] != p.imagery
	}
	is := func(code, of int) bool { return code == of || tens && code%10 == of%10 }
	var list []emoTrial
	var open *emoTrial
	for i, e := range events {
		if at[e.onset] > 2 { // the recorder repeats all codes at some times
			continue
		}
		switch c := codes[i]; {
		case is(c, p.film):
			open = &emoTrial{context: "vid", begin: e.onset}
		case is(c, p.imagery):
			open = &emoTrial{context: "ima", begin: e.onset}
		case is(c, p.fade) && open != nil && open.context == "ima" && open.end == 0:
			open.end = e.onset
		case is(c, p.rating) && open != nil:
			if open.end == 0 {
				open.end = e.onset
			}
			open.begin = max(open.begin, open.end-emoSeconds)
			list, open = append(list, *open), nil
		}
	}
	return list
}

// emoRuns are the files of a subject in their order, those too that are not there.
func emoRuns(f File) []string {
	if f.Part == "" {
		return []string{f.Path}
	}
	stem, _, _ := strings.Cut(f.Path, "_run-")
	return []string{stem + "_run-01_eeg.edf", stem + "_run-02_eeg.edf"}
}

// emoBeside are the files that the labels of one depend on.
func emoBeside(f File) []string { return append(emoRuns(f), emoRated(f)) }

// emoRated is the table of ratings of a file's subject.
func emoRated(f File) string {
	return filepath.Join(filepath.Dir(f.Path), "..", "beh", "sub-"+f.Subject+"_task-emotion_beh.tsv")
}

func readEmo(ctx context.Context, m *Manifest, f File, yield func(trial) error) (err error) {
	plans, err := emoPlans()
	if err != nil {
		return err
	}
	plan, ok := plans[f.Subject]
	if !ok {
		return fmt.Errorf("its subject is %q, and EmoEEG-MC's are 01 to 60", f.Subject)
	}
	var all, own []emoTrial
	var wrong []note.Note
	before, whole, reached := 0, true, false // trials of earlier runs, and whether there are the later ones
	for _, path := range emoRuns(f) {
		events, said, err := edfAnnotations(ctx, path)
		if errors.Is(err, fs.ErrNotExist) && reached {
			whole = false
			break
		}
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("its subject's trials count from the first run on, and %s is missing: put it beside it", filepath.Base(path))
		}
		if err != nil {
			return err
		}
		found := plan.found(events)
		wrong = slices.Concat(wrong, said)
		if path == f.Path {
			before, own, reached = len(all), found, true
		}
		all = append(all, found...)
	}
	labels, notes, err := plan.labelled(all, whole, emoRated(f))
	if err != nil {
		return because(err, wrong)
	}
	if len(own) == 0 && len(all) > 0 {
		return errNoTrial // they are all in the other run
	}
	notes = slices.Concat(notes, wrong)
	names, err := m.Signal.electrodes()
	if err != nil {
		return err
	}
	file, said, err := openEmo(f.Path, names)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for i, at := range own {
		t := labels[before+i]
		if t.labels == nil {
			continue // it was not kept
		}
		t.rate, t.notes = file.rate, append(said, notes...)
		if t.samples, err = file.between(at.begin, at.end); err != nil {
			return fmt.Errorf("trial %d of %s: %w", t.number, at.context, err)
		}
		if err := yield(t); err != nil {
			return err
		}
	}
	return nil
}

// labelled gives the trials of all runs, in order, their stimuli and labels. A trial that the set
// left out has no labels. Unless whole, trials may be missing.
func (p emoPlan) labelled(all []emoTrial, whole bool, rated string) ([]trial, []note.Note, error) {
	counts := map[string]int{}
	var list []trial
	for _, at := range all {
		counts[at.context]++
		if n := counts[at.context]; n <= len(p.trials[at.context]) {
			t := trial{session: at.context, number: n, stimulus: at.context + " " + p.trials[at.context][n-1]}
			if emotion := emoEmotion(p.trials[at.context][n-1]); emotion >= 0 {
				t.labels = map[string]float64{"emotion": float64(emotion)}
			}
			list = append(list, t)
		}
	}
	ima, vid := len(p.trials["ima"])-counts["ima"], len(p.trials["vid"])-counts["vid"]
	if min(ima, vid) < 0 || whole && max(ima, vid) > 0 {
		return nil, nil, fmt.Errorf("its codes tell %d trials of imagery and %d films of its subject, and the set's README.md lists %d and %d, so that which is which isn't known: leave the subject out",
			counts["ima"], counts["vid"], len(p.trials["ima"]), len(p.trials["vid"]))
	}
	felt, notes, err := emoFelt(rated, len(p.trials["ima"])+len(p.trials["vid"]))
	for i, t := range list {
		if t.labels != nil && felt != nil {
			maps.Copy(t.labels, felt[i])
		}
	}
	return list, notes, err
}

// emoEmotion is the number of the emotion of a stimulus such as fear8; -1 of none.
func emoEmotion(stimulus string) int {
	name := strings.TrimRight(stimulus, "0123456789")
	return slices.IndexFunc(emoEmotions(), func(e string) bool { return name != "-" && strings.HasPrefix(e, name[:min(3, len(name))]) })
}

// emoFelt reads the ratings of a subject's trials, whose table has them in the order in which they
// were given. There are none where it has another number of lines.
func emoFelt(path string, trials int) ([]map[string]float64, []note.Note, error) {
	none := func(why string) ([]map[string]float64, []note.Note, error) {
		return nil, []note.Note{note.New(note.About, "%s, and so what was felt is not known.", why)}, nil
	}
	if _, err := os.Stat(path); err != nil {
		return none(fmt.Sprintf("There is no %s", filepath.Base(path)))
	}
	t, err := bids.ReadTable(path)
	if err != nil {
		return nil, nil, err
	}
	if len(t.Rows) != trials {
		return none(fmt.Sprintf("%s has ratings of %d trials, and there were %d", filepath.Base(path), len(t.Rows), trials))
	}
	list := make([]map[string]float64, trials)
	for r := range list {
		list[r] = map[string]float64{}
		for k, key := range emoRatings() {
			column := fmt.Sprintf("score_%d", k+1)
			text := t.Cell(r, column)
			if text == bids.NA {
				continue
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(v) {
				return nil, nil, fmt.Errorf("%s: line %d has the %s %q, which is no rating", path, r+2, column, text)
			}
			list[r][key] = v
		}
	}
	return list, nil, nil
}

// openEmo opens a recording, by the names of its channels or, where these are none of the
// electrodes', by their order in the set's README.md.
func openEmo(path string, names []string) (*spans, []note.Note, error) {
	s, err := openSpans(path, names)
	if err == nil {
		return s, nil, nil
	}
	file, again := openSpans(path, nil)
	if again != nil {
		return nil, nil, again
	}
	var labels []string
	for i, signal := range file.Signals {
		if !signal.IsAnnotation() {
			labels = append(labels, signal.Label)
			if len(file.signals) < len(names) {
				file.signals = append(file.signals, i)
			}
		}
	}
	if len(file.signals) < len(names) || slices.ContainsFunc(names, func(n string) bool { return indexOf(labels, n) >= 0 }) {
		return nil, nil, errors.Join(err, file.Close())
	}
	file.measure()
	said := note.New(note.Assumed, "Its channels are named %s: the first %d are taken for the electrodes in the order of the set's README.md.", note.Some(labels, 3), len(names))
	return file, []note.Note{said}, nil
}
