package edf_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/eegprune/eegprune/data/edf"
)

// Two seconds of one signal at 4 Hz are written as EDF+ with an annotation, and read.
func Example() {
	h := &edf.Header{
		StartDate: "01.01.26", StartTime: "12.00.00", Records: 2, RecordSeconds: 1, Plus: true,
		Signals: []edf.Signal{{Label: "EEG Cz", Dimension: "uV", PhysicalMin: -100, PhysicalMax: 100, DigitalMin: -32768, DigitalMax: 32767, SamplesPerRecord: 4}},
	}
	var b bytes.Buffer
	if err := edf.Write(&b, h, [][]float64{{0, 10, 20, 30, 40, 50, 60, 70}}, []edf.Annotation{{Onset: 1, Duration: 1, Text: "rest"}}); err != nil {
		log.Fatal(err)
	}

	f, err := edf.New(bytes.NewReader(b.Bytes()), int64(b.Len()), "rest.edf")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	c, err := f.Read(context.Background(), []int{0})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s at %g Hz: %.0f\n", f.Signals[0].Label, f.Rate(0), c.Signals[0])
	fmt.Println(c.Annotations[0].Text, "at", c.Annotations[0].Onset, "s")
	// Output:
	// EEG Cz at 4 Hz: [0 10 20 30 40 50 60 70]
	// rest at 1 s
}
