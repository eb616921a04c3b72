package montage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/note"
)

// TestIdentify: label sets as recorders write them, and the names of the channels that
// hold EEG.
func TestIdentify(t *testing.T) {
	for name, c := range map[string]struct {
		labels, want string // separated by commas
		notes        string // words that the notes say
	}{
		"10-20 with old names":         {"EEG Fp1-REF,EEG T3-REF,EEG T6-REF,ECG EKG-REF", "Fp1,T7,P8", "T3 as T7"},
		"contralateral references":     {"C3-A2,C4-A1,O1-A2", "C3,C4,O1", "A2 is taken off the names of C3, O1"},
		"references without a mark":    {"C3A2,FP1REF,O2M1,T3LE", "C3,Fp1,O2,T7", "taken off"},
		"ears averaged":                {"Fp1-(A1+A2)/2,Cz-A1A2,Pz-M1+M2,F3-Linked Ears,F4 - Avg", "Fp1,Cz,Pz,F3,F4", "taken off"},
		"numbers that end in 0":        {"C10,F20,P30,C40,Fp10", "C10,F20,P30,C40,Fp10", ""},
		"10-5":                         {"AFF1h,ffc3H,CPP6H,PPO10h,NFp1h,AFp1,AFFz,EEG FTT7h-Ref", "AFF1h,FFC3h,CPP6h,PPO10h,NFp1h,AFp1,AFFz,FTT7h", ""},
		"BioSemi 32 with externals":    {"A1,A2,A32,EXG1,EXG8,GSR1,Erg2,Resp,Plet,Temp,Status", "A1,A2,A32", "BioSemi"},
		"BioSemi 128":                  {"A1,B32,C1,C3,C4,D32,Status", "A1,B32,C1,C3,C4,D32", "BioSemi"},
		"ears are ears":                {"A1,A2,C3,C4,M1", "C3,C4", ""},
		"ears of a bipolar montage":    {"EEG A2-A1,EEG Fp1,EEG Cz", "Fp1,Cz", ""},
		"EGI":                          {"E1,E2,E3,E128,E256,Vertex Ref,VREF,STI 014", "E1,E2,E3,E128,E256,Vertex Ref,VREF", ""},
		"eyes of a sleep recording":    {"C3-M2,C4-M1,E1-M2,E2-M1,CHIN1-CHIN2,ECG", "C3,C4", ""},
		"eyes alone are EGI's":         {"E1,E2", "E1,E2", ""},
		"old beside new":               {"T3,T7,T4", "T3,T7,T8", "2 channels are T7 by their names"},
		"two references of one":        {"C3-A1,C3-A2", "C3-A1,C3-A2", "2 channels are C3"},
		"a label twice":                {"C3,C3,Fp1", "C3-0,C3-1,Fp1", "2 channels are C3"},
		"a label in two cases":         {"FP1,Fp1", "FP1-0,Fp1-1", "2 channels are"},
		"numbers that are taken":       {"C3,C3,C3-0", "C3-0',C3-1,C3-0", ""},
		"bipolar":                      {"FP1-F7,F7-T7,T8-P8,-,T8-P8,VNS", "FP1-F7,F7-T7,T8-P8-0,T8-P8-1,VNS", "2 channels are T8-P8"},
		"common reference":             {"EEG F3-Pz,EEG F4-Pz,EEG T3-Pz,Trigger", "F3,F4,T7", "Pz is taken off"},
		"one difference is one":        {"C3-Cz", "C3-Cz", ""},
		"several seconds":              {"C3-Cz,C4-Cz,F3-Fz", "C3-Cz,C4-Cz,F3-Fz", ""},
		"names that nobody knows":      {"EEG X1,EEG 001,Ch 7,Left,Übung,7", "X1,EEG 001,Ch 7,Left,Übung,7", ""},
		"depth electrodes":             {"LA1,LA2,RH10,POL B'1,EP1,LAT3", "LA1,LA2,RH10,POL B'1,EP1,LAT3", ""},
		"other measurements":           {"EOG horizontal,Resp oro-nasal,EMG submental,Temp rectal,Event marker,SpO2,Pulse,HEOG,VEO,ECG1,EKG1-REF,LOC,ROC,DC3,Photic,X_ACC?", "X_ACC?", ""},
		"padded as eegmmidb":           {"Fc5.,Cz..,Iz..,T10.", "FC5,Cz,Iz,T10", ""},
		"nothing":                      {",-,..,Cz", "Cz", ""},
		"BioSemi in lower case":        {"a1,a2,b1", "A1,A2,B1", "BioSemi"},
		"A1 to A4 beside one of 10-20": {"A1,A2,A3,A4,Cz", "A1,A2,A3,A4,Cz", ""},
	} {
		channels := Identify(strings.Split(c.labels, ","))
		var names []string
		var read []Channel
		for _, x := range channels {
			if x.Kind.EEG() {
				names, read = append(names, x.Name), append(read, x)
			}
		}
		if d := cmp.Diff(c.want, strings.Join(names, ",")); d != "" {
			t.Errorf("%s (-want +got): %s", name, d)
		}
		if said := fmt.Sprint(Notes(read)); !strings.Contains(said, c.notes) || c.notes == "" && strings.Contains(said, string(note.Repeated)) {
			t.Errorf("%s: the notes don't say %q: %s", name, c.notes, said)
		}
	}
}

// TestIdentifyIsOneToOne: every channel has one name, which no other has, and is found by
// its name and by its label.
func TestIdentifyIsOneToOne(t *testing.T) {
	part := rapid.SampledFrom([]string{"C3", "c3", "T3", "T7", "Fp1", "A1", "B7", "E1", "C3-A1", "EEG C3-Ref", "-", "", "C3-0", "ECG", "C3-Cz", "C4-Cz", "Status", "X", "A\v."})
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.SliceOfN(rapid.OneOf(part, rapid.String()), 0, 12).Draw(t, "labels")
		seen := map[string]bool{}
		for i, c := range Identify(labels) {
			if c.Label != labels[i] {
				t.Fatalf("channel %d is %q of %q", i, c.Label, labels[i])
			}
			if !c.Kind.EEG() {
				continue
			}
			if c.Name == "" || seen[strings.ToUpper(c.Name)] {
				t.Fatalf("%q has the name %q, which is empty or another's", c.Label, c.Name)
			}
			seen[strings.ToUpper(c.Name)] = true
			if c.Is(c.Name) != 2 || strings.TrimSpace(c.Label) != "" && c.Is(c.Label) != 2 {
				t.Fatalf("%q is not found by its name %q", c.Label, c.Name)
			}
		}
	})
}

func TestGridCellsOfOldAndForeignNames(t *testing.T) {
	cells, err := GridCells([]string{"T3", "T8"})
	if err != nil || cells[0] != 4*GridSize || cells[1] != 5*GridSize-1 {
		t.Errorf("cells %v, %v", cells, err)
	}
	for _, c := range []struct {
		names string
		words []string
	}{
		{"T3 T7", []string{"T3 and T7", "channels.exclude"}},
		{"A1 A2 B1 C3", []string{"BioSemi", "C3", "--montage"}},
		{"Fp1 E17 E18", []string{"E17, E18", "--montage"}},
	} {
		_, err := GridCells(strings.Fields(c.names))
		for _, w := range c.words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %v, want one that says %q", c.names, err, w)
			}
		}
	}
}
