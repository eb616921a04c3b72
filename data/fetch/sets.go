package fetch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/spelling"
)

// A Set is a data set that can be fetched.
type Set struct {
	Name  string
	About string
	URL   string // of its directory, ending in a slash
	// Match is a regular expression for the files that are wanted. Its group subject is whose a
	// file is; those without are of all.
	Match   string
	License string
	Cite    string

	listing listing
}

// A listing is how a source says which files there are.
type listing int

const (
	bySums   listing = iota // a file SHA256SUMS.txt in the directory, as PhysioNet has it
	byBucket                // the parent of the directory is a bucket that lists its objects as S3 does
)

const (
	goldberger = "Goldberger A, et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 2000, 101(23):e215."
	daly       = "Daly I, Nicolaou N, Williams D, et al. Neural and physiological data from participants listening to affective music. Scientific Data 2020, 7:177."
	cc0        = "CC0 1.0"
	odcBy      = "Open Data Commons Attribution License 1.0"
)

// bidsFiles are the recordings of a BIDS data set and the tables beside them, without code,
// stimuli and derivatives.
const bidsFiles = `^([^./][^/]*|sub-(?<subject>[^/]+)/.+)$`

// Sets returns the known data sets.
func Sets() []Set {
	sets := []Set{
		{Name: "eegmat", About: "rest and mental arithmetic, 36 subjects, 19 electrodes at 500 Hz, 180 MB",
			URL: "https://physionet.org/files/eegmat/1.0.0/", Match: `^Subject(?<subject>\d+)_[12]\.edf$`, License: odcBy,
			Cite: "Zyma I, Tukaev S, Seleznov I, et al. Electroencephalograms during mental arithmetic task performance. Data 2019, 4(1):14. " + goldberger},
		{Name: "eegmmidb", About: "eyes open and eyes closed (runs 1 and 2 of the motor movement and imagery set), 109 subjects, 64 electrodes at 160 Hz, 270 MB",
			URL: "https://physionet.org/files/eegmmidb/1.0.0/", Match: `^S(?<subject>\d{3})/S\d{3}R0[12]\.edf$`, License: odcBy,
			Cite: "Schalk G, McFarland DJ, Hinterberger T, Birbaumer N, Wolpaw JR. BCI2000. IEEE TBME 2004, 51(6):1034-1043. " + goldberger},
		{Name: "emoeeg-mc", URL: openNeuro("ds005540"), About: "ds005540: seven emotions by films and by imagery, 60 subjects, 64 electrodes, 51 GB, a subject up to 1.6 GB",
			Cite: "Xu X, Shen X, Chen X, et al. EmoEEG-MC: A Multi-Context Emotional EEG Dataset for Cross-Context Emotion Decoding. OpenNeuro, doi:10.18112/openneuro.ds005540."},
		{Name: "ds002721", URL: openNeuro("ds002721"), About: "film music and felt affect, 31 subjects, 19 electrodes at 1000 Hz, 3.6 GB",
			Cite: daly + " OpenNeuro, doi:10.18112/openneuro.ds002721."},
		{Name: "ds002723", URL: openNeuro("ds002723"), About: "an affective music interface, testing, 8 subjects, 37 channels at 1000 Hz, 2.8 GB",
			Cite: daly + " OpenNeuro, doi:10.18112/openneuro.ds002723."},
		{Name: "ds002724", URL: openNeuro("ds002724"), About: "an affective music interface, training, 10 subjects, 37 channels at 1000 Hz, 7.6 GB",
			Cite: daly + " OpenNeuro, doi:10.18112/openneuro.ds002724."},
	}
	for i := range sets {
		if sets[i].Match == "" {
			sets[i].Match, sets[i].License, sets[i].listing = bidsFiles, cc0, byBucket
		}
	}
	return sets
}

// openNeuro is where OpenNeuro keeps the last version of a data set.
func openNeuro(accession string) string {
	return "https://s3.amazonaws.com/openneuro.org/" + accession + "/"
}

// A Closed is a data set that its owners give out themselves.
type Closed struct {
	Name   string
	Apply  string // where
	Layout string // the contents of the directory that commands read
}

// ClosedSets are those that are known.
func ClosedSets() []Closed {
	const bcmi = "https://bcmi.sjtu.edu.cn/home/seed/ (a form)"
	return []Closed{
		{"deap", "https://www.eecs.qmul.ac.uk/mmv/datasets/deap/ (a signed agreement)", "s01.dat to s32.dat of data_preprocessed_python"},
		{"seed", bcmi, "Preprocessed_EEG with its .mat files and label.mat"},
		{"seed-iv", bcmi, "eeg_raw_data with the directories 1, 2 and 3 of .mat files"},
		{"seed-v", bcmi, "EEG_raw with its .cnt files, or EEG_DE_features"},
		{"seed-vii", bcmi, "EEG_preprocessed with 1.mat to 20.mat"},
		{"dreamer", "https://zenodo.org/record/546113 (a request)", "DREAMER.mat"},
		{"amigos", "https://www.eecs.qmul.ac.uk/mmv/datasets/amigos/ (a signed agreement)", "Data_Preprocessed_P01.mat and on"},
		{"mahnob-hci", "https://mahnob-db.eu/hci-tagging/ (a signed agreement)", "Sessions with a directory of a .bdf file and session.xml for each"},
		{"faced", "https://www.synapse.org, number syn50614194 (an account)", "Processed_data with sub000.pkl and on, or Data with data.bdf and evt.bdf of each subject, and After_remarks.mat in Rating or Data"},
		{"thu-ep", "its authors at Tsinghua University (a request)", "EEG data with sub_1.mat and on, and Ratings/ratings.mat"},
		{"dasps", "IEEE DataPort, the DASPS database (an account)", "Raw data.mat, and Preprocessed data .mat beside it"},
		{"gameemo", "Kaggle, the Database for Emotion Recognition System - GAMEEMO (an account)", "(S01) to (S28) with their Preprocessed EEG Data"},
	}
}

// ErrClosed is of a data set that can't be fetched, as its owners give it out themselves.
type ErrClosed struct{ Closed }

func (e ErrClosed) Error() string {
	return fmt.Sprintf("%s is given out by its owners only: apply at %s, and unpack it so that the directory holds %s; \"eegprune data info DIR\" then says what is there", e.Name, e.Apply, e.Layout)
}

// Find returns the set of that name. Of one that can't be fetched the error is an [ErrClosed].
func Find(name string) (Set, error) {
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	var names []string
	for _, s := range Sets() {
		if plain(s.Name) == plain(name) || s.listing == byBucket && strings.HasSuffix(s.URL, "/"+strings.ToLower(name)+"/") {
			return s, nil
		}
		names = append(names, s.Name)
	}
	closed := ClosedSets()
	if i := slices.IndexFunc(closed, func(c Closed) bool { return plain(c.Name) == plain(name) }); i >= 0 {
		return Set{}, ErrClosed{closed[i]}
	}
	return Set{}, spelling.Unknown("data set to fetch", name, names)
}
