package transform_test

import (
	"encoding/json"
	"fmt"
	"log"
	"math"

	"github.com/eegprune/eegprune/data/transform"
)

// A pipeline is read from JSON or YAML and prepared for clips of one form. The differential entropy of
// an alpha rhythm of 10 uV is greatest in the band alpha.
func Example() {
	var p transform.Pipeline
	err := json.Unmarshal([]byte(`[
		{"name": "BandDifferentialEntropy", "args": {"bands": {"theta": [4, 8], "alpha": [8, 14], "beta": [14, 31]}}}
	]`), &p)
	if err != nil {
		log.Fatal(err)
	}
	const rate, samples = 128, 256
	ready, err := p.Prepare(transform.Form{Shape: []int{1, samples}, Electrodes: []string{"Oz"}, Rate: rate, Time: true}, nil)
	if err != nil {
		log.Fatal(err)
	}
	clip := transform.NewArray(1, samples)
	for i := range clip.Data {
		clip.Data[i] = 10 * math.Sin(2*math.Pi*10*float64(i)/rate)
	}
	entropy := ready.Apply(clip, nil)
	fmt.Println(entropy.Shape, ready.Out.Bands)
	fmt.Println("alpha is greatest:", entropy.Data[1] > entropy.Data[0] && entropy.Data[1] > entropy.Data[2])
	// Output:
	// [1 3] [theta alpha beta]
	// alpha is greatest: true
}
