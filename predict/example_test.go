package predict_test

import (
	"context"
	"log"
	"os"
	"path/filepath"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/predict"
	"github.com/eegprune/eegprune/torch"
)

// A network in a file classifies an array of three clips. The weights of this one are zero: it finds
// both classes equally likely.
func Example() {
	arch, err := models.Build("eegnet", models.Config{Input: [3]int{1, 4, 128}, Classes: 2, Rate: 128})
	if err != nil {
		log.Fatal(err)
	}
	n, err := models.New(arch, torch.CPU, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Free()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "eegnet.safetensors")
	if err := n.Save(path, nil); err != nil {
		log.Fatal(err)
	}

	checkpoint, err := experiment.OpenCheckpoint(path, models.OpenOptions{Device: torch.CPU})
	if err != nil {
		log.Fatal(err)
	}
	defer checkpoint.Close()
	clips, err := ndarray.New([]int64{3, 1, 4, 128}, "f4", false, false, make([]byte, 3*4*128*4))
	if err != nil {
		log.Fatal(err)
	}
	p, err := predict.New(checkpoint).Clips(context.Background(), clips)
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Write(os.Stdout, predict.CSV); err != nil {
		log.Fatal(err)
	}
	// Output:
	// clip,class,p(0),p(1)
	// 0,0,0.5,0.5
	// 1,0,0.5,0.5
	// 2,0,0.5,0.5
}
