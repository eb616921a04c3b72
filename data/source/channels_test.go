package source

import (
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/note"
)

func TestChannelsAreChosenByName(t *testing.T) {
	for name, c := range map[string]struct {
		labels  string
		rule    ChannelRule
		want    string
		notes   string // words of the notes
		without string // and none of these
		fails   string
	}{
		"all that is EEG":          {"EEG Fp1,X1,T3,ECG,A1,Status,-", ChannelRule{}, "Fp1,X1,T7", "(not EEG): ECG", "", ""},
		"excluded by label":        {"EEG T3-REF,EEG Cz-REF", ChannelRule{Exclude: []string{"EEG T3-REF"}}, "Cz", "", "T3", ""},
		"excluded by place":        {"T3,Cz", ChannelRule{Exclude: []string{"T7"}}, "Cz", "", "", ""},
		"excluded, not its twin":   {"T3,T7,Cz", ChannelRule{Exclude: []string{"T3"}}, "T7,Cz", "", "2 channels", ""},
		"excluded, its twin stays": {"T4,T8,Cz", ChannelRule{Exclude: []string{"T8"}}, "T4,Cz", "", "2 channels", ""},
		"excluded by number":       {"C3,C3,Cz", ChannelRule{Exclude: []string{"C3-1"}}, "C3-0,Cz", "", "2 channels", ""},
		"excluded in words":        {"Fp1,ECG,Cz", ChannelRule{Exclude: []string{"ECG"}}, "Fp1,Cz", "", "ECG", ""},
		"picked in order":          {"Fp1,Cz,EEG T3-LE", ChannelRule{Pick: []string{"T3", "FP1"}}, "T7,Fp1", "", "left out", ""},
		"picked though no EEG":     {"Fp1,ECG,A1,Status", ChannelRule{Pick: []string{"ecg", "A1", "Fp1"}}, "ECG,A1,Fp1", "", "left out", ""},
		"picked of twins":          {"C3-A1,C3-A2", ChannelRule{Pick: []string{"C3-A2"}}, "C3-A2", "", "", ""},
		"picked, and ambiguous":    {"C3-A1,C3-A2", ChannelRule{Pick: []string{"C3"}}, "", "", "", "C3-A1 or C3-A2"},
		"picked, and not there":    {"Fp1,Cz", ChannelRule{Pick: []string{"Fp2"}}, "", "", "", "no channel Fp2"},
		"picked twice":             {"Fp1,T3", ChannelRule{Pick: []string{"T3", "T7"}}, "", "", "", "twice"},
		"a part of a cap":          {"A1,A32,C3,C4", ChannelRule{Pick: []string{"C3", "C4"}}, "BioSemi C3,BioSemi C4", "", "", ""},
		"nothing that is EEG":      {"ECG,Status", ChannelRule{}, "", "", "", "channels.pick"},
	} {
		m := &Manifest{Channels: c.rule}
		_, names, notes, err := m.pickChannels(strings.Split(c.labels, ","))
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: error %v, want one that says %q", name, err, c.fails)
			}
			continue
		}
		said := strings.Join(note.List(notes).Sentences(), "\n")
		if err != nil || strings.Join(names, ",") != c.want {
			t.Errorf("%s: channels %q, %v; want %s", name, names, err, c.want)
		}
		if !strings.Contains(said, c.notes) || c.without != "" && strings.Contains(said, c.without) {
			t.Errorf("%s: the notes say %q, want %q and not %q", name, said, c.notes, c.without)
		}
	}
}

func TestChannelsOfOtherRatesAndUnits(t *testing.T) {
	m := &Manifest{}
	rows, _, notes, err := m.choose([]candidate{{label: "Fp1", rate: 64}, {label: "X1", rate: 64}, {label: "X2", rate: 256}, {label: "X3", rate: 256}, {label: "X4", rate: 256},
		{label: "Belt", rate: 64, foreign: "unit mbar"}, {label: "Cz", rate: 64, unfit: "its range is empty"}})
	if err != nil || !slices.Equal(rows, []int{0, 1}) {
		t.Errorf("rows %v, %v: the rate of the electrodes is that of EEG", rows, err)
	}
	said := strings.Join(note.List(notes).Sentences(), "\n")
	for _, w := range []string{"X2, X3, X4", "unit mbar): Belt", "its range is empty): Cz"} {
		if !strings.Contains(said, w) {
			t.Errorf("the notes don't say %q: %s", w, said)
		}
	}
	m.Channels.Pick = []string{"Cz"}
	if _, _, _, err := m.choose([]candidate{{label: "Cz", unfit: "its range is empty"}}); err == nil || !strings.Contains(err.Error(), "its range is empty") {
		t.Errorf("a channel without values is picked: %v", err)
	}
}
