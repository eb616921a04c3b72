package preprocess_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/eegprune/eegprune/data/preprocess"
)

// A notch takes the mains out of a recording, which is then brought to 128 Hz.
func Example() {
	p := preprocess.Pipeline{
		&preprocess.Notch{Frequencies: []float64{50}, Quality: 30},
		&preprocess.Resample{Rate: 128},
	}
	form := preprocess.Form{Channels: []string{"Fp1"}, Rate: 512}
	ready, err := p.Prepare(form)
	if err != nil {
		log.Fatal(err)
	}
	mains := make([]float64, 4*512)
	for i := range mains {
		mains[i] = 40 * math.Sin(2*math.Pi*50*float64(i)/512)
	}
	s := &preprocess.Signal{Form: form, Subject: "s01", Samples: [][]float64{mains}}
	if err := ready.Apply(context.Background(), s); err != nil {
		log.Fatal(err)
	}
	amplitude, _ := preprocess.PeakToPeak(s.Samples[0][128:384], 256)
	fmt.Printf("%d samples at %g Hz, below a microvolt from peak to peak: %t\n", len(s.Samples[0]), s.Rate, amplitude < 1)
	// Output: 512 samples at 128 Hz, below a microvolt from peak to peak: true
}
