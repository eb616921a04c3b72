package data_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/simulate"
	"github.com/eegprune/eegprune/data/source"
)

// TestUnlabelledFile takes a file from among its neighbours, and two of its electrodes in
// another order.
func TestUnlabelledFile(t *testing.T) {
	dir := t.TempDir()
	c := simulate.Default()
	c.Subjects, c.Trials, c.Seconds = 1, 2, 9
	if _, err := simulate.Write(t.Context(), dir, c, nil); err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob(filepath.Join(dir, "*.edf"))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	path := filepath.Join(dir, "anything.edf")
	if err := os.Rename(all[0], path); err != nil {
		t.Fatal(err)
	}
	s, err := source.OpenUnlabelled(path, "")
	if err != nil {
		t.Fatal(err)
	}
	whole, rate, err := data.UnlabelledFeatures(t.Context(), s, data.SignalOptions())
	if err != nil {
		t.Fatal(err)
	}
	if rate != c.Rate || whole.Len() < 4 || whole.Clips[1].Start != int(4*rate) || whole.Clips[0].File != "anything.edf" || whole.Classes != nil {
		t.Errorf("%d clips %+v at %g Hz, classes %v", whole.Len(), whole.Clips, rate, whole.Classes)
	}
	names := []string{whole.Channels[5], whole.Channels[2]}
	s.Pick(names)
	two, _, err := data.UnlabelledFeatures(t.Context(), s, data.SignalOptions())
	if err != nil {
		t.Fatal(err)
	}
	samples := whole.Shape[2]
	if !slices.Equal(two.Channels, names) || !slices.Equal(two.Shape, []int{1, 2, samples}) {
		t.Fatalf("channels %v, shape %v", two.Channels, two.Shape)
	}
	for i, k := range []int{5, 2} {
		if !slices.Equal(two.X[i*samples:(i+1)*samples], whole.X[k*samples:(k+1)*samples]) {
			t.Errorf("electrode %s differs", names[i])
		}
	}
	s.Pick([]string{"Fpz", "TP10"})
	if _, _, err := data.UnlabelledFeatures(t.Context(), s, data.SignalOptions()); err == nil {
		t.Error("electrodes that are not there are found")
	}
	if _, err := source.OpenUnlabelled(filepath.Join(dir, "nowhere.edf"), ""); err == nil {
		t.Error("a file that is not there is opened")
	}
}
