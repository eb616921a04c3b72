package source

import (
	"testing"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/note"
)

// A file of version 7.3 that h5py wrote: each sample and rating says where it is, see
// scripts/make_thu_ep.py.
func TestTHUEPOfHDF5(t *testing.T) {
	s, err := Open("testdata/thu_ep", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Use(Reading{Label: label.Choice{Keys: []string{"joy"}}}); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = s.Each(t.Context(), Walk{Notes: &note.List{}}, func(r *Recording) error {
		clip := n
		n++
		if r.Subject != "3" || r.Trial != clip+1 || len(r.Channels) != 30 || r.Channels[16] != "CP1" {
			t.Errorf("trial %d of subject %s, channels %v", r.Trial, r.Subject, r.Channels)
		}
		for k, channel := range map[int]int{0: 0, 15: 15, 16: 18, 29: 31} { // A1 and A2 are 16 and 17
			for i, v := range r.Samples[k] {
				if want := float64(10000*clip + 100*channel + i); v != want {
					t.Fatalf("clip %d, %s, sample %d is %g, want %g", clip, r.Channels[k], i, v, want)
				}
			}
		}
		for kind, key := range thuEPOrder() {
			if want := float64((kind + clip + 2) % 8); r.Labels[key] != want {
				t.Errorf("clip %d: %s is %g, want %g", clip, key, r.Labels[key], want)
			}
		}
		return nil
	})
	if err != nil || n != 28 || s.Classes[1] != "joy > 3" {
		t.Errorf("%d clips, classes %q, %v", n, s.Classes, err)
	}
}
