package label_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/eegprune/eegprune/data/label"
)

// Ratings become classes: high above five, and neither at five.
func Example() {
	p := label.Pipeline{&label.Select{Keys: []string{"arousal"}}, &label.Binary{Threshold: 5, Tie: label.TieDrop}}
	ready, err := p.Prepare(label.Form{Keys: []string{"valence", "arousal"}, Classes: make([][]string, 2)})
	if err != nil {
		log.Fatal(err)
	}
	for _, arousal := range []float64{2, 5, 7.5} {
		class, err := ready.Class(map[string]float64{"valence": 3, "arousal": arousal})
		switch {
		case errors.Is(err, label.ErrTie):
			fmt.Println(arousal, "is left out")
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(arousal, "is", ready.Classes[class])
		}
	}
	// Output:
	// 2 is arousal < 5
	// 5 is left out
	// 7.5 is arousal > 5
}
