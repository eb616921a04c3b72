package source

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/cite"
)

// mahnob is MAHNOB-HCI's Sessions (Soleymani et al., IEEE Trans Affective Computing 2012, 3:42): a
// directory for each trial, with a BDF file, in which the first two codes are the beginning and
// the end of the film, and session.xml, which holds the subject, the film and the ratings.
func mahnob() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "soleymani2012",
			Authors: []string{"Soleymani, Mohammad", "Lichtenauer, Jeroen", "Pun, Thierry", "Pantic, Maja"},
			Title:   "A Multimodal Database for Affect Recognition and Implicit Tagging",
			Journal: "IEEE Transactions on Affective Computing", Year: 2012, Volume: "3", Number: "1", Pages: "42--55", DOI: "10.1109/T-AFFC.2011.25",
		},
		manifest: `
name: mahnob-hci
format: mahnob-hci
files: '(^|/)(?<trial>\d+)/(?<subject>)[^/]*_emotion\.bdf$'
signal: {rate: 512, electrodes: [deap], baseline: 30}
`,
		format: format{name: "mahnob-hci", about: "MAHNOB-HCI's Sessions (BDF and session.xml)", labels: mahnobLabels(), units: true, beside: []string{mahnobSession}, read: trialReader(readMAHNOB).read},
		whole:  census{counted("%d", 1, 30), 0, 20},
		differs: "ratings of 5 and more are high here and in torcheeg; in EEGain those above 4.5, and in LibEER those above 5 (--tie '>'). " +
			"Samples are as recorded and all of a film is read; torcheeg and LibEER resample to 128 Hz, and torcheeg keeps 30 s",
	}
}

const mahnobSession = "session.xml"

// mahnobLabels are the ratings, and an emotion by the set's numbers.
func mahnobLabels() []label.Scale {
	emotion := label.Scale{Key: "emotion"}
	for _, e := range []struct {
		number float64
		name   string
	}{{0, "neutral"}, {1, "anger"}, {2, "disgust"}, {3, "fear"}, {4, "joy"}, {5, "sadness"}, {6, "surprise"}, {11, "amusement"}, {12, "anxiety"}} {
		emotion.Classes = append(emotion.Classes, label.ClassOf{Value: e.number, Class: e.name})
	}
	return append(ratings(1, 9, 5, "valence", "arousal", "control", "predictability"), emotion)
}

// A mahnobXML holds the attributes of session.xml.
type mahnobXML struct {
	Valence        string `xml:"feltVlnc,attr"`
	Arousal        string `xml:"feltArsl,attr"`
	Control        string `xml:"feltCtrl,attr"`
	Predictability string `xml:"feltPred,attr"`
	Emotion        string `xml:"feltEmo,attr"`
	Film           string `xml:"mediaFile,attr"`
	Subject        struct {
		ID string `xml:"id,attr"`
	} `xml:"subject"`
}

// errNoTrial is of a file that holds no trial of those that are read.
var errNoTrial = errors.New("it has no trial with a label")

func readMAHNOB(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	path := filepath.Join(filepath.Dir(f.Path), mahnobSession)
	about, err := readMAHNOBXML(path)
	if err != nil {
		return inFile(path, err)
	}
	if about.Arousal == "" {
		return errNoTrial // of another experiment
	}
	b, err := openBioSemi(ctx, m, f.Path)
	if err != nil {
		return err
	}
	if len(b.codes) < 2 {
		return because(fmt.Errorf("its channel Status has %d codes, and the first two say where the film begins and ends", len(b.codes)), b.notes)
	}
	from, to := b.codes[0].sample+1, b.codes[1].sample
	before := samples(m.Signal.Baseline, b.rate)
	if before > from {
		return fmt.Errorf("the film begins %.4g s after the file does, and the baseline before it lasts %g s", float64(from)/b.rate, m.Signal.Baseline)
	}
	t := trial{rate: b.rate, notes: b.notes, subject: about.Subject.ID, number: f.Trial, stimulus: about.Film, labels: map[string]float64{}}
	for i, text := range []string{about.Valence, about.Arousal, about.Control, about.Predictability, about.Emotion} {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(v, 0) {
			continue // it is missing, and said so where it is asked for
		}
		if s := mahnobLabels()[i]; s.Rating() || s.Has(v) {
			t.labels[s.Key] = v
		}
	}
	if t.samples, err = b.part(from-before, to); err != nil {
		return err
	}
	return yield(t)
}

// mostXML bounds a session.xml.
const mostXML = 1 << 20

func readMAHNOBXML(path string) (about mahnobXML, err error) {
	file, err := os.Open(path)
	if err != nil {
		return about, fmt.Errorf("what is said of the recording is missing: %w", err)
	}
	defer file.Close()
	if err := xml.NewDecoder(io.LimitReader(file, mostXML)).Decode(&about); err != nil {
		if errors.Is(err, io.EOF) {
			err = errEmpty
		}
		return about, fmt.Errorf("it is no session of MAHNOB-HCI's: %w", err)
	}
	if about.Subject.ID == "" {
		return about, errors.New("it names no subject")
	}
	return about, nil
}
