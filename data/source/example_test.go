package source_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/eegprune/eegprune/data/simulate"
	"github.com/eegprune/eegprune/data/source"
)

// The recordings of a directory come one after another, by subject and trial.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	recordings := filepath.Join(dir, "recordings")
	config := simulate.Default()
	config.Subjects, config.Trials, config.Seconds = 2, 2, 4
	ctx := context.Background()
	if _, err := simulate.Write(ctx, recordings, config, nil); err != nil {
		log.Fatal(err)
	}

	s, err := source.Open(recordings, "")
	if err != nil {
		log.Fatal(err)
	}
	err = s.Each(ctx, source.Walk{Workers: 1}, func(r *source.Recording) error {
		fmt.Printf("subject %s, trial %d: %d channels, %d samples at %g Hz, %s\n",
			r.Subject, r.Trial, len(r.Channels), r.Len(), r.Rate, s.Classes[int(r.Labels["label"])])
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// subject s01, trial 1: 32 channels, 512 samples at 128 Hz, negative
	// subject s01, trial 2: 32 channels, 512 samples at 128 Hz, positive
	// subject s02, trial 1: 32 channels, 512 samples at 128 Hz, positive
	// subject s02, trial 2: 32 channels, 512 samples at 128 Hz, negative
}
